//! Grants: made, read, ended.

mod end;
pub(crate) mod read;

use phigate_grant::{Grant, MAX_LIVE_GRANTS, PatientList};
use phigate_lease::Change;
use phigate_types::{DatabaseName, PrincipalName, Timestamp, Version};

pub(crate) use end::revoke_all;
pub use end::{End, Reclassified};

use crate::event::Event;
use crate::store::within;
use crate::write::Write;
use crate::{Credential, Sequence, Store, StoreError, cohort, credential, project, rows};

/// A grant to be stored, with what belongs to it.
#[derive(Debug)]
pub struct NewGrant<'a> {
    /// The grant.
    pub grant: &'a Grant,
    /// The verifier of its password.
    pub credential: &'a Credential,
    /// The id of its effective policy.
    pub policy: &'a str,
    /// The policy itself, as [`Store::policy`] gives it back.
    pub policy_body: &'a [u8],
    /// The list of its cohort, where it has one.
    pub patients: Option<&'a PatientList>,
}

/// A grant was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The change it made.
    pub version: Version,
    /// The leaf that tells of it.
    pub sequence: Sequence,
}

/// A grant as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The grant.
    pub grant: Grant,
    /// The id of its effective policy.
    pub policy: String,
    /// The change that ended it.
    pub ended_version: Option<Version>,
}

/// Which grants to list.
#[derive(Debug, Clone, Default)]
pub struct GrantFilter {
    /// Only this principal's.
    pub principal: Option<PrincipalName>,
    /// Only this database's.
    pub database: Option<DatabaseName>,
    /// Also those that have ended.
    pub include_ended: bool,
    /// At most this many.
    pub limit: u32,
    /// Only those before this position, as [`Page::next`] gave it.
    pub before: Option<i64>,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// This part.
    pub items: Vec<T>,
    /// Where the next part begins; `None` on the last.
    pub next: Option<i64>,
}

impl Store {
    /// Stores a grant. Fails with [`StoreError::GrantTaken`] when the id exists or was revoked
    /// before, and with [`StoreError::TooManyGrants`] when the principal has
    /// [`MAX_LIVE_GRANTS`] on the database.
    pub async fn create_grant(&self, new: &NewGrant<'_>) -> Result<Created, StoreError> {
        within(async {
            let mut write = self.begin(new.grant.created_at).await?;
            check_room(&mut write, new.grant).await?;
            project::ensure_principal(&mut write, &new.grant.terms.principal).await?;
            project::ensure_project(&mut write, &new.grant.terms.project).await?;
            project::ensure_policy(&mut write, new.policy, new.policy_body).await?;
            if let (Some(cohort), Some(patients)) = (&new.grant.terms.cohort, new.patients) {
                cohort::ensure(&mut write, &cohort.id, patients).await?;
            }
            insert(&mut write, new).await?;
            credential::insert(&mut write, new.grant.id, new.credential).await?;
            let version = write.change(|version| Change::Advance { version }).await?;
            write.event(&created(new, version)).await?;
            Ok(Created {
                version,
                sequence: write.commit().await?,
            })
        })
        .await?
    }
}

async fn check_room(write: &mut Write, grant: &Grant) -> Result<(), StoreError> {
    let taken: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM grants WHERE id = ?1)
              + (SELECT count(*) FROM tombstone WHERE grant_id = ?1)",
    )
    .bind(grant.id.as_str())
    .fetch_one(&mut ***write)
    .await?;
    if taken > 0 {
        return Err(StoreError::GrantTaken(grant.id));
    }
    let live: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM grants
         WHERE principal = ? AND database = ? AND state = 'active' AND expires_at > ?",
    )
    .bind(grant.terms.principal.as_str())
    .bind(grant.terms.database.as_str())
    .bind(grant.created_at.as_micros())
    .fetch_one(&mut ***write)
    .await?;
    if rows::unsigned(live) >= MAX_LIVE_GRANTS as u64 {
        return Err(StoreError::TooManyGrants(MAX_LIVE_GRANTS));
    }
    Ok(())
}

async fn insert(write: &mut Write, new: &NewGrant<'_>) -> Result<(), StoreError> {
    let (grant, terms) = (new.grant, &new.grant.terms);
    sqlx::query(
        "INSERT INTO grants
         (id, serial, principal, database, profile, purpose, reason, reveal, block, write,
          max_sessions, project, policy, epoch, created_at, expires_at, created_by, state,
          cohort, patients, sensitivity, data_use_agreement, determination,
          max_rows, max_patients, max_identifiers, max_bytes)
         VALUES (?, (SELECT coalesce(max(serial), 0) + 1 FROM grants), ?, ?, ?, ?, ?, ?, ?, ?,
          ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(grant.id.as_str())
    .bind(terms.principal.as_str())
    .bind(terms.database.as_str())
    .bind(terms.profile.as_str())
    .bind(terms.purpose.as_str())
    .bind(&terms.reason)
    .bind(read::names(&terms.reveal))
    .bind(read::names(&terms.block))
    .bind(terms.write)
    .bind(terms.max_sessions)
    .bind(terms.project.as_str())
    .bind(new.policy)
    .bind(rows::signed(grant.epoch.0))
    .bind(grant.created_at.as_micros())
    .bind(grant.expires_at.as_micros())
    .bind(&grant.created_by)
    .bind(terms.cohort.as_ref().map(|cohort| &cohort.id))
    .bind(terms.cohort.as_ref().map(|cohort| cohort.patients))
    .bind(serde_json::to_string(&terms.sensitivity).unwrap_or_default())
    .bind(&terms.data_use_agreement)
    .bind(&terms.determination)
    .bind(terms.budget.rows.map(rows::signed))
    .bind(terms.budget.patients.map(rows::signed))
    .bind(terms.budget.identifiers.map(rows::signed))
    .bind(terms.budget.bytes.map(rows::signed))
    .execute(&mut ***write)
    .await?;
    Ok(())
}

fn created(new: &NewGrant<'_>, version: Version) -> Event {
    let (grant, terms) = (new.grant, &new.grant.terms);
    Event::GrantCreated {
        actor: grant.created_by.clone(),
        version,
        grant: grant.id,
        epoch: grant.epoch,
        principal: terms.principal.clone(),
        database: terms.database.clone(),
        profile: terms.profile,
        purpose: terms.purpose,
        reason: terms.reason.clone(),
        reveal: terms.reveal.iter().map(ToString::to_string).collect(),
        block: terms.block.iter().map(ToString::to_string).collect(),
        write: terms.write,
        max_sessions: terms.max_sessions,
        project: terms.project.as_str().to_owned(),
        policy: new.policy.to_owned(),
        expires_at: grant.expires_at,
        cohort: terms.cohort.as_ref().map(|cohort| cohort.id.clone()),
        patients: terms.cohort.as_ref().map(|cohort| cohort.patients),
        sensitivity: terms.sensitivity.iter().map(ToString::to_string).collect(),
        data_use_agreement: terms.data_use_agreement.clone(),
        determination: terms.determination.clone(),
        max_rows: terms.budget.rows,
        max_patients: terms.budget.patients,
        max_identifiers: terms.budget.identifiers,
        max_bytes: terms.budget.bytes,
    }
}

impl Stored {
    /// Whether sessions may be opened under it at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.grant.is_live(now)
    }
}
