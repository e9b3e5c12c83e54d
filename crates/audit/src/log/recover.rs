//! Opens a directory for writing: finds where the log ends, cuts what a crash left unfinished, and
//! leaves alone what is damaged.
//!
//! Only a tail that can be a write cut short is cut, and only after the last commit mark. Damage before
//! a later commit mark is never touched: its epoch stays as it is, and the log goes on in a new epoch
//! whose first leaf says why.

use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::LogConfig;
use super::directory::{Directory, Segment};
use crate::batch;
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{Digest, Head};
use crate::record::{Kind, LogOpened, Quarantined};
use crate::scan::{Broken, Scan, Step};
use crate::segment::{self, Header, Name};

/// What was found when the log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryReport {
    /// The epoch in which the log goes on.
    pub epoch: u32,
    /// How many leaves it had.
    pub leaves: u64,
    /// Whether the log had been closed in order, or is new.
    pub clean: bool,
    /// Bytes of an unfinished batch that were cut.
    pub torn_bytes: u64,
    /// Damage: an alarm. The epoch it is in is left as it was found.
    pub quarantined: Option<Quarantine>,
}

/// Damage that was found when the log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// The epoch that is not continued.
    pub epoch: u32,
    /// The file of the first damage.
    pub file: PathBuf,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub why: String,
    /// How far the epoch is sound.
    pub sound: Head,
}

/// A directory that is ready to be written to.
pub(super) struct Opened {
    pub(super) directory: Arc<Directory>,
    pub(super) segment: Segment,
    pub(super) end: Chain,
    pub(super) report: RecoveryReport,
    pub(super) first: LogOpened,
}

impl Opened {
    pub(super) fn head(&self) -> Head {
        self.end.head()
    }
}

/// How the log ends.
enum End {
    /// Its last segment has room.
    At {
        segment: Segment,
        chain: Chain,
        torn: Option<u64>,
    },
    /// Its last segment is closed.
    Sealed { sequence: u64, chain: Chain },
    /// It is damaged.
    Damaged(Quarantine),
}

/// Locks and repairs the directory.
pub(super) fn open(config: &LogConfig) -> Result<Opened, AuditError> {
    let directory = Arc::new(Directory::lock(&config.dir, &config.origin)?);
    let names = segment::list(&config.dir)?;
    directory.make_reserve(config.reserve_bytes)?;
    let mut torn_bytes = 0;
    let mut quarantined = None;
    let begin = |chain: &Chain, sequence| {
        directory.make_spare(config.segment_bytes)?;
        directory.adopt(chain.head(), sequence, false)
    };
    let (segment, end) = match find_end(config, &names)? {
        None => {
            let chain = Chain::new(1, Digest::default());
            (begin(&chain, 0)?, chain)
        }
        Some(End::At {
            segment,
            chain,
            torn,
        }) => {
            if let Some(end) = torn {
                torn_bytes = end - segment.offset;
                cut(&segment, end)?;
            }
            (segment, chain)
        }
        Some(End::Sealed { sequence, chain }) => (begin(&chain, sequence + 1)?, chain),
        Some(End::Damaged(quarantine)) => {
            tracing::error!(
                file = %quarantine.file.display(), offset = quarantine.offset, why = quarantine.why,
                sound_leaves = quarantine.sound.leaves,
                "the audit log is damaged: it is left as it is, and goes on in a new epoch"
            );
            let chain = Chain::new(quarantine.epoch + 1, quarantine.sound.hash);
            quarantined = Some(quarantine);
            (begin(&chain, 0)?, chain)
        }
    };
    let clean = matches!(end.last, None | Some(Kind::LogClosed)) && quarantined.is_none();
    let report = RecoveryReport {
        epoch: end.epoch,
        leaves: end.next,
        clean,
        torn_bytes,
        quarantined,
    };
    let first = LogOpened {
        origin: config.origin.clone(),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        level: config.level.as_str().to_owned(),
        clean,
        torn_bytes,
        quarantined: report.quarantined.as_ref().map(Quarantined::from),
    };
    Ok(Opened {
        directory,
        segment,
        end,
        report,
        first,
    })
}

/// Follows the last epoch. Older segments are checked by their headers alone, the last two in full:
/// reading everything is what `verify` is for.
fn find_end(config: &LogConfig, names: &[Name]) -> Result<Option<End>, AuditError> {
    let Some(last) = names.last() else {
        return Ok(None);
    };
    let names: Vec<_> = names
        .iter()
        .filter(|name| name.epoch == last.epoch)
        .collect();
    let mut chain: Option<Chain> = None;
    let mut before: Option<Header> = None;
    let mut end = None;
    for (at, name) in names.iter().enumerate() {
        let path = name.path(&config.dir);
        let (scan, header) = Scan::open(&path)?;
        // Where nothing else is known, the header's word on what comes before it is taken.
        let known = chain.clone();
        let damaged = |offset, why: &str| {
            let sound = known.as_ref().map(Chain::head).or_else(|| {
                // The head of the segment before is the start of what is not known to be sound.
                let before = before.as_ref()?;
                Some(Head {
                    epoch: name.epoch,
                    leaves: before.first,
                    hash: before.previous,
                })
            });
            let nothing = Head {
                epoch: name.epoch,
                leaves: 0,
                hash: Digest::default(),
            };
            End::Damaged(Quarantine {
                epoch: name.epoch,
                file: path.clone(),
                offset,
                why: why.to_owned(),
                sound: sound.unwrap_or(nothing),
            })
        };
        let header = match header {
            Ok(header) => header,
            Err(why) => return Ok(Some(damaged(0, why))),
        };
        if header.origin != config.origin {
            let (found, wanted) = (header.origin, config.origin.clone());
            return Err(AuditError::OtherOrigin {
                path,
                found,
                wanted,
            });
        }
        let expected = Name {
            epoch: last.epoch,
            sequence: at as u64,
        };
        if **name != expected || (header.epoch, header.sequence) != (name.epoch, name.sequence) {
            return Ok(Some(damaged(
                0,
                "a segment is missing or is not the one its name says",
            )));
        }
        if at + 2 >= names.len() {
            let start = chain
                .take()
                .unwrap_or_else(|| Chain::entered(header.epoch, header.first, header.previous));
            if (start.next, start.head) != (header.first, header.previous) {
                return Ok(Some(damaged(
                    0,
                    "a segment does not follow the one before it",
                )));
            }
            let is_last = at + 1 == names.len();
            match follow(scan, name, start)? {
                // Only the last segment may lack its end: the next one is made after the seal.
                End::At { .. } if !is_last => {
                    let why = "a segment that is not the last has no seal";
                    return Ok(Some(damaged(header.size, why)));
                }
                End::Sealed {
                    sequence,
                    chain: so_far,
                } if !is_last => {
                    chain = Some(so_far);
                    end = Some(sequence);
                }
                found => return Ok(Some(found)),
            }
        }
        before = Some(header);
    }
    // Not reached: the last segment always returns.
    Ok(chain
        .zip(end)
        .map(|(chain, sequence)| End::Sealed { sequence, chain }))
}

/// Reads one segment to its end.
fn follow(mut scan: Scan, name: &Name, mut chain: Chain) -> Result<End, AuditError> {
    let path = scan.path().to_owned();
    let damaged = |chain: &Chain, offset, why: &str| {
        End::Damaged(Quarantine {
            epoch: name.epoch,
            file: path.clone(),
            offset,
            why: why.to_owned(),
            sound: chain.head(),
        })
    };
    let size = scan.size();
    let at = |offset, chain, torn| -> Result<End, AuditError> {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| AuditError::io("open", &path, &error))?;
        let segment = Segment {
            file: Arc::new(file),
            path: path.clone(),
            sequence: name.sequence,
            size,
            offset,
            reserve: false,
        };
        Ok(End::At {
            segment,
            chain,
            torn,
        })
    };
    loop {
        match scan.next(chain.next)? {
            Step::Batch {
                offset,
                header,
                mut entries,
            } => {
                if header.first != chain.next {
                    return Ok(damaged(
                        &chain,
                        offset,
                        "a batch's first leaf is not the next one",
                    ));
                }
                while !entries.is_empty() {
                    let taken = batch::split_entry(&mut entries)
                        .and_then(|(entry, fixed)| chain.accept(&entry, &fixed));
                    if let Err(why) = taken {
                        return Ok(damaged(&chain, offset, why));
                    }
                }
                if chain.next != header.first + u64::from(header.count) {
                    return Ok(damaged(
                        &chain,
                        offset,
                        "a batch does not hold what it announces",
                    ));
                }
            }
            Step::Seal { offset, header } => {
                let end = offset + header.whole() as u64;
                if header.first != chain.next || scan.last_byte(end)?.is_some() {
                    return Ok(damaged(&chain, offset, "a segment goes on after its seal"));
                }
                return Ok(End::Sealed {
                    sequence: name.sequence,
                    chain,
                });
            }
            Step::End { offset } => return at(offset, chain, None),
            Step::Broken(Broken {
                offset,
                torn: true,
                end,
                ..
            }) => {
                return at(offset, chain, Some(end));
            }
            Step::Broken(Broken { offset, why, .. }) => return Ok(damaged(&chain, offset, why)),
        }
    }
}

/// Writes zeros over an unfinished batch.
fn cut(segment: &Segment, end: u64) -> Result<(), AuditError> {
    let zeros = vec![0; 1 << 20];
    let mut from = segment.offset;
    let wrong = |error| AuditError::io("cut the torn tail of", &segment.path, &error);
    while from < end {
        let len = (end - from).min(zeros.len() as u64);
        segment
            .file
            .write_all_at(&zeros[..len as usize], from)
            .map_err(wrong)?;
        from += len;
    }
    segment.file.sync_all().map_err(wrong)
}

impl From<&Quarantine> for Quarantined {
    fn from(found: &Quarantine) -> Self {
        let file = found.file.file_name().unwrap_or_default();
        Self {
            epoch: found.epoch,
            file: file.to_string_lossy().into_owned(),
            offset: found.offset,
            why: found.why.clone(),
            leaves: found.sound.leaves,
            head: found.sound.hash.to_string(),
        }
    }
}
