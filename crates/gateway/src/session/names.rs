//! The prepared statements and portals of the extended protocol, by the client's own names.
//!
//! The server decides what exists; this map only says what an Execute will run, for the record.
//! Changes are made when the request is sent and taken back if it fails; what SQL prepares and
//! deallocates, when the server says that it has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use phigate_sql::Effect;

use crate::enforce::Plan;

/// A prepared statement.
pub(super) struct Statement {
    /// What made it.
    pub(super) parsed: Arc<Parsed>,
    /// What runs, as it was last judged.
    pub(super) plan: Arc<Plan>,
}

/// One Parse.
pub(super) struct Parsed {
    /// Which listing of the temporary relations it was read by.
    pub(super) listing: u64,
    /// The types of parameters that it declares.
    pub(super) parameters: Box<[u32]>,
    /// Its number in the record; 0 for one that does nothing.
    pub(super) prepared: u64,
}

/// A portal.
pub(super) struct Portal {
    /// What it runs; `None` when SQL made the statement.
    pub(super) statement: Option<Arc<Statement>>,
    /// What SQL prepared, where that is what it runs.
    pub(super) beneath: Option<Arc<Plan>>,
    /// In which form its columns are; kept where rows are counted.
    pub(super) formats: Box<[i16]>,
    /// The Bind, whole: its values go into the record of each Execute.
    pub(super) bind: Bytes,
    /// It was executed: what it reads is settled.
    pub(super) begun: AtomicBool,
}

/// A name as the server keeps it.
type Key = Box<[u8]>;

/// How much of a name the server keeps, in bytes (`NAMEDATALEN`, `MAX_PORTALNAME_LEN`).
const NAME_MAX: usize = 63;

/// Both name spaces.
#[derive(Default)]
pub(super) struct Names {
    statements: HashMap<Key, Arc<Statement>>,
    portals: HashMap<Key, Arc<Portal>>,
    /// What SQL prepared: the whole text in which it did.
    in_sql: HashMap<Key, Arc<Plan>>,
    /// SQL that prepares, deallocates or declares is under way.
    under_way: bool,
}

/// How to take a change back, unless something else has changed the name since.
pub(super) enum Undo {
    /// There was no change.
    Nothing,
    /// A statement was named.
    Statement {
        name: Key,
        now: Arc<Parsed>,
        before: Option<Arc<Statement>>,
    },
    /// A statement's name was given up.
    Forgotten {
        name: Key,
        statement: Option<Arc<Statement>>,
        in_sql: Option<Arc<Plan>>,
    },
    /// A portal was named.
    Portal {
        name: Key,
        now: Arc<Portal>,
        before: Option<Arc<Portal>>,
    },
}

impl Names {
    pub(super) fn statement(&self, name: &str) -> Option<&Arc<Statement>> {
        self.statements.get(key(name))
    }

    pub(super) fn portal(&self, name: &str) -> Option<&Arc<Portal>> {
        self.portals.get(key(name))
    }

    pub(super) fn len(&self) -> usize {
        self.statements.len() + self.portals.len() + self.in_sql.len()
    }

    /// What was prepared under this name, by whichever protocol.
    pub(super) fn prepared(&self, name: &str) -> Option<&Arc<Plan>> {
        let statement = self
            .statements
            .get(key(name))
            .map(|statement| &statement.plan);
        statement.or_else(|| self.in_sql.get(key(name)))
    }

    /// A statement with this effect is being sent.
    pub(super) fn sent(&mut self, effect: &Effect) {
        self.under_way |= matches!(
            effect,
            Effect::Prepare(_) | Effect::Deallocate(_) | Effect::DiscardAll | Effect::Declare(_)
        );
    }

    /// Whether a name may stand for something else once everything outstanding is answered.
    pub(super) fn unsettled(&self) -> bool {
        self.under_way
    }

    /// Nothing is outstanding any more.
    pub(super) fn settled(&mut self) {
        self.under_way = false;
    }

    /// SQL has prepared this.
    pub(super) fn prepared_in_sql(&mut self, name: &str, plan: Arc<Plan>) {
        self.in_sql.insert(key(name).into(), plan);
    }

    /// What was prepared under this name was judged anew, and is the same.
    pub(super) fn renew(&mut self, name: &str, plan: Arc<Plan>) {
        if let Some(statement) = self.statements.get_mut(key(name)) {
            *statement = Arc::new(Statement {
                parsed: Arc::clone(&statement.parsed),
                plan,
            });
        } else if let Some(in_sql) = self.in_sql.get_mut(key(name)) {
            *in_sql = plan;
        }
    }

    pub(super) fn name_statement(&mut self, name: &str, statement: Statement) -> Undo {
        let now = Arc::clone(&statement.parsed);
        let before = self
            .statements
            .insert(key(name).into(), Arc::new(statement));
        Undo::Statement {
            name: key(name).into(),
            now,
            before,
        }
    }

    pub(super) fn name_portal(&mut self, name: &str, portal: Portal) -> Undo {
        let now = Arc::new(portal);
        let before = self.portals.insert(key(name).into(), Arc::clone(&now));
        Undo::Portal {
            name: key(name).into(),
            now,
            before,
        }
    }

    pub(super) fn forget_statement(&mut self, name: &str) -> Undo {
        Undo::Forgotten {
            name: key(name).into(),
            statement: self.statements.remove(key(name)),
            in_sql: self.in_sql.remove(key(name)),
        }
    }

    pub(super) fn forget_portal(&mut self, name: &str) {
        self.portals.remove(key(name));
    }

    /// DEALLOCATE ALL, DISCARD ALL.
    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
        self.in_sql.clear();
    }

    /// Portals live no longer than their transaction.
    pub(super) fn transaction_ended(&mut self) {
        self.portals.clear();
    }

    /// A simple query destroys the unnamed statement and portal.
    pub(super) fn simple_query(&mut self) {
        self.statements.remove(key(""));
        self.portals.remove(key(""));
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Statement { name, now, before } => {
                let is_now = |known: &Arc<Statement>| Arc::ptr_eq(&known.parsed, &now);
                take_back(&mut self.statements, name, is_now, before);
            }
            Undo::Forgotten {
                name,
                statement,
                in_sql,
            } => {
                // Whoever took the name since has failed too, and been taken back before.
                if let Some(statement) = statement {
                    self.statements.entry(name.clone()).or_insert(statement);
                }
                if let Some(in_sql) = in_sql {
                    self.in_sql.entry(name).or_insert(in_sql);
                }
            }
            Undo::Portal { name, now, before } => {
                let is_now = |known: &Arc<Portal>| Arc::ptr_eq(known, &now);
                take_back(&mut self.portals, name, is_now, before);
            }
        }
    }
}

impl Portal {
    /// Whether it was executed before; from now on it was.
    pub(super) fn begin(&self) -> bool {
        self.begun.swap(true, Ordering::Relaxed)
    }
}

/// What the server keeps of a name: two that begin alike are one to it, and to SQL's names.
fn key(name: &str) -> &[u8] {
    let name = name.as_bytes();
    name.get(..NAME_MAX).unwrap_or(name)
}

fn take_back<T>(
    names: &mut HashMap<Key, Arc<T>>,
    name: Key,
    is_now: impl FnOnce(&Arc<T>) -> bool,
    before: Option<Arc<T>>,
) {
    if names.get(&name).is_some_and(is_now) {
        match before {
            Some(before) => names.insert(name, before),
            None => names.remove(&name),
        };
    }
}
