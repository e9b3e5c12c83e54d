//! The change log: what gateways are told, in order, without gaps.

use phigate_lease::Change;
use phigate_types::{Epoch, Timestamp, Version};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::store::within;
use crate::{Store, StoreError, rows};

/// A piece of the change log, read in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Every change after the version asked for that is kept, in order, up to the limit.
    pub changes: Vec<Change>,
    /// The head of the log at that time.
    pub head: Version,
}

impl Store {
    /// The head of the change log.
    pub async fn head(&self) -> Result<Version, StoreError> {
        head(&mut self.reader().await?).await
    }

    /// The changes after `version`, at most `limit` of them, and the head in the same read.
    pub async fn changes_after(&self, version: Version, limit: u32) -> Result<Changes, StoreError> {
        within(async {
            let mut tx = self.reader().await?;
            let rows = sqlx::query(
                "SELECT version, kind, grant_id, epoch, session_id, reason FROM change
                 WHERE version > ? ORDER BY version LIMIT ?",
            )
            .bind(rows::signed(version.0))
            .bind(limit)
            .fetch_all(&mut *tx)
            .await?;
            let changes = rows.iter().map(read).collect::<Result<_, _>>()?;
            Ok(Changes {
                changes,
                head: head(&mut tx).await?,
            })
        })
        .await?
    }
}

impl Store {
    /// Forgets all but the last `keep` changes, and never the head.
    pub async fn prune_changes(&self, keep: u64) -> Result<(), StoreError> {
        within(async {
            let mut tx = self.writer().await?;
            let head = head(&mut tx).await?;
            sqlx::query("DELETE FROM change WHERE version <= ?")
                .bind(rows::signed(head.0.saturating_sub(keep.max(1))))
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        })
        .await?
    }
}

pub(crate) async fn head(tx: &mut Transaction<'static, Sqlite>) -> Result<Version, StoreError> {
    let head: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM change")
        .fetch_one(&mut **tx)
        .await?;
    Ok(Version(rows::unsigned(head.unwrap_or(0))))
}

pub(crate) async fn insert(
    tx: &mut Transaction<'static, Sqlite>,
    change: &Change,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, grant, epoch, session, reason) = match change {
        Change::GrantEnded {
            version: _,
            grant,
            epoch,
            reason,
        } => (
            "grant_ended",
            Some(grant.as_str()),
            Some(rows::signed(epoch.0)),
            None,
            reason.as_str(),
        ),
        Change::SessionKilled {
            version: _,
            session,
            reason,
        } => (
            "session_killed",
            None,
            None,
            Some(session.as_str()),
            reason.as_str(),
        ),
        Change::Advance { version: _ } => ("advance", None, None, None, ""),
    };
    sqlx::query(
        "INSERT INTO change (version, kind, grant_id, epoch, session_id, reason, at)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(rows::signed(change.version().0))
    .bind(kind)
    .bind(grant)
    .bind(epoch)
    .bind(session)
    .bind(reason)
    .bind(now.as_micros())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn read(row: &SqliteRow) -> Result<Change, StoreError> {
    let number: i64 = row.try_get("version")?;
    let damaged = |what| StoreError::Damaged {
        what,
        row: format!("change {number}"),
    };
    let version = Version(rows::unsigned(number));
    match row.try_get("kind")? {
        "grant_ended" => Ok(Change::GrantEnded {
            version,
            grant: rows::parse(row, "grant_id").map_err(|()| damaged("grant_id"))?,
            epoch: Epoch(rows::unsigned(row.try_get("epoch")?)),
            reason: row.try_get("reason")?,
        }),
        "session_killed" => Ok(Change::SessionKilled {
            version,
            session: rows::parse(row, "session_id").map_err(|()| damaged("session_id"))?,
            reason: row.try_get("reason")?,
        }),
        "advance" => Ok(Change::Advance { version }),
        _ => Err(damaged("kind")),
    }
}
