//! The file of keys as the writer sees it: zeros written ahead, so that a new key never needs room on a
//! disk that is full.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::slot::SLOT;
use crate::error::AuditError;

/// How much is kept free, in bytes: a thousand sessions.
const AHEAD: u64 = 1024 * SLOT as u64;
/// How much is read at once in search of the end.
const CHUNK: usize = 64 << 10;

/// The file and how far it is used.
pub(crate) struct KeySpace {
    pub(super) file: Arc<File>,
    pub(super) path: PathBuf,
    used: Mutex<Used>,
}

struct Used {
    end: u64,
    allocated: u64,
}

impl KeySpace {
    /// Opens or makes the file and finds its end.
    pub(super) fn open(path: PathBuf) -> Result<Self, AuditError> {
        let wrong = |error| AuditError::io("open", &path, &error);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(wrong)?;
        let size = file.metadata().map_err(wrong)?.len();
        let end = end(&file, size).map_err(wrong)?;
        let used = Mutex::new(Used {
            end,
            allocated: size,
        });
        let space = Self {
            file: Arc::new(file),
            path,
            used,
        };
        space.allocate()?;
        Ok(space)
    }

    /// Has room for a while. Cheap when there is.
    pub(crate) fn allocate(&self) -> Result<(), AuditError> {
        let mut used = self.used();
        if used.allocated >= used.end + AHEAD {
            return Ok(());
        }
        let zeros = vec![0; (used.end + 2 * AHEAD - used.allocated) as usize];
        self.file
            .write_all_at(&zeros, used.allocated)
            .and_then(|()| self.file.sync_all())
            .map_err(|error| AuditError::io("allocate", &self.path, &error))?;
        used.allocated += zeros.len() as u64;
        Ok(())
    }

    /// Writes slots at the end.
    pub(super) fn append(&self, slots: &[u8]) -> Result<(), AuditError> {
        let mut used = self.used();
        self.file
            .write_all_at(slots, used.end)
            .map_err(|error| AuditError::io("write", &self.path, &error))?;
        used.end += slots.len() as u64;
        used.allocated = used.allocated.max(used.end);
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The end of the last slot that is not zeros. A slot that a crash cut short counts: it is skipped.
fn end(file: &File, size: u64) -> std::io::Result<u64> {
    let mut chunk = vec![0; CHUNK];
    let mut to = size;
    while to > 0 {
        let len = (to - 1) % CHUNK as u64 + 1;
        let part = &mut chunk[..len as usize];
        file.read_exact_at(part, to - len)?;
        if let Some(last) = part.iter().rposition(|byte| *byte != 0) {
            return Ok((to - len + last as u64 + 1).next_multiple_of(SLOT as u64));
        }
        to -= len;
    }
    Ok(0)
}
