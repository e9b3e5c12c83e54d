//! Statements that change rows: INSERT, UPDATE, DELETE, MERGE. A WITH belongs to the query whose
//! body they are.

use super::{Expr, From, Ident, Item, Query, RelationRef};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Write {
    Insert(Insert),
    Update(Update),
    Delete(Delete),
    Merge(Merge),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Insert {
    pub(crate) into: RelationRef,
    pub(crate) columns: Vec<Ident>,
    /// `OVERRIDING SYSTEM VALUE` or `OVERRIDING USER VALUE`: the word between.
    pub(crate) overriding: Option<&'static str>,
    /// `None` is DEFAULT VALUES.
    pub(crate) source: Option<Query>,
    pub(crate) conflict: Option<Conflict>,
    pub(crate) returning: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conflict {
    pub(crate) target: ConflictTarget,
    /// `None` is DO NOTHING.
    pub(crate) update: Option<(Vec<Assignment>, Option<Expr>)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ConflictTarget {
    Any,
    Columns(Vec<Ident>),
    Constraint(Ident),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Update {
    pub(crate) target: RelationRef,
    pub(crate) assignments: Vec<Assignment>,
    pub(crate) from: Vec<From>,
    pub(crate) filter: Option<Expr>,
    pub(crate) returning: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Delete {
    pub(crate) target: RelationRef,
    pub(crate) using: Vec<From>,
    pub(crate) filter: Option<Expr>,
    pub(crate) returning: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Merge {
    pub(crate) target: RelationRef,
    pub(crate) source: From,
    pub(crate) on: Expr,
    pub(crate) arms: Vec<Arm>,
    pub(crate) returning: Vec<Item>,
}

/// `WHEN ... THEN ...`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    pub(crate) when: When,
    pub(crate) condition: Option<Expr>,
    pub(crate) action: Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Matched,
    NotMatched,
    NotMatchedBySource,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// `values` empty is DEFAULT VALUES.
    Insert {
        columns: Vec<Ident>,
        values: Vec<Expr>,
    },
    Update(Vec<Assignment>),
    Delete,
    Nothing,
}

/// One item of SET.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    /// One column, or those of a row.
    pub(crate) columns: Vec<Ident>,
    pub(crate) value: Assigned,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Assigned {
    /// [`Expr::Default`] is DEFAULT.
    One(Expr),
    Row(Vec<Expr>),
    Query(Box<Query>),
}
