//! Budgets: drawn by sessions in parts, given back by those that end. What a session that was lost had drawn
//! counts as used.

use phigate_grant::{Amounts, Budget, Counted, Wanted};
use phigate_types::{GatewayId, GrantId, SessionId, Timestamp};
use sqlx::Row as _;

use crate::grants::read;
use crate::store::within;
use crate::write::Write;
use crate::{Store, StoreError, rows, session};

/// Why nothing was drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawRefused {
    /// There is no such live session of this gateway, or its grant has ended.
    NoSession,
    /// The grant's budget of this is used up.
    Spent(Counted),
}

/// A part of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drawn {
    /// How much of each.
    pub part: Amounts,
    /// What no session has drawn after that.
    pub left: Amounts,
}

impl Store {
    /// Draws a part of the budget of a live session's grant.
    pub async fn draw(
        &self,
        id: SessionId,
        gateway: &GatewayId,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Result<Drawn, DrawRefused>, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            let found = session::find(&mut write, id).await?;
            let Some((session, _)) =
                found.filter(|(session, _)| session.ended.is_none() && session.gateway == *gateway)
            else {
                return Ok(Err(DrawRefused::NoSession));
            };
            let grant = read::find(&mut write, session.grant).await?;
            let Some(grant) = grant.filter(|grant| grant.is_live(now)) else {
                return Ok(Err(DrawRefused::NoSession));
            };
            let used = drawn(&mut write, session.grant).await?;
            let budget: Budget = grant.grant.terms.budget;
            let part = match budget.draw(used, wanted) {
                Ok(part) => part,
                Err(counted) => return Ok(Err(DrawRefused::Spent(counted))),
            };
            sqlx::query(
                "INSERT INTO drawn (session_id, grant_id, rows, patients, identifiers)
                 VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (session_id) DO UPDATE SET rows = rows + ?3,
                    patients = patients + ?4, identifiers = identifiers + ?5",
            )
            .bind(id.as_str())
            .bind(session.grant.as_str())
            .bind(rows::signed(part.rows))
            .bind(rows::signed(part.patients))
            .bind(rows::signed(part.identifiers))
            .execute(&mut **write)
            .await?;
            write.commit().await?;
            let left = budget.left(used.plus(part));
            Ok(Ok(Drawn { part, left }))
        })
        .await?
    }
}

/// What all sessions of a grant have drawn.
pub(crate) async fn drawn(write: &mut Write, grant: GrantId) -> Result<Amounts, StoreError> {
    let row = sqlx::query(
        "SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(patients), 0) AS patients,
                coalesce(sum(identifiers), 0) AS identifiers
         FROM drawn WHERE grant_id = ?",
    )
    .bind(grant.as_str())
    .fetch_one(&mut ***write)
    .await?;
    Ok(Amounts {
        rows: rows::unsigned(row.try_get("rows")?),
        patients: rows::unsigned(row.try_get("patients")?),
        identifiers: rows::unsigned(row.try_get("identifiers")?),
    })
}

/// A session that ended gives back what it did not use; never more than it had drawn.
pub(crate) async fn give_back(
    write: &mut Write,
    id: SessionId,
    used: Amounts,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE drawn SET rows = min(rows, ?2), patients = min(patients, ?3),
                identifiers = min(identifiers, ?4)
         WHERE session_id = ?1",
    )
    .bind(id.as_str())
    .bind(rows::signed(used.rows))
    .bind(rows::signed(used.patients))
    .bind(rows::signed(used.identifiers))
    .execute(&mut ***write)
    .await?;
    Ok(())
}
