//! What an auditor runs, offline, on a copy of the log or on a live one: only the directory is needed,
//! no key, no network and no trust in whoever runs the gateway.
//!
//! The log alone shows whether it is consistent, and whether its end is accounted for: it was closed
//! in order, or its writer is at work. Whether its end was cut off with care, or all of it written anew,
//! only a [`Head`] kept elsewhere can show; [`Report::explanation`] says so each time.

use std::fmt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use phigate_types::Timestamp;

use crate::batch::Entry;
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{Digest, Fixed, Head};
use crate::log::{HEARTBEAT_EVERY, is_held};
use crate::walk::{Visit, walk};

pub use crate::walk::{Damage, Epoch, Tail};

/// A log whose directory is locked is live when its last leaf is not older: a writer at work writes at
/// least a heartbeat, and may miss two.
pub const LIVE_WITHIN: Duration = Duration::from_secs(3 * HEARTBEAT_EVERY.as_secs());

/// What is checked, in words for the report.
pub const CHECKED: &[&str] = &[
    "every segment is there, in order, and of this log",
    "every batch is whole: its checksum and its commit mark are right",
    "every leaf is numbered without gaps and names the hash of the leaf before it",
    "every session's leaves are numbered without gaps and name the session's leaf before",
    "every session begins with its opening, and nothing of it follows its end",
    "every payload is the ciphertext that its leaf commits to",
    "nothing but zeros follows the last commit mark of a segment",
];

/// What to hold the log against.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A head kept elsewhere.
    pub head: Option<Head>,
}

/// What the verifier says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Consistent throughout, and its end is accounted for: closed in order, or live.
    Sound,
    /// Not what was written.
    Tampered(Damage),
    /// Nothing is wrong up to here; whether more was written after it is not accounted for.
    SoundUpTo {
        /// How many leaves of the last epoch.
        leaves: u64,
        /// Why its end is not accounted for.
        why: String,
    },
}

/// The verifier's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The result.
    pub outcome: Outcome,
    /// Every damage: one an epoch, for what follows it in its epoch cannot be read on.
    pub damages: Vec<Damage>,
    /// Whose log it is.
    pub origin: String,
    /// The epochs, as far as each is sound. More than one means that damage was found in the past.
    pub epochs: Vec<Epoch>,
    /// How far the last epoch is sound: keep it elsewhere, and give it to the next run.
    pub head: Option<Head>,
    /// Whether the last leaf says that the log was closed in order.
    pub closed: bool,
    /// Whether a writer holds the directory right now and its last leaf is young enough.
    pub live: bool,
    /// Whether the head given is the end of the log: nothing was cut off after the head was noted.
    pub end_proven: bool,
    /// Bytes after the last commit mark.
    pub tail: Option<Tail>,
    /// Segments read.
    pub segments: u64,
    /// Sound leaves, over all epochs.
    pub records: u64,
    /// Sessions opened.
    pub sessions: u64,
    /// Sessions that were not closed because their gateway stopped.
    pub lost_sessions: u64,
    /// Payloads whose commitment was checked.
    pub payloads: u64,
    /// Bytes of batches read.
    pub bytes: u64,
    /// When the first leaf was written.
    pub first_at: Option<Timestamp>,
    /// When the last leaf was written.
    pub last_at: Option<Timestamp>,
    /// Whether the head given was met on the way.
    pub head_met: bool,
    /// The leaves of its epoch that the head given proves; `None` without one and when it is not met.
    pub proven: Option<u64>,
    /// As `proven`, by the head that another log notes.
    pub noted: Option<u64>,
}

/// Verifies the log in a directory. An error means that it could not be read, not that it is wrong.
pub fn verify(dir: &Path, options: &Options) -> Result<Report, AuditError> {
    verify_noted(dir, options, None)
}

/// As [`verify`]; and the log must contain `noted`, a head that another log tells of: the control
/// plane's, of a gateway's ([`crate::replay::noted_heads`]).
pub fn verify_noted(
    dir: &Path,
    options: &Options,
    noted: Option<Head>,
) -> Result<Report, AuditError> {
    let mut seen = Seen {
        given: options.head.map(Wanted::new),
        noted: noted.map(Wanted::new),
        ..Seen::default()
    };
    // Before and after: a writer that closes or opens the log meanwhile accounts for its end, too.
    let held = is_held(dir);
    let walked = walk(dir, &mut seen)?;
    let held = held || is_held(dir);
    if walked.epochs.is_empty() && options.head.is_none() && noted.is_none() {
        return Err(AuditError::Config(format!(
            "there is no audit log in {}",
            dir.display()
        )));
    }
    let head = walked.epochs.last().map(|epoch| epoch.head);
    let mut report = Report {
        outcome: Outcome::Sound,
        damages: walked.damages,
        origin: walked.origin.unwrap_or_default(),
        head,
        closed: walked.epochs.last().is_some_and(|epoch| epoch.closed),
        live: held && is_young(seen.last_at, SystemTime::now().into()),
        end_proven: false,
        records: walked.epochs.iter().map(|epoch| epoch.head.leaves).sum(),
        sessions: walked.epochs.iter().map(|epoch| epoch.sessions).sum(),
        lost_sessions: walked.epochs.iter().map(|epoch| epoch.lost).sum(),
        epochs: walked.epochs,
        tail: walked.tail,
        segments: walked.segments,
        payloads: seen.payloads,
        bytes: walked.bytes,
        first_at: seen.first_at,
        last_at: seen.last_at,
        head_met: seen.given.as_ref().is_some_and(|given| given.met),
        proven: seen.given.as_ref().and_then(Wanted::proves),
        noted: seen.noted.as_ref().and_then(Wanted::proves),
    };
    for wanted in seen.given.iter().chain(&seen.noted) {
        report.damages.extend(against(wanted, head, dir));
    }
    report.outcome = judge(&report, walked.ends_sealed, held);
    report.end_proven =
        report.outcome == Outcome::Sound && options.head.is_some() && options.head == report.head;
    Ok(report)
}

/// See `docs/decisions/0005-what-sound-means.md`. A head given is not asked here: one that is not met
/// is a damage, one that is met makes no outcome worse.
fn judge(report: &Report, ends_sealed: bool, held: bool) -> Outcome {
    if let Some(damage) = report.damages.first() {
        return Outcome::Tampered(damage.clone());
    }
    let mut why: Vec<String> = Vec::new();
    if let Some(tail) = &report.tail
        && !report.live
    {
        why.push(format!(
            "{} bytes after the last commit mark are not a batch: a crash cut it short",
            tail.bytes
        ));
    }
    if ends_sealed {
        why.push(
            "its last segment is closed and the next one is missing: a crash, a removal, or a writer \
             between the two"
                .to_owned(),
        );
    }
    if !report.closed && !report.live {
        let nobody = if held {
            "its writer has recorded nothing for longer than heartbeats allow"
        } else {
            "nobody is writing it"
        };
        why.push(format!(
            "it was not closed in order and {nobody}: a crash, or its end was cut off"
        ));
    }
    if why.is_empty() {
        return Outcome::Sound;
    }
    Outcome::SoundUpTo {
        leaves: report.head.map_or(0, |head| head.leaves),
        why: why.join("; "),
    }
}

/// Whether the last leaf is one that a writer at work left. A clock that was set back is forgiven as
/// much as a late heartbeat.
fn is_young(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_some_and(|last| last.until(now).max(now.until(last)) <= LIVE_WITHIN)
}

/// What is wrong with a log that does not contain a head kept elsewhere.
fn against(wanted: &Wanted, head: Option<Head>, dir: &Path) -> Option<Damage> {
    if wanted.met {
        return None;
    }
    let differs = wanted.differs;
    let wanted = wanted.head;
    let why = match differs {
        Some(hash) => format!(
            "leaf {} has the hash {hash}, not the one of the head {wanted}: the log was written anew",
            wanted.leaves.saturating_sub(1)
        ),
        None => format!(
            "the log ends at {} leaves, before the head {wanted}: its end is missing",
            head.map_or(0, |head| head.leaves)
        ),
    };
    Some(Damage {
        epoch: wanted.epoch,
        file: dir.to_owned(),
        offset: 0,
        leaf: head.map_or(0, |head| head.leaves).min(wanted.leaves),
        why,
    })
}

/// What is counted on the way.
#[derive(Default)]
struct Seen {
    given: Option<Wanted>,
    noted: Option<Wanted>,
    payloads: u64,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
}

/// A head that the log must contain.
struct Wanted {
    head: Head,
    met: bool,
    /// The hash found in its place.
    differs: Option<Digest>,
}

impl Wanted {
    fn new(head: Head) -> Self {
        Self {
            head,
            met: false,
            differs: None,
        }
    }

    fn meet(&mut self, chain: &Chain) {
        if (chain.epoch, chain.next) == (self.head.epoch, self.head.leaves) {
            self.met = chain.head == self.head.hash;
            self.differs = (!self.met).then_some(chain.head);
        }
    }

    fn proves(&self) -> Option<u64> {
        self.met.then_some(self.head.leaves)
    }
}

impl Visit for Seen {
    fn leaf(&mut self, chain: &Chain, _entry: &Entry<'_>, fixed: &Fixed) {
        self.payloads += u64::from(fixed.payload.is_some());
        self.first_at.get_or_insert(fixed.time);
        self.last_at = Some(fixed.time);
        for wanted in self.given.iter_mut().chain(&mut self.noted) {
            wanted.meet(chain);
        }
    }
}

// === impl Report ===

impl Report {
    /// The outcome, and what it does not say, in one text for people.
    pub fn explanation(&self) -> String {
        let (outcome, head) = (&self.outcome, self.head);
        let end = match outcome {
            Outcome::Tampered(_) => return outcome.to_string(),
            Outcome::SoundUpTo { .. } => "",
            Outcome::Sound if self.closed => ": consistent throughout, and closed in order",
            Outcome::Sound => ": consistent throughout, and being written at this moment",
        };
        let tail = match &self.tail {
            Some(tail) if self.live => format!(" ({} bytes of the next batch so far)", tail.bytes),
            _ => String::new(),
        };
        let proven = match self.proven {
            Some(leaves) if head.is_some_and(|head| head.leaves == leaves) => {
                "; the head given proves that nothing before its end was cut off or written anew"
                    .to_owned()
            }
            Some(leaves) => format!(
                "; the head given proves the first {leaves} leaves of its epoch, and only a newer one \
                 kept elsewhere proves that nothing after them was cut off or written anew"
            ),
            None => "; only a head kept elsewhere proves that nothing was cut off or written anew"
                .to_owned(),
        };
        let noted = self.noted.map_or_else(String::new, |leaves| {
            format!("; the control plane's log notes its first {leaves} leaves")
        });
        format!("{outcome}{end}{tail}{noted}{proven}")
    }
}

// === impl Outcome ===

impl Outcome {
    /// What a verifying program exits with: 0 sound, 1 tampered, 2 sound only up to its last leaf.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Sound => 0,
            Self::Tampered(_) => 1,
            Self::SoundUpTo { .. } => 2,
        }
    }

    /// The word in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Tampered(_) => "tampered",
            Self::SoundUpTo { .. } => "sound_up_to",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sound => f.write_str("sound"),
            Self::Tampered(Damage {
                file,
                offset,
                leaf,
                why,
                ..
            }) => write!(
                f,
                "tampered: {why} (leaf {leaf}, {} at byte {offset})",
                file.display()
            ),
            Self::SoundUpTo { leaves, why } => write!(f, "sound up to {leaves} leaves: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_may_miss_two_heartbeats_and_no_more() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let ago = |seconds: i64| {
            Some(Timestamp::from_micros(
                now.as_micros() - seconds * 1_000_000,
            ))
        };
        assert!(is_young(ago(0), now) && is_young(ago(90), now));
        assert!(!is_young(ago(91), now) && !is_young(None, now));
        // Clocks are set back, but not by days.
        assert!(is_young(ago(-60), now) && !is_young(ago(-86_400), now));
    }
}
