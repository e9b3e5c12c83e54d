//! The log's directory: its lock, files of zeros, and the syncs that make their names durable.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::error::AuditError;
use crate::leaf::Head;
use crate::segment::{HEADER, Header, Name};

/// The lock's file name.
const LOCK: &str = "lock";
/// The file name of the next segment while it is made ready.
const SPARE: &str = "spare";
/// The file name of the disk reserve: it becomes the next segment when none can be made.
const RESERVE: &str = "reserve";
/// How long a writer waits for the lock: an auditor who asks whether it is held holds it for a moment.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);
/// How long it rests in between.
const LOCK_PAUSE: Duration = Duration::from_millis(10);
/// How many zeros are written at once.
const CHUNK: usize = 1 << 20;

/// A log's directory, locked for as long as this lives.
pub(super) struct Directory {
    pub(super) dir: PathBuf,
    pub(super) origin: String,
    _lock: File,
}

/// The segment being written.
#[derive(Clone)]
pub(super) struct Segment {
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    pub(super) sequence: u64,
    pub(super) size: u64,
    /// Where the next batch goes.
    pub(super) offset: u64,
    /// Whether it was the disk reserve.
    pub(super) reserve: bool,
}

impl Directory {
    /// Makes the directory if need be, and takes its lock.
    pub(super) fn lock(dir: &Path, origin: &str) -> Result<Self, AuditError> {
        make_directory(dir)?;
        let path = dir.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| AuditError::io("open", &path, &error))?;
        let begun = Instant::now();
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    return Ok(Self {
                        dir: dir.to_owned(),
                        origin: origin.to_owned(),
                        _lock: lock,
                    });
                }
                Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < LOCK_PATIENCE => {
                    #[allow(
                        clippy::disallowed_methods,
                        reason = "another process's lock tells nobody when it is free"
                    )]
                    std::thread::sleep(LOCK_PAUSE);
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Err(AuditError::Locked(path)),
                Err(error) => return Err(AuditError::io("lock", &path, &error.into())),
            }
        }
    }

    /// Whether the disk reserve is there, in full.
    pub(super) fn has_reserve(&self, size: u64) -> bool {
        std::fs::metadata(self.dir.join(RESERVE)).is_ok_and(|about| about.len() == size)
    }

    /// Makes the disk reserve, unless it is there.
    pub(super) fn make_reserve(&self, size: u64) -> Result<(), AuditError> {
        if self.has_reserve(size) {
            return Ok(());
        }
        // Under another name first: a reserve that is there is whole.
        let draft = self.dir.join("reserve.new");
        fill_with_zeros(&draft, size)?;
        let path = self.dir.join(RESERVE);
        std::fs::rename(&draft, &path).map_err(|error| AuditError::io("rename", &path, &error))?;
        sync_directory(&self.dir)
    }

    /// Makes the file of the next segment ready: zeros, on the disk.
    pub(super) fn make_spare(&self, size: u64) -> Result<(), AuditError> {
        fill_with_zeros(&self.dir.join(SPARE), size)?;
        sync_directory(&self.dir)
    }

    /// Makes the spare, or the reserve, the segment that follows `head`.
    pub(super) fn adopt(
        &self,
        head: Head,
        sequence: u64,
        reserve: bool,
    ) -> Result<Segment, AuditError> {
        let from = self.dir.join(if reserve { RESERVE } else { SPARE });
        let wrong = |error: io::Error| AuditError::io("open", &from, &error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&from)
            .map_err(wrong)?;
        let size = file.metadata().map_err(wrong)?.len();
        let header = Header {
            epoch: head.epoch,
            sequence,
            first: head.leaves,
            size,
            previous: head.hash,
            origin: self.origin.clone(),
        };
        // Header first, name after: a segment that has its name has its header.
        file.write_all_at(&header.encode(), 0)
            .and_then(|()| file.sync_all())
            .map_err(|error| AuditError::io("write", &from, &error))?;
        let path = Name {
            epoch: head.epoch,
            sequence,
        }
        .path(&self.dir);
        std::fs::rename(&from, &path).map_err(|error| AuditError::io("rename", &path, &error))?;
        sync_directory(&self.dir)?;
        Ok(Segment {
            file: Arc::new(file),
            path,
            sequence,
            size,
            offset: HEADER as u64,
            reserve,
        })
    }
}

/// Whether a writer holds the directory at this moment. What cannot be asked is not held: a copy has
/// no writer.
pub(crate) fn is_held(dir: &Path) -> bool {
    let Ok(lock) = File::open(dir.join(LOCK)) else {
        return false;
    };
    // Shared, and given back with the file: auditors are not in each other's way.
    let asked = flock(&lock, FlockOperation::NonBlockingLockShared);
    asked == Err(rustix::io::Errno::WOULDBLOCK)
}

/// Makes a directory that only its owner may enter.
pub(crate) fn make_directory(dir: &Path) -> Result<(), AuditError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| AuditError::io("create", dir, &error))?;
    // The parent may be another file system's root, or not ours to open: its sync is a courtesy.
    if let Some(parent) = dir.parent() {
        let _ = sync_directory(parent);
    }
    Ok(())
}

/// Has the names in a directory on the disk.
pub(crate) fn sync_directory(dir: &Path) -> Result<(), AuditError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| AuditError::io("sync", dir, &error))
}

/// Allocates a file by writing it: a later write to it changes no metadata, so that its sync is one
/// write to the disk, and cannot fail for want of space.
fn fill_with_zeros(path: &Path, size: u64) -> Result<(), AuditError> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        let zeros = vec![0; CHUNK];
        let mut left = size;
        while left > 0 {
            let len = left.min(CHUNK as u64);
            file.write_all(&zeros[..len as usize])?;
            left -= len;
        }
        file.sync_all()
    };
    write().map_err(|error| {
        // What was allocated is given back: it may be what others need.
        let _ = std::fs::remove_file(path);
        AuditError::io("allocate", path, &error)
    })
}
