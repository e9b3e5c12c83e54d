//! The keys of payloads: one per session, one per leaf that has no session, in a directory of their
//! own, wrapped by a master key. Who has only the log reads no payload; who has lost a key, or shredded
//! it, can still verify everything.
//!
//! Files: `master.key` (32 bytes, mode 0600), and per log `NAME.keys`, slots of 128 bytes.

mod master;
mod slot;
mod space;

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use phigate_types::{Secret, SessionId};

use crate::error::AuditError;
use crate::leaf::Digest;
use crate::segment;
use master::Master;
use slot::{SLOT, Slot, Wrapped};
pub(crate) use space::KeySpace;

/// A key for AES-256-GCM.
pub(crate) type Key = Secret<[u8; 32]>;

/// Whose payloads a key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Those of a session.
    Session(SessionId),
    /// That of one leaf without a session.
    Leaf {
        /// The epoch of the log.
        epoch: u32,
        /// The leaf's number in it.
        index: u64,
    },
}

/// What the store knows about a subject's key.
pub(crate) enum Found {
    /// The key.
    Key(Key),
    /// It was shredded.
    Shredded,
    /// There is none, or the master key does not open it.
    Missing,
}

/// The keys of one log, for reading and for shredding.
pub struct KeyStore {
    file: File,
    path: PathBuf,
    master: Option<Master>,
    origin: String,
    slots: HashMap<Subject, (u64, Option<Wrapped>)>,
    /// Slots that cannot be read.
    damaged: u64,
}

/// The writing side: the log's own writer thread.
pub(crate) struct KeyWriter {
    space: Arc<KeySpace>,
    master: Master,
    origin: String,
    pending: Vec<u8>,
    dirty: bool,
}

// === impl KeyStore ===

impl KeyStore {
    /// Opens the keys of the log called `origin`. Without the master key nothing can be decrypted, but
    /// it is still known which keys were shredded.
    pub fn open(dir: &Path, origin: &str) -> Result<Self, AuditError> {
        let path = dir.join(file_name(origin));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .or_else(|_| File::open(&path))
            .map_err(|error| AuditError::io("open", &path, &error))?;
        let master = Master::read(dir).ok();
        let mut store = Self {
            file,
            path,
            master,
            origin: origin.to_owned(),
            slots: HashMap::new(),
            damaged: 0,
        };
        store.load()?;
        Ok(store)
    }

    /// Opens the keys of the log in `log`, whose name is in its segments.
    pub fn of_log(dir: &Path, log: &Path) -> Result<Self, AuditError> {
        Self::open(dir, &segment::origin(log)?)
    }

    /// Destroys the key of a subject: its payloads cannot be read again, by anybody. Every proof over
    /// the log still holds. `false` when there was no key. Old blocks of the device may still hold the
    /// wrapped key; destroying the master key after re-wrapping the others ends that, too.
    pub fn shred(&mut self, subject: Subject) -> Result<bool, AuditError> {
        let Some((offset, wrapped)) = self.slots.get_mut(&subject) else {
            return Ok(false);
        };
        let slot = Slot {
            subject,
            wrapped: None,
        }
        .encode();
        let wrong = |error| AuditError::io("write", &self.path, &error);
        self.file.write_all_at(&slot, *offset).map_err(wrong)?;
        self.file.sync_all().map_err(wrong)?;
        Ok(wrapped.take().is_some())
    }

    /// How many slots cannot be read: their keys are lost.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The key of a subject.
    pub(crate) fn find(&self, subject: Subject) -> Found {
        match (self.slots.get(&subject), &self.master) {
            (Some((_, None)), _) => Found::Shredded,
            (Some((_, Some(wrapped))), Some(master)) => master
                .unwrap(&self.origin, &subject, wrapped)
                .map_or(Found::Missing, Found::Key),
            _ => Found::Missing,
        }
    }

    fn load(&mut self) -> Result<(), AuditError> {
        let wrong = |error| AuditError::io("read", &self.path, &error);
        let size = self.file.metadata().map_err(wrong)?.len();
        let mut offset = 0;
        let mut buffer = vec![0; SLOT * 512];
        while offset + SLOT as u64 <= size {
            let want = buffer
                .len()
                .min(usize::try_from(size - offset).unwrap_or(usize::MAX));
            let want = want - want % SLOT;
            self.file
                .read_exact_at(&mut buffer[..want], offset)
                .map_err(wrong)?;
            for bytes in buffer[..want].chunks_exact(SLOT) {
                match bytes.first_chunk().and_then(Slot::decode) {
                    None if bytes.iter().all(|byte| *byte == 0) => {}
                    Some(slot) => {
                        self.slots.insert(slot.subject, (offset, slot.wrapped));
                    }
                    None => self.damaged += 1,
                }
                offset += SLOT as u64;
            }
        }
        Ok(())
    }
}

// === impl KeyWriter ===

impl KeyWriter {
    /// Opens the keys of a log for adding to them, and makes directory, master key and file when they
    /// are missing.
    pub(crate) fn open(dir: &Path, origin: &str) -> Result<Self, AuditError> {
        crate::log::make_directory(dir)?;
        let master = Master::read_or_create(dir)?;
        let space = Arc::new(KeySpace::open(dir.join(file_name(origin)))?);
        crate::log::sync_directory(dir)?;
        let origin = origin.to_owned();
        Ok(Self {
            space,
            master,
            origin,
            pending: Vec::new(),
            dirty: false,
        })
    }

    /// The file, to keep room in it.
    pub(crate) fn space(&self) -> Arc<KeySpace> {
        self.space.clone()
    }

    /// Makes a key. It is in the file after the next [`KeyWriter::write`].
    pub(crate) fn make(&mut self, subject: Subject) -> Result<Key, AuditError> {
        let key = Key::new(random()?);
        let wrapped = self
            .master
            .wrap(&self.origin, &subject, &key, random()?)
            .ok_or_else(|| AuditError::Key("a key cannot be wrapped".to_owned()))?;
        self.pending.extend_from_slice(
            &Slot {
                subject,
                wrapped: Some(wrapped),
            }
            .encode(),
        );
        Ok(key)
    }

    /// Writes the new keys: before the leaves that need them are written.
    pub(crate) fn write(&mut self) -> Result<(), AuditError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.space.append(&self.pending)?;
        self.pending.clear();
        self.dirty = true;
        Ok(())
    }

    /// The file, for a sync that nobody waits for; `None` when nothing was written since the last one.
    pub(crate) fn unsynced(&mut self) -> Option<&Arc<File>> {
        std::mem::take(&mut self.dirty).then_some(&self.space.file)
    }

    /// Has what was written on the disk.
    pub(crate) fn sync(&mut self) -> Result<(), AuditError> {
        if self.dirty {
            let space = &self.space;
            let wrong = |error| AuditError::io("sync", &space.path, &error);
            space.file.sync_data().map_err(wrong)?;
            self.dirty = false;
        }
        Ok(())
    }
}

// === impl Subject ===

impl Subject {
    /// The length of its encoding, in bytes.
    pub(crate) const LEN: usize = 13;

    /// `s` and the session id, or `l`, the epoch and the leaf's number.
    pub(crate) fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (tag, rest) = bytes.split_at_mut(1);
        match self {
            Self::Session(session) => {
                tag.copy_from_slice(b"s");
                rest.copy_from_slice(session.as_str().as_bytes());
            }
            Self::Leaf { epoch, index } => {
                tag.copy_from_slice(b"l");
                let (high, low) = rest.split_at_mut(4);
                high.copy_from_slice(&epoch.to_be_bytes());
                low.copy_from_slice(&index.to_be_bytes());
            }
        }
        bytes
    }

    fn decode(bytes: [u8; Self::LEN]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        match tag {
            b's' => Some(Self::Session(std::str::from_utf8(rest).ok()?.parse().ok()?)),
            b'l' => {
                let (epoch, index) = rest.split_first_chunk::<4>()?;
                let index = index.first_chunk::<8>()?;
                let (epoch, index) = (u32::from_be_bytes(*epoch), u64::from_be_bytes(*index));
                Some(Self::Leaf { epoch, index })
            }
            _ => None,
        }
    }
}

/// The file of a log's keys: what is legible of its origin, and enough of its hash to be unique.
fn file_name(origin: &str) -> String {
    let legible: String = origin
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(64)
        .collect();
    let hash = Digest::of(origin.as_bytes());
    format!("{legible}-{}.keys", hex::encode(&hash.0[..6]))
}

fn random<const N: usize>() -> Result<[u8; N], AuditError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| AuditError::Key("the system has no random bytes".to_owned()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
