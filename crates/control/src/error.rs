//! Why the control plane does not start, or stops; and what its callers are told.

use std::io;
use std::net::SocketAddr;

use phigate_audit::AuditError;
use phigate_pki::PkiError;
use phigate_store::StoreError;
use tonic::Status;

/// What ends [`crate::serve`].
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The listener cannot be bound.
    #[error("the control plane cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The control plane's own log cannot be used.
    #[error("the control plane's audit log cannot be used: {0}")]
    Audit(#[from] AuditError),
    /// The admin's token or a certificate cannot be used.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The admin's token is not one.
    #[error(
        "{path} does not hold an admin token of at least 32 characters; delete it to have a new one made"
    )]
    Token {
        /// The file.
        path: String,
    },
    /// The key of the slot logins is not one.
    #[error("{path} does not hold a key of 32 bytes in hexadecimal digits")]
    UpstreamKey {
        /// The file.
        path: String,
    },
    /// A database could not be hardened before the start.
    #[error("database {database} could not be hardened: {reason}")]
    Harden {
        /// The database.
        database: String,
        /// Why.
        reason: String,
    },
    /// A certificate cannot be used.
    #[error("the control plane's certificates cannot be used: {0}")]
    Tls(String),
    /// gRPC cannot be set up, or failed.
    #[error("the control plane's listener failed: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// Reflection cannot be set up.
    #[error("the API description is not usable: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A background task ended that never should.
    #[error("the control plane stopped: {0}")]
    Stopped(&'static str),
}

/// What a caller is told of a store error; the details go to the log.
pub(crate) fn status(error: &StoreError) -> Status {
    match error {
        StoreError::TooManyGrants(_) => Status::resource_exhausted(error.to_string()),
        StoreError::GrantTaken(_) | StoreError::SessionTaken(_) => {
            Status::already_exists(error.to_string())
        }
        StoreError::TooFarAhead { .. } => Status::failed_precondition(error.to_string()),
        StoreError::Deadline => Status::deadline_exceeded(error.to_string()),
        StoreError::Open { .. }
        | StoreError::InUse { .. }
        | StoreError::Unusable { .. }
        | StoreError::Database(_)
        | StoreError::Damaged { .. } => {
            tracing::error!(%error, "the store failed");
            Status::unavailable("the control plane's store failed; its log says why")
        }
    }
}
