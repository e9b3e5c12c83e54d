//! What can go wrong with the log. Every text is for the operator; the client gets [`PgError`].

use std::io;
use std::path::{Path, PathBuf};

use phigate_types::{PgError, SessionId, SqlState};

/// Why something was not recorded, or why the log cannot be opened or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// Another process holds the log.
    #[error("{path} is locked by another process: a log has one writer", path = .0.display())]
    Locked(PathBuf),
    /// The operating system refused.
    #[error("cannot {what} {path}: {text}", path = .path.display())]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Its answer, by kind.
        kind: io::ErrorKind,
        /// Its answer, in words.
        text: String,
    },
    /// The directory holds the log of another instance.
    #[error("{path} is the log of {found:?}, not of {wanted:?}", path = .path.display())]
    OtherOrigin {
        /// The segment that says so.
        path: PathBuf,
        /// Whose log it is.
        found: String,
        /// Whose it should be.
        wanted: String,
    },
    /// A setting that cannot work.
    #[error("audit log configuration: {0}")]
    Config(String),
    /// The queue in front of the writer is full.
    #[error("the audit log is overloaded: {queued} bytes wait to be written")]
    Overloaded {
        /// Bytes in the queue.
        queued: usize,
    },
    /// One entry is longer than the format allows.
    #[error("a record of {len} bytes is longer than {max}")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        max: usize,
    },
    /// The disk is full; only closing records are still taken.
    #[error("the disk of the audit log is full: only closing records are taken")]
    DiskFull,
    /// A record names a session that was not opened in this log, or was closed.
    #[error("session {0} is not open in this log")]
    UnknownSession(SessionId),
    /// A session was opened twice.
    #[error("session {0} is already open in this log")]
    SessionExists(SessionId),
    /// A record that must, or must not, belong to a session does not.
    #[error("a record of kind {0} is given {1} a session")]
    Misplaced(&'static str, &'static str),
    /// An earlier write or sync failed; nothing is recorded from then on.
    #[error("the audit log has failed: {0}")]
    Failed(String),
    /// The log was closed.
    #[error("the audit log is closed")]
    Closed,
    /// A record or payload could not be written as JSON.
    #[error("a record cannot be encoded: {0}")]
    Encoding(String),
    /// A key could not be made, wrapped, read or used.
    #[error("audit keys: {0}")]
    Key(String),
}

impl AuditError {
    /// Wraps an answer of the operating system.
    pub(crate) fn io(what: &'static str, path: &Path, error: &io::Error) -> Self {
        Self::Io {
            what,
            path: path.to_owned(),
            kind: error.kind(),
            text: error.to_string(),
        }
    }

    /// Whether the cause is that no more can be written: disk, quota or file size limit.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::Io { kind, .. } => matches!(kind, StorageFull | QuotaExceeded | FileTooLarge),
            Self::DiskFull => true,
            _ => false,
        }
    }
}

/// What a client whose statement cannot be recorded is told: never a path, never a PHI value.
impl From<&AuditError> for PgError {
    fn from(error: &AuditError) -> Self {
        let (code, detail) = match error {
            AuditError::Overloaded { .. } => (
                SqlState::IO_ERROR,
                "The audit log cannot keep up at the moment.",
            ),
            AuditError::TooLarge { .. } => (
                SqlState::PROGRAM_LIMIT_EXCEEDED,
                "The statement is longer than a record can hold.",
            ),
            AuditError::DiskFull => (SqlState::IO_ERROR, "The disk of the audit log is full."),
            _ => (SqlState::IO_ERROR, "The audit log does not accept records."),
        };
        PgError::error(code, "the statement cannot be recorded, so it is not run")
            .with_detail(detail)
            .with_hint("Nothing is released without a record. Tell the gateway's operator.")
    }
}
