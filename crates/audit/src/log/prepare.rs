//! A thread that has the next segment and the disk reserve ready before they are needed, so that the
//! writer never fills a file with zeros while sessions wait; and that syncs now and then at the level
//! `process`, where nobody waits for it.

use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::directory::Directory;
use super::queue::Queue;
use super::waiters::Progress;
use super::{Level, LogConfig};
use crate::error::AuditError;
use crate::keys::KeySpace;

/// How long after a failure the next attempt is made.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How long the writer waits for a segment that is being made.
const SPARE_DEADLINE: Duration = Duration::from_secs(30);
/// How much a power loss may take at the level `process`.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The thread and what it shares with the writer.
pub(super) struct Preparer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    spare: Spare,
    /// What to sync, at the level `process`.
    unsynced: Vec<Arc<File>>,
    stop: bool,
}

enum Spare {
    /// To be made, or being made.
    Wanted,
    /// Made.
    Ready,
    /// The writer has it and gives it its name.
    Taken,
    /// It could not be made; tried again later.
    Failed,
}

impl Preparer {
    pub(super) fn start(
        config: &LogConfig,
        directory: &Arc<Directory>,
        queue: &Arc<Queue>,
        progress: &Arc<Progress>,
        keys: Arc<KeySpace>,
    ) -> Result<Self, AuditError> {
        let state = State {
            spare: Spare::Wanted,
            unsynced: Vec::new(),
            stop: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let worker = Worker {
            segment_bytes: config.segment_bytes,
            reserve_bytes: config.reserve_bytes,
            level: config.level,
            directory: directory.clone(),
            queue: queue.clone(),
            progress: progress.clone(),
            keys,
            shared: shared.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("audit-prepare".to_owned())
            .spawn(move || worker.run())
            .map_err(|error| AuditError::io("start a thread for", &config.dir, &error))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Whether the spare is there now; it is then the caller's until [`Preparer::next`].
    pub(super) fn take_if_ready(&self) -> bool {
        let mut state = self.shared.state();
        let ready = matches!(state.spare, Spare::Ready);
        if ready {
            state.spare = Spare::Taken;
        }
        ready
    }

    /// As [`Preparer::take_if_ready`], but waits while it is being made. `false` when it cannot be.
    pub(super) fn take(&self) -> bool {
        let state = self.shared.state();
        let making = |state: &mut State| matches!(state.spare, Spare::Wanted);
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, SPARE_DEADLINE, making)
            .unwrap_or_else(PoisonError::into_inner);
        drop(state);
        self.take_if_ready()
    }

    /// Has the next spare made, now that the one that was taken has its name.
    pub(super) fn next(&self) {
        let mut state = self.shared.state();
        if matches!(state.spare, Spare::Taken) {
            state.spare = Spare::Wanted;
        }
        self.shared.changed.notify_all();
    }

    /// Something was written to this file and nobody waits for its sync.
    pub(super) fn sync_later(&self, file: &Arc<File>) {
        let mut state = self.shared.state();
        if !state.unsynced.iter().any(|other| Arc::ptr_eq(other, file)) {
            state.unsynced.push(file.clone());
        }
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        self.shared.state().stop = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    segment_bytes: u64,
    reserve_bytes: u64,
    level: Level,
    directory: Arc<Directory>,
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    keys: Arc<KeySpace>,
    shared: Arc<Shared>,
}

impl Worker {
    fn run(self) {
        let mut retry_at = Instant::now();
        let mut failed = None;
        loop {
            let state = self.shared.state();
            if state.stop {
                return;
            }
            let wanted = match state.spare {
                Spare::Wanted => true,
                Spare::Failed => Instant::now() >= retry_at,
                Spare::Ready | Spare::Taken => false,
            };
            drop(state);
            if wanted {
                let made = self.make();
                retry_at = Instant::now() + RETRY_AFTER;
                failed = made.err();
                let spare = if failed.is_some() {
                    Spare::Failed
                } else {
                    Spare::Ready
                };
                self.shared.state().spare = spare;
                self.shared.changed.notify_all();
            }
            let room = self.keys.allocate().err();
            let low = failed.as_ref().or(room.as_ref());
            if let Some(error) = low
                && !self.queue.is_disk_low()
            {
                tracing::error!(%error, "the audit log's disk is low: no session can begin");
            }
            self.queue.set_disk_low(low.is_some());
            self.sync();
            let state = self.shared.state();
            let rest = if self.level == Level::Process {
                SYNC_EVERY
            } else {
                RETRY_AFTER
            };
            let idle = |state: &mut State| !state.stop && !matches!(state.spare, Spare::Wanted);
            drop(self.shared.changed.wait_timeout_while(state, rest, idle));
        }
    }

    /// The reserve comes first: it is what closing records live on.
    fn make(&self) -> Result<(), AuditError> {
        self.directory.make_reserve(self.reserve_bytes)?;
        self.directory.make_spare(self.segment_bytes)
    }

    fn sync(&self) {
        let files = std::mem::take(&mut self.shared.state().unsynced);
        for file in files {
            if let Err(error) = file.sync_data() {
                let path = &self.directory.dir;
                self.progress
                    .fail(AuditError::io("sync a segment in", path, &error));
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
