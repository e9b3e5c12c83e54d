//! Views mode: which login a session has upstream.

use aws_lc_rs::digest::{Context, SHA256};
use phigate_catalog::{Assignment, SlotError, Slots};
use phigate_phi::keys;
use phigate_types::{DatabaseName, PgError, Secret, SqlState};

use super::Address;
use crate::authorise::{Authorised, Denied};

/// A login that is the session's own assignment's, as far as is known before it is used.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Where to log in, and as whom.
    pub(crate) address: Address,
    /// What must select no row once logged in: the login may have been given to another since.
    pub(crate) check: String,
}

/// Asks for a login for what the grant releases.
pub(crate) async fn assign(
    slots: &Slots,
    address: &Address,
    database: &DatabaseName,
    authorised: &Authorised,
) -> Result<Slot, Denied> {
    let Some(login_key) = &authorised.upstream_login_key else {
        tracing::error!(%database, "the control plane gave no key for upstream logins");
        return Err(other());
    };
    let keys = keys::slot(authorised.project_key.expose());
    let id = assignment_id(authorised, &keys);
    let assignment = Assignment {
        policy: &authorised.policy.id,
        id: &id,
        as_of: &authorised.as_of,
        keys: &keys,
        patients: authorised
            .cohort
            .as_ref()
            .map(|(_, patients)| patients.0.as_slice()),
        writes: authorised.write,
    };
    let login = slots.assign(&assignment).await.map_err(|error| {
        tracing::warn!(%error, %database, "no upstream login");
        refused(&error, database, authorised)
    })?;
    let password = keys::login_password(login_key.expose(), &login);
    Ok(Slot {
        check: check(&login, &id),
        address: Address {
            user: login,
            password: Some(Secret::new(password)),
            ..address.clone()
        },
    })
}

/// What clients are told where the database has no views of their grant's policy.
pub(crate) fn not_hardened(database: &DatabaseName, authorised: &Authorised) -> Denied {
    let error = PgError::fatal(
        SqlState::CANNOT_CONNECT_NOW,
        format!("database {database} has no masked views for this grant's policy"),
    )
    .with_detail(format!("The policy is {}.", authorised.policy.id))
    .with_hint(format!(
        "ask an administrator to run: phictl database harden {database} --grant {}",
        authorised.grant
    ));
    ("not_hardened", error)
}

/// Equal for sessions that see the same: of one policy, one project, one date, one cohort, reading or
/// writing.
fn assignment_id(authorised: &Authorised, keys: &[Vec<u8>; 4]) -> String {
    let mut hash = Context::new(&SHA256);
    let mut part = |bytes: &[u8]| {
        // INVARIANT: a length before each part, so that none can imitate a separator.
        hash.update(&(bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    };
    part(b"phigate assignment 1");
    part(authorised.policy.id.as_str().as_bytes());
    part(authorised.as_of.as_bytes());
    part(if authorised.write { b"write" } else { b"read" });
    for key in keys {
        part(key);
    }
    if let Some((cohort, _)) = &authorised.cohort {
        part(cohort.as_bytes());
    }
    hex::encode(hash.finish())
}

fn check(login: &str, assignment: &str) -> String {
    // INVARIANT: standard_conforming_strings is on, so that a quote is all that needs doubling.
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    format!(
        "SELECT FROM (SELECT phigate.assigned() AS id) AS a WHERE \
         ((SESSION_USER OPERATOR(pg_catalog.<>) {}::pg_catalog.name) \
         OR (a.id IS DISTINCT FROM {}::pg_catalog.text))",
        quoted(login),
        quoted(assignment)
    )
}

fn refused(error: &SlotError, database: &DatabaseName, authorised: &Authorised) -> Denied {
    match error {
        SlotError::InUse => {
            let error = PgError::fatal(
                SqlState::TOO_MANY_CONNECTIONS,
                format!("every login of database {database} for this grant's policy is in use"),
            );
            let hint = format!(
                "try again in a minute; an administrator can add some: phictl database harden {database} --grant {} --slots N",
                authorised.grant
            );
            ("slots_in_use", error.with_hint(hint))
        }
        SlotError::None => not_hardened(database, authorised),
        SlotError::Catalog(_) => other(),
    }
}

fn other() -> Denied {
    let error = PgError::fatal(
        SqlState::CANNOT_CONNECT_NOW,
        "the gateway could not get a login for the database behind it",
    );
    ("slot", error.with_hint("tell the operator of the gateway"))
}
