//! Slot logins: in views mode a session runs as one of a policy's few logins, which masked views
//! tell what they need (keys, a date, a list of patients) by its name.

use phigate_phi::PolicyId;
use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error::CatalogError;
use crate::upstream::{CONNECT_TIMEOUT, Upstream};

/// `phigate.assign` waits this long at most for another one's lock (its own `lock_timeout`), and
/// answers at once otherwise.
const ASSIGN_TIMEOUT: std::time::Duration = CONNECT_TIMEOUT.saturating_mul(2);

/// Asks for logins, over one connection that is opened when it is first needed and again when it
/// fails.
#[derive(Debug)]
pub struct Slots {
    upstream: Upstream,
    connection: Mutex<Option<PgConnection>>,
}

/// What a login is to be given to.
#[derive(Debug)]
pub struct Assignment<'a> {
    /// The policy whose views are read.
    pub policy: &'a PolicyId,
    /// The name of everything below: equal for sessions that may share a login.
    pub id: &'a str,
    /// The UTC date ages are judged at, `YYYY-MM-DD`.
    pub as_of: &'a str,
    /// The project's keys, as [`phigate_phi::keys::slot`] orders them.
    pub keys: &'a [Vec<u8>; 4],
    /// The patients whose rows are seen, as PostgreSQL prints their keys; `None` for all.
    pub patients: Option<&'a [String]>,
    /// Whether the login is to have privileges to write.
    pub writes: bool,
}

/// Why there is no login.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// Every login of the policy is in use, or was until a minute ago.
    #[error("every login of the policy is in use")]
    InUse,
    /// The policy has no login, or none that may write.
    #[error("the policy has no login")]
    None,
    /// It could not be asked for.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Slots {
    /// None yet; nothing is connected.
    pub fn new(upstream: Upstream) -> Self {
        Self {
            upstream,
            connection: Mutex::new(None),
        }
    }

    /// The name of a login that is now the assignment's. It stays so for a minute, and for as long
    /// as anybody is logged in as it; whoever logs in asks `phigate.assigned()` whether it still is.
    /// Cancel safe: an unfinished question costs the connection.
    ///
    /// # Errors
    /// When there is none, or PostgreSQL cannot be asked in time.
    pub async fn assign(&self, assignment: &Assignment<'_>) -> Result<String, SlotError> {
        let asked = async {
            let mut place = self.connection.lock().await;
            // A connection that has gone stale costs one more attempt.
            if let Some(mut connection) = place.take()
                && let Some(answer) = keep(ask(&mut connection, assignment).await)
            {
                *place = Some(connection);
                return answer;
            }
            let mut connection = self.upstream.connect().await?;
            let answer = ask(&mut connection, assignment).await;
            *place = Some(connection);
            answer.map_err(SlotError::from)
        };
        timeout(ASSIGN_TIMEOUT, asked)
            .await
            .unwrap_or_else(|_| Err(SlotError::Catalog(self.upstream.timed_out(ASSIGN_TIMEOUT))))
    }
}

/// What PostgreSQL answered; nothing if it may not have been asked.
fn keep(answer: Result<String, sqlx::Error>) -> Option<Result<String, SlotError>> {
    match answer {
        Ok(login) => Some(Ok(login)),
        // Class 57: the server ends the connection.
        Err(error @ sqlx::Error::Database(_)) if code(&error).starts_with("57") => None,
        Err(error @ sqlx::Error::Database(_)) => Some(Err(error.into())),
        Err(_) => None,
    }
}

async fn ask(
    connection: &mut PgConnection,
    assignment: &Assignment<'_>,
) -> Result<String, sqlx::Error> {
    // Parameters, never text: statements are logged and shown in pg_stat_activity.
    let query = sqlx::query(
        "SELECT phigate.assign($1, $2, $3::text::date, $4::bytea[], $5::text[], $6)::text",
    )
    .bind(assignment.policy.as_str())
    .bind(assignment.id)
    .bind(assignment.as_of)
    .bind(assignment.keys.as_slice())
    .bind(assignment.patients)
    .bind(assignment.writes);
    connection.fetch_one(query).await?.try_get(0)
}

fn code(error: &sqlx::Error) -> String {
    let database = error.as_database_error();
    database
        .and_then(sqlx::error::DatabaseError::code)
        .unwrap_or_default()
        .into_owned()
}

impl From<sqlx::Error> for SlotError {
    fn from(error: sqlx::Error) -> Self {
        match code(&error).as_str() {
            "53300" => Self::InUse,
            "42704" => Self::None,
            _ => Self::Catalog(error.into()),
        }
    }
}
