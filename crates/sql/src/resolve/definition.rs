//! Names in the definition of a table or an index: its own columns, and nothing else.

use std::sync::Arc;

use super::Resolver;
use super::scope::{Origin, Source, Visible};
use crate::ir::definition::{
    ColumnConstraint, ColumnDefinition, ColumnTypeName, ConstraintKind, References, TableDefinition,
};
use crate::ir::{Expr, Ident, Name};
use crate::policy::SourceColumn;
use crate::refusal::Result;
use crate::snapshot::RelationKind;
use crate::temporary::{FoundTemporary, PG_TEMP};

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
            self.constraint(name, &names, &mut constraint.kind)?;
        }
        Ok(())
    }

    /// Settles one constraint of a table whose columns are `names`.
    pub(crate) fn constraint(
        &mut self,
        table: &Name,
        names: &[Ident],
        constraint: &mut ConstraintKind,
    ) -> Result<()> {
        match constraint {
            ConstraintKind::Check(condition) => self.over_columns(table, names, condition),
            ConstraintKind::ForeignKey(_, references) => self.references(table, references),
            ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_) => Ok(()),
        }
    }

    /// A foreign key looks rows up, and changes them, behind every statement: it may lead to a table of
    /// the session's own, by its name in `pg_temp`, and nowhere else.
    fn references(&self, table: &Name, references: &mut References) -> Result<()> {
        let name = match references.table.as_slice() {
            [name] => Some(name),
            [schema, name] if &*schema.name == PG_TEMP => Some(name),
            _other => None,
        };
        let own = name.filter(|name| {
            name.name == *table
                || matches!(self.cx.temporary.find(&name.name),
                    FoundTemporary::One(relation) if relation.kind == RelationKind::Table)
        });
        let Some(own) = own.cloned() else {
            let place = references.table.last().map(|name| name.place);
            return Err(crate::lower::unsupported(
                "a foreign key to what is not a temporary table of the session's own",
                place.unwrap_or_default(),
            ));
        };
        references.table = vec![own];
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
                ColumnConstraint::References(references) => self.references(table, references)?,
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
