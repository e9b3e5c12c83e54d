//! ALTER TABLE of the session's own temporary tables: columns, constraints and names.

use sqlparser::ast::{self, AlterColumnOperation as C, AlterTableOperation as A};

use super::Plan;
use super::destination::{Destination, exists, own_relation};
use super::own::{own, own_columns, own_name, own_touch};
use crate::ir::definition::{ColumnDefinition, TableConstraint};
use crate::ir::{Expr, Ident, TypeName};
use crate::lower::{self, absent, unsupported};
use crate::refusal::{Place, Result};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::snapshot::{Relation, RelationKind};
use crate::temporary::{TemporaryChange, TemporaryRelation};
use crate::{Context, Effect, Permit, StatementKind};

/// ALTER TABLE.
pub(super) fn alter(statement: ast::AlterTable, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let ast::AlterTable {
        name,
        if_exists,
        only: _,
        operations,
        location,
        on_cluster,
        table_type,
        end_token: _,
    } = statement;
    absent(location, "SET LOCATION", place)?;
    absent(on_cluster, "ON CLUSTER", place)?;
    absent(table_type, "this ALTER TABLE", place)?;
    if if_exists {
        return Err(unsupported("ALTER TABLE IF EXISTS", place));
    }
    let path = lower::object_name(name)?;
    let relation = exists(own_relation(&path, "ALTER TABLE", cx)?, &path)?;
    if relation.kind != RelationKind::Table {
        return Err(unsupported("ALTER TABLE of a view", place));
    }
    let mut operations = operations;
    // A statement that renames does nothing else (`gram.y`, RenameStmt).
    match operations.pop() {
        Some(A::RenameTable {
            table_name: ast::RenameTableNameKind::To(to),
        }) if operations.is_empty() => rename(relation, to, cx),
        Some(A::RenameColumn {
            old_column_name,
            new_column_name,
        }) if operations.is_empty() => {
            rename_column(relation, old_column_name, new_column_name, cx)
        }
        last => {
            operations.extend(last);
            changed(relation, operations, cx)
        }
    }
}

fn rename(relation: &Relation, to: ast::ObjectName, cx: &Context<'_>) -> Result<Permit> {
    let to = match Destination::of(lower::object_name(to)?, true, cx)? {
        Destination::Own(name) => name,
        Destination::Permanent { schema: _, name } => {
            return Err(unsupported("this name", name.place));
        }
    };
    let change = TemporaryChange::Rename {
        from: relation.name.clone(),
        to: to.name.to_string(),
    };
    let plan = Plan::new(StatementKind::Define).effect(Effect::Temporary(change));
    own(plan, cx, |writer| {
        alter_table(writer, relation);
        writer.push(" RENAME TO ");
        writer.chosen(&to.name);
    })
}

fn rename_column(
    relation: &Relation,
    from: ast::Ident,
    to: ast::Ident,
    cx: &Context<'_>,
) -> Result<Permit> {
    let (from, to) = (lower::ident(from)?, lower::ident(to)?);
    let mut columns = column_names(relation);
    for column in columns.iter_mut().filter(|column| **column == *from.name) {
        *column = to.name.to_string();
    }
    own(leaving(relation, columns), cx, |writer| {
        alter_table(writer, relation);
        writer.push(" RENAME COLUMN ");
        writer.chosen(&from.name);
        writer.push(" TO ");
        writer.chosen(&to.name);
    })
}

/// One of the changes that may stand together.
enum Change {
    Add {
        if_not_exists: bool,
        column: ColumnDefinition,
    },
    Drop {
        if_exists: bool,
        column: Ident,
    },
    Constrain(TableConstraint),
    NotNull(Ident, bool),
    Default(Ident, Option<Expr>),
    Type {
        column: Ident,
        ty: TypeName,
        using: Option<Expr>,
    },
}

fn changed(relation: &Relation, operations: Vec<A>, cx: &Context<'_>) -> Result<Permit> {
    let table = Ident::made(&relation.name);
    let mut columns = column_names(relation);
    let mut resolver = Resolver::new(cx);
    let mut changes = Vec::new();
    for operation in operations {
        let mut change = lowered(operation)?;
        let mut names: Vec<_> = columns.iter().map(|name| Ident::made(name)).collect();
        match &mut change {
            Change::Add {
                if_not_exists: _,
                column,
            } => {
                names.push(column.name.clone());
                resolver.column_definition(&table.name, &names, column)?;
                let added = column.name.name.to_string();
                if !columns.contains(&added) {
                    columns.push(added);
                }
            }
            Change::Drop {
                if_exists: _,
                column,
            } => columns.retain(|known| **known != *column.name),
            Change::Constrain(constraint) => {
                resolver.constraint(&table.name, &names, &mut constraint.kind)?;
            }
            Change::NotNull(_, _) | Change::Default(_, None) => {}
            Change::Default(_, Some(value)) => resolver.constant(value)?,
            Change::Type {
                column: _,
                ty,
                using,
            } => {
                resolver.type_name(ty)?;
                if let Some(using) = using {
                    // It sees the row as it was before the statement (`tablecmds.c`,
                    // ATPrepAlterColumnType), and `t.f` would be f(t) were there no such column.
                    resolver.over_columns(&table.name, &own_columns(relation), using)?;
                }
            }
        }
        changes.push(change);
    }
    let resolution = resolver.finish();
    let mut permit = leaving(relation, columns).permit(&resolution, cx, |writer| {
        alter_table(writer, relation);
        writer.separated(&changes, write);
    })?;
    permit.touches.push(own_touch());
    Ok(permit)
}

fn lowered(operation: A) -> Result<Change> {
    let place = Place::default();
    match operation {
        A::AddColumn {
            column_keyword: _,
            if_not_exists,
            column_def,
            column_position,
        } => {
            absent(column_position, "a column's position", place)?;
            Ok(Change::Add {
                if_not_exists,
                column: lower::definition::column(column_def)?,
            })
        }
        A::DropColumn {
            has_column_keyword: _,
            column_names,
            if_exists,
            drop_behavior,
        } => {
            absent(drop_behavior, "CASCADE or RESTRICT", place)?;
            let mut names = column_names.into_iter();
            let (Some(name), None) = (names.next(), names.next()) else {
                return Err(unsupported("several columns here", place));
            };
            Ok(Change::Drop {
                if_exists,
                column: lower::ident(name)?,
            })
        }
        A::AddConstraint {
            constraint,
            not_valid: false,
        } => lower::definition::constraint(constraint).map(Change::Constrain),
        A::AlterColumn { column_name, op } => {
            let column = lower::ident(column_name)?;
            match op {
                C::SetNotNull => Ok(Change::NotNull(column, true)),
                C::DropNotNull => Ok(Change::NotNull(column, false)),
                C::SetDefault { value } => {
                    let value = lower::expr(value)?;
                    Ok(Change::Default(column, Some(value)))
                }
                C::DropDefault => Ok(Change::Default(column, None)),
                C::SetDataType {
                    data_type,
                    using,
                    had_set: _,
                } => Ok(Change::Type {
                    column,
                    ty: lower::type_name(data_type)?,
                    using: using.map(lower::expr).transpose()?,
                }),
                C::AddGenerated {
                    generated_as: _,
                    sequence_options: _,
                } => Err(unsupported("ADD GENERATED", place)),
            }
        }
        _other => Err(unsupported("this ALTER TABLE", place)),
    }
}

fn write(writer: &mut Writer<'_>, change: &Change) {
    let alter = |writer: &mut Writer<'_>, column: &Ident, what: &str| {
        writer.push(" ALTER COLUMN ");
        writer.chosen(&column.name);
        writer.push(what);
    };
    match change {
        Change::Add {
            if_not_exists,
            column,
        } => {
            writer.push(" ADD COLUMN ");
            writer.push(if *if_not_exists { "IF NOT EXISTS " } else { "" });
            writer.column_definition(column);
        }
        Change::Drop { if_exists, column } => {
            writer.push(" DROP COLUMN ");
            writer.push(if *if_exists { "IF EXISTS " } else { "" });
            writer.chosen(&column.name);
        }
        Change::Constrain(constraint) => {
            writer.push(" ADD");
            writer.table_constraint(constraint);
        }
        Change::NotNull(column, true) => alter(writer, column, " SET NOT NULL"),
        Change::NotNull(column, false) => alter(writer, column, " DROP NOT NULL"),
        Change::Default(column, None) => alter(writer, column, " DROP DEFAULT"),
        Change::Default(column, Some(value)) => {
            alter(writer, column, " SET DEFAULT (");
            writer.expr(value);
            writer.push(")");
        }
        Change::Type { column, ty, using } => {
            alter(writer, column, " TYPE ");
            writer.type_name(ty);
            if let Some(using) = using {
                writer.push(" USING (");
                writer.expr(using);
                writer.push(")");
            }
        }
    }
}

/// The plan of a statement after which the table has these columns.
fn leaving(relation: &Relation, columns: Vec<String>) -> Plan {
    let relation = TemporaryRelation {
        name: relation.name.clone(),
        kind: relation.kind,
        columns,
        vanishes: true,
    };
    let keeps = false;
    let change = TemporaryChange::Create { relation, keeps };
    Plan::new(StatementKind::Define).effect(Effect::Temporary(change))
}

fn column_names(relation: &Relation) -> Vec<String> {
    let columns = relation.columns.iter();
    columns.map(|column| column.name.clone()).collect()
}

fn alter_table(writer: &mut Writer<'_>, relation: &Relation) {
    writer.push("ALTER TABLE ");
    own_name(writer, &Ident::made(&relation.name));
}
