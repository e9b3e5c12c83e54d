//! The chains: each leaf names the one before it, and the one before it in its session.

use std::collections::HashMap;

use phigate_types::SessionId;

use crate::batch::Entry;
use crate::leaf::{Digest, Fixed, Head};
use crate::record::Kind;

/// Follows the leaves of one epoch and holds what the next one must name.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    /// The epoch.
    pub(crate) epoch: u32,
    /// How many leaves it has: the number of the next.
    pub(crate) next: u64,
    /// The hash of the last one; of the epoch before, as long as there is none.
    pub(crate) head: Digest,
    /// The kind of the last one.
    pub(crate) last: Option<Kind>,
    /// The sessions that are open.
    sessions: HashMap<SessionId, (u64, Digest)>,
    /// How many sessions were opened.
    pub(crate) opened: u64,
    /// How many were never closed because the log was opened anew.
    pub(crate) lost: u64,
    /// Whether sessions are followed: not when the chain is entered in its middle.
    follows_sessions: bool,
}

impl Chain {
    /// The chain at the beginning of an epoch; `previous` is the head of the epoch before.
    pub(crate) fn new(epoch: u32, previous: Digest) -> Self {
        Self {
            epoch,
            next: 0,
            head: previous,
            last: None,
            sessions: HashMap::new(),
            opened: 0,
            lost: 0,
            follows_sessions: true,
        }
    }

    /// The chain from a segment's header on: its sessions are not followed.
    pub(crate) fn entered(epoch: u32, next: u64, head: Digest) -> Self {
        Self {
            next,
            follows_sessions: false,
            ..Self::new(epoch, head)
        }
    }

    /// How far it goes.
    pub(crate) fn head(&self) -> Head {
        Head {
            epoch: self.epoch,
            leaves: self.next,
            hash: self.head,
        }
    }

    /// How many sessions are open.
    pub(crate) fn open_sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Takes the next leaf, or says why it cannot be the next.
    pub(crate) fn accept(&mut self, entry: &Entry<'_>, fixed: &Fixed) -> Result<(), &'static str> {
        if fixed.epoch != self.epoch {
            return Err("a leaf belongs to another epoch");
        }
        if fixed.index != self.next {
            return Err("a leaf's number is not the next one");
        }
        if fixed.previous != self.head {
            return Err("a leaf does not name the hash of the one before it");
        }
        let hash = Digest::of(entry.hashed);
        if fixed.kind.of_session() != fixed.session.is_some() {
            return Err("a leaf of its kind must not have, or lack, a session");
        }
        if self.follows_sessions {
            self.follow(fixed, hash)?;
        }
        self.head = hash;
        self.next += 1;
        self.last = Some(fixed.kind);
        Ok(())
    }

    fn follow(&mut self, fixed: &Fixed, hash: Digest) -> Result<(), &'static str> {
        if fixed.kind == Kind::LogOpened {
            // The process that had them open is gone.
            self.lost += self.sessions.len() as u64;
            self.sessions.clear();
        }
        let Some(link) = &fixed.session else {
            return Ok(());
        };
        if fixed.kind == Kind::SessionOpened {
            if (link.sequence, link.previous) != (0, Digest::default()) {
                return Err("a session's first leaf names one before it");
            }
            if self.sessions.insert(link.session, (1, hash)).is_some() {
                return Err("a session is opened while it is open");
            }
            self.opened += 1;
            return Ok(());
        }
        let Some((sequence, head)) = self.sessions.get_mut(&link.session) else {
            return Err("a leaf belongs to a session that is not open");
        };
        if *sequence != link.sequence {
            return Err("a leaf's number in its session is not the next one");
        }
        if *head != link.previous {
            return Err("a leaf does not name the hash of its session's leaf before it");
        }
        (*sequence, *head) = (link.sequence + 1, hash);
        if fixed.kind == Kind::SessionClosed {
            self.sessions.remove(&link.session);
        }
        Ok(())
    }
}
