//! Running a script over an administrator's connection.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use tokio::time::timeout;

use crate::error::CatalogError;
use crate::upstream::Upstream;

/// How long a script may take.
pub const APPLY_TIMEOUT: Duration = Duration::from_mins(2);

/// Why a script was not applied. All of it was undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The administrator does not get in.
    #[error(transparent)]
    Connect(#[from] CatalogError),
    /// PostgreSQL refused a statement. Its words name roles and relations; no statement of the script
    /// handles a value of a table.
    #[error("PostgreSQL refused it: {message} ({code}){hint}")]
    Refused {
        /// The SQLSTATE.
        code: String,
        /// PostgreSQL's primary message.
        message: String,
        /// What can be done, where it is known; begins with a separator.
        hint: &'static str,
    },
    /// The connection was lost half-way.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// It took longer than [`APPLY_TIMEOUT`].
    #[error("it was not done within {} s", APPLY_TIMEOUT.as_secs())]
    Timeout,
}

/// Runs a script of [`super::Plan::sql`] or [`super::Unharden::sql`] as an administrator. Not cancel
/// safe in that a dropped call may have been applied; it is whole or not at all.
///
/// # Errors
/// See [`ApplyError`]; nothing has changed then.
pub async fn apply(admin: &Upstream, script: &str) -> Result<(), ApplyError> {
    let mut connection = admin.connect().await?;
    let ran = timeout(APPLY_TIMEOUT, run(&mut connection, script)).await;
    let outcome = ran.map_err(|_| ApplyError::Timeout)?;
    // A connection that is not closed in order is closed by being dropped.
    let _ = timeout(APPLY_TIMEOUT, connection.close()).await;
    outcome
}

async fn run(connection: &mut PgConnection, script: &str) -> Result<(), ApplyError> {
    // INVARIANT: the script quotes every name and value that is not its own.
    let statements = sqlx::raw_sql(sqlx::AssertSqlSafe(script));
    match connection.execute(statements).await {
        Ok(_) => Ok(()),
        Err(sqlx::Error::Database(error)) => {
            let code = error.code().unwrap_or_default().into_owned();
            let hint = match code.as_str() {
                "42501" => "; the admin must be a superuser, or may make roles and owns the tables",
                "55P03" => "; a table was locked: try again when nobody alters it",
                "2BP01" => "; something that phigate did not make depends on it",
                _ => "",
            };
            Err(ApplyError::Refused {
                code,
                message: error.message().to_owned(),
                hint,
            })
        }
        Err(error) => Err(ApplyError::Lost(error.to_string())),
    }
}
