//! The process between us and PostgreSQL that ends it when we end, whatever ends us.
//!
//! A parent-death signal would need code between fork and exec, which safe Rust does not have, and
//! exists on Linux only. A pipe whose other end only we hold works everywhere: the kernel closes it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::account::Account;
use crate::error::ClusterError;
use crate::poll;

const SCRIPT: &str = include_str!("supervise.sh");

/// How long a server may take to stop before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How long the supervisor may take after that.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// How a server is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Sessions are ended, a checkpoint is written.
    Fast,
    /// Everything is dropped at once; for data that nobody needs any more.
    Immediate,
}

/// What to run.
pub(crate) struct Server<'a> {
    pub(crate) program: &'a Path,
    pub(crate) data: &'a Path,
    pub(crate) log: &'a Path,
    pub(crate) stop: Stop,
    /// Directories that go when the server has ended because we are gone or wanted it.
    pub(crate) remove: Vec<PathBuf>,
}

/// A supervised server. Dropping it stops the server and waits for its end.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
}

impl Supervisor {
    /// Starts the server under supervision, in a process group of its own, so that Ctrl-C at a
    /// terminal reaches us and not PostgreSQL.
    pub(crate) fn start(account: &Account, server: &Server<'_>) -> Result<Self, ClusterError> {
        let shell = Path::new("/bin/sh");
        let child = account
            .command(shell)
            .args(["-c", SCRIPT, "phigate-cluster"])
            .arg(server.program)
            .arg(server.data)
            .arg(server.log)
            .arg(match server.stop {
                Stop::Fast => "INT",
                Stop::Immediate => "QUIT",
            })
            .args(&server.remove)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(ClusterError::io("run", shell))?;
        Ok(Self { child })
    }

    /// Whether the server has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for the end of a server that was told to stop by other means.
    pub(crate) fn wait_for_server(&mut self) -> Result<(), ClusterError> {
        poll::until(STOP_LIMIT, || self.has_ended().then_some(())).ok_or(ClusterError::Deadline {
            what: "stopping PostgreSQL".to_owned(),
            seconds: STOP_LIMIT.as_secs(),
        })
    }

    /// Stops the server and waits for its end; `postmaster` is killed when it takes too long.
    pub(crate) fn stop(&mut self, postmaster: Option<i32>) -> Result<(), ClusterError> {
        drop(self.child.stdin.take());
        if poll::until(STOP_LIMIT, || self.has_ended().then_some(())).is_some() {
            return Ok(());
        }
        if let Some(process) = postmaster.and_then(rustix::process::Pid::from_raw) {
            // Its children notice the death of the postmaster and leave.
            let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
        }
        poll::until(KILL_LIMIT, || self.has_ended().then_some(())).ok_or(ClusterError::Deadline {
            what: "stopping PostgreSQL".to_owned(),
            seconds: (STOP_LIMIT + KILL_LIMIT).as_secs(),
        })
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Err(error) = self.stop(None) {
            tracing::warn!(%error, "a private PostgreSQL may still be running");
        }
    }
}
