//! The queue between the sessions and the writer: bounded in bytes, two buffers that change places.

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phigate_types::{SessionId, Timestamp};

use super::{Entry, Position};
use crate::cipher;
use crate::error::AuditError;
use crate::leaf::{FIXED, MAX_CIPHERTEXT, MAX_LEAF};
use crate::record::Kind;

/// How many bytes may wait to be written.
const QUEUE_BYTES: usize = 32 << 20;
/// How many more for records that end something.
const QUEUE_BYTES_CLOSING: usize = 8 << 20;
/// A buffer that has grown beyond this is not kept for the next round.
const KEPT_BYTES: usize = 4 << 20;
/// How long outcomes, for which nobody waits, may wait for a record that carries them to the disk. A
/// client's next statement mostly does: then one sync does for both, and is not behind another.
pub(super) const LINGER: Duration = Duration::from_millis(2);
/// Outcomes do not linger when this much is queued, in bytes.
const AMPLE_BYTES: usize = 256 << 10;

/// The queue.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    heartbeat: Duration,
    linger: Duration,
}

struct Inner {
    pending: Pending,
    /// The number of the next leaf.
    next: u64,
    /// Sessions that are open.
    open: HashSet<SessionId>,
    closing: bool,
    /// The next segment, or room for keys, cannot be made: nothing begins.
    low: bool,
    /// The disk reserve is in use: only closing records are taken.
    full: bool,
    /// The writer should look at the segments again.
    nudged: bool,
    /// Somebody waits for what has queued.
    awaited: bool,
    /// The writer wakes by itself within [`LINGER`].
    lingering: bool,
}

/// Entries that wait: the JSON of their records and payloads, one after the other.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) bytes: Vec<u8>,
    pub(super) marks: Vec<Mark>,
}

/// One entry in [`Pending::bytes`].
pub(super) struct Mark {
    pub(super) time: Timestamp,
    pub(super) kind: Kind,
    pub(super) session: Option<SessionId>,
    /// Length of the record.
    pub(super) record: usize,
    /// Length of the padded payload after it.
    pub(super) payload: Option<usize>,
}

/// What the writer has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Write the entries.
    Entries,
    /// Nothing came for one interval: write a heartbeat.
    Heartbeat,
    /// Look at the segments again.
    Segments,
    /// Write the closing leaf and end.
    Close,
}

thread_local! {
    /// Records become JSON outside the lock, in a buffer that is used again.
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Queue {
    pub(super) fn new(next: u64, heartbeat: Duration, linger: Duration) -> Self {
        let inner = Inner {
            pending: Pending::default(),
            next: next + 1, // the log's own first leaf
            open: HashSet::new(),
            closing: false,
            low: false,
            full: false,
            nudged: false,
            awaited: false,
            lingering: false,
        };
        Self {
            inner: Mutex::new(inner),
            filled: Condvar::new(),
            heartbeat,
            linger,
        }
    }

    /// Adds an entry at the end.
    pub(super) fn push(&self, entry: &Entry) -> Result<Position, AuditError> {
        SCRATCH.with_borrow_mut(|scratch| {
            let position = self.push_with(entry, scratch);
            wipe(scratch);
            scratch.shrink_to(KEPT_BYTES);
            position
        })
    }

    fn push_with(&self, entry: &Entry, scratch: &mut Vec<u8>) -> Result<Position, AuditError> {
        let mark = encode(entry, scratch)?;
        let mut inner = self.inner();
        inner.admit(&mark, scratch.len())?;
        let awaited = mark.kind != Kind::Outcome;
        inner.pending.bytes.extend_from_slice(scratch);
        inner.pending.marks.push(mark);
        inner.next += 1;
        let position = Position(inner.next);
        let wakes = if awaited || inner.pending.bytes.len() >= AMPLE_BYTES {
            !std::mem::replace(&mut inner.awaited, true)
        } else {
            inner.pending.marks.len() == 1 && !inner.lingering
        };
        drop(inner);
        if wakes {
            self.filled.notify_one();
        }
        Ok(position)
    }

    /// Waits for work. `taken` is empty and changes places with what has queued.
    pub(super) fn take(&self, taken: &mut Pending) -> Work {
        let mut inner = self.linger(self.inner());
        if inner.is_idle() {
            (inner, _) = self
                .filled
                .wait_timeout_while(inner, self.heartbeat, |inner| inner.is_idle())
                .unwrap_or_else(PoisonError::into_inner);
            if !inner.is_idle() {
                inner = self.linger(inner);
            }
        }
        inner.awaited = false;
        if !inner.pending.marks.is_empty() {
            std::mem::swap(&mut inner.pending, taken);
            Work::Entries
        } else if inner.closing {
            inner.next += 1;
            Work::Close
        } else if inner.nudged || inner.full {
            inner.nudged = false;
            Work::Segments
        } else {
            inner.next += 1;
            Work::Heartbeat
        }
    }

    /// Takes no more entries; those that wait are still written.
    pub(super) fn close(&self) {
        self.inner().closing = true;
        self.filled.notify_one();
    }

    /// The last leaf that has a number.
    pub(super) fn appended(&self) -> Position {
        Position(self.inner().next)
    }

    pub(super) fn is_disk_low(&self) -> bool {
        self.inner().low
    }

    /// Whether the next segment cannot be made. The writer looks at it when that changes.
    pub(super) fn set_disk_low(&self, low: bool) {
        let mut inner = self.inner();
        if inner.low != low || inner.full && !low {
            inner.low = low;
            inner.nudged = true;
            self.filled.notify_one();
        }
    }

    /// Whether the disk reserve is in use.
    pub(super) fn set_disk_full(&self, full: bool) {
        self.inner().full = full;
    }

    /// Waits a moment for something that may not wait.
    fn linger<'a>(&self, mut inner: MutexGuard<'a, Inner>) -> MutexGuard<'a, Inner> {
        inner.lingering = true;
        let (mut inner, _) = self
            .filled
            .wait_timeout_while(inner, self.linger, |inner| {
                !inner.awaited && !inner.closing && !inner.nudged
            })
            .unwrap_or_else(PoisonError::into_inner);
        inner.lingering = false;
        inner
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether the writer has nothing to do.
    fn is_idle(&self) -> bool {
        self.pending.marks.is_empty() && !self.closing && !self.nudged
    }

    fn admit(&mut self, mark: &Mark, len: usize) -> Result<(), AuditError> {
        if self.closing {
            return Err(AuditError::Closed);
        }
        // What needs a new key needs room in the file of keys, too.
        let keyed =
            mark.kind == Kind::SessionOpened || mark.session.is_none() && mark.payload.is_some();
        if self.full && !mark.kind.is_closing() || self.low && keyed {
            return Err(AuditError::DiskFull);
        }
        let queued = self.pending.bytes.len();
        let room = if mark.kind.is_closing() {
            QUEUE_BYTES_CLOSING
        } else {
            0
        } + QUEUE_BYTES;
        // One entry of any allowed length always fits into an empty queue.
        if queued > 0 && queued + len > room {
            return Err(AuditError::Overloaded { queued });
        }
        let Some(session) = mark.session else {
            return Ok(());
        };
        match mark.kind {
            Kind::SessionOpened => {
                if !self.open.insert(session) {
                    return Err(AuditError::SessionExists(session));
                }
            }
            Kind::SessionClosed => {
                if !self.open.remove(&session) {
                    return Err(AuditError::UnknownSession(session));
                }
            }
            _ => {
                if !self.open.contains(&session) {
                    return Err(AuditError::UnknownSession(session));
                }
            }
        }
        Ok(())
    }
}

impl Pending {
    /// Empties the buffers and leaves nothing of what they held.
    pub(super) fn clear(&mut self) {
        wipe(&mut self.bytes);
        self.bytes.shrink_to(KEPT_BYTES);
        self.marks.clear();
    }
}

/// Empties a buffer and leaves nothing of what it held. Not byte by byte, as `zeroize` does: every
/// record of every session passes here.
fn wipe(buffer: &mut Vec<u8>) {
    buffer.fill(0);
    std::hint::black_box(buffer.as_slice());
    buffer.clear();
}

/// The wall clock, for people: nothing is decided by it.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn encode(entry: &Entry, out: &mut Vec<u8>) -> Result<Mark, AuditError> {
    let kind = entry.record.kind();
    if matches!(kind, Kind::LogOpened | Kind::LogClosed | Kind::Heartbeat) {
        return Err(AuditError::Misplaced(
            kind.as_str(),
            "by a caller, with or without",
        ));
    }
    match (kind.of_session(), entry.session) {
        (true, None) => return Err(AuditError::Misplaced(kind.as_str(), "without")),
        (false, Some(_)) => return Err(AuditError::Misplaced(kind.as_str(), "with")),
        _ => {}
    }
    let wrong = |error: serde_json::Error| AuditError::Encoding(error.to_string());
    serde_json::to_writer(&mut *out, &entry.record).map_err(wrong)?;
    let record = out.len();
    if record + FIXED > MAX_LEAF {
        return Err(AuditError::TooLarge {
            len: record,
            max: MAX_LEAF - FIXED,
        });
    }
    let payload = match &entry.payload {
        None => None,
        Some(payload) => {
            serde_json::to_writer(&mut *out, payload).map_err(wrong)?;
            cipher::pad(out, record);
            let len = out.len() - record;
            if len + cipher::TAG > MAX_CIPHERTEXT {
                return Err(AuditError::TooLarge {
                    len,
                    max: MAX_CIPHERTEXT - cipher::TAG,
                });
            }
            Some(len)
        }
    };
    Ok(Mark {
        time: now(),
        kind,
        session: entry.session,
        record,
        payload,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::record::{EndReason, LoginRefused, Outcome, Payload, Record, SessionClosed};

    fn refused(bytes: usize) -> Entry {
        let record = LoginRefused {
            client: "192.0.2.1:5000".into(),
            gateway: "gw".parse().unwrap(),
            principal: None,
            database: None,
            grant: None,
            reason: "no_grant".into(),
            sqlstate: phigate_types::SqlState::INVALID_AUTHORIZATION,
        };
        let payload = Payload {
            sent: Some(Arc::from("x".repeat(bytes))),
            ..Payload::default()
        };
        Entry {
            session: None,
            record: Record::LoginRefused(record),
            payload: Some(payload),
        }
    }

    #[test]
    fn the_queue_is_bounded_in_bytes() {
        let queue = Queue::new(0, Duration::from_secs(1), LINGER);
        let entry = refused(1 << 20);
        for position in 2..=32 {
            assert_eq!(queue.push(&entry), Ok(Position(position)));
        }
        assert!(
            matches!(queue.push(&entry), Err(AuditError::Overloaded { queued }) if queued > 31 << 20)
        );
        // What was refused has no number, and what is taken makes room.
        let mut taken = Pending::default();
        assert_eq!(queue.take(&mut taken), Work::Entries);
        assert_eq!(taken.marks.len(), 31);
        assert_eq!(queue.push(&entry), Ok(Position(33)));
    }

    #[test]
    fn an_entry_longer_than_the_format_allows_is_refused() {
        let queue = Queue::new(0, Duration::from_secs(1), LINGER);
        let error = queue.push(&refused(MAX_CIPHERTEXT)).unwrap_err();
        assert!(matches!(error, AuditError::TooLarge { .. }));
        // Longer than the queue, but an empty queue takes it.
        assert_eq!(queue.push(&refused(QUEUE_BYTES + 1)), Ok(Position(2)));
    }

    fn outcome(session: SessionId) -> Entry {
        let outcome = Outcome {
            statement: 1,
            rows: 1,
            bytes: 20,
            duration: Duration::ZERO,
            tag: None,
            sqlstate: None,
            digest: None,
        };
        Entry {
            session: Some(session),
            record: Record::Outcome(outcome),
            payload: None,
        }
    }

    /// What the writer takes at once of these entries, when outcomes may linger so long.
    fn taken(linger: Duration, entries: &[Entry]) -> Vec<Kind> {
        let queue = Queue::new(0, never(), linger);
        queue.inner().open.insert(SessionId::from_random([1; 8]));
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| {
                let mut taken = Pending::default();
                assert_eq!(queue.take(&mut taken), Work::Entries);
                taken.marks.iter().map(|mark| mark.kind).collect()
            });
            for entry in entries {
                queue.push(entry).unwrap();
            }
            writer.join().unwrap()
        })
    }

    /// Longer than any test.
    fn never() -> Duration {
        Duration::from_hours(1)
    }

    #[test]
    fn an_outcome_goes_to_the_disk_with_what_follows_it() {
        let session = SessionId::from_random([1; 8]);
        let kinds = taken(never(), &[outcome(session), outcome(session), refused(1)]);
        assert_eq!(kinds, [Kind::Outcome, Kind::Outcome, Kind::LoginRefused]);
    }

    #[test]
    fn an_outcome_that_nothing_follows_is_written_soon() {
        let session = SessionId::from_random([1; 8]);
        let kinds = taken(LINGER, &[outcome(session)]);
        assert_eq!(kinds, [Kind::Outcome]);
    }

    #[test]
    fn when_the_disk_is_full_only_closing_records_are_taken() {
        let queue = Queue::new(0, Duration::from_secs(1), LINGER);
        queue.set_disk_full(true);
        assert_eq!(
            queue.push(&Entry {
                payload: None,
                ..refused(1)
            }),
            Err(AuditError::DiskFull)
        );
        let session = SessionId::from_random([1; 8]);
        queue.inner().open.insert(session);
        let closed = SessionClosed {
            reason: EndReason::ClientLeft,
            statements: 0,
            refused: 0,
            rows: 0,
            bytes: 0,
            duration: Duration::ZERO,
        };
        let record = Record::SessionClosed(closed);
        let entry = Entry {
            session: Some(session),
            record,
            payload: None,
        };
        assert_eq!(queue.push(&entry), Ok(Position(2)));
        assert_eq!(queue.push(&entry), Err(AuditError::UnknownSession(session)));
    }
}
