//! Why the store could not do what it was asked.

use std::io;
use std::path::PathBuf;

use phigate_types::{GrantId, SessionId};

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened, or its lock file cannot be made.
    #[error("cannot open the store {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another control plane has the file.
    #[error("the store {} is in use by another control plane", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file is not a store, is damaged, or was written by a newer version.
    #[error("the store {} cannot be used: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite or the migrations said.
        source: sqlx::Error,
    },
    /// A statement failed: disk full, file damaged.
    #[error("the store failed: {0}")]
    Database(#[from] sqlx::Error),
    /// It took too long.
    #[error("the store did not answer within its deadline")]
    Deadline,
    /// A row holds what the program never writes.
    #[error("the store is damaged: {what} of {row} is not valid")]
    Damaged {
        /// Which column.
        what: &'static str,
        /// Which row.
        row: String,
    },
    /// This id was revoked before it existed, or exists.
    #[error("grant {0} cannot be made: its id is taken")]
    GrantTaken(GrantId),
    /// The principal has its most live grants on this database already.
    #[error("the principal has {0} live grants on this database, the most there may be")]
    TooManyGrants(usize),
    /// A session with this id exists.
    #[error("session {0} exists already")]
    SessionTaken(SessionId),
    /// A gateway claims to have seen a version absurdly far ahead.
    #[error("version {claimed} is too far ahead of the store's {head}")]
    TooFarAhead {
        /// What was claimed.
        claimed: u64,
        /// The store's head.
        head: u64,
    },
}
