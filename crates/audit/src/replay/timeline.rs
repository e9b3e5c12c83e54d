//! One session, step by step; and what belongs to no session.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use phigate_types::{SessionId, Timestamp};

use super::record;
use crate::batch::Entry;
use crate::chain::Chain;
use crate::cipher::Sealer;
use crate::error::AuditError;
use crate::keys::{Found, KeyStore, Subject};
use crate::leaf::Fixed;
use crate::record::{Analysis, Outcome, Payload, Record};
use crate::walk::{Damage, Visit, walk};

/// What happened, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The steps.
    pub steps: Vec<Step>,
    /// Leaves whose record this version cannot read.
    pub unreadable: u64,
    /// Where the log is not sound; what follows is missing.
    pub damages: Vec<Damage>,
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The epoch of the log.
    pub epoch: u32,
    /// The leaf's number.
    pub leaf: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// How long after the first step.
    pub since_start: Duration,
    /// What was recorded in clear.
    pub record: Record,
    /// What was recorded under a key.
    pub content: Content,
}

/// The confidential part of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// There is none.
    None,
    /// Decrypted.
    Clear(Payload),
    /// No keys were given, or the key is not among them.
    Locked,
    /// Its key was destroyed.
    Shredded,
    /// It does not open with its key.
    Unreadable,
}

/// A statement put together from its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it does, from its intent or from what was prepared.
    pub analysis: Option<Arc<Analysis>>,
    /// The SQL as sent, where it can be read.
    pub sent: Option<Arc<str>>,
    /// The SQL as run, where it can be read.
    pub run: Option<Arc<str>>,
    /// How it ended; absent when it never did, or not yet.
    pub outcome: Option<Outcome>,
}

/// The steps of one session. Empty when the log has none of it.
pub fn timeline(
    dir: &Path,
    session: SessionId,
    keys: Option<&KeyStore>,
) -> Result<Timeline, AuditError> {
    collect(dir, Some(session), keys)
}

/// The steps that belong to no session: logins refused, what the control plane did, the log itself.
pub fn events(dir: &Path, keys: Option<&KeyStore>) -> Result<Timeline, AuditError> {
    collect(dir, None, keys)
}

impl Timeline {
    /// The statement that the step at this place executes, prepares or refuses.
    pub fn statement(&self, at: usize) -> Option<Statement> {
        let step = self.steps.get(at)?;
        let (mut analysis, prepared, number) = match &step.record {
            Record::Statement(intent) => (
                intent.analysis.clone(),
                intent.prepared,
                Some(intent.statement),
            ),
            Record::Prepared(prepared) => (Some(prepared.analysis.clone()), None, None),
            Record::Refused(_) => (None, None, None),
            _ => return None,
        };
        let (mut sent, mut run) = step.content.sql();
        if let Some(number) = prepared {
            let source = self.steps.get(..at)?.iter().rev().find(|step| {
                matches!(&step.record, Record::Prepared(prepared) if prepared.prepared == number)
            });
            if let Some(source) = source {
                if let Record::Prepared(prepared) = &source.record {
                    analysis.get_or_insert_with(|| prepared.analysis.clone());
                }
                let (first_sent, first_run) = source.content.sql();
                (sent, run) = (sent.or(first_sent), run.or(first_run));
            }
        }
        let outcome = number.and_then(|number| {
            self.steps
                .get(at..)?
                .iter()
                .find_map(|step| match &step.record {
                    Record::Outcome(outcome) if outcome.statement == number => {
                        Some(outcome.clone())
                    }
                    _ => None,
                })
        });
        Some(Statement {
            analysis,
            sent,
            run,
            outcome,
        })
    }

    /// What was done to each column that was touched: relation, column, treatment; in that order.
    pub fn legend(&self) -> BTreeSet<(&str, &str, &str)> {
        let analyses = self.steps.iter().filter_map(|step| match &step.record {
            Record::Statement(intent) => intent.analysis.as_deref(),
            Record::Prepared(prepared) => Some(&*prepared.analysis),
            _ => None,
        });
        let touches = analyses.flat_map(|analysis| &analysis.touches);
        touches
            .flat_map(|touch| {
                let columns = touch.columns.iter();
                columns.map(|column| (&*touch.relation, &*column.0, &*column.1))
            })
            .collect()
    }
}

impl Content {
    fn sql(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        match self {
            Self::Clear(payload) => (payload.sent.clone(), payload.run.clone()),
            _ => (None, None),
        }
    }
}

fn collect(
    dir: &Path,
    session: Option<SessionId>,
    keys: Option<&KeyStore>,
) -> Result<Timeline, AuditError> {
    let mut collector = Collector {
        session,
        keys,
        sealers: HashMap::new(),
        steps: Vec::new(),
        unreadable: 0,
    };
    let walked = walk(dir, &mut collector)?;
    let Collector {
        steps, unreadable, ..
    } = collector;
    Ok(Timeline {
        steps,
        unreadable,
        damages: walked.damages,
    })
}

struct Collector<'a> {
    session: Option<SessionId>,
    keys: Option<&'a KeyStore>,
    sealers: HashMap<Subject, Result<Sealer, NoKey>>,
    steps: Vec<Step>,
    unreadable: u64,
}

impl Visit for Collector<'_> {
    fn leaf(&mut self, chain: &Chain, entry: &Entry<'_>, fixed: &Fixed) {
        if fixed.session.map(|link| link.session) != self.session {
            return;
        }
        let Some(record) = record(entry, fixed) else {
            self.unreadable += 1;
            return;
        };
        let content = self.content(chain.epoch, entry, fixed);
        let start = self.steps.first().map_or(fixed.time, |step| step.at);
        self.steps.push(Step {
            epoch: chain.epoch,
            leaf: fixed.index,
            at: fixed.time,
            since_start: start.until(fixed.time),
            record,
            content,
        });
    }
}

impl Collector<'_> {
    fn content(&mut self, epoch: u32, entry: &Entry<'_>, fixed: &Fixed) -> Content {
        if fixed.payload.is_none() {
            return Content::None;
        }
        let Some(keys) = self.keys else {
            return Content::Locked;
        };
        let (subject, sequence) = match &fixed.session {
            Some(link) => (Subject::Session(link.session), link.sequence),
            None => (
                Subject::Leaf {
                    epoch,
                    index: fixed.index,
                },
                fixed.index,
            ),
        };
        let open = |sealer: &Result<Sealer, NoKey>| match sealer {
            Ok(sealer) => sealer
                .open(sequence, entry.ciphertext)
                .map_or(Content::Unreadable, Content::Clear),
            Err(NoKey::Missing) => Content::Locked,
            Err(NoKey::Shredded) => Content::Shredded,
            Err(NoKey::Unusable) => Content::Unreadable,
        };
        match subject {
            // A leaf's own key is used once.
            Subject::Leaf { .. } => open(&sealer(keys, subject)),
            Subject::Session(_) => open(
                self.sealers
                    .entry(subject)
                    .or_insert_with(|| sealer(keys, subject)),
            ),
        }
    }
}

/// Why a payload stays closed.
enum NoKey {
    Missing,
    Shredded,
    Unusable,
}

fn sealer(keys: &KeyStore, subject: Subject) -> Result<Sealer, NoKey> {
    match keys.find(subject) {
        Found::Key(key) => Sealer::new(&key, subject).ok_or(NoKey::Unusable),
        Found::Shredded => Err(NoKey::Shredded),
        Found::Missing => Err(NoKey::Missing),
    }
}
