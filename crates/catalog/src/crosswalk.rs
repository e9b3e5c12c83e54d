//! Codes assigned at random under safe harbor: asking a hardened database to fill in what is missing.

use std::time::Duration;

use sqlx::{Executor as _, Row as _};
use tokio::time::timeout;

use crate::error::CatalogError;
use crate::upstream::{CONNECT_TIMEOUT, Upstream};

/// How long assigning codes may take: it reads every key of the database.
pub const ASSIGN_CODES_TIMEOUT: Duration = Duration::from_mins(30);

/// What assigning codes came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AssignedCodes {
    /// How many keys got one.
    pub assigned: u64,
    /// Relations whose keys could not be read, each with the SQLSTATE that says why: their keys have the
    /// codes they had.
    pub failed: Vec<String>,
}

/// Assigns a code to every key that has none, for these projects
/// ([`phigate_phi::keys::project_number`]). As the broker, who may call this and read nothing of it.
/// A call that is dropped goes on in the database, and is whole or not at all.
///
/// # Errors
/// The database is not hardened (SQLSTATE 42883 or 3F000), or does not answer in time.
pub async fn assign_codes(
    upstream: &Upstream,
    projects: &[i64],
) -> Result<AssignedCodes, CatalogError> {
    let asked = async {
        let mut connection = upstream.connect().await?;
        let query =
            sqlx::query("SELECT assigned, failed FROM phigate.assign_codes($1)").bind(projects);
        let row = connection.fetch_one(query).await?;
        let assigned: i64 = row.try_get("assigned")?;
        let assigned = AssignedCodes {
            assigned: u64::try_from(assigned).unwrap_or_default(),
            failed: row.try_get("failed")?,
        };
        // A connection that is not closed in order is closed by being dropped.
        let _ = timeout(CONNECT_TIMEOUT, sqlx::Connection::close(connection)).await;
        Ok(assigned)
    };
    timeout(ASSIGN_CODES_TIMEOUT, asked)
        .await
        .unwrap_or_else(|_| Err(upstream.timed_out(ASSIGN_CODES_TIMEOUT)))
}
