//! Goes through a whole log, leaf by leaf, and checks everything that the log alone can show. Verifying
//! and replaying are the same walk with different eyes.

use std::path::{Path, PathBuf};

use crate::batch::{self, Entry};
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{Digest, Fixed, Head};
use crate::record::Kind;
use crate::scan::{Broken, Scan, Step};
use crate::segment::{self, Header, Name};

/// How often bytes that are not a batch are read again in the last segment: its writer may be at work.
const READ_AGAIN: u32 = 1;

/// Where a log is not what its writer wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The epoch of the log.
    pub epoch: u32,
    /// The file.
    pub file: PathBuf,
    /// Where in the file, in bytes: the batch that holds it, at the latest.
    pub offset: u64,
    /// The first leaf that is not sound.
    pub leaf: u64,
    /// What is wrong.
    pub why: String,
}

/// Bytes after the last commit mark: a batch that is being written, or that a crash cut short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tail {
    /// The file.
    pub file: PathBuf,
    /// Where they begin.
    pub offset: u64,
    /// How many they are.
    pub bytes: u64,
}

/// One epoch, as far as it is sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// How far it is sound.
    pub head: Head,
    /// Whether it ends with the leaf that says the log was closed.
    pub closed: bool,
    /// Sessions opened in it.
    pub sessions: u64,
    /// Of those, sessions that were open when a process ended without closing them.
    pub lost: u64,
    /// Of those, sessions that are open at its end.
    pub open: u64,
}

/// What a walk saw.
#[derive(Debug)]
pub(crate) struct Walked {
    pub(crate) origin: Option<String>,
    pub(crate) epochs: Vec<Epoch>,
    pub(crate) damages: Vec<Damage>,
    pub(crate) tail: Option<Tail>,
    /// The last segment is closed and none follows it.
    pub(crate) ends_sealed: bool,
    pub(crate) segments: u64,
    pub(crate) bytes: u64,
}

/// Called for each sound leaf, in order; the chain stands after it.
pub(crate) trait Visit {
    fn leaf(&mut self, chain: &Chain, entry: &Entry<'_>, fixed: &Fixed);
}

/// Walks the log in a directory.
pub(crate) fn walk(dir: &Path, visit: &mut impl Visit) -> Result<Walked, AuditError> {
    let mut walk = Walk {
        dir,
        names: segment::list(dir)?,
        visit,
        seen: Walked {
            origin: None,
            epochs: Vec::new(),
            damages: Vec::new(),
            tail: None,
            ends_sealed: false,
            segments: 0,
            bytes: 0,
        },
    };
    let mut previous = Digest::default();
    let mut epoch = 1;
    while let Some(last) = walk.names.last() {
        if epoch > last.epoch {
            break;
        }
        previous = walk.epoch(epoch, previous)?;
        epoch += 1;
    }
    Ok(walk.seen)
}

struct Walk<'a, V> {
    dir: &'a Path,
    names: Vec<Name>,
    visit: &'a mut V,
    seen: Walked,
}

/// How a segment ends.
enum End {
    Sealed,
    Open,
    Damaged,
}

impl<V: Visit> Walk<'_, V> {
    /// Walks one epoch and gives the head that the next one must name.
    fn epoch(&mut self, epoch: u32, previous: Digest) -> Result<Digest, AuditError> {
        let mut chain = Chain::new(epoch, previous);
        let mut link = Link::new(self.head_named_by(epoch + 1)?, previous);
        let mut sequence = 0;
        let damaged = loop {
            let name = Name { epoch, sequence };
            if !self.names.contains(&name) {
                let later = self
                    .names
                    .iter()
                    .any(|other| other.epoch == epoch && *other > name);
                if sequence == 0 || later {
                    self.damage(&chain, &name, 0, "a segment is missing");
                    break true;
                }
                break false;
            }
            let end = self.segment(&name, &mut chain, &mut link)?;
            if matches!(end, End::Damaged) {
                break true;
            }
            let mut is_last = self.names.last() == Some(&name);
            if is_last {
                // Its writer may have gone on since the directory was read.
                self.names = segment::list(self.dir)?;
                is_last = self.names.last() == Some(&name);
            }
            let sealed = matches!(end, End::Sealed);
            let followed = self.names.contains(&Name {
                epoch,
                sequence: sequence + 1,
            });
            if !sealed && followed {
                self.damage(
                    &chain,
                    &name,
                    0,
                    "a segment that is not the last has no seal",
                );
                break true;
            }
            self.seen.ends_sealed = sealed && is_last;
            sequence += 1;
        };
        self.seen.epochs.push(Epoch {
            head: chain.head(),
            closed: chain.last == Some(Kind::LogClosed),
            sessions: chain.opened,
            lost: chain.lost,
            open: chain.open_sessions() as u64,
        });
        let Some(named) = link.named else {
            return Ok(chain.head);
        };
        let next = Name {
            epoch: epoch + 1,
            sequence: 0,
        };
        if !damaged {
            let why = "an epoch was begun although nothing in the one before it is damaged";
            self.damage(&Chain::new(epoch + 1, chain.head), &next, 0, why);
        } else if !(link.met || named == Digest::default() && chain.next == 0) {
            let why = "an epoch does not follow from the one before it";
            self.damage(&Chain::new(epoch + 1, chain.head), &next, 0, why);
        }
        Ok(named)
    }

    /// Walks one segment.
    fn segment(
        &mut self,
        name: &Name,
        chain: &mut Chain,
        link: &mut Link,
    ) -> Result<End, AuditError> {
        let (mut scan, header) = Scan::open(&name.path(self.dir))?;
        self.seen.segments += 1;
        if let Err(why) = header.and_then(|header| self.check(name, chain, &header)) {
            self.damage(chain, name, 0, why);
            return Ok(End::Damaged);
        }
        let mut again = READ_AGAIN;
        loop {
            let next = chain.next;
            match scan.next(next)? {
                Step::Batch {
                    offset,
                    header,
                    mut entries,
                } => {
                    let mut taken = if header.first == next {
                        Ok(())
                    } else {
                        Err("a batch's first leaf is not the next one")
                    };
                    while taken.is_ok() && !entries.is_empty() {
                        taken = batch::split_entry(&mut entries).and_then(|(entry, fixed)| {
                            chain.accept(&entry, &fixed)?;
                            link.meet(chain.head);
                            self.visit.leaf(chain, &entry, &fixed);
                            Ok(())
                        });
                    }
                    if taken.is_ok() && chain.next != next + u64::from(header.count) {
                        taken = Err("a batch does not hold what it announces");
                    }
                    if let Err(why) = taken {
                        self.damage(chain, name, offset, why);
                        return Ok(End::Damaged);
                    }
                    self.seen.bytes += header.whole() as u64;
                }
                Step::Seal { offset, header } => {
                    let end = offset + header.whole() as u64;
                    if header.first != next || scan.last_byte(end)?.is_some() {
                        self.damage(chain, name, offset, "a segment goes on after its seal");
                        return Ok(End::Damaged);
                    }
                    return Ok(End::Sealed);
                }
                Step::End { .. } => return Ok(End::Open),
                Step::Broken(broken) => {
                    let is_last = self.names.last() == Some(name);
                    if is_last && again > 0 {
                        again -= 1;
                        scan.seek(broken.offset);
                        continue;
                    }
                    return Ok(self.broken(name, chain, &broken, is_last));
                }
            }
            again = READ_AGAIN;
        }
    }

    fn broken(&mut self, name: &Name, chain: &Chain, broken: &Broken, is_last: bool) -> End {
        if broken.torn && is_last {
            self.seen.tail = Some(Tail {
                file: name.path(self.dir),
                offset: broken.offset,
                bytes: broken.end - broken.offset,
            });
            return End::Open;
        }
        self.damage(chain, name, broken.offset, broken.why);
        End::Damaged
    }

    /// A header against what came before it.
    fn check(&mut self, name: &Name, chain: &Chain, header: &Header) -> Result<(), &'static str> {
        if (header.epoch, header.sequence) != (name.epoch, name.sequence) {
            return Err("the segment is not the one its name says");
        }
        if *self
            .seen
            .origin
            .get_or_insert_with(|| header.origin.clone())
            != header.origin
        {
            return Err("the segment belongs to another log");
        }
        if header.first != chain.next {
            return Err("the segment's first leaf is not the next one");
        }
        // What the first segment of a later epoch names is checked against the epoch before it.
        if header.previous != chain.head {
            return Err("the segment does not name the hash of the leaf before it");
        }
        Ok(())
    }

    /// The head that the first segment of an epoch names, when there is one.
    fn head_named_by(&self, epoch: u32) -> Result<Option<Digest>, AuditError> {
        let name = Name { epoch, sequence: 0 };
        if !self.names.contains(&name) {
            return Ok(None);
        }
        let (_, header) = Scan::open(&name.path(self.dir))?;
        Ok(header.ok().map(|header| header.previous))
    }

    fn damage(&mut self, chain: &Chain, name: &Name, offset: u64, why: &str) {
        self.seen.damages.push(Damage {
            epoch: chain.epoch,
            file: name.path(self.dir),
            offset,
            leaf: chain.next,
            why: why.to_owned(),
        });
    }
}

/// Whether the head that the next epoch names was met on the way.
struct Link {
    named: Option<Digest>,
    met: bool,
}

impl Link {
    fn new(named: Option<Digest>, start: Digest) -> Self {
        Self {
            named,
            met: named == Some(start),
        }
    }

    fn meet(&mut self, head: Digest) {
        self.met |= self.named == Some(head);
    }
}
