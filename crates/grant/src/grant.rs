//! The life of a grant: active, then expired or revoked, and never back.

use phigate_types::{Epoch, GrantId, Timestamp};

use crate::GrantRequest;

/// A grant. Its time is judged by whoever asks: [`Grant::state`] takes the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// What it allows.
    pub terms: GrantRequest,
    /// When it was made and became active.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// Raised by every change that narrows or ends it.
    pub epoch: Epoch,
    /// Where it is in its life, as recorded; see [`Grant::state`] for where it is now.
    pub life: Life,
}

/// What has been recorded about a grant's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// Nothing has ended it yet.
    Active,
    /// Its time was found to be over.
    Expired(Timestamp),
    /// Somebody ended it.
    Revoked(Ended),
}

/// When, by whom and why a grant was ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why; may be empty.
    pub reason: String,
}

/// Where a grant is in its life at a given time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Sessions may be opened.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl State {
    /// The name used in texts and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// What a revocation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// It ended the grant: a new epoch.
    Ended(Grant),
    /// The grant had ended before; nothing changed.
    AlreadyEnded(Grant),
}

/// The grant's time is not over, or it has ended already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the grant is not due to expire")]
pub struct NotDue;

/// What a revocation of a grant that does not exist leaves: an id that can never be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The id.
    pub id: GrantId,
    /// When, by whom and why.
    pub ended: Ended,
}

impl Grant {
    /// A new grant: active from `now`, in its first epoch.
    pub fn new(id: GrantId, terms: GrantRequest, created_by: String, now: Timestamp) -> Self {
        let expires_at = now.plus(terms.duration);
        let epoch = Epoch::default().next();
        Self {
            id,
            terms,
            created_at: now,
            expires_at,
            created_by,
            epoch,
            life: Life::Active,
        }
    }

    /// Where it is in its life at `now`. A grant whose time is over is expired, recorded or not.
    pub fn state(&self, now: Timestamp) -> State {
        match &self.life {
            Life::Revoked(_) => State::Revoked,
            Life::Expired(_) => State::Expired,
            Life::Active if now >= self.expires_at => State::Expired,
            Life::Active => State::Active,
        }
    }

    /// Whether sessions may be opened under it at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.state(now) == State::Active
    }

    /// Ends it, unless it has ended before.
    pub fn revoke(self, ended: Ended) -> Revocation {
        match self.state(ended.at) {
            State::Active => {
                let epoch = self.epoch.next();
                Revocation::Ended(Self {
                    epoch,
                    life: Life::Revoked(ended),
                    ..self
                })
            }
            State::Expired | State::Revoked => Revocation::AlreadyEnded(self),
        }
    }

    /// Records that its time is over: a new epoch.
    pub fn expire(self, now: Timestamp) -> Result<Self, NotDue> {
        match self.life {
            Life::Active if now >= self.expires_at => Ok(Self {
                epoch: self.epoch.next(),
                life: Life::Expired(now),
                ..self
            }),
            Life::Active | Life::Expired(_) | Life::Revoked(_) => Err(NotDue),
        }
    }
}

#[cfg(test)]
mod tests;
