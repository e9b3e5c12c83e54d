//! The log: one writer per directory, in a thread of its own; [`Log::append`] never waits for a disk.
//!
//! While one sync runs, entries queue; the next sync carries them all. Nothing that somebody waits for
//! waits for a timer.

mod directory;
mod prepare;
mod queue;
mod recover;
mod waiters;
mod writer;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use phigate_types::SessionId;

use crate::error::AuditError;
use crate::leaf::Head;
use crate::record::{Payload, Record};
use queue::Queue;
use waiters::Progress;

pub(crate) use directory::{is_held, make_directory, sync_directory};
pub use recover::{Quarantine, RecoveryReport};

/// The size of a segment in production, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// The size of the disk reserve in production, in bytes.
pub const RESERVE_BYTES: u64 = 4 << 20;
/// The smallest segment or reserve, in bytes.
pub const MIN_SEGMENT_BYTES: u64 = 16 << 10;
/// The largest segment or reserve, in bytes.
pub const MAX_SEGMENT_BYTES: u64 = 1 << 30;
/// After how long without a record a heartbeat is written.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(30);
/// The longest name of a log, in bytes.
pub const MAX_ORIGIN: usize = 255;

/// When a statement's result may be released, and when it may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Level {
    /// Released when the record was written: it survives a killed process, not a power loss.
    Process,
    /// Released when the record was synced to the disk.
    #[default]
    Local,
    /// As `Local`; and the caller waits before it runs the statement, too.
    Strict,
}

/// Where a log is and how it is kept.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Its directory; made when it is missing.
    pub dir: PathBuf,
    /// Whose log it is, for example `clinic/gateway-1`; in every segment.
    pub origin: String,
    /// The directory of the keys, shared by the logs of one machine.
    pub keys: PathBuf,
    /// The size of a segment, in bytes.
    pub segment_bytes: u64,
    /// The size of the disk reserve, in bytes.
    pub reserve_bytes: u64,
    /// What durable means.
    pub level: Level,
    /// After how long without a record a heartbeat is written.
    pub heartbeat: Duration,
}

/// One record to append.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The session it belongs to.
    pub session: Option<SessionId>,
    /// What is written in clear.
    pub record: Record,
    /// What is encrypted.
    pub payload: Option<Payload>,
}

/// How many leaves the log has with the appended one: durable when the log is durable to here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

/// A handle on a log; clones share it. The log is closed in order by [`Log::close`] or when the last
/// handle is gone.
#[derive(Clone)]
pub struct Log(Arc<Shared>);

struct Shared {
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    recovered: RecoveryReport,
    level: Level,
    writer: Mutex<Option<JoinHandle<()>>>,
}

// === impl Log ===

impl Log {
    /// Opens the log for writing, makes it when it is not there, and repairs what a crash left.
    /// Blocks for disk I/O: about a second where the last segment is 64 MiB.
    pub fn open(config: LogConfig) -> Result<(Self, RecoveryReport), AuditError> {
        config.check()?;
        let opened = recover::open(&config)?;
        let report = opened.report.clone();
        let queue = Arc::new(Queue::new(opened.end.next, config.heartbeat, queue::LINGER));
        let progress = Arc::new(Progress::new(opened.head()));
        let level = config.level;
        let writer = writer::start(config, opened, &queue, &progress)?;
        let shared = Shared {
            queue,
            progress,
            recovered: report.clone(),
            level,
            writer: Mutex::new(Some(writer)),
        };
        let log = Self(Arc::new(shared));
        // The log's own first leaf is durable, or opening has failed.
        log.0.progress.wait_blocking(Position(report.leaves + 1))?;
        Ok((log, report))
    }

    /// Queues one record and says where it will be. Never waits for the disk.
    pub fn append(&self, entry: Entry) -> Result<Position, AuditError> {
        if let Some(error) = self.0.progress.failed() {
            return Err(error);
        }
        let position = self.0.queue.push(&entry);
        // Freed here, on the session's thread, not on the writer's.
        drop(entry);
        position
    }

    /// How many leaves the log has with those that wait to be written.
    pub fn appended(&self) -> Position {
        self.0.queue.appended()
    }

    /// How far the log is durable, at its level.
    pub fn durable(&self) -> Position {
        self.0.progress.durable()
    }

    /// Waits until the log is durable to `position`. One atomic load when it is already. Cancel safe.
    pub async fn wait_durable(&self, position: Position) -> Result<(), AuditError> {
        self.0.progress.wait(position).await
    }

    /// Why nothing more is recorded, once that is so.
    pub fn failed(&self) -> Option<AuditError> {
        self.0.progress.failed()
    }

    /// Whether no room could be made for the next segment or the next keys: statements of open sessions
    /// are taken as long as there is room, but no session can begin.
    pub fn is_disk_low(&self) -> bool {
        self.0.queue.is_disk_low()
    }

    /// How far the log is written and durable; keep it elsewhere, to prove later that nothing is gone.
    pub fn head(&self) -> Head {
        self.0.progress.head()
    }

    /// At which level the log is kept.
    pub fn level(&self) -> Level {
        self.0.level
    }

    /// What was found when it was opened.
    pub fn recovered(&self) -> &RecoveryReport {
        &self.0.recovered
    }

    /// Writes what is queued and the closing leaf, and ends the writer. Blocks until that is done;
    /// later appends fail with [`AuditError::Closed`].
    pub fn close(self) -> Result<(), AuditError> {
        self.0.stop();
        self.0.progress.failed().map_or(Ok(()), Err)
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("head", &self.head())
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    fn stop(&self) {
        self.queue.close();
        let writer = self
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            self.progress
                .fail(AuditError::Failed("the writer thread ended".to_owned()));
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop();
    }
}

// === impl LogConfig ===

impl LogConfig {
    /// The production settings for a log in `dir`, its keys in `keys` beside it.
    pub fn new(dir: impl Into<PathBuf>, origin: impl Into<String>) -> Self {
        let dir = dir.into();
        let keys = dir.parent().unwrap_or(Path::new(".")).join("keys");
        Self {
            dir,
            origin: origin.into(),
            keys,
            segment_bytes: SEGMENT_BYTES,
            reserve_bytes: RESERVE_BYTES,
            level: Level::default(),
            heartbeat: HEARTBEAT_EVERY,
        }
    }

    fn check(&self) -> Result<(), AuditError> {
        let origin = self.origin.as_bytes();
        let printable = origin.iter().all(u8::is_ascii_graphic);
        if origin.is_empty() || origin.len() > MAX_ORIGIN || !printable {
            let text = format!("the origin is 1 to {MAX_ORIGIN} visible ASCII characters");
            return Err(AuditError::Config(text));
        }
        for (name, bytes) in [
            ("segment", self.segment_bytes),
            ("reserve", self.reserve_bytes),
        ] {
            if !(MIN_SEGMENT_BYTES..=MAX_SEGMENT_BYTES).contains(&bytes) {
                return Err(AuditError::Config(format!(
                    "a {name} is {MIN_SEGMENT_BYTES} to {MAX_SEGMENT_BYTES} bytes, not {bytes}"
                )));
            }
        }
        if self.heartbeat.is_zero() {
            return Err(AuditError::Config(
                "the heartbeat interval is zero".to_owned(),
            ));
        }
        Ok(())
    }
}

// === impl Level ===

impl Level {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Local => "local",
            Self::Strict => "strict",
        }
    }
}

impl FromStr for Level {
    type Err = AuditError;

    fn from_str(text: &str) -> Result<Self, AuditError> {
        [Self::Process, Self::Local, Self::Strict]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| {
                AuditError::Config(format!(
                    "recording is process, local or strict, not {text:?}"
                ))
            })
    }
}
