//! The prepared statements and portals of the extended protocol, by the client's own names.
//!
//! The server decides what exists; this map only says what an Execute will run, for the record.
//! Changes are made when the request is sent and taken back if it fails.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::enforce::Plan;

/// A prepared statement.
pub(super) struct Statement {
    /// Which listing of the temporary relations it was read by.
    pub(super) listing: u64,
    /// What runs.
    pub(super) plan: Arc<Plan>,
    /// Its number in the record; 0 for one that does nothing.
    pub(super) prepared: u64,
}

/// A portal.
pub(super) struct Portal {
    /// What it runs; `None` when SQL made the statement.
    pub(super) statement: Option<Arc<Statement>>,
    /// The Bind, whole: its values go into the record of each Execute.
    pub(super) bind: Bytes,
}

/// Both name spaces.
#[derive(Default)]
pub(super) struct Names {
    statements: HashMap<Box<str>, Arc<Statement>>,
    portals: HashMap<Box<str>, Arc<Portal>>,
}

/// How to take a change back, unless something else has changed the name since.
pub(super) enum Undo {
    /// There was no change.
    Nothing,
    /// A statement was named.
    Statement {
        name: Box<str>,
        now: Arc<Statement>,
        before: Option<Arc<Statement>>,
    },
    /// A portal was named.
    Portal {
        name: Box<str>,
        now: Arc<Portal>,
        before: Option<Arc<Portal>>,
    },
}

impl Names {
    pub(super) fn statement(&self, name: &str) -> Option<&Arc<Statement>> {
        self.statements.get(name)
    }

    pub(super) fn portal(&self, name: &str) -> Option<&Arc<Portal>> {
        self.portals.get(name)
    }

    pub(super) fn len(&self) -> usize {
        self.statements.len() + self.portals.len()
    }

    pub(super) fn name_statement(&mut self, name: &str, statement: Statement) -> Undo {
        let now = Arc::new(statement);
        let before = self.statements.insert(name.into(), Arc::clone(&now));
        Undo::Statement {
            name: name.into(),
            now,
            before,
        }
    }

    pub(super) fn name_portal(&mut self, name: &str, portal: Portal) -> Undo {
        let now = Arc::new(portal);
        let before = self.portals.insert(name.into(), Arc::clone(&now));
        Undo::Portal {
            name: name.into(),
            now,
            before,
        }
    }

    pub(super) fn forget_statement(&mut self, name: &str) {
        self.statements.remove(name);
    }

    pub(super) fn forget_portal(&mut self, name: &str) {
        self.portals.remove(name);
    }

    /// DEALLOCATE ALL, DISCARD ALL.
    pub(super) fn forget_statements(&mut self) {
        self.statements.clear();
    }

    /// Portals live no longer than their transaction.
    pub(super) fn transaction_ended(&mut self) {
        self.portals.clear();
    }

    /// A simple query destroys the unnamed statement and portal.
    pub(super) fn simple_query(&mut self) {
        self.statements.remove("");
        self.portals.remove("");
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Nothing => {}
            Undo::Statement { name, now, before } => {
                take_back(&mut self.statements, name, &now, before);
            }
            Undo::Portal { name, now, before } => {
                take_back(&mut self.portals, name, &now, before);
            }
        }
    }
}

fn take_back<T>(
    names: &mut HashMap<Box<str>, Arc<T>>,
    name: Box<str>,
    now: &Arc<T>,
    before: Option<Arc<T>>,
) {
    if names
        .get(&name)
        .is_some_and(|current| Arc::ptr_eq(current, now))
    {
        match before {
            Some(before) => names.insert(name, before),
            None => names.remove(&name),
        };
    }
}
