//! Settles every name of a query against the catalog, the policy and the scopes PostgreSQL would
//! use (`parse_relation.c`, `parse_cte.c`, `parse_clause.c`), and notes what each relation is used
//! for. A name that is not found exactly as PostgreSQL would find it is a refusal.

mod call;
mod definition;
mod expr;
mod figure;
mod from;
mod identity;
mod join;
mod json;
mod keys;
mod query;
mod scope;
mod star;
mod types;
mod with;
mod writable;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ir::{self, Name};
use crate::policy::{Access, Columns};
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::snapshot::Relation;
use crate::{Context, Patients, Touch};

pub(crate) use scope::Source;
use scope::{CteEntry, Level};

/// What is known of a statement once its names are settled.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    /// Each relation, subquery and function that stands in FROM, counted by
    /// [`ir::Target::Relation`].
    pub(crate) sources: Vec<Source>,
    /// It reads a relation that the policy masks.
    pub(crate) masked: bool,
    /// What is written is not what was read: something is substituted, a catalog relation too, or
    /// a call is held to the allow-list by another call in its place.
    pub(crate) rewritten: bool,
    /// It changes rows.
    pub(crate) writes: bool,
    /// The functions it calls by name.
    pub(crate) functions: BTreeSet<&'static str>,
    /// Whose its rows are.
    pub(crate) patients: Patients,
}

/// Walks one statement.
pub(crate) struct Resolver<'a> {
    cx: &'a Context<'a>,
    out: Resolution,
    levels: Vec<Level>,
    ctes: Vec<CteEntry>,
    /// A relation was met that the policy under construction does not know yet.
    pending: bool,
    /// A query of the same WITH RECURSIVE was met whose columns are not known yet.
    unsettled: bool,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(cx: &'a Context<'a>) -> Self {
        Self {
            cx,
            out: Resolution::default(),
            levels: Vec::new(),
            ctes: Vec::new(),
            pending: false,
            unsettled: false,
        }
    }

    /// Settles a whole query; returns its output columns.
    pub(crate) fn statement(&mut self, query: &mut ir::Query) -> Result<Arc<Columns>> {
        self.query(query, None)
    }

    /// Settles an expression that no relation is in scope of, such as an argument of EXECUTE.
    pub(crate) fn constant(&mut self, expr: &mut ir::Expr) -> Result<()> {
        self.expr(expr).map(|_shape| ())
    }

    /// Settles the name of a type.
    pub(crate) fn type_name(&mut self, ty: &mut ir::TypeName) -> Result<()> {
        self.type_ref(ty)
    }

    /// Settles the name of a relation that stands alone, as in COPY.
    pub(crate) fn relation_named(&mut self, path: &[ir::Ident]) -> Result<&'a Relation> {
        self.find_relation(path)
    }

    /// Whether a refusal came of a relation that is not bound yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending
    }

    pub(crate) fn finish(self) -> Resolution {
        self.out
    }

    fn access(&mut self, relation: &'a Relation, place: Place) -> Result<&'a Access> {
        match self.cx.access(relation.oid) {
            Some(access) => Ok(access),
            None => {
                self.pending = true;
                Err(Refusal::new(
                    Reason::RefusedRelation,
                    format!(
                        "relation \"{}\" is not known to the grant's policy",
                        relation.name
                    ),
                )
                .near(place))
            }
        }
    }
}

impl Resolution {
    /// Whether it reads a column of the temporary table that it writes: by a name qualified with the
    /// table's, which PostgreSQL would take for a function's if the column were gone.
    pub(crate) fn reads_own_target(&self) -> bool {
        self.sources
            .iter()
            .any(|source| source.written && source.is_temporary() && source.used.contains(&true))
    }

    /// Whether it reads a relation of which some rows only are shown.
    pub(crate) fn is_restricted(&self, cx: &Context<'_>) -> bool {
        self.sources.iter().any(|source| match source.origin {
            scope::Origin::Relation { oid, .. } => {
                matches!(cx.policy.access(oid), Some(Access::Masked(masked)) if masked.barrier)
            }
            scope::Origin::Join(..) | scope::Origin::Other => false,
        })
    }

    /// Whether it reads a relation that is about patients.
    pub(crate) fn reads_of_patients(&self, cx: &Context<'_>) -> bool {
        self.sources.iter().any(|source| match source.origin {
            scope::Origin::Relation { oid, catalog: _ } => !cx.subjects(oid).0.is_empty(),
            scope::Origin::Join(..) | scope::Origin::Other => false,
        })
    }

    /// The relations read and what was done to each column used, one entry a relation.
    pub(crate) fn touches(&self, cx: &Context<'_>) -> Vec<Touch> {
        let mut touches: Vec<Touch> = Vec::new();
        for source in &self.sources {
            for touch in source.touches(cx) {
                match touches
                    .iter_mut()
                    .find(|known| known.relation == touch.relation)
                {
                    None => touches.push(touch),
                    Some(known) => {
                        known.written |= touch.written;
                        for column in touch.columns {
                            if !known.columns.contains(&column) {
                                known.columns.push(column);
                            }
                        }
                    }
                }
            }
        }
        touches
    }
}

/// What an expression's value is made of, where that is known: the attributes of a row.
type Shape = Option<Arc<[Name]>>;
