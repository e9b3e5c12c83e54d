//! Joins: what each side sees of the other, and which columns USING and NATURAL merge.

use std::sync::Arc;

use super::Resolver;
use super::query::renamed;
use super::scope::{Origin, Source, Visible, ambiguous, unknown_column};
use crate::ir::{Condition, Expr, Ident, Join, Literal};
use crate::policy::{Columns, Found, SourceColumn, Visibility};
use crate::refusal::{Place, Reason, Refusal, Result};

/// A column of one side of a join.
#[derive(Clone)]
struct Side {
    source: usize,
    index: usize,
    column: SourceColumn,
}

impl Resolver<'_> {
    pub(super) fn join(&mut self, join: &mut Join) -> Result<Vec<Visible>> {
        let left = self.from(&mut join.left)?;
        let before = self.level().items.len();
        // The right side may look at the left one laterally (`transformFromClauseItem`).
        self.level().items.extend(left.iter().copied());
        let right = self.from(&mut join.right);
        self.level().items.truncate(before);
        let right = right?;
        self.check_sides(&left, &right)?;
        if matches!(join.condition, Condition::Natural) {
            join.condition = self.natural(&left, &right, join.place)?;
        }
        let mut merged = Vec::new();
        match &mut join.condition {
            Condition::None | Condition::Natural => {}
            Condition::On(condition) => self.on(condition, &left, &right)?,
            Condition::Using(names, _alias) => {
                for name in names {
                    self.bare_comparison("a join on columns of one name", name.place)?;
                    let from_left = self.one(&left, name)?;
                    let from_right = self.one(&right, name)?;
                    merged.push((from_left, from_right));
                }
            }
        }
        let alias = join.alias.as_ref();
        if merged.is_empty() && alias.is_none() {
            let mut items = left;
            items.extend(right);
            return Ok(items);
        }
        let (columns, origins) = self.merge(&left, &right, &merged);
        let columns = alias.map_or(columns.clone(), |alias| renamed(&columns, &alias.columns));
        let name = alias.map(|alias| alias.name.name.clone());
        let by_name = name.is_some();
        let joined = left.iter().chain(&right).map(|item| item.source).collect();
        let source = self.add(Source::new(name, columns, Origin::Join(origins, joined)));
        let mut items = vec![Visible {
            source,
            by_name,
            by_column: true,
        }];
        if let Condition::Using(_, Some(alias)) = &join.condition {
            // An alias of the merged columns alone.
            let columns: Columns = merged.iter().map(|(side, _)| side.column.clone()).collect();
            let origins = vec![None; columns.len()];
            let origin = Origin::Join(origins, Vec::new());
            let source = self.add(Source::new(
                Some(alias.name.clone()),
                Arc::new(columns),
                origin,
            ));
            if !by_name {
                items.push(Visible {
                    source,
                    by_name: true,
                    by_column: false,
                });
            }
        }
        if !by_name {
            // Still known by their names, no longer by those of their columns.
            let hidden = |item: &Visible| Visible {
                by_column: false,
                ..*item
            };
            items.extend(
                left.iter()
                    .chain(&right)
                    .filter(|item| item.by_name)
                    .map(hidden),
            );
        }
        Ok(items)
    }

    /// ON sees the two sides of its own join and what is further out, not its neighbours in FROM.
    fn on(&mut self, condition: &mut Expr, left: &[Visible], right: &[Visible]) -> Result<()> {
        let sides = left.iter().chain(right).copied().collect();
        let level = self.level();
        let neighbours = std::mem::replace(&mut level.items, sides);
        level.building = false;
        let settled = self.expr(condition);
        let level = self.level();
        level.building = true;
        level.items = neighbours;
        settled.map(|_shape| ())
    }

    /// The columns of a join: the merged ones, then what is left of each side.
    #[allow(clippy::type_complexity)]
    fn merge(
        &self,
        left: &[Visible],
        right: &[Visible],
        merged: &[(Side, Side)],
    ) -> (Arc<Columns>, Vec<Option<(usize, usize)>>) {
        let mut columns = Vec::new();
        let mut origins = Vec::new();
        for (side, _) in merged {
            columns.push(side.column.clone());
            origins.push(None);
        }
        for (is_left, items) in [(true, left), (false, right)] {
            for side in self.sides(items) {
                let is_merged = merged.iter().any(|(left, right)| {
                    let own = if is_left { left } else { right };
                    (own.source, own.index) == (side.source, side.index)
                });
                if !is_merged {
                    columns.push(side.column);
                    origins.push(Some((side.source, side.index)));
                }
            }
        }
        (Arc::new(columns.into_iter().collect()), origins)
    }

    /// The one column of this name on one side of a USING.
    fn one(&mut self, items: &[Visible], name: &Ident) -> Result<Side> {
        let mut found = None;
        for item in items.iter().filter(|item| item.by_column) {
            let columns = self.columns(item.source);
            let index = match columns.find(&name.name) {
                Found::None => continue,
                Found::Many => return Err(ambiguous(name)),
                Found::One(index) => index,
            };
            let Some(column) = columns.get(index) else {
                continue;
            };
            let side = Side {
                source: item.source,
                index,
                column: column.clone(),
            };
            if found.replace(side).is_some() {
                return Err(ambiguous(name));
            }
        }
        let Some(side) = found else {
            return Err(unknown_column(name));
        };
        self.check_visible(side.source, side.index, name)?;
        self.mark(side.source, side.index);
        Ok(side)
    }

    /// NATURAL is USING of the names that both sides have. One that the policy hides on either
    /// side would silently change what is joined: refused.
    fn natural(&self, left: &[Visible], right: &[Visible], place: Place) -> Result<Condition> {
        let right = self.sides(right);
        let mut names: Vec<Ident> = Vec::new();
        for side in self.sides(left) {
            let name = &side.column.name;
            let Some(other) = right.iter().find(|other| other.column.name == *name) else {
                continue;
            };
            let hidden = [&side.column, &other.column]
                .iter()
                .any(|column| column.visibility != Visibility::Visible);
            if hidden {
                return Err(Refusal::new(
                    Reason::BlockedColumn,
                    format!("NATURAL JOIN would join on column \"{name}\", which is not released"),
                )
                .with_hint("name the columns to join on with USING")
                .near(place));
            }
            names.push(Ident {
                name: name.clone(),
                place,
            });
        }
        Ok(if names.is_empty() {
            Condition::On(Expr::Literal(Literal::Bool(true)))
        } else {
            Condition::Using(names, None)
        })
    }

    /// The columns that `items` show by their bare names, in order.
    fn sides(&self, items: &[Visible]) -> Vec<Side> {
        let mut sides = Vec::new();
        for item in items.iter().filter(|item| item.by_column) {
            let columns = self.columns(item.source);
            for (index, column) in columns.iter().enumerate() {
                sides.push(Side {
                    source: item.source,
                    index,
                    column: column.clone(),
                });
            }
        }
        sides
    }

    fn check_sides(&mut self, left: &[Visible], right: &[Visible]) -> Result<()> {
        let before = self.level().items.len();
        self.level().items.extend(left.iter().copied());
        let checked = self.check_names(right);
        self.level().items.truncate(before);
        checked
    }
}
