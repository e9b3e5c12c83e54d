//! What can go wrong before a private PostgreSQL serves, in words an operator can act on.

use std::io;
use std::path::{Path, PathBuf};

use crate::binaries::PgVersion;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// No server binaries anywhere that was looked at.
    #[error(
        "no PostgreSQL {oldest} or newer found; looked at {looked}\nhint: install PostgreSQL, or name its bin directory with --pg-bin or PHIGATE_PG_BIN",
        oldest = crate::OLDEST_MAJOR
    )]
    NotFound {
        /// The places, for people.
        looked: String,
    },
    /// A place that was named holds no server.
    #[error("{} holds no PostgreSQL server: {reason}", .path.display())]
    NotAServer {
        /// What was named.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A server that is too old to use.
    #[error(
        "PostgreSQL {oldest} or newer is needed; {} is {version}",
        .path.display(),
        oldest = crate::OLDEST_MAJOR
    )]
    TooOld {
        /// The bin directory.
        path: PathBuf,
        /// What it holds.
        version: PgVersion,
    },
    /// No source gave binaries; one line for each that was tried.
    #[error(
        "PostgreSQL is not installed here and could not be fetched:\n{tried}\nhint: install PostgreSQL {oldest} or newer yourself and run this again",
        oldest = crate::OLDEST_MAJOR
    )]
    Fetch {
        /// One line for each source.
        tried: String,
    },
    /// A program of PostgreSQL's failed.
    #[error("{program} failed ({status}): {output}")]
    Program {
        /// Its name.
        program: String,
        /// Its exit status.
        status: String,
        /// The end of what it said.
        output: String,
    },
    /// The server did not come up.
    #[error("PostgreSQL did not start in {}: {reason}\n{log}", .directory.display())]
    Start {
        /// The cluster's directory.
        directory: PathBuf,
        /// Why, as far as known.
        reason: String,
        /// The last lines of its log.
        log: String,
    },
    /// The account PostgreSQL runs as cannot reach a path.
    #[error(
        "PostgreSQL refuses to run as root, so it runs as {account}, who cannot use {}\nhint: choose a directory that every user may enter, for example under /var/tmp",
        .path.display()
    )]
    OutOfReach {
        /// Who it runs as.
        account: String,
        /// The first directory it cannot enter.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// The verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// Something did not happen in time.
    #[error("{what} took longer than {seconds} s")]
    Deadline {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
    },
    /// A statement failed.
    #[error("filling the cluster failed: {0}")]
    Sql(#[from] sqlx::Error),
}

impl ClusterError {
    /// An [`ClusterError::Io`] maker for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
