//! Budgets: drawn by sessions in parts, given back by those that end. What a session that was lost had drawn
//! counts as used. Patients with a key are never given back: who was seen costs nothing the next time,
//! in whatever session.

use phigate_grant::{Amounts, Budget, Counted, PatientKey, Wanted};
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
    /// How many of the patients asked for may be seen, from the first on.
    pub keys: u32,
    /// What no session has drawn after that.
    pub left: Amounts,
}

impl Store {
    /// Draws a part of the budget of a live session's grant, and as many of the patients `keys` as it
    /// has room for, in their order.
    pub async fn draw(
        &self,
        id: SessionId,
        gateway: &GatewayId,
        wanted: Wanted,
        keys: &[PatientKey],
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
            let budget: Budget = grant.grant.terms.budget;
            let room = budget
                .left(drawn(&mut write, session.grant).await?)
                .patients;
            let seen = see(&mut write, session.grant, keys, room).await?;
            if seen == 0 && !keys.is_empty() {
                return Ok(Err(DrawRefused::Spent(Counted::Patients)));
            }
            let used = drawn(&mut write, session.grant).await?;
            let part = match budget.draw(used, wanted) {
                Ok(part) => part,
                Err(counted) => return Ok(Err(DrawRefused::Spent(counted))),
            };
            sqlx::query(
                "INSERT INTO drawn (session_id, grant_id, rows, patients, identifiers, bytes)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (session_id) DO UPDATE SET rows = rows + ?3,
                    patients = patients + ?4, identifiers = identifiers + ?5, bytes = bytes + ?6",
            )
            .bind(id.as_str())
            .bind(session.grant.as_str())
            .bind(rows::signed(part.rows))
            .bind(rows::signed(part.patients))
            .bind(rows::signed(part.identifiers))
            .bind(rows::signed(part.bytes))
            .execute(&mut **write)
            .await?;
            write.commit().await?;
            let left = budget.left(used.plus(part));
            Ok(Ok(Drawn {
                part,
                keys: seen,
                left,
            }))
        })
        .await?
    }
}

/// Notes patients as seen under a grant until `room` is used up by new ones; how many, from the first on.
async fn see(
    write: &mut Write,
    grant: GrantId,
    keys: &[PatientKey],
    mut room: u64,
) -> Result<u32, StoreError> {
    let mut seen = 0;
    for key in keys {
        let known: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM patient_seen WHERE grant_id = ? AND key = ?")
                .bind(grant.as_str())
                .bind(key.as_slice())
                .fetch_optional(&mut ***write)
                .await?;
        if known.is_none() {
            if room == 0 {
                break;
            }
            room -= 1;
            sqlx::query("INSERT INTO patient_seen (grant_id, key) VALUES (?, ?)")
                .bind(grant.as_str())
                .bind(key.as_slice())
                .execute(&mut ***write)
                .await?;
        }
        seen += 1;
    }
    Ok(seen)
}

/// A grant has ended: whom it has shown is nobody's matter any more.
pub(crate) async fn forget(write: &mut Write, grant: GrantId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM patient_seen WHERE grant_id = ?")
        .bind(grant.as_str())
        .execute(&mut ***write)
        .await?;
    Ok(())
}

/// What all sessions of a grant have drawn.
pub(crate) async fn drawn(write: &mut Write, grant: GrantId) -> Result<Amounts, StoreError> {
    let row = sqlx::query(
        "SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(patients), 0) AS patients,
                coalesce(sum(identifiers), 0) AS identifiers, coalesce(sum(bytes), 0) AS bytes,
                (SELECT count(*) FROM patient_seen WHERE grant_id = ?1) AS seen
         FROM drawn WHERE grant_id = ?1",
    )
    .bind(grant.as_str())
    .fetch_one(&mut ***write)
    .await?;
    let amount = |name: &str| row.try_get(name).map(rows::unsigned);
    Ok(Amounts {
        rows: amount("rows")?,
        patients: amount("patients")?.saturating_add(amount("seen")?),
        identifiers: amount("identifiers")?,
        bytes: amount("bytes")?,
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
                identifiers = min(identifiers, ?4), bytes = min(bytes, ?5)
         WHERE session_id = ?1",
    )
    .bind(id.as_str())
    .bind(rows::signed(used.rows))
    .bind(rows::signed(used.patients))
    .bind(rows::signed(used.identifiers))
    .bind(rows::signed(used.bytes))
    .execute(&mut ***write)
    .await?;
    Ok(())
}
