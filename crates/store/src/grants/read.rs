//! Reading grants.

use phigate_grant::{Budget, Cohort, ColumnName, Ended, Grant, GrantRequest, Life, ProjectName};
use phigate_types::{DatabaseName, Epoch, GrantId, PrincipalName, Timestamp, Version};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use super::{GrantFilter, Page, Stored};
use crate::store::within;
use crate::{Store, StoreError, rows};

impl Store {
    /// The grant with this id.
    pub async fn grant(&self, id: GrantId) -> Result<Option<Stored>, StoreError> {
        within(async { find(&mut self.reader().await?, id).await }).await?
    }

    /// Grants, newest first. Without `include_ended`, those that are live at `now`.
    pub async fn grants(
        &self,
        filter: &GrantFilter,
        now: Timestamp,
    ) -> Result<Page<Stored>, StoreError> {
        within(async {
            let rows = sqlx::query(
                "SELECT * FROM grants
                 WHERE (?1 IS NULL OR principal = ?1) AND (?2 IS NULL OR database = ?2)
                   AND (?3 OR (state = 'active' AND expires_at > ?4))
                   AND (?5 IS NULL OR serial < ?5)
                 ORDER BY serial DESC LIMIT ?6",
            )
            .bind(filter.principal.as_ref().map(PrincipalName::as_str))
            .bind(filter.database.as_ref().map(DatabaseName::as_str))
            .bind(filter.include_ended)
            .bind(now.as_micros())
            .bind(filter.before)
            .bind(filter.limit.saturating_add(1))
            .fetch_all(self.readers())
            .await?;
            page(&rows, filter.limit, stored)
        })
        .await?
    }

    /// Every grant that has not been recorded as ended.
    pub async fn active_grants(&self) -> Result<Vec<Stored>, StoreError> {
        within(async {
            let rows = sqlx::query("SELECT * FROM grants WHERE state = 'active' ORDER BY serial")
                .fetch_all(self.readers())
                .await?;
            rows.iter().map(stored).collect()
        })
        .await?
    }

    /// When the next active grant's time is over.
    pub async fn next_expiry(&self) -> Result<Option<Timestamp>, StoreError> {
        within(async {
            let at: Option<i64> =
                sqlx::query_scalar("SELECT min(expires_at) FROM grants WHERE state = 'active'")
                    .fetch_one(self.readers())
                    .await?;
            Ok(at.map(Timestamp::from_micros))
        })
        .await?
    }
}

pub(crate) async fn find(
    tx: &mut Transaction<'static, Sqlite>,
    id: GrantId,
) -> Result<Option<Stored>, StoreError> {
    let row = sqlx::query("SELECT * FROM grants WHERE id = ?")
        .bind(id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    row.as_ref().map(stored).transpose()
}

/// Cuts rows that were fetched with one too many into a page; each has a `serial`.
pub(crate) fn page<T>(
    rows: &[SqliteRow],
    limit: u32,
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Page<T>, StoreError> {
    let limit = limit as usize;
    let next = match rows.get(limit).and(rows.get(limit.saturating_sub(1))) {
        Some(last) => Some(last.try_get("serial")?),
        None => None,
    };
    let items = rows
        .iter()
        .take(limit)
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

pub(crate) fn stored(row: &SqliteRow) -> Result<Stored, StoreError> {
    let id: String = row.try_get("id")?;
    let damaged = |what| StoreError::Damaged {
        what,
        row: format!("grant {id}"),
    };
    let columns = |what: &'static str| -> Result<Vec<ColumnName>, StoreError> {
        serde_json::from_str(row.try_get(what)?).map_err(|_| damaged(what))
    };
    let instant = |what: &str| -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_micros(row.try_get(what)?))
    };
    let (created_at, expires_at) = (instant("created_at")?, instant("expires_at")?);
    let terms = GrantRequest {
        principal: rows::parse(row, "principal").map_err(|()| damaged("principal"))?,
        database: rows::parse(row, "database").map_err(|()| damaged("database"))?,
        profile: rows::parse(row, "profile").map_err(|()| damaged("profile"))?,
        purpose: rows::parse(row, "purpose").map_err(|()| damaged("purpose"))?,
        reason: row.try_get("reason")?,
        duration: created_at.until(expires_at),
        reveal: columns("reveal")?,
        block: columns("block")?,
        write: row.try_get("write")?,
        max_sessions: row.try_get("max_sessions")?,
        project: ProjectName::parse(row.try_get("project")?).map_err(|_| damaged("project"))?,
        cohort: cohort(row)?,
        sensitivity: serde_json::from_str(row.try_get("sensitivity")?)
            .map_err(|_| damaged("sensitivity"))?,
        data_use_agreement: row.try_get("data_use_agreement")?,
        determination: row.try_get("determination")?,
        budget: budget(row)?,
    };
    let life = match row.try_get("state")? {
        "active" => Life::Active,
        "expired" => Life::Expired(instant("ended_at")?),
        "revoked" => Life::Revoked(Ended {
            at: instant("ended_at")?,
            by: row.try_get("ended_by")?,
            reason: row.try_get("ended_reason")?,
        }),
        _ => return Err(damaged("state")),
    };
    let ended_version: Option<i64> = row.try_get("ended_version")?;
    Ok(Stored {
        grant: Grant {
            id: id.parse().map_err(|_| damaged("id"))?,
            terms,
            created_at,
            expires_at,
            created_by: row.try_get("created_by")?,
            epoch: Epoch(rows::unsigned(row.try_get("epoch")?)),
            life,
        },
        policy: row.try_get("policy")?,
        ended_version: ended_version.map(|version| Version(rows::unsigned(version))),
    })
}

fn cohort(row: &SqliteRow) -> Result<Option<Cohort>, StoreError> {
    let id: Option<String> = row.try_get("cohort")?;
    let patients: Option<u32> = row.try_get("patients")?;
    Ok(id.map(|id| Cohort {
        id,
        patients: patients.unwrap_or_default(),
    }))
}

fn budget(row: &SqliteRow) -> Result<Budget, StoreError> {
    let limit = |name: &str| -> Result<Option<u64>, StoreError> {
        let limit: Option<i64> = row.try_get(name)?;
        Ok(limit.map(rows::unsigned))
    };
    Ok(Budget {
        rows: limit("max_rows")?,
        patients: limit("max_patients")?,
        identifiers: limit("max_identifiers")?,
        bytes: limit("max_bytes")?,
    })
}

/// Column names in one field.
pub(crate) fn names(columns: &[ColumnName]) -> String {
    serde_json::to_string(columns).unwrap_or_default()
}
