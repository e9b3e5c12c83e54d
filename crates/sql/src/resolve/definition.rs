//! Names in the definition of a table or an index: its own columns, and nothing else.

use std::sync::Arc;

use super::Resolver;
use super::scope::{Origin, Source, Visible};
use crate::ir::definition::{
    ColumnConstraint, ColumnDefinition, ColumnTypeName, ConstraintKind, TableDefinition,
};
use crate::ir::{Expr, Ident, Name};
use crate::policy::SourceColumn;
use crate::refusal::Result;

impl Resolver<'_> {
    /// Settles the definition of a table that is to have this name.
    pub(crate) fn table_definition(
        &mut self,
        name: &Name,
        definition: &mut TableDefinition,
    ) -> Result<()> {
        let TableDefinition {
            columns,
            constraints,
        } = definition;
        let names: Vec<Ident> = columns.iter().map(|column| column.name.clone()).collect();
        for column in columns {
            self.column_definition(name, &names, column)?;
        }
        for constraint in constraints {
            if let ConstraintKind::Check(condition) = &mut constraint.kind {
                self.over_columns(name, &names, condition)?;
            }
        }
        Ok(())
    }

    /// Settles one column of a table whose columns are `names`.
    pub(crate) fn column_definition(
        &mut self,
        table: &Name,
        names: &[Ident],
        column: &mut ColumnDefinition,
    ) -> Result<()> {
        if let ColumnTypeName::Plain(ty) = &mut column.ty {
            self.type_name(ty)?;
        }
        if let Some(collation) = &mut column.collation {
            self.collation(collation)?;
        }
        for (_, constraint) in &mut column.constraints {
            match constraint {
                ColumnConstraint::Default(value) => self.constant(value)?,
                ColumnConstraint::Check(value) | ColumnConstraint::Generated(value) => {
                    self.over_columns(table, names, value)?;
                }
                ColumnConstraint::Null
                | ColumnConstraint::NotNull
                | ColumnConstraint::PrimaryKey
                | ColumnConstraint::Unique
                | ColumnConstraint::Identity(_) => {}
            }
        }
        Ok(())
    }

    /// Settles an expression over the columns of one table, known by its name.
    pub(crate) fn over_columns(
        &mut self,
        table: &Name,
        names: &[Ident],
        expr: &mut Expr,
    ) -> Result<()> {
        let columns = names.iter().map(|name| SourceColumn::made(&name.name));
        let columns = Arc::new(columns.collect());
        self.push_level();
        let source = self.add(Source::new(Some(table.clone()), columns, Origin::Other));
        self.level().items.push(Visible {
            source,
            by_name: true,
            by_column: true,
        });
        let settled = self.expr(expr).map(|_shape| ());
        self.pop_level();
        settled
    }
}
