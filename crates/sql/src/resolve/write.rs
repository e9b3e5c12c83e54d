//! INSERT, UPDATE, DELETE, MERGE: the target is found, held to what may be written (see
//! `writable`), and read raw; so of its columns only those are visible that are released as they are.

use std::sync::Arc;

use super::Resolver;
use super::scope::{Origin, Source, Visible};
use super::writable::{self, Change};
use crate::ir::write::{
    Action, Arm, Assigned, Assignment, Conflict, ConflictTarget, Delete, Insert, Merge, Update,
    When, Write,
};
use crate::ir::{Body, Expr, From, Ident, Name, RelationRef, Target};
use crate::policy::{Access, Columns, Found, SourceColumn, Visibility};
use crate::refusal::{Place, Result};
use crate::snapshot::Relation;

/// The table that a statement writes to.
struct WriteTarget {
    source: usize,
    /// The columns, those that may not be read among them.
    columns: Arc<Columns>,
}

impl<'a> Resolver<'a> {
    /// Settles a statement that changes rows; returns what RETURNING shows.
    pub(super) fn write(&mut self, write: &mut Write) -> Result<Arc<Columns>> {
        if self.levels.len() > 1 {
            return Err(crate::lower::unsupported(
                "a statement that changes rows within a query",
                Place::default(),
            ));
        }
        self.push_level();
        let columns = match write {
            Write::Insert(insert) => self.insert(insert),
            Write::Update(update) => self.update(update),
            Write::Delete(delete) => self.delete(delete),
            Write::Merge(merge) => self.merge_into(merge),
        };
        self.pop_level();
        columns
    }

    fn insert(&mut self, insert: &mut Insert) -> Result<Arc<Columns>> {
        let Insert {
            into,
            columns,
            overriding: _,
            source,
            conflict,
            returning,
        } = insert;
        let relation = self.find_target(into)?;
        let (written, given) =
            written_by_insert(relation, columns, source.as_ref().map(|query| &query.body));
        let updates: Vec<Name> = (conflict.iter())
            .filter_map(|conflict| conflict.update.as_ref())
            .flat_map(|(assignments, _)| assignments)
            .flat_map(|assignment| &assignment.columns)
            .map(|column| column.name.clone())
            .collect();
        let mut change = Change::new("INSERT").inserting(written, given);
        if conflict.as_ref().is_some_and(|c| c.update.is_some()) {
            change = change.updating(updates);
        }
        writable::check(relation, &change, self.cx)?;
        // The rows are computed where the target is not visible.
        if let Some(query) = source {
            self.query(query, None)?;
        }
        let target = self.target(into, relation)?;
        for column in columns.iter() {
            target_column(&target, relation, column)?;
        }
        self.show(&target, true);
        if let Some(conflict) = conflict {
            self.conflict(conflict, &target, relation)?;
        }
        self.items(returning)
    }

    /// The table that COPY FROM fills: the listed columns, or all but the generated ones.
    pub(crate) fn copy_target(
        &mut self,
        path: &[Ident],
        columns: &[Ident],
    ) -> Result<&'a Relation> {
        let relation = self.find_relation(path)?;
        let written = if columns.is_empty() {
            let columns = relation.columns.iter();
            columns
                .filter(|column| column.generated.is_none())
                .map(|column| Name::from(column.name.as_str()))
                .collect()
        } else {
            listed(relation, columns, 0)
        };
        let change = Change::new("COPY FROM").inserting(written.clone(), written);
        writable::check(relation, &change, self.cx)?;
        let place = path.last().map_or(Place::default(), |name| name.place);
        if self.cx.policy.view_of(relation.oid, false).is_some() {
            return Err(
                crate::lower::unsupported("COPY FROM into a table behind a view", place)
                    .with_hint("use INSERT"),
            );
        }
        let mut reference = RelationRef {
            path: path.to_vec(),
            only: false,
            alias: None,
            sample: None,
            target: Target::Unresolved,
        };
        let target = self.target(&mut reference, relation)?;
        for column in columns {
            target_column(&target, relation, column)?;
        }
        Ok(relation)
    }

    fn conflict(
        &mut self,
        conflict: &mut Conflict,
        target: &WriteTarget,
        relation: &Relation,
    ) -> Result<()> {
        let Conflict { target: on, update } = conflict;
        match on {
            ConflictTarget::Any | ConflictTarget::Constraint(_) => {}
            ConflictTarget::Columns(columns) => {
                for column in columns {
                    self.readable(target, relation, column)?;
                }
            }
        }
        let Some((assignments, filter)) = update else {
            return Ok(());
        };
        // What would have been inserted (`parse_clause.c`, transformOnConflictClause).
        let excluded = Source::new(
            Some("excluded".into()),
            target.columns.clone(),
            Origin::Other,
        );
        let source = self.add(excluded);
        self.level().items.push(Visible {
            source,
            by_name: true,
            by_column: false,
        });
        self.assignments(assignments, target, relation)?;
        if let Some(filter) = filter {
            self.expr(filter)?;
        }
        self.level().items.pop();
        Ok(())
    }

    fn update(&mut self, update: &mut Update) -> Result<Arc<Columns>> {
        let Update {
            target: reference,
            assignments,
            from,
            filter,
            returning,
        } = update;
        let relation = self.find_target(reference)?;
        let assigned = (assignments.iter())
            .flat_map(|assignment| &assignment.columns)
            .map(|column| column.name.clone());
        let change = Change::new("UPDATE").updating(assigned.collect());
        writable::check(relation, &change, self.cx)?;
        let target = self.target(reference, relation)?;
        self.beside(&target, from)?;
        self.assignments(assignments, &target, relation)?;
        if let Some(filter) = filter {
            self.condition(filter, relation)?;
        }
        self.items(returning)
    }

    fn delete(&mut self, delete: &mut Delete) -> Result<Arc<Columns>> {
        let Delete {
            target: reference,
            using,
            filter,
            returning,
        } = delete;
        let relation = self.find_target(reference)?;
        writable::check(relation, &Change::new("DELETE"), self.cx)?;
        let target = self.target(reference, relation)?;
        self.beside(&target, using)?;
        if let Some(filter) = filter {
            self.condition(filter, relation)?;
        }
        self.items(returning)
    }

    /// Which rows of the target are changed. Whether a cursor is at a row of it depends on the plan of
    /// the cursor's query: of a table that is masked, or behind a view, that is not asked.
    fn condition(&mut self, condition: &mut Expr, relation: &Relation) -> Result<()> {
        if let Expr::CurrentOf(cursor) = condition {
            let open = matches!(self.cx.access(relation.oid), Some(Access::Open(_)));
            if !open || self.cx.policy.view_of(relation.oid, false).is_some() {
                let what = "WHERE CURRENT OF on a table that the grant masks, or behind a view,";
                return Err(crate::lower::unsupported(what, cursor.place)
                    .with_hint("name the row by its key"));
            }
            return Ok(());
        }
        self.expr(condition).map(|_shape| ())
    }

    fn merge_into(&mut self, merge: &mut Merge) -> Result<Arc<Columns>> {
        let Merge {
            target: reference,
            source,
            on,
            arms,
            returning,
        } = merge;
        let relation = self.find_target(reference)?;
        let mut change = Change::new("MERGE");
        for arm in arms.iter() {
            match &arm.action {
                Action::Insert { columns, values } => {
                    let listed = listed(relation, columns, values.len());
                    let given = listed.into_iter().zip(values);
                    let given = given.filter(|(_, value)| !matches!(value, Expr::Default));
                    let given: Vec<_> = given.map(|(name, _)| name).collect();
                    change = change.inserting(given.clone(), given);
                }
                Action::Update(assignments) => {
                    let columns = assignments.iter().flat_map(|a| &a.columns);
                    change = change.updating(columns.map(|c| c.name.clone()).collect());
                }
                Action::Delete | Action::Nothing => {}
            }
        }
        writable::check(relation, &change, self.cx)?;
        let target = self.target(reference, relation)?;
        self.level().building = true;
        let items = self.from(source)?;
        self.level().building = false;
        self.show(&target, true);
        self.check_names(&items)?;
        self.level().items.extend(items.iter().copied());
        self.expr(on)?;
        let both = self.level().items.clone();
        for arm in arms.iter_mut() {
            // An arm sees the sides that a row of it has (`parse_merge.c`, setNamespaceForMergeWhen).
            self.level().items = match arm.when {
                When::Matched => both.clone(),
                When::NotMatched => items.clone(),
                When::NotMatchedBySource => both.iter().take(1).copied().collect(),
            };
            self.arm(arm, &target, relation)?;
        }
        // RETURNING shows the source first (`parse_merge.c`).
        let mut shown = items;
        shown.extend(both.iter().take(1).copied());
        self.level().items = shown;
        self.items(returning)
    }

    fn arm(&mut self, arm: &mut Arm, target: &WriteTarget, relation: &Relation) -> Result<()> {
        let Arm {
            when: _,
            condition,
            action,
        } = arm;
        if let Some(condition) = condition {
            self.expr(condition)?;
        }
        match action {
            Action::Insert { columns, values } => {
                for column in columns.iter() {
                    target_column(target, relation, column)?;
                }
                for value in values {
                    self.expr(value)?;
                }
                Ok(())
            }
            Action::Update(assignments) => self.assignments(assignments, target, relation),
            Action::Delete | Action::Nothing => Ok(()),
        }
    }

    fn assignments(
        &mut self,
        assignments: &mut [Assignment],
        target: &WriteTarget,
        relation: &Relation,
    ) -> Result<()> {
        for Assignment { columns, value } in assignments {
            for column in columns.iter() {
                target_column(target, relation, column)?;
            }
            match value {
                Assigned::One(value) => {
                    self.expr(value)?;
                }
                Assigned::Row(values) => {
                    for value in values {
                        self.expr(value)?;
                    }
                }
                Assigned::Query(query) => {
                    self.query(query, None)?;
                }
            }
        }
        Ok(())
    }

    /// FROM or USING, which does not see the target; then both are visible, the target first.
    fn beside(&mut self, target: &WriteTarget, from: &mut [From]) -> Result<()> {
        self.level().building = true;
        for item in from {
            let items = self.from(item)?;
            self.check_names(&items)?;
            self.level().items.extend(items);
        }
        self.level().building = false;
        let others = std::mem::take(&mut self.level().items);
        self.show(target, true);
        self.check_names(&others)?;
        self.level().items.extend(others);
        Ok(())
    }

    fn show(&mut self, target: &WriteTarget, by_column: bool) {
        let visible = Visible {
            source: target.source,
            by_name: true,
            by_column,
        };
        self.level().items.push(visible);
    }

    /// The relation that is to be changed; a common table expression never is.
    fn find_target(&mut self, reference: &RelationRef) -> Result<&'a Relation> {
        self.find_relation(&reference.path)
    }

    fn target(
        &mut self,
        reference: &mut RelationRef,
        relation: &'a Relation,
    ) -> Result<WriteTarget> {
        let place = reference
            .path
            .last()
            .map_or(Place::default(), |name| name.place);
        let access = self.access(relation, place)?;
        let columns = raw_columns(access);
        let alias = reference
            .alias
            .as_ref()
            .map(|alias| alias.name.name.clone());
        let visible_by = alias
            .clone()
            .unwrap_or_else(|| relation.name.as_str().into());
        let origin = Origin::Relation {
            oid: relation.oid,
            catalog: relation.is_catalog(),
        };
        let mut source = Source::new(Some(visible_by), columns.clone(), origin);
        source.written = true;
        if alias.is_none() {
            source.schema = Some(relation.schema.as_str().into());
        }
        let source = self.add(source);
        reference.target = Target::Relation {
            oid: relation.oid,
            source,
        };
        self.out.writes = true;
        if let Access::Masked(masked) = access {
            self.out.masked |= masked.is_protected();
        }
        Ok(WriteTarget { source, columns })
    }

    /// A column of the target by its own name, as in ON CONFLICT: it is read.
    fn readable(&mut self, target: &WriteTarget, relation: &Relation, name: &Ident) -> Result<()> {
        let index = target_column(target, relation, name)?;
        self.check_visible(target.source, index, name)?;
        self.mark(target.source, index);
        Ok(())
    }
}

/// The columns of a target as a statement that writes may see them.
fn raw_columns(access: &Access) -> Arc<Columns> {
    match access {
        Access::Open(columns) => columns.clone(),
        Access::Masked(masked) => {
            let column = |(index, column): (usize, &SourceColumn)| {
                let mut column = column.clone();
                if !access.treatment(index).is_keep() {
                    column.visibility = Visibility::Unreadable;
                }
                column
            };
            Arc::new(masked.columns.iter().enumerate().map(column).collect())
        }
        Access::Refused(_) => Arc::default(),
    }
}

fn target_column(target: &WriteTarget, relation: &Relation, name: &Ident) -> Result<usize> {
    match target.columns.find(&name.name) {
        Found::One(index) => Ok(index),
        Found::None | Found::Many => Err(crate::refusal::Refusal::new(
            crate::refusal::Reason::UnknownColumn,
            format!(
                "column \"{}\" of relation \"{}\" does not exist",
                name.name, relation.name
            ),
        )
        .near(name.place)),
    }
}

/// The columns that get values of an INSERT: the listed ones, or as many as there are values.
fn listed(relation: &Relation, columns: &[Ident], values: usize) -> Vec<Name> {
    if !columns.is_empty() {
        return columns.iter().map(|column| column.name.clone()).collect();
    }
    let names = relation.columns.iter().take(values);
    names.map(|column| column.name.as_str().into()).collect()
}

/// The columns that an INSERT may give a value of the statement's own, and those that certainly get
/// one.
fn written_by_insert(
    relation: &Relation,
    columns: &[Ident],
    source: Option<&Body>,
) -> (Vec<Name>, Vec<Name>) {
    match source {
        None => (Vec::new(), Vec::new()),
        Some(Body::Values(rows)) => {
            let width = rows.iter().map(Vec::len).max().unwrap_or(0);
            let is_value = |value: Option<&Expr>| !matches!(value, None | Some(Expr::Default));
            let (mut written, mut given) = (Vec::new(), Vec::new());
            for (index, name) in listed(relation, columns, width).into_iter().enumerate() {
                if rows.iter().any(|row| is_value(row.get(index))) {
                    written.push(name.clone());
                }
                if rows.iter().all(|row| is_value(row.get(index))) {
                    given.push(name);
                }
            }
            (written, given)
        }
        // How many columns a query has is not counted here.
        Some(Body::Select(_) | Body::Nested(_) | Body::Operations { .. } | Body::Write(_)) => {
            let written = listed(relation, columns, usize::MAX);
            let given = if columns.is_empty() {
                Vec::new()
            } else {
                written.clone()
            };
            (written, given)
        }
    }
}
