//! Why a catalog could not be read, in words an operator can act on.

use std::error::Error as _;
use std::time::Duration;

/// Why a catalog could not be read. No text carries a password, a statement or a value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogError {
    /// Nobody listens there, or the name does not resolve.
    #[error("cannot reach PostgreSQL at {address}: {reason}")]
    Unreachable {
        /// `host:port`, or the socket.
        address: String,
        /// The system's words.
        reason: String,
    },
    /// No answer in time.
    #[error("PostgreSQL at {address} did not answer within {} s", after.as_secs_f32())]
    Timeout {
        /// `host:port`, or the socket.
        address: String,
        /// The time it had.
        after: Duration,
    },
    /// 28P01 or 28000.
    #[error(
        "PostgreSQL at {address} does not let {user:?} in: wrong password, or no line for it in pg_hba.conf ({code})"
    )]
    Refused {
        /// `host:port`, or the socket.
        address: String,
        /// The user we came as.
        user: String,
        /// The SQLSTATE.
        code: String,
    },
    /// TLS was wanted and is not there, or its certificate is not trusted.
    #[error("no TLS with PostgreSQL at {address} as sslmode asks: {reason}")]
    Tls {
        /// `host:port`, or the socket.
        address: String,
        /// The TLS library's words.
        reason: String,
    },
    /// 3D000.
    #[error("PostgreSQL at {address} has no database {database:?}")]
    NoDatabase {
        /// `host:port`, or the socket.
        address: String,
        /// The database asked for.
        database: String,
    },
    /// The server is older than [`crate::OLDEST_MAJOR`].
    #[error("PostgreSQL {oldest} or newer is needed; {address} runs {found}")]
    TooOld {
        /// `host:port`, or the socket.
        address: String,
        /// The oldest major that will do.
        oldest: u16,
        /// The server's own version.
        found: String,
    },
    /// The database stores bytes, not characters.
    #[error("the database is encoded as SQL_ASCII, in which text is only bytes; UTF8 is needed")]
    Encoding,
    /// A query failed; its SQLSTATE says why.
    #[error("reading the catalog failed: {0}")]
    Query(String),
}

impl CatalogError {
    /// Who and what a failed connection was about.
    pub(crate) fn connect(error: &sqlx::Error, upstream: &crate::Upstream) -> Self {
        let address = upstream.address();
        match error {
            sqlx::Error::Io(io) => Self::Unreachable {
                address,
                reason: io.to_string(),
            },
            sqlx::Error::Tls(tls) => Self::Tls {
                address,
                reason: tls.to_string(),
            },
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some(code @ ("28P01" | "28000")) => Self::Refused {
                    address,
                    user: upstream.user.clone(),
                    code: code.to_owned(),
                },
                Some("3D000") => Self::NoDatabase {
                    address,
                    database: upstream.database.clone(),
                },
                code => Self::Unreachable {
                    address,
                    reason: format!("SQLSTATE {}", code.unwrap_or("unknown")),
                },
            },
            other => Self::Unreachable {
                address,
                reason: describe(other),
            },
        }
    }
}

impl From<sqlx::Error> for CatalogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Query(describe(&error))
    }
}

/// The error's kind without the server's message, which may quote what it was about.
fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(database) => {
            format!("SQLSTATE {}", database.code().unwrap_or_default())
        }
        other => {
            let mut text = other.to_string();
            if let Some(source) = other.source().map(ToString::to_string)
                && !text.contains(&source)
            {
                text = format!("{text}: {source}");
            }
            text
        }
    }
}
