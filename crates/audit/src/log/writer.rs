//! The writer: takes what has queued, chains and seals it, writes it in batches, syncs once for all.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::thread::JoinHandle;

use phigate_types::SessionId;

use super::directory::{Directory, Segment};
use super::prepare::Preparer;
use super::queue::{Mark, Pending, Queue, Work, now};
use super::recover::Opened;
use super::waiters::Progress;
use super::{Level, LogConfig};
use crate::batch;
use crate::cipher::Sealer;
use crate::error::AuditError;
use crate::keys::{KeyWriter, Subject};
use crate::leaf::{Commitment, Digest, FIXED, Fixed, Head, Link, PREFIX};
use crate::record::{Heartbeat, Kind, LogClosed, Record};
use crate::segment;

/// A batch is written when it has grown to this, in bytes.
const BATCH_BYTES: usize = 1 << 20;
/// In small segments a batch is at most this share of one.
const BATCH_SHARE: u64 = 4;

struct Writer {
    config: LogConfig,
    directory: Arc<Directory>,
    segment: Segment,
    head: Head,
    sessions: HashMap<SessionId, Session>,
    keys: KeyWriter,
    queue: Arc<Queue>,
    progress: Arc<Progress>,
    preparer: Preparer,
    /// The batch being built.
    out: Vec<u8>,
    /// Its first leaf and how many it has.
    first: u64,
    count: u32,
    batch_bytes: usize,
}

/// An open session's chain and key.
struct Session {
    sequence: u64,
    head: Digest,
    sealer: Sealer,
}

/// Fails the log when the thread ends in a panic: nobody may wait for ever.
struct Guard(Arc<Progress>);

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail(AuditError::Failed(
                "its writer ended in a defect".to_owned(),
            ));
        }
    }
}

/// Starts the thread. Its first work is the leaf that says that the log was opened.
pub(super) fn start(
    config: LogConfig,
    opened: Opened,
    queue: &Arc<Queue>,
    progress: &Arc<Progress>,
) -> Result<JoinHandle<()>, AuditError> {
    let keys = KeyWriter::open(&config.keys, &config.origin)?;
    let preparer = Preparer::start(&config, &opened.directory, queue, progress, keys.space())?;
    let head = opened.head();
    let share = usize::try_from(config.segment_bytes / BATCH_SHARE).unwrap_or(BATCH_BYTES);
    let dir = config.dir.clone();
    let writer = Writer {
        config,
        directory: opened.directory,
        segment: opened.segment,
        head,
        sessions: HashMap::new(),
        keys,
        queue: queue.clone(),
        progress: progress.clone(),
        preparer,
        out: Vec::new(),
        first: head.leaves,
        count: 0,
        batch_bytes: share.min(BATCH_BYTES),
    };
    let first = Record::LogOpened(opened.first);
    std::thread::Builder::new()
        .name("audit-writer".to_owned())
        .spawn(move || writer.run(&first))
        .map_err(|error| AuditError::io("start a thread for", &dir, &error))
}

impl Writer {
    fn run(mut self, first: &Record) {
        let _guard = Guard(self.progress.clone());
        if let Err(error) = self.work(first) {
            tracing::error!(%error, "the audit log has failed: nothing is recorded any more");
            self.progress.fail(error);
        }
    }

    fn work(&mut self, first: &Record) -> Result<(), AuditError> {
        self.own(first)?;
        let mut pending = Pending::default();
        loop {
            match self.queue.take(&mut pending) {
                Work::Entries => {
                    let taken = self.entries(&pending);
                    pending.clear();
                    taken?;
                    self.commit()?;
                }
                Work::Heartbeat => {
                    let (leaves, head) = (self.head.leaves, self.head.hash.to_string());
                    self.own(&Record::Heartbeat(Heartbeat { leaves, head }))?;
                }
                Work::Segments => self.leave_reserve()?,
                Work::Close => {
                    self.own(&Record::LogClosed(LogClosed {}))?;
                    return self.sync();
                }
            }
        }
    }

    /// Adds every entry to batches and writes those that are full.
    fn entries(&mut self, pending: &Pending) -> Result<(), AuditError> {
        let mut rest = pending.bytes.as_slice();
        for mark in &pending.marks {
            let (record, after) = rest.split_at_checked(mark.record).unwrap_or_default();
            let (payload, after) = after
                .split_at_checked(mark.payload.unwrap_or(0))
                .unwrap_or_default();
            rest = after;
            self.add(mark, record, payload)?;
            if self.out.len() >= self.batch_bytes {
                self.write()?;
            }
        }
        Ok(())
    }

    /// Writes a leaf of the log's own.
    fn own(&mut self, record: &Record) -> Result<(), AuditError> {
        let bytes =
            serde_json::to_vec(record).map_err(|error| AuditError::Encoding(error.to_string()))?;
        let (kind, time) = (record.kind(), now());
        let mark = Mark {
            time,
            kind,
            session: None,
            record: bytes.len(),
            payload: None,
        };
        self.add(&mark, &bytes, &[])?;
        self.commit()
    }

    /// Adds one leaf, and its ciphertext, to the batch.
    fn add(&mut self, mark: &Mark, record: &[u8], payload: &[u8]) -> Result<(), AuditError> {
        if self.count == 0 {
            batch::begin(&mut self.out);
            self.first = self.head.leaves;
        }
        if let (Some(id), Kind::SessionOpened) = (mark.session, mark.kind) {
            let subject = Subject::Session(id);
            let key = self.keys.make(subject)?;
            let sealer = Sealer::new(&key, subject).ok_or_else(unusable)?;
            self.sessions.insert(
                id,
                Session {
                    sequence: 0,
                    head: Digest::default(),
                    sealer,
                },
            );
        }
        let out = &mut self.out;
        out.extend_from_slice(&((FIXED + record.len()) as u32).to_be_bytes());
        let hashed = out.len();
        out.push(PREFIX);
        out.extend_from_slice(&[0; FIXED]);
        out.extend_from_slice(record);
        let end = out.len();
        let mut session = match mark.session {
            // The queue admits records of open sessions only.
            Some(id) => Some((
                id,
                self.sessions
                    .get_mut(&id)
                    .ok_or(AuditError::UnknownSession(id))?,
            )),
            None => None,
        };
        let mut commitment = None;
        if mark.payload.is_some() {
            out.extend_from_slice(payload);
            let sealed = if let Some((_, session)) = &session {
                session.sealer.seal(session.sequence, out, end)
            } else {
                let index = self.head.leaves;
                let subject = Subject::Leaf {
                    epoch: self.head.epoch,
                    index,
                };
                let key = self.keys.make(subject)?;
                Sealer::new(&key, subject)
                    .ok_or_else(unusable)?
                    .seal(index, out, end)
            };
            sealed.ok_or_else(unusable)?;
            let ciphertext = &out[end..];
            let len = ciphertext.len() as u32;
            commitment = Some(Commitment {
                len,
                hash: Digest::of(ciphertext),
            });
        }
        let fixed = Fixed {
            index: self.head.leaves,
            time: mark.time,
            kind: mark.kind,
            epoch: self.head.epoch,
            previous: self.head.hash,
            session: session.as_ref().map(|(id, session)| Link {
                session: *id,
                sequence: session.sequence,
                previous: session.head,
            }),
            payload: commitment,
        };
        out[hashed + 1..hashed + 1 + FIXED].copy_from_slice(&fixed.encode());
        let hash = Digest::of(&out[hashed..end]);
        self.head = Head {
            leaves: self.head.leaves + 1,
            hash,
            ..self.head
        };
        self.count += 1;
        if let Some((id, session)) = &mut session {
            session.sequence += 1;
            session.head = hash;
            if mark.kind == Kind::SessionClosed {
                self.sessions.remove(id);
            }
        }
        Ok(())
    }

    /// Writes the batch, makes it as durable as the level says, and tells those who wait.
    fn commit(&mut self) -> Result<(), AuditError> {
        self.write()?;
        if self.config.level == Level::Process {
            self.preparer.sync_later(&self.segment.file);
            if let Some(keys) = self.keys.unsynced() {
                self.preparer.sync_later(keys);
            }
        } else {
            self.sync()?;
        }
        self.progress.advance(self.head);
        Ok(())
    }

    /// Writes the batch into a segment that has room for it and for a seal.
    fn write(&mut self) -> Result<(), AuditError> {
        if self.count == 0 {
            return Ok(());
        }
        batch::finish(&mut self.out, self.first, self.count);
        let need = (self.out.len() + batch::SEAL) as u64;
        if self.segment.offset + need > self.segment.size {
            self.next_segment(need)?;
        }
        // Keys first: a leaf whose payload nobody can read is worth less than a key without a leaf.
        self.keys.write()?;
        if self.config.level != Level::Process {
            self.keys.sync()?;
        }
        self.put(&self.out)?;
        self.segment.offset += self.out.len() as u64;
        self.count = 0;
        Ok(())
    }

    /// Closes the segment and goes on in the next: the spare, a longer one where the batch needs it, or
    /// the disk reserve.
    fn next_segment(&mut self, need: u64) -> Result<(), AuditError> {
        let before = Head {
            leaves: self.first,
            hash: self.previous_of_batch(),
            ..self.head
        };
        let room = |size: u64| size >= need + segment::HEADER as u64;
        let mut spare = self.preparer.take();
        if spare && !room(self.config.segment_bytes) {
            let size = need + segment::HEADER as u64;
            spare = self
                .directory
                .make_spare(size.next_multiple_of(4096))
                .is_ok();
        }
        let reserve = self.directory.has_reserve(self.config.reserve_bytes)
            && room(self.config.reserve_bytes);
        if !spare && !reserve {
            return Err(AuditError::DiskFull);
        }
        self.seal()?;
        let sequence = self.segment.sequence + 1;
        let adopted = if spare {
            self.directory.adopt(before, sequence, false).ok()
        } else {
            None
        };
        self.segment = match adopted {
            Some(segment) => segment,
            None if reserve => {
                tracing::error!("the audit log's disk is full: only closing records are taken");
                self.queue.set_disk_full(true);
                self.directory.adopt(before, sequence, true)?
            }
            None => return Err(AuditError::DiskFull),
        };
        self.preparer.next();
        if !self.segment.reserve {
            self.queue.set_disk_full(false);
        }
        Ok(())
    }

    /// Leaves the disk reserve when there is room again.
    fn leave_reserve(&mut self) -> Result<(), AuditError> {
        if !self.segment.reserve || !self.preparer.take_if_ready() {
            return Ok(());
        }
        self.seal()?;
        self.segment = self
            .directory
            .adopt(self.head, self.segment.sequence + 1, false)?;
        self.preparer.next();
        self.queue.set_disk_full(false);
        tracing::info!("the audit log's disk has room again");
        Ok(())
    }

    /// Closes the segment: on the disk before the next one has a name.
    fn seal(&mut self) -> Result<(), AuditError> {
        let mut seal = Vec::with_capacity(batch::SEAL);
        batch::begin(&mut seal);
        let next = if self.count == 0 {
            self.head.leaves
        } else {
            self.first
        };
        batch::finish(&mut seal, next, 0);
        self.put(&seal)?;
        self.sync()
    }

    /// The hash of the leaf before the batch, which its first leaf names.
    fn previous_of_batch(&self) -> Digest {
        let mut entries = self.out.get(batch::HEADER..).unwrap_or_default();
        batch::split_entry(&mut entries).map_or(self.head.hash, |(_, fixed)| fixed.previous)
    }

    fn put(&self, bytes: &[u8]) -> Result<(), AuditError> {
        self.segment
            .file
            .write_all_at(bytes, self.segment.offset)
            .map_err(|error| AuditError::io("write", &self.segment.path, &error))
    }

    fn sync(&mut self) -> Result<(), AuditError> {
        self.keys.sync()?;
        self.segment
            .file
            .sync_data()
            .map_err(|error| AuditError::io("sync", &self.segment.path, &error))
    }
}

fn unusable() -> AuditError {
    AuditError::Key("a payload cannot be encrypted".to_owned())
}
