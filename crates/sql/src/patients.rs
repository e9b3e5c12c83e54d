//! Whose rows a result has: which output columns hold the key of a patient, and of how many patients
//! else a row has something. A budget of patients is counted by it.
//!
//! A statement's rows are made of rows of relations that are about patients. Each such relation in FROM
//! stands for one patient a row; two of them stand for the same one where the statement says that their
//! keys are equal. A patient whose key is an output column as it is, is counted by that key; of any
//! other it is only known that there is one. What a condition reads does not leave and is not counted.
//!
//! INVARIANT: a row has something of no more patients than are counted, but for what is said in
//! `docs/threat-model.md`: values that arithmetic, recursion or the session's own temporary tables make of several
//! rows one after the other.

mod expr;
mod from;
mod query;

use std::collections::HashMap;

use phigate_phi::TypeKind;

use crate::Context;
use crate::ir::{Name, Query};
use crate::refusal::{Reason, Refusal};
use crate::resolve::Resolution;

/// Whose the rows of a statement's result are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patients {
    /// The patients whose keys are in the result.
    pub keys: Box<[PatientColumns]>,
    /// How many patients more a row has something of.
    pub others: u32,
    /// How many of all these are only known as rows of the session's own temporary relations.
    own: u32,
    /// What makes one value of the rows of several patients, if anything does.
    pools: Option<&'static str>,
}

/// Where the key of one patient stands in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientColumns {
    /// Output columns from 0: the first that is not NULL holds the key. Where all are, there may be a
    /// patient all the same.
    pub columns: Box<[usize]>,
    /// How the key is written.
    pub kind: KeyKind,
}

/// How a key is written, in text and in binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `smallint`, `integer`, `bigint`.
    Integer,
    /// `uuid`.
    Uuid,
    /// `text`, `varchar`: alike in both forms.
    Text,
    /// Anything else: its two forms are not compared.
    Other,
}

impl Patients {
    /// Whether a budget of patients can be counted by this. `kept` where the rows do not leave now but are
    /// kept by the session (a cursor, a prepared statement, a table): what is read of these later counts
    /// as one patient a row.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) fn check_countable(&self, kept: bool) -> Result<(), Refusal> {
        if let Some(what) = self.pools {
            return Err(Refusal::new(
                Reason::Uncountable,
                format!("{what} would make one value of several patients' rows, which the grant's budget of patients cannot count"),
            )
            .with_hint("group by the patient's key too, or ask for a grant without --max-patients"));
        }
        let each = self.keys.len() + self.others as usize;
        if kept && each.saturating_sub(self.own as usize) > 1 {
            return Err(Refusal::new(
                Reason::Uncountable,
                "rows with several patients each cannot be kept for later under the grant's budget of patients",
            )
            .with_hint("join the tables by the patient's key, or read the rows without a cursor, PREPARE or table of your own"));
        }
        Ok(())
    }
}

impl KeyKind {
    pub(crate) fn of(kind: TypeKind) -> Self {
        match kind {
            TypeKind::Int2 | TypeKind::Int4 | TypeKind::Int8 => Self::Integer,
            TypeKind::Uuid => Self::Uuid,
            TypeKind::Text | TypeKind::Varchar => Self::Text,
            _other => Self::Other,
        }
    }
}

/// The column that holds the key of a relation's patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyColumn {
    pub(crate) index: usize,
    pub(crate) kind: KeyKind,
}

/// Whose a relation's rows are: an entry for each patient that one of them is about, with the column of
/// the key where there is one.
pub(crate) type Subjects = Box<[Option<KeyColumn>]>;

/// What is known of a settled query's rows.
pub(crate) fn of(query: &Query, resolution: &Resolution, cx: &Context<'_>) -> Patients {
    let mut walk = Walk {
        cx,
        resolution,
        groups: Groups::default(),
        ctes: Vec::new(),
        levels: Vec::new(),
        pools: None,
    };
    let rows = walk.query(query);
    let mut keys: HashMap<usize, (Vec<usize>, KeyKind)> = HashMap::new();
    for (index, column) in rows.columns.iter().enumerate() {
        if let Some(key) = column.key {
            let group = walk.groups.root(key.group);
            let known = keys.entry(group).or_insert((Vec::new(), key.kind));
            known.0.push(index);
        }
    }
    let groups = walk.groups.roots(&rows.groups);
    let own = groups.iter().filter(|group| walk.groups.is_own(**group));
    let own = own.count();
    let mut patients = Patients {
        others: count(
            groups
                .iter()
                .filter(|group| !keys.contains_key(group))
                .count(),
        ),
        own: count(own),
        pools: walk.pools,
        keys: groups
            .iter()
            .filter_map(|group| keys.remove(group))
            .map(|(columns, kind)| PatientColumns {
                columns: columns.into(),
                kind,
            })
            .collect(),
    };
    if groups.is_empty() && resolution.reads_of_patients(cx) {
        // Nothing of them leaves but what conditions say.
        patients.others = 1;
    }
    patients
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Walks one settled statement.
struct Walk<'a> {
    cx: &'a Context<'a>,
    resolution: &'a Resolution,
    groups: Groups,
    /// Those in scope; `None` while one's own rows are not known.
    ctes: Vec<(Name, Option<Rows>)>,
    levels: Vec<Level>,
    pools: Option<&'static str>,
}

/// The rows of a query.
#[derive(Debug, Clone, Default)]
struct Rows {
    columns: Vec<Column>,
    /// The patients that each has something of.
    groups: Vec<usize>,
}

#[derive(Debug, Clone)]
struct Column {
    name: Name,
    key: Option<Key>,
}

/// That a column holds the key of a group's patient.
#[derive(Debug, Clone, Copy)]
struct Key {
    group: usize,
    kind: KeyKind,
}

/// One query level.
#[derive(Debug, Default)]
struct Level {
    items: Vec<Item>,
    groups: Vec<usize>,
}

/// Something in FROM.
#[derive(Debug, Clone)]
struct Item {
    alias: Option<Name>,
    columns: Vec<Column>,
    /// It may have columns that are not listed.
    open: bool,
}

/// Patients, of which some turn out to be the same one: a disjoint-set forest.
#[derive(Debug, Default)]
struct Groups {
    parents: Vec<usize>,
    /// Whether it is known only by the session's own temporary relations.
    own: Vec<bool>,
}

impl Groups {
    fn add(&mut self, own: bool) -> usize {
        self.parents.push(self.parents.len());
        self.own.push(own);
        self.parents.len() - 1
    }

    fn root(&self, group: usize) -> usize {
        let mut at = group;
        while let Some(parent) = self.parents.get(at).copied()
            && parent != at
        {
            at = parent;
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let own = self.is_own(one) && self.is_own(other);
        // The older one stays, so that no way to a root grows with every link.
        let (root, child) = (one.min(other), one.max(other));
        if let Some(parent) = self.parents.get_mut(child) {
            *parent = root;
        }
        if let Some(known) = self.own.get_mut(root) {
            *known = own;
        }
    }

    fn is_own(&self, group: usize) -> bool {
        self.own.get(self.root(group)).copied().unwrap_or(false)
    }

    /// Each once, in order.
    fn roots(&self, groups: &[usize]) -> Vec<usize> {
        let mut roots: Vec<usize> = groups.iter().map(|group| self.root(*group)).collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    }
}

#[cfg(test)]
mod tests;
