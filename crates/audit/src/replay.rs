//! What an auditor reads: which sessions there were, and what happened in one of them, step by step.
//! Plain data; showing it is another crate's work.
//!
//! Every walk checks what it reads as [`crate::verify`] does, and stops where the log is not sound.

mod timeline;
mod told;

use std::collections::HashMap;
use std::path::Path;

use phigate_types::{SessionId, Timestamp};
use serde::Serialize;

use crate::batch::Entry;
use crate::chain::Chain;
use crate::error::AuditError;
use crate::leaf::{FIXED, Fixed};
use crate::record::{Kind, Record, SessionClosed, SessionOpened};
use crate::walk::{Damage, Visit, walk};

pub use timeline::{Content, Statement, Step, Timeline, events, timeline};
pub use told::{Told, last_told, noted_heads};

/// The sessions of a log, oldest first, and what was wrong with the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Sessions {
    /// One a session.
    pub sessions: Vec<Summary>,
    /// Where the log is not sound; sessions after it are missing.
    pub damages: Vec<Damage>,
}

/// One session, with totals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The session.
    pub session: SessionId,
    /// Who, under which grant, why, from where.
    pub opened: SessionOpened,
    /// When.
    pub opened_at: Timestamp,
    /// When its last record was written.
    pub last_at: Timestamp,
    /// How it ended; absent while it is open and when its gateway stopped.
    pub closed: Option<SessionClosed>,
    /// Whether its gateway stopped without closing it.
    pub lost: bool,
    /// Executions recorded.
    pub statements: u64,
    /// Refusals recorded.
    pub refused: u64,
    /// The epoch of the log it is in.
    pub epoch: u32,
    /// The number of its first leaf.
    pub first_leaf: u64,
}

/// Lists the sessions of a log. Only the first and the last record of each are read as JSON.
pub fn sessions(dir: &Path) -> Result<Sessions, AuditError> {
    let mut lister = Lister::default();
    let walked = walk(dir, &mut lister)?;
    Ok(Sessions {
        sessions: lister.sessions,
        damages: walked.damages,
    })
}

#[derive(Default)]
struct Lister {
    sessions: Vec<Summary>,
    open: HashMap<SessionId, usize>,
}

impl Visit for Lister {
    fn leaf(&mut self, chain: &Chain, entry: &Entry<'_>, fixed: &Fixed) {
        if fixed.kind == Kind::LogOpened {
            for (_, at) in self.open.drain() {
                if let Some(session) = self.sessions.get_mut(at) {
                    session.lost = true;
                }
            }
        }
        let Some(link) = &fixed.session else { return };
        if fixed.kind == Kind::SessionOpened {
            // A record this version cannot read is still in the log: it is only not listed.
            if let Some(Record::SessionOpened(opened)) = record(entry, fixed) {
                self.open.insert(link.session, self.sessions.len());
                self.sessions.push(Summary {
                    session: link.session,
                    opened,
                    opened_at: fixed.time,
                    last_at: fixed.time,
                    closed: None,
                    lost: false,
                    statements: 0,
                    refused: 0,
                    epoch: chain.epoch,
                    first_leaf: fixed.index,
                });
            }
            return;
        }
        let at = self.open.get(&link.session).copied();
        let Some(session) = at.and_then(|at| self.sessions.get_mut(at)) else {
            return;
        };
        session.last_at = fixed.time;
        match fixed.kind {
            Kind::Statement => session.statements += 1,
            Kind::Refused => session.refused += 1,
            Kind::SessionClosed => {
                if let Some(Record::SessionClosed(closed)) = record(entry, fixed) {
                    session.closed = Some(closed);
                }
                self.open.remove(&link.session);
            }
            _ => {}
        }
    }
}

/// The record in a leaf, when it is one and of the kind that the leaf says.
fn record(entry: &Entry<'_>, fixed: &Fixed) -> Option<Record> {
    let json = entry.hashed.get(1 + FIXED..)?;
    let record: Record = serde_json::from_slice(json).ok()?;
    (record.kind() == fixed.kind).then_some(record)
}
