//! GROUP BY a primary key.
//!
//! PostgreSQL lets a query that groups by a table's primary key use the table's other columns
//! (`parse_agg.c`, `check_functional_grouping`). The derived table in a masked or pinned relation's
//! place has no key, so the columns that are used are added to GROUP BY: one key has one row, so the groups
//! stay the same.

use super::Resolver;
use super::scope::{Origin, Source, WHOLE_ROW};
use crate::ir::{Column, Expr, Group, Item, Literal, Name, Select};
use crate::policy::Access;
use crate::refusal::Place;

/// Types of `pg_catalog` without equality, which cannot be grouped by.
const WITHOUT_EQUALITY: [u32; 10] = [
    114, // json
    142, // xml
    194, // pg_node_tree
    600, // point
    601, // lseg
    602, // path
    603, // box
    604, // polygon
    628, // line
    718, // circle
];

impl Resolver<'_> {
    /// Adds the columns that depend on the primary key in GROUP BY of a relation that a derived
    /// table stands for.
    pub(super) fn group_by_keys(&mut self, select: &mut Select) {
        let level = self.level();
        let loose = std::mem::take(&mut level.loose);
        let items = level.items.clone();
        if loose.is_empty() {
            return;
        }
        let grouped = grouped(select);
        let sources = items
            .iter()
            .filter(|visible| visible.by_name)
            .map(|visible| visible.source);
        for source in sources {
            let Some(found) = self.out.sources.get(source) else {
                continue;
            };
            let Some(alias) = &found.alias else { continue };
            if !self.is_keyed(found, &grouped) {
                continue;
            }
            for (_, index) in loose.iter().filter(|(of, _)| *of == source) {
                if *index == WHOLE_ROW {
                    // Grouping by its columns is not enough for PostgreSQL.
                    select.group_by.push(Group::Expr(Expr::Row {
                        name: alias.clone(),
                        star: true,
                    }));
                    continue;
                }
                let Some(column) = found.columns.get(*index) else {
                    continue;
                };
                let column = Column {
                    place: Place::default(),
                    qualifier: Some(alias.clone()),
                    name: column.name.clone(),
                    known: column.known,
                };
                if self.has_equality(found, *index) && !grouped.contains(&column) {
                    select.group_by.push(Group::Expr(Expr::Column(column)));
                }
            }
        }
    }

    /// Whether it is a relation that a derived table stands for, and its whole primary key is
    /// grouped by.
    fn is_keyed(&self, source: &Source, grouped: &[Column]) -> bool {
        let Origin::Relation { oid, catalog: _ } = source.origin else {
            return false;
        };
        // A view has no key either.
        let is_derived = source.pinned
            || matches!(self.cx.access(oid), Some(Access::Masked(_)))
            || self.cx.policy.view_of(oid, false).is_some();
        let key = self.cx.snapshot.primary_key(oid);
        let columns = self.cx.relation(oid);
        is_derived
            && !key.is_empty()
            && key.iter().all(|attnum| {
                let index = columns.and_then(|relation| {
                    let is = |column: &crate::snapshot::Column| column.attnum == *attnum;
                    relation.columns.iter().position(is)
                });
                index
                    .and_then(|index| source.columns.get(index))
                    .is_some_and(|key| names(grouped, source.alias.as_ref(), &key.name))
            })
    }

    fn has_equality(&self, source: &Source, index: usize) -> bool {
        let Origin::Relation { oid, catalog: _ } = source.origin else {
            return false;
        };
        let relation = self.cx.relation(oid);
        relation
            .and_then(|relation| relation.columns.get(index))
            .is_some_and(|column| !WITHOUT_EQUALITY.contains(&column.ty.oid))
    }
}

/// Whether a column of this name is among them, of this relation or merged by USING: a merged
/// column holds the key wherever the relation has a row.
fn names(grouped: &[Column], alias: Option<&Name>, name: &Name) -> bool {
    grouped.iter().any(|column| {
        column.name == *name && (column.qualifier.is_none() || column.qualifier.as_ref() == alias)
    })
}

/// The plain columns that are grouped by, also by position and by output name.
fn grouped(select: &Select) -> Vec<Column> {
    let has_star = select
        .items
        .iter()
        .any(|item| !matches!(item, Item::Expr { .. }));
    let item = |position: usize| match select.items.get(position)? {
        // A star stands for more than one position.
        Item::Expr { expr, .. } if !has_star => Some(expr),
        Item::Expr { .. } | Item::Star(_) | Item::QualifiedStar(..) | Item::RowStar { .. } => None,
    };
    let output = |wanted: &Name| {
        select.items.iter().find_map(|item| match item {
            Item::Expr { expr, name, .. } if name == wanted => Some(expr),
            Item::Expr { .. } | Item::Star(_) | Item::QualifiedStar(..) | Item::RowStar { .. } => {
                None
            }
        })
    };
    select
        .group_by
        .iter()
        .flat_map(|group| match group {
            Group::Expr(expr) => std::slice::from_ref(expr),
            Group::Row(list) => list.as_slice(),
            Group::Sets(..) => &[],
        })
        .filter_map(|expr| {
            let expr = match expr {
                Expr::Output(name) => output(name)?,
                Expr::Literal(Literal::Number(digits)) => {
                    item(digits.parse::<usize>().ok()?.checked_sub(1)?)?
                }
                expr => expr,
            };
            match expr {
                Expr::Column(column) => Some(column.clone()),
                _other => None,
            }
        })
        .collect()
}
