//! INSERT, UPDATE, DELETE, MERGE. The target is written by its own name: nothing stands in its
//! place.

use super::Writer;
use crate::ir::write::{
    Action, Arm, Assigned, Assignment, Conflict, ConflictTarget, Delete, Insert, Merge, Update,
    When, Write,
};
use crate::ir::{Item, RelationRef, Target};

impl Writer<'_> {
    pub(super) fn write(&mut self, write: &Write) {
        match write {
            Write::Insert(insert) => self.insert(insert),
            Write::Update(update) => self.update(update),
            Write::Delete(delete) => self.delete(delete),
            Write::Merge(merge) => self.merge(merge),
        }
    }

    fn insert(&mut self, insert: &Insert) {
        let Insert {
            into,
            columns,
            overriding,
            source,
            conflict,
            returning,
        } = insert;
        self.push("INSERT INTO ");
        self.target(into);
        if !columns.is_empty() {
            self.name_list(columns);
        }
        if let Some(word) = overriding {
            self.push(" OVERRIDING ");
            self.push(word);
            self.push(" VALUE");
        }
        match source {
            None => self.push(" DEFAULT VALUES"),
            Some(query) => {
                self.push(" ");
                self.query(query);
            }
        }
        if let Some(conflict) = conflict {
            self.conflict(conflict);
        }
        self.returning(returning);
    }

    fn conflict(&mut self, conflict: &Conflict) {
        let Conflict { target, update } = conflict;
        self.push(" ON CONFLICT");
        match target {
            ConflictTarget::Any => {}
            ConflictTarget::Columns(columns) => self.name_list(columns),
            ConflictTarget::Constraint(name) => {
                self.push(" ON CONSTRAINT ");
                self.chosen(&name.name);
            }
        }
        let Some((assignments, filter)) = update else {
            return self.push(" DO NOTHING");
        };
        self.push(" DO UPDATE SET ");
        self.separated(assignments, Self::assignment);
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
    }

    fn update(&mut self, update: &Update) {
        let Update {
            target,
            assignments,
            from,
            filter,
            returning,
        } = update;
        self.push("UPDATE ");
        self.target(target);
        self.push(" SET ");
        self.separated(assignments, Self::assignment);
        if !from.is_empty() {
            self.push(" FROM ");
            self.separated(from, Self::from);
        }
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
        self.returning(returning);
    }

    fn delete(&mut self, delete: &Delete) {
        let Delete {
            target,
            using,
            filter,
            returning,
        } = delete;
        self.push("DELETE FROM ");
        self.target(target);
        if !using.is_empty() {
            self.push(" USING ");
            self.separated(using, Self::from);
        }
        if let Some(filter) = filter {
            self.push(" WHERE ");
            self.expr(filter);
        }
        self.returning(returning);
    }

    fn merge(&mut self, merge: &Merge) {
        let Merge {
            target,
            source,
            on,
            arms,
            returning,
        } = merge;
        self.push("MERGE INTO ");
        self.target(target);
        self.push(" USING ");
        self.from(source);
        self.push(" ON ");
        self.expr(on);
        for arm in arms {
            self.arm(arm);
        }
        self.returning(returning);
    }

    fn arm(&mut self, arm: &Arm) {
        let Arm {
            when,
            condition,
            action,
        } = arm;
        self.push(match when {
            When::Matched => " WHEN MATCHED",
            When::NotMatched => " WHEN NOT MATCHED",
            When::NotMatchedBySource => " WHEN NOT MATCHED BY SOURCE",
        });
        if let Some(condition) = condition {
            self.push(" AND ");
            self.expr(condition);
        }
        self.push(" THEN ");
        match action {
            Action::Insert { columns, values } => {
                self.push("INSERT");
                if !columns.is_empty() {
                    self.name_list(columns);
                }
                if values.is_empty() {
                    return self.push(" DEFAULT VALUES");
                }
                self.push(" VALUES (");
                self.exprs(values);
                self.push(")");
            }
            Action::Update(assignments) => {
                self.push("UPDATE SET ");
                self.separated(assignments, Self::assignment);
            }
            Action::Delete => self.push("DELETE"),
            Action::Nothing => self.push("DO NOTHING"),
        }
    }

    fn assignment(&mut self, assignment: &Assignment) {
        let Assignment { columns, value } = assignment;
        match (columns.as_slice(), value) {
            ([column], Assigned::One(value)) => {
                self.chosen(&column.name);
                self.push(" = ");
                self.expr(value);
            }
            (columns, value) => {
                self.push("(");
                self.separated(columns, |writer, column| writer.chosen(&column.name));
                self.push(") = ");
                match value {
                    Assigned::One(value) => self.expr(value),
                    Assigned::Row(values) => {
                        self.push("ROW(");
                        self.exprs(values);
                        self.push(")");
                    }
                    Assigned::Query(query) => {
                        self.push("(");
                        self.query(query);
                        self.push(")");
                    }
                }
            }
        }
    }

    fn target(&mut self, reference: &RelationRef) {
        let Target::Relation { oid, source } = &reference.target else {
            return self.push("\"?unresolved?\"");
        };
        let relation = self.cx.relation(*oid);
        let source = self.resolution.sources.get(*source);
        let (Some(relation), Some(source)) = (relation, source) else {
            return self.push("\"?unresolved?\"");
        };
        self.open_relation(relation, reference.only);
        if let Some(alias) = &source.alias {
            self.push(" AS ");
            self.chosen(alias);
        }
    }

    fn returning(&mut self, items: &[Item]) {
        if !items.is_empty() {
            self.push(" RETURNING ");
            self.separated(items, Self::item);
        }
    }
}
