//! The columns and constraints of CREATE TABLE.

use sqlparser::ast::{self, ColumnOption as O, TableConstraint as T};

use super::{absent, expr, ident, idents, name_place, object_name, place, type_name, unsupported};
use crate::ir::definition::{
    ColumnConstraint, ColumnDefinition, ColumnTypeName, ConstraintKind, References,
    TableConstraint, TableDefinition,
};
use crate::ir::{Expr, Ident};
use crate::refusal::{Place, Result};

/// The grammar's words for an integer with a sequence.
const SERIAL: [&str; 6] = [
    "serial",
    "serial4",
    "serial8",
    "serial2",
    "bigserial",
    "smallserial",
];

/// Everything between the parentheses.
pub(crate) fn table(
    columns: Vec<ast::ColumnDef>,
    constraints: Vec<ast::TableConstraint>,
) -> Result<TableDefinition> {
    Ok(TableDefinition {
        columns: columns.into_iter().map(column).collect::<Result<_>>()?,
        constraints: (constraints.into_iter())
            .map(constraint)
            .collect::<Result<_>>()?,
    })
}

/// One column.
pub(crate) fn column(column: ast::ColumnDef) -> Result<ColumnDefinition> {
    let ast::ColumnDef {
        name,
        data_type,
        options,
    } = column;
    let name = ident(name)?;
    let mut collation = None;
    let mut constraints = Vec::new();
    for ast::ColumnOptionDef { name, option } in options {
        match option {
            O::Collation(path) => collation = Some(object_name(path)?),
            other => {
                let name = name.map(ident).transpose()?;
                constraints.push((name, column_constraint(other)?));
            }
        }
    }
    Ok(ColumnDefinition {
        ty: column_type(data_type)?,
        name,
        collation,
        constraints,
    })
}

fn column_type(ty: ast::DataType) -> Result<ColumnTypeName> {
    let ty = type_name(ty)?;
    if let [name] = ty.path.as_slice()
        && let Some(word) = SERIAL.into_iter().find(|word| *word == &*name.name)
        && ty.modifiers.is_empty()
        && !ty.array
    {
        return Ok(ColumnTypeName::Serial(word));
    }
    Ok(ColumnTypeName::Plain(ty))
}

fn column_constraint(option: ast::ColumnOption) -> Result<ColumnConstraint> {
    let place = Place::default();
    match option {
        O::Null => Ok(ColumnConstraint::Null),
        O::NotNull => Ok(ColumnConstraint::NotNull),
        O::Default(value) => expr(value).map(ColumnConstraint::Default),
        O::PrimaryKey(constraint) => {
            let (_, columns) = primary_key(constraint)?;
            if !columns.is_empty() {
                return Err(unsupported("this PRIMARY KEY", place));
            }
            Ok(ColumnConstraint::PrimaryKey)
        }
        O::Unique(constraint) => {
            let (_, columns) = unique(constraint)?;
            if !columns.is_empty() {
                return Err(unsupported("this UNIQUE", place));
            }
            Ok(ColumnConstraint::Unique)
        }
        O::Check(constraint) => {
            let (_, condition) = check(constraint)?;
            Ok(ColumnConstraint::Check(condition))
        }
        O::Generated {
            generated_as,
            sequence_options,
            generation_expr: None,
            generation_expr_mode: None,
            generated_keyword: true,
        } => {
            let options = sequence_options.unwrap_or_default();
            absent(options.into_iter().next(), "an option of IDENTITY", place)?;
            match generated_as {
                ast::GeneratedAs::Always => Ok(ColumnConstraint::Identity("ALWAYS")),
                ast::GeneratedAs::ByDefault => Ok(ColumnConstraint::Identity("BY DEFAULT")),
                ast::GeneratedAs::ExpStored => Err(unsupported("this generated column", place)),
            }
        }
        O::Generated {
            generated_as: _,
            sequence_options: None,
            generation_expr: Some(value),
            generation_expr_mode: Some(ast::GeneratedExpressionMode::Stored),
            generated_keyword: true,
        } => expr(value).map(ColumnConstraint::Generated),
        O::Generated {
            generated_as: _,
            sequence_options: _,
            generation_expr: _,
            generation_expr_mode: _,
            generated_keyword: _,
        } => Err(unsupported("this generated column", place)),
        O::ForeignKey(constraint) => {
            let (_, columns, references) = foreign_key(constraint)?;
            if !columns.is_empty() {
                return Err(unsupported("this REFERENCES", place));
            }
            Ok(ColumnConstraint::References(references))
        }
        O::Materialized(_)
        | O::Ephemeral(_)
        | O::Alias(_)
        | O::DialectSpecific(_)
        | O::CharacterSet(_)
        | O::Collation(_)
        | O::Comment(_)
        | O::OnUpdate(_)
        | O::Options(_)
        | O::Identity(_)
        | O::OnConflict(_)
        | O::Policy(_)
        | O::Tags(_)
        | O::Srid(_)
        | O::Invisible => Err(unsupported("this option of a column", place)),
    }
}

/// One constraint of a table.
pub(crate) fn constraint(constraint: T) -> Result<TableConstraint> {
    let place = Place::default();
    let (name, kind) = match constraint {
        T::PrimaryKey(constraint) => {
            let (name, columns) = primary_key(constraint)?;
            (name, ConstraintKind::PrimaryKey(columns))
        }
        T::Unique(constraint) => {
            let (name, columns) = unique(constraint)?;
            (name, ConstraintKind::Unique(columns))
        }
        T::Check(constraint) => {
            let (name, condition) = check(constraint)?;
            (name, ConstraintKind::Check(condition))
        }
        T::ForeignKey(constraint) => {
            let (name, columns, references) = foreign_key(constraint)?;
            (name, ConstraintKind::ForeignKey(columns, references))
        }
        T::Index(_)
        | T::FulltextOrSpatial(_)
        | T::PrimaryKeyUsingIndex(_)
        | T::UniqueUsingIndex(_)
        | T::Exclude(_) => {
            return Err(unsupported("this constraint", place));
        }
    };
    Ok(TableConstraint { name, kind })
}

fn primary_key(constraint: ast::PrimaryKeyConstraint) -> Result<(Option<Ident>, Vec<Ident>)> {
    let ast::PrimaryKeyConstraint {
        name,
        index_name,
        index_type,
        columns,
        include,
        index_options,
        characteristics,
    } = constraint;
    key_parts(
        index_name,
        index_type,
        include,
        index_options,
        characteristics,
    )?;
    Ok((name.map(ident).transpose()?, key_columns(columns)?))
}

fn unique(constraint: ast::UniqueConstraint) -> Result<(Option<Ident>, Vec<Ident>)> {
    let ast::UniqueConstraint {
        name,
        index_name,
        index_type_display,
        index_type,
        columns,
        include,
        index_options,
        characteristics,
        nulls_distinct,
    } = constraint;
    let place = Place::default();
    match index_type_display {
        ast::KeyOrIndexDisplay::None => {}
        ast::KeyOrIndexDisplay::Key | ast::KeyOrIndexDisplay::Index => {
            return Err(unsupported("this UNIQUE", place));
        }
    }
    match nulls_distinct {
        ast::NullsDistinctOption::None => {}
        ast::NullsDistinctOption::Distinct | ast::NullsDistinctOption::NotDistinct => {
            return Err(unsupported("NULLS DISTINCT", place));
        }
    }
    key_parts(
        index_name,
        index_type,
        include,
        index_options,
        characteristics,
    )?;
    Ok((name.map(ident).transpose()?, key_columns(columns)?))
}

fn foreign_key(
    constraint: ast::ForeignKeyConstraint,
) -> Result<(Option<Ident>, Vec<Ident>, References)> {
    let ast::ForeignKeyConstraint {
        name,
        index_name,
        columns,
        foreign_table,
        referred_columns,
        on_delete,
        on_update,
        match_kind,
        characteristics,
    } = constraint;
    let place = place(&foreign_table);
    absent(index_name, "an index's name here", place)?;
    absent(match_kind, "MATCH", place)?;
    absent(characteristics, "a deferrable constraint", place)?;
    let references = References {
        table: object_name(foreign_table)?,
        columns: idents(referred_columns)?,
        on_delete: on_delete.map(action),
        on_update: on_update.map(action),
    };
    Ok((name.map(ident).transpose()?, idents(columns)?, references))
}

fn action(action: ast::ReferentialAction) -> &'static str {
    match action {
        ast::ReferentialAction::Restrict => "RESTRICT",
        ast::ReferentialAction::Cascade => "CASCADE",
        ast::ReferentialAction::SetNull => "SET NULL",
        ast::ReferentialAction::NoAction => "NO ACTION",
        ast::ReferentialAction::SetDefault => "SET DEFAULT",
    }
}

fn key_parts(
    index_name: Option<ast::Ident>,
    index_type: Option<ast::IndexType>,
    include: Vec<ast::Ident>,
    index_options: Vec<ast::IndexOption>,
    characteristics: Option<ast::ConstraintCharacteristics>,
) -> Result<()> {
    let place = Place::default();
    absent(index_name, "an index's name here", place)?;
    absent(index_type, "USING here", place)?;
    absent(include.into_iter().next(), "INCLUDE", place)?;
    absent(
        index_options.into_iter().next(),
        "this option of a key",
        place,
    )?;
    absent(characteristics, "a deferrable constraint", place)
}

/// Plain names: no expression, direction or operator class.
fn key_columns(columns: Vec<ast::IndexColumn>) -> Result<Vec<Ident>> {
    let plain = |column: ast::IndexColumn| {
        let ast::IndexColumn {
            column:
                ast::OrderByExpr {
                    expr,
                    options:
                        ast::OrderByOptions {
                            sort: None,
                            nulls_first: None,
                        },
                    with_fill: None,
                },
            operator_class: None,
        } = column
        else {
            return Err(unsupported("this column of a key", Place::default()));
        };
        match expr {
            ast::Expr::Identifier(name) => ident(name),
            _other => Err(unsupported("an expression in a key", Place::default())),
        }
    };
    columns.into_iter().map(plain).collect()
}

fn check(constraint: ast::CheckConstraint) -> Result<(Option<Ident>, Expr)> {
    let ast::CheckConstraint {
        name,
        expr: condition,
        no_inherit,
        enforced,
    } = constraint;
    let place = name.as_ref().map(name_place).unwrap_or_default();
    if no_inherit {
        return Err(unsupported("NO INHERIT", place));
    }
    absent(enforced, "ENFORCED", place)?;
    Ok((name.map(ident).transpose()?, expr(*condition)?))
}
