//! What columns a statement would return, asked without running it.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Column, Executor, Row, SqlSafeStr, Statement};
use tokio::time::timeout;

use crate::error::CatalogError;
use crate::upstream::Upstream;

/// Parsing needs locks of the tables named; a table that is being altered is not waited for.
const LIMITS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s'; \
                      SET search_path = ''; SET default_transaction_read_only = on";

/// How types are named: as in `\d`, without a modifier.
const TYPE_NAMES: &str = "\
    SELECT pg_catalog.format_type(u.t::pg_catalog.oid, NULL)
    FROM pg_catalog.unnest($1::pg_catalog.int8[]) WITH ORDINALITY AS u(t, n) ORDER BY u.n";

/// How long everything may take.
const DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// What PostgreSQL says of a statement that it read and did not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Described {
    /// The result's columns: name and type.
    Columns(Vec<(String, String)>),
    /// It would not run it either.
    Rejected {
        /// Five characters.
        sqlstate: String,
        /// PostgreSQL's words; they may quote the statement, never a row.
        message: String,
    },
}

/// The names and types of a statement's result columns, as parse analysis finds them. The statement
/// is prepared, never run: no function of it is called but the input functions of its literals.
/// Cancel safe.
///
/// # Errors
/// When the database cannot be reached, or does not answer in time.
pub async fn describe(upstream: &Upstream, sql: String) -> Result<Described, CatalogError> {
    let described = async {
        let mut connection = upstream.connect().await?;
        ask(&mut connection, sql).await
    };
    match timeout(DEADLINE, described).await {
        Ok(described) => described,
        Err(_) => Err(CatalogError::Timeout {
            address: upstream.address(),
            after: DEADLINE,
        }),
    }
}

async fn ask(connection: &mut PgConnection, sql: String) -> Result<Described, CatalogError> {
    connection.execute(sqlx::raw_sql(LIMITS)).await?;
    let statement = match connection.prepare(AssertSqlSafe(sql).into_sql_str()).await {
        Ok(statement) => statement,
        Err(sqlx::Error::Database(error)) => {
            return Ok(Described::Rejected {
                sqlstate: error.code().unwrap_or_default().into_owned(),
                message: error.message().to_owned(),
            });
        }
        Err(error) => return Err(error.into()),
    };
    let columns: Vec<(String, i64)> = statement
        .columns()
        .iter()
        .map(|column| {
            let oid = column.type_info().oid().map_or(0, |oid| i64::from(oid.0));
            (column.name().to_owned(), oid)
        })
        .collect();
    drop(statement);
    let oids: Vec<i64> = columns.iter().map(|(_, oid)| *oid).collect();
    let types = sqlx::query(TYPE_NAMES)
        .bind(oids)
        .fetch_all(connection)
        .await?;
    let mut told = Vec::with_capacity(columns.len());
    for ((name, _), row) in columns.into_iter().zip(&types) {
        told.push((name, row.try_get(0)?));
    }
    Ok(Described::Columns(told))
}
