//! Asking the database what the checks want to know.

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor, Row};

use super::checks::{CHECKS, MARKS};
use crate::error::CatalogError;
use crate::upstream::Upstream;

/// Names are written in full because nothing is on the path; no lock holds us for long.
const BEGIN: &str = "\
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL search_path = '';
    SET LOCAL statement_timeout = '15s';
    SET LOCAL lock_timeout = '2s';
    SET LOCAL client_min_messages = 'error'";

/// What was found in a database, not yet judged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// `server_version_num`, such as 150018.
    pub(super) version: i32,
    /// The rows of each check: its name, the object, a word about it.
    pub(super) rows: Vec<(&'static str, String, String)>,
}

/// Connects and reads the facts. Cancel safe.
///
/// # Errors
/// As [`read_facts`], and when it cannot connect.
pub async fn examine(upstream: &Upstream) -> Result<Facts, CatalogError> {
    let mut connection = upstream.connect().await?;
    read_facts(&mut connection).await
}

/// Asks every check, in one transaction. Not cancel safe: drop the connection too.
///
/// # Errors
/// When a question fails; the database counts as unknown then. Without the schema `phigate` there is
/// nothing to examine, and no fact.
pub async fn read_facts(connection: &mut PgConnection) -> Result<Facts, CatalogError> {
    let mut transaction = connection.begin_with(BEGIN).await?;
    let row = transaction
        .fetch_one(
            "SELECT pg_catalog.current_setting('server_version_num')::int4,
                    pg_catalog.to_regclass('phigate.policy') IS NOT NULL",
        )
        .await?;
    let mut facts = Facts {
        version: row.try_get(0)?,
        rows: Vec::new(),
    };
    if row.try_get(1)? {
        for check in CHECKS {
            let mut sql = check.sql.to_owned();
            for (mark, condition) in MARKS {
                sql = sql.replace(mark, condition);
            }
            let asked = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
            for row in transaction.fetch_all(asked).await? {
                facts
                    .rows
                    .push((check.name, row.try_get(0)?, row.try_get(1)?));
            }
        }
    }
    transaction.commit().await?;
    Ok(facts)
}
