//! How grants end: revoked, expired, or narrowed into a new epoch.

use phigate_grant::{Ended, Grant, Life, Revocation, State};
use phigate_lease::Change;
use phigate_types::{Epoch, GrantId, Timestamp, Version};

use super::{Stored, read};

use crate::event::Event;
use crate::store::within;
use crate::write::Write;
use crate::{Sequence, Store, StoreError, budget, cohort, credential, project, rows};

/// The most grants that one call of [`Store::expire_due`] ends.
const EXPIRE_AT_ONCE: u32 = 256;

/// Above every epoch: a tombstone ends whatever a gateway may hold under the id.
const TOMBSTONE_EPOCH: Epoch = Epoch(i64::MAX as u64);

/// What the person whose session ends is told when nobody said why.
const REVOKED: &str = "the grant was revoked";

/// A grant has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The grant as it is now; `None` for a tombstone.
    pub grant: Option<Stored>,
    /// The change that every gateway has to have carried out.
    pub version: Version,
    /// The leaf that tells of it is this one or an earlier one.
    pub sequence: Sequence,
    /// False when it had ended before.
    pub changed: bool,
}

/// A grant's effective policy was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reclassified {
    /// The change that ends its sessions.
    pub version: Version,
    /// The leaf that tells of it.
    pub sequence: Sequence,
}

impl Store {
    /// Revokes a grant. Idempotent: a grant that ended before keeps its end, and `version` is
    /// the one of that end. An unknown id gets a tombstone.
    pub async fn revoke_grant(&self, id: GrantId, ended: Ended) -> Result<End, StoreError> {
        within(async {
            let mut write = self.begin(ended.at).await?;
            let end = match read::find(&mut write, id).await? {
                None => bury(&mut write, id, &ended).await?,
                Some(stored) => revoke(&mut write, stored, &ended).await?,
            };
            let sequence = write.commit().await?;
            Ok(End { sequence, ..end })
        })
        .await?
    }

    /// Records which grants' time is over, at most 256 of them; the oldest first.
    pub async fn expire_due(&self, now: Timestamp) -> Result<Vec<End>, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let due = sqlx::query(
                "SELECT * FROM grants WHERE state = 'active' AND expires_at <= ?
                 ORDER BY expires_at LIMIT ?",
            )
            .bind(now.as_micros())
            .bind(EXPIRE_AT_ONCE)
            .fetch_all(&mut **write)
            .await?;
            let mut ends = Vec::with_capacity(due.len());
            for row in &due {
                ends.extend(expire(&mut write, read::stored(row)?).await?);
            }
            if !ends.is_empty() {
                let sequence = write.commit().await?;
                for end in &mut ends {
                    end.sequence = sequence;
                }
            }
            Ok(ends)
        })
        .await?
    }

    /// Gives an active grant another effective policy, in a new epoch: sessions under the old
    /// one end. `None` when the grant is not active or has that policy already.
    pub async fn reclassify_grant(
        &self,
        id: GrantId,
        policy: &str,
        policy_body: &[u8],
        now: Timestamp,
    ) -> Result<Option<Reclassified>, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let Some(stored) = read::find(&mut write, id).await? else {
                return Ok(None);
            };
            if !stored.is_live(now) || stored.policy == policy {
                return Ok(None);
            }
            let epoch = stored.grant.epoch.next();
            project::ensure_policy(&mut write, policy, policy_body).await?;
            sqlx::query("UPDATE grants SET policy = ?, epoch = ? WHERE id = ?")
                .bind(policy)
                .bind(rows::signed(epoch.0))
                .bind(id.as_str())
                .execute(&mut **write)
                .await?;
            let reason = "the classification of the database changed; connect again".to_owned();
            let version = write
                .change(|version| Change::GrantEnded {
                    version,
                    grant: id,
                    epoch,
                    reason,
                })
                .await?;
            let policy = policy.to_owned();
            write
                .event(&Event::GrantReclassified {
                    version,
                    grant: id,
                    epoch,
                    policy,
                })
                .await?;
            Ok(Some(Reclassified {
                version,
                sequence: write.commit().await?,
            }))
        })
        .await?
    }
}

/// Ends every active grant; returns how many.
pub(crate) async fn revoke_all(write: &mut Write, ended: &Ended) -> Result<u64, StoreError> {
    let active = sqlx::query("SELECT * FROM grants WHERE state = 'active' ORDER BY serial")
        .fetch_all(&mut ***write)
        .await?;
    for row in &active {
        revoke(write, read::stored(row)?, ended).await?;
    }
    Ok(active.len() as u64)
}

async fn revoke(write: &mut Write, stored: Stored, ended: &Ended) -> Result<End, StoreError> {
    let Stored {
        grant,
        policy,
        ended_version,
    } = stored;
    let due = grant.life == Life::Active && grant.state(ended.at) == State::Expired;
    match grant.revoke(ended.clone()) {
        Revocation::Ended(grant) => {
            let reason = if ended.reason.is_empty() {
                REVOKED
            } else {
                &ended.reason
            };
            let version = record_end(write, &grant, reason).await?;
            let event = Event::GrantRevoked {
                actor: ended.by.clone(),
                version,
                grant: grant.id,
                epoch: grant.epoch,
                tombstone: false,
                reason: ended.reason.clone(),
            };
            let sequence = write.event(&event).await?;
            let grant = Some(Stored {
                grant,
                policy,
                ended_version: Some(version),
            });
            Ok(End {
                grant,
                version,
                sequence,
                changed: true,
            })
        }
        Revocation::AlreadyEnded(grant) => {
            let stored = Stored {
                grant,
                policy,
                ended_version,
            };
            if due && let Some(end) = expire(write, stored.clone()).await? {
                return Ok(end);
            }
            let version = stored.ended_version.unwrap_or(write.head());
            let sequence = write.sequence();
            Ok(End {
                grant: Some(stored),
                version,
                sequence,
                changed: false,
            })
        }
    }
}

async fn expire(write: &mut Write, stored: Stored) -> Result<Option<End>, StoreError> {
    let Ok(grant) = stored.grant.expire(write.now()) else {
        return Ok(None);
    };
    let version = record_end(write, &grant, "the grant expired").await?;
    let (id, epoch) = (grant.id, grant.epoch);
    let sequence = write
        .event(&Event::GrantExpired {
            version,
            grant: id,
            epoch,
        })
        .await?;
    let grant = Some(Stored {
        grant,
        policy: stored.policy,
        ended_version: Some(version),
    });
    Ok(Some(End {
        grant,
        version,
        sequence,
        changed: true,
    }))
}

/// Writes down an end that the state machine allowed; the verifier dies with the grant.
async fn record_end(write: &mut Write, grant: &Grant, reason: &str) -> Result<Version, StoreError> {
    let (id, epoch, reason) = (grant.id, grant.epoch, reason.to_owned());
    let version = write
        .change(|version| Change::GrantEnded {
            version,
            grant: id,
            epoch,
            reason,
        })
        .await?;
    let (state, at, by, why) = match &grant.life {
        Life::Revoked(ended) => (
            State::Revoked,
            ended.at,
            Some(&ended.by),
            Some(&ended.reason),
        ),
        Life::Expired(at) => (State::Expired, *at, None, None),
        Life::Active => {
            return Err(StoreError::Damaged {
                what: "state",
                row: format!("grant {}", grant.id),
            });
        }
    };
    sqlx::query(
        "UPDATE grants SET state = ?, epoch = ?, ended_at = ?, ended_by = ?, ended_reason = ?,
                ended_version = ?
         WHERE id = ?",
    )
    .bind(state.as_str())
    .bind(rows::signed(grant.epoch.0))
    .bind(at.as_micros())
    .bind(by)
    .bind(why)
    .bind(rows::signed(version.0))
    .bind(grant.id.as_str())
    .execute(&mut ***write)
    .await?;
    credential::delete(write, grant.id).await?;
    budget::forget(write, grant.id).await?;
    cohort::delete_unused(write).await?;
    Ok(version)
}

async fn bury(write: &mut Write, id: GrantId, ended: &Ended) -> Result<End, StoreError> {
    let buried: Option<i64> =
        sqlx::query_scalar("SELECT version FROM tombstone WHERE grant_id = ?")
            .bind(id.as_str())
            .fetch_optional(&mut ***write)
            .await?;
    if let Some(version) = buried {
        let (version, sequence) = (Version(rows::unsigned(version)), write.sequence());
        return Ok(End {
            grant: None,
            version,
            sequence,
            changed: false,
        });
    }
    let reason = if ended.reason.is_empty() {
        REVOKED
    } else {
        &ended.reason
    }
    .to_owned();
    let epoch = TOMBSTONE_EPOCH;
    let version = write
        .change(|version| Change::GrantEnded {
            version,
            grant: id,
            epoch,
            reason,
        })
        .await?;
    sqlx::query("INSERT INTO tombstone (grant_id, at, by, reason, version) VALUES (?, ?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(ended.at.as_micros())
        .bind(&ended.by)
        .bind(&ended.reason)
        .bind(rows::signed(version.0))
        .execute(&mut ***write)
        .await?;
    let event = Event::GrantRevoked {
        actor: ended.by.clone(),
        version,
        grant: id,
        epoch: TOMBSTONE_EPOCH,
        tombstone: true,
        reason: ended.reason.clone(),
    };
    let sequence = write.event(&event).await?;
    Ok(End {
        grant: None,
        version,
        sequence,
        changed: true,
    })
}
