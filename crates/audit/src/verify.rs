//! What an auditor runs, offline, on a copy of the log or on a live one: only the directory is needed,
//! no key, no network and no trust in whoever runs the gateway.
//!
//! The log alone shows whether it is consistent. Whether its end was cut off, or all of it written
//! anew, only a [`Head`] kept elsewhere can show; without one the outcome says so.

use std::fmt;
use std::path::Path;

use phigate_types::Timestamp;

use crate::batch::Entry;
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{Digest, Fixed, Head};
use crate::walk::{Visit, walk};

pub use crate::walk::{Damage, Epoch, Tail};

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
    /// Consistent throughout, and the given head is its end.
    Sound,
    /// Not what was written.
    Tampered(Damage),
    /// Nothing is wrong up to here; about the rest nothing can be said.
    SoundUpTo {
        /// How many leaves of the last epoch.
        leaves: u64,
        /// Why no more can be said.
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
}

/// Verifies the log in a directory. An error means that it could not be read, not that it is wrong.
pub fn verify(dir: &Path, options: &Options) -> Result<Report, AuditError> {
    let mut seen = Seen {
        wanted: options.head,
        ..Seen::default()
    };
    let walked = walk(dir, &mut seen)?;
    if walked.epochs.is_empty() && options.head.is_none() {
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
        head_met: seen.met,
    };
    if let Some(wanted) = options.head
        && let Some(damage) = against(&wanted, &seen, head, dir)
    {
        report.damages.push(damage);
    }
    report.outcome = judge(&report, options.head, walked.ends_sealed);
    Ok(report)
}

fn judge(report: &Report, wanted: Option<Head>, ends_sealed: bool) -> Outcome {
    if let Some(damage) = report.damages.first() {
        return Outcome::Tampered(damage.clone());
    }
    let end = report.head.map_or(0, |head| head.leaves);
    let mut why = match wanted {
        Some(wanted) if Some(wanted) == report.head => {
            if report.tail.is_none() && !ends_sealed {
                return Outcome::Sound;
            }
            String::new()
        }
        Some(wanted) => format!(
            "the log agrees with the head given, {} leaves; the {} after it are consistent, but a \
             newer head is needed to prove that nothing was removed after them",
            wanted.leaves,
            end.saturating_sub(wanted.leaves),
        ),
        None => {
            "it is consistent throughout, but without a head kept elsewhere nothing proves that \
                 its end was not cut off or that it was not written anew as a whole"
                .to_owned()
        }
    };
    let mut add = |text: &str| {
        let joint = if why.is_empty() { "" } else { "; " };
        why = format!("{why}{joint}{text}");
    };
    if let Some(tail) = &report.tail {
        add(&format!(
            "{} bytes after the last commit mark are not a batch: one is being written, or a crash cut \
             it short",
            tail.bytes
        ));
    }
    if ends_sealed {
        add("its last segment is closed and the next one is missing: a crash, or a removal");
    }
    let leaves = match wanted {
        Some(wanted) if report.head.is_some_and(|head| head.epoch == wanted.epoch) => wanted.leaves,
        _ => end,
    };
    Outcome::SoundUpTo { leaves, why }
}

/// What is wrong with a log that does not contain a head kept elsewhere.
fn against(wanted: &Head, seen: &Seen, head: Option<Head>, dir: &Path) -> Option<Damage> {
    if seen.met {
        return None;
    }
    let why = match seen.differs {
        Some(hash) => format!(
            "leaf {} has the hash {hash}, not the one of the head given: the log was written anew",
            wanted.leaves.saturating_sub(1)
        ),
        None => format!(
            "the log ends at {} leaves, before the head given ({wanted}): its end is missing",
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
    wanted: Option<Head>,
    met: bool,
    differs: Option<Digest>,
    payloads: u64,
    first_at: Option<Timestamp>,
    last_at: Option<Timestamp>,
}

impl Visit for Seen {
    fn leaf(&mut self, chain: &Chain, _entry: &Entry<'_>, fixed: &Fixed) {
        self.payloads += u64::from(fixed.payload.is_some());
        self.first_at.get_or_insert(fixed.time);
        self.last_at = Some(fixed.time);
        if let Some(wanted) = &self.wanted
            && (chain.epoch, chain.next) == (wanted.epoch, wanted.leaves)
        {
            self.met = chain.head == wanted.hash;
            self.differs = (!self.met).then_some(chain.head);
        }
    }
}

// === impl Outcome ===

impl Outcome {
    /// What a verifying program exits with: 0 sound, 1 tampered, 2 sound only up to a leaf.
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
