//! The other side: one connection to PostgreSQL for each session.

mod connect;
mod login;
pub(crate) mod slot;
mod verify;

use bytes::BytesMut;
use phigate_catalog::{SslMode, Upstream};
use phigate_types::{PgError, Secret, SqlState};
use phigate_wire::backend::ErrorFields;
use phigate_wire::startup::CancelKey;

use crate::stream::UpstreamStream;

pub(crate) use connect::{cancel, connect};
pub(crate) use login::{Login, login};

/// Where a database is, and the account that sessions run as.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// A name, an address, or a directory (beginning with `/`) that holds a Unix-domain socket.
    pub(crate) host: String,
    /// The port.
    pub(crate) port: u16,
    /// The role.
    pub(crate) user: String,
    /// Its password.
    pub(crate) password: Option<Secret<String>>,
    /// The database there.
    pub(crate) database: String,
    /// How the connection is protected.
    pub(crate) tls: TlsPolicy,
}

/// `sslmode`, with libpq's meanings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TlsPolicy {
    /// Never.
    Disable,
    /// Where the server has it; whose certificate it is does not matter.
    Prefer,
    /// Always; whose certificate it is does not matter.
    Require,
    /// Always, and the certificate must be signed by a known CA.
    VerifyCa {
        /// The CA's certificates in PEM; `None` takes the public ones.
        roots_pem: Option<Vec<u8>>,
    },
    /// The same, and it must name the host.
    VerifyFull {
        /// The CA's certificates in PEM; `None` takes the public ones.
        roots_pem: Option<Vec<u8>>,
    },
}

/// A connection that has said ReadyForQuery.
pub(crate) struct Connection {
    /// The socket.
    pub(crate) stream: UpstreamStream,
    /// What it sent after ReadyForQuery.
    pub(crate) buffer: BytesMut,
    /// Every ParameterStatus, the last of each name.
    pub(crate) parameters: Vec<(String, String)>,
    /// The key for CancelRequests; some servers have none.
    pub(crate) cancel: Option<CancelKey>,
}

/// Why there is no connection. `Display` is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// Refused, unreachable, reset, or a failed TLS handshake.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Took longer than it may.
    #[error("no answer in time")]
    Timeout,
    /// `sslmode` wants TLS and the server has none.
    #[error("the server does not support TLS, but sslmode requires it")]
    NoTls,
    /// A certificate or name cannot be used.
    #[error("TLS: {0}")]
    Tls(String),
    /// It asks for what we cannot or must not give.
    #[error("{0}")]
    Authentication(String),
    /// It does not speak the protocol as we know it.
    #[error("protocol: {0}")]
    Protocol(String),
    /// It said no. The fields may name roles and databases: not for clients.
    #[error("the server answered {}", .0.code())]
    Refused(Box<ErrorFields>),
}

impl UpstreamError {
    /// What the client is told.
    pub(crate) fn for_client(&self) -> PgError {
        let base = PgError::fatal(
            SqlState::CANNOT_CONNECT,
            "the gateway could not connect to the database behind it",
        );
        match self {
            // A setting of the client's own startup packet: its own words come back to it.
            Self::Refused(fields) if fields.code() == SqlState::INVALID_PARAMETER_VALUE => {
                PgError::fatal(fields.code(), fields.message().into_owned())
            }
            Self::Refused(fields) => base
                .with_detail(format!("It answered with SQLSTATE {}.", fields.code()))
                .with_hint("tell the operator of the gateway"),
            Self::Timeout => base.with_detail("It did not answer in time."),
            Self::Io(_)
            | Self::NoTls
            | Self::Tls(_)
            | Self::Authentication(_)
            | Self::Protocol(_) => base.with_hint("tell the operator of the gateway"),
        }
    }
}

impl Address {
    /// From the configuration's URL; reads the file of certificates it names.
    pub(crate) fn of(upstream: &Upstream) -> std::io::Result<Self> {
        let roots_pem = || match &upstream.sslrootcert {
            Some(file) => std::fs::read(file)
                .map(Some)
                .map_err(|error| std::io::Error::other(format!("{}: {error}", file.display()))),
            None => Ok(None),
        };
        let tls = match upstream.sslmode {
            SslMode::Disable => TlsPolicy::Disable,
            SslMode::Prefer => TlsPolicy::Prefer,
            SslMode::Require => TlsPolicy::Require,
            SslMode::VerifyCa => TlsPolicy::VerifyCa {
                roots_pem: roots_pem()?,
            },
            SslMode::VerifyFull => TlsPolicy::VerifyFull {
                roots_pem: roots_pem()?,
            },
        };
        Ok(Self {
            host: upstream.host.clone(),
            port: upstream.port,
            user: upstream.user.clone(),
            password: upstream.password.clone(),
            database: upstream.database.clone(),
            tls,
        })
    }
}
