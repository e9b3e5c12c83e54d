//! The fence against restored backups: a store that is behind what others have seen must not
//! revive what was revoked since.

use phigate_grant::Ended;
use phigate_types::{Timestamp, Version};

use crate::event::{Event, SYSTEM};
use crate::grants::revoke_all;
use crate::store::within;
use crate::{Sequence, Store, StoreError};

/// The most versions that are burnt at once to catch up with what a gateway has seen.
const MAX_LEAP: u64 = 100_000;

/// What active grants' epochs rise by in a store that is behind: above any that was given out since the
/// backup was taken, so that their end is the end of every session.
const EPOCH_LEAP: i64 = 1 << 32;

/// What a comparison found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fence {
    /// The store has everything that was seen.
    Current,
    /// It is behind: every grant was revoked.
    RolledBack {
        /// The store's version.
        store: Version,
        /// The version that was seen elsewhere.
        seen: Version,
        /// How many grants were active.
        revoked: u64,
    },
}

impl Store {
    /// Compares the store as it was opened with the last leaf of the control plane's own log: its
    /// number (0 where that is not known) and the version it saw. Behind either, the store was
    /// restored from a backup. To be called once, before anything is changed.
    pub async fn fence(
        &self,
        sequence: Sequence,
        version: Version,
        now: Timestamp,
    ) -> Result<Fence, StoreError> {
        if sequence <= self.last_sequence().await? && version <= self.head().await? {
            return Ok(Fence::Current);
        }
        self.roll_over(sequence, version, now).await
    }

    /// Compares the store with the version that an attaching gateway has applied: any that is ahead
    /// tells of changes that are lost.
    pub async fn fence_gateway(
        &self,
        applied: Version,
        now: Timestamp,
    ) -> Result<Fence, StoreError> {
        let head = self.head().await?;
        if applied <= head {
            return Ok(Fence::Current);
        }
        if applied.0 - head.0 > MAX_LEAP {
            return Err(StoreError::TooFarAhead {
                claimed: applied.0,
                head: head.0,
            });
        }
        self.roll_over(0, applied, now).await
    }

    async fn roll_over(
        &self,
        sequence: Sequence,
        seen: Version,
        now: Timestamp,
    ) -> Result<Fence, StoreError> {
        within(async {
            let store = self.head().await?;
            if seen.0.saturating_sub(store.0) > MAX_LEAP {
                return Err(StoreError::TooFarAhead {
                    claimed: seen.0,
                    head: store.0,
                });
            }
            let mut write = self.begin(now).await?;
            write.burn_to(seen).await?;
            write.skip_to(sequence);
            sqlx::query("UPDATE grants SET epoch = epoch + ? WHERE state = 'active'")
                .bind(EPOCH_LEAP)
                .execute(&mut **write)
                .await?;
            let reason = "the control plane was restored from a backup".to_owned();
            let ended = Ended {
                at: now,
                by: SYSTEM.to_owned(),
                reason,
            };
            let revoked = revoke_all(&mut write, &ended).await?;
            let event = Event::StoreRolledBack {
                store,
                seen,
                grants_revoked: revoked,
            };
            write.event(&event).await?;
            write.commit().await?;
            Ok(Fence::RolledBack {
                store,
                seen,
                revoked,
            })
        })
        .await?
    }
}
