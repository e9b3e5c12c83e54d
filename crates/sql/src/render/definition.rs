//! The columns and constraints of CREATE TABLE.

use super::Writer;
use crate::ir::Ident;
use crate::ir::definition::{
    ColumnConstraint, ColumnDefinition, ColumnTypeName, ConstraintKind, OnCommit, References,
    TableConstraint, TableDefinition,
};
use crate::temporary::PG_TEMP;

impl Writer<'_> {
    /// `(columns, constraints)`.
    pub(crate) fn table_definition(&mut self, definition: &TableDefinition) {
        let TableDefinition {
            columns,
            constraints,
        } = definition;
        self.push(" (");
        self.separated(columns, Self::column_definition);
        for (index, constraint) in constraints.iter().enumerate() {
            if index > 0 || !columns.is_empty() {
                self.push(",");
            }
            self.table_constraint(constraint);
        }
        self.push(")");
    }

    pub(crate) fn column_definition(&mut self, column: &ColumnDefinition) {
        let ColumnDefinition {
            name,
            ty,
            collation,
            constraints,
        } = column;
        self.chosen(&name.name);
        self.push(" ");
        match ty {
            ColumnTypeName::Plain(ty) => self.type_name(ty),
            ColumnTypeName::Serial(word) => self.push(word),
        }
        if let Some(collation) = collation {
            self.push(" COLLATE ");
            self.path(collation);
        }
        for (name, constraint) in constraints {
            self.constraint_name(name.as_ref());
            self.column_constraint(constraint);
        }
    }

    pub(crate) fn on_commit(&mut self, on_commit: OnCommit) {
        self.push(match on_commit {
            OnCommit::Default => "",
            OnCommit::PreserveRows => " ON COMMIT PRESERVE ROWS",
            OnCommit::DeleteRows => " ON COMMIT DELETE ROWS",
            OnCommit::Drop => " ON COMMIT DROP",
        });
    }

    /// `(a, b)`, names that the author chose.
    pub(crate) fn name_list(&mut self, names: &[Ident]) {
        self.push(" (");
        self.separated(names, |writer, name| writer.chosen(&name.name));
        self.push(")");
    }

    fn column_constraint(&mut self, constraint: &ColumnConstraint) {
        match constraint {
            ColumnConstraint::Null => self.push(" NULL"),
            ColumnConstraint::NotNull => self.push(" NOT NULL"),
            ColumnConstraint::Default(value) => {
                self.push(" DEFAULT (");
                self.expr(value);
                self.push(")");
            }
            ColumnConstraint::PrimaryKey => self.push(" PRIMARY KEY"),
            ColumnConstraint::Unique => self.push(" UNIQUE"),
            ColumnConstraint::Check(condition) => {
                self.push(" CHECK (");
                self.expr(condition);
                self.push(")");
            }
            ColumnConstraint::References(references) => self.references(references),
            ColumnConstraint::Generated(value) => {
                self.push(" GENERATED ALWAYS AS (");
                self.expr(value);
                self.push(") STORED");
            }
            ColumnConstraint::Identity(when) => {
                self.push(" GENERATED ");
                self.push(when);
                self.push(" AS IDENTITY");
            }
        }
    }

    pub(crate) fn table_constraint(&mut self, constraint: &TableConstraint) {
        let TableConstraint { name, kind } = constraint;
        self.constraint_name(name.as_ref());
        match kind {
            ConstraintKind::PrimaryKey(columns) => {
                self.push(" PRIMARY KEY");
                self.name_list(columns);
            }
            ConstraintKind::Unique(columns) => {
                self.push(" UNIQUE");
                self.name_list(columns);
            }
            ConstraintKind::Check(condition) => {
                self.push(" CHECK (");
                self.expr(condition);
                self.push(")");
            }
            ConstraintKind::ForeignKey(columns, references) => {
                self.push(" FOREIGN KEY");
                self.name_list(columns);
                self.references(references);
            }
        }
    }

    /// Of a table of the session's own, whatever else has its name.
    fn references(&mut self, references: &References) {
        let References {
            table,
            columns,
            on_delete,
            on_update,
        } = references;
        self.push(" REFERENCES ");
        self.name(PG_TEMP);
        for name in table {
            self.push(".");
            self.chosen(&name.name);
        }
        if !columns.is_empty() {
            self.name_list(columns);
        }
        for (word, action) in [(" ON DELETE ", on_delete), (" ON UPDATE ", on_update)] {
            if let Some(action) = action {
                self.push(word);
                self.push(action);
            }
        }
    }

    fn constraint_name(&mut self, name: Option<&Ident>) {
        if let Some(name) = name {
            self.push(" CONSTRAINT ");
            self.chosen(&name.name);
        }
    }
}
