//! What is done to the session's own temporary relations besides reading and writing rows: DROP,
//! TRUNCATE, ANALYZE, CREATE INDEX. ALTER TABLE is [`super::alter`]'s.

use sqlparser::ast::{self, Statement as S};

use super::destination::{exists, own_relation};
use super::{Plan, refused};
use crate::ir::{Expr, Ident};
use crate::lower::{self, absent, unsupported};
use crate::refusal::{Place, Result};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::snapshot::Relation;
use crate::temporary::{PG_TEMP, TemporaryChange};
use crate::{Context, Effect, Permit, StatementKind, Touch};

/// DROP TABLE and DROP VIEW.
pub(super) fn drop(statement: S, cx: &Context<'_>) -> Result<Permit> {
    let refusal = refused::refusal(&statement);
    let place = Place::default();
    let S::Drop {
        object_type,
        if_exists,
        names,
        cascade,
        restrict: _,
        purge,
        temporary,
        table,
    } = statement
    else {
        return Err(refusal);
    };
    let word = match object_type {
        ast::ObjectType::Table => "DROP TABLE ",
        ast::ObjectType::View => "DROP VIEW ",
        ast::ObjectType::Collation
        | ast::ObjectType::MaterializedView
        | ast::ObjectType::Index
        | ast::ObjectType::Schema
        | ast::ObjectType::Database
        | ast::ObjectType::Role
        | ast::ObjectType::Sequence
        | ast::ObjectType::Stage
        | ast::ObjectType::Type
        | ast::ObjectType::User
        | ast::ObjectType::Stream
        | ast::ObjectType::Warehouse => return Err(refusal),
    };
    if purge || temporary {
        return Err(unsupported("this DROP", place));
    }
    absent(table, "ON here", place)?;
    let paths = (names.into_iter())
        .map(lower::object_name)
        .collect::<Result<Vec<_>>>()?;
    let mut dropped = Vec::with_capacity(paths.len());
    for path in &paths {
        let found = own_relation(path, "DROP", cx)?;
        if !if_exists {
            exists(found, path)?;
        }
        dropped.extend(path.last().cloned());
    }
    let gone = dropped.iter().map(|name| name.name.to_string()).collect();
    let change = TemporaryChange::Drop {
        names: gone,
        cascade,
    };
    let plan = Plan::new(StatementKind::Define).effect(Effect::Temporary(change));
    own(plan, cx, |writer| {
        writer.push(word);
        writer.push(if if_exists { "IF EXISTS " } else { "" });
        writer.separated(&dropped, own_name);
        writer.push(if cascade { " CASCADE" } else { "" });
    })
}

/// TRUNCATE.
pub(super) fn truncate(statement: ast::Truncate, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let ast::Truncate {
        table_names,
        partitions,
        table: _,
        if_exists,
        identity,
        cascade,
        on_cluster,
    } = statement;
    absent(partitions, "PARTITION", place)?;
    absent(cascade, "CASCADE or RESTRICT", place)?;
    absent(on_cluster, "ON CLUSTER", place)?;
    if if_exists {
        return Err(unsupported("IF EXISTS here", place));
    }
    let mut names = Vec::with_capacity(table_names.len());
    for ast::TruncateTableTarget {
        name,
        only: _,
        has_asterisk: _,
    } in table_names
    {
        let path = lower::object_name(name)?;
        exists(own_relation(&path, "TRUNCATE", cx)?, &path)?;
        names.extend(path.into_iter().next_back());
    }
    let plan = Plan::new(StatementKind::Define);
    own(plan, cx, |writer| {
        writer.push("TRUNCATE TABLE ");
        writer.separated(&names, own_name);
        writer.push(match identity {
            None => "",
            Some(ast::TruncateIdentityOption::Restart) => " RESTART IDENTITY",
            Some(ast::TruncateIdentityOption::Continue) => " CONTINUE IDENTITY",
        });
    })
}

/// ANALYZE of a table.
pub(super) fn analyze(statement: ast::Analyze, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let ast::Analyze {
        table_name,
        partitions,
        for_columns,
        columns,
        cache_metadata,
        noscan,
        compute_statistics,
        has_table_keyword,
    } = statement.clone();
    absent(partitions, "PARTITION", place)?;
    if for_columns || cache_metadata || noscan || compute_statistics || has_table_keyword {
        return Err(unsupported("this ANALYZE", place));
    }
    let Some(name) = table_name else {
        return Err(refused::refusal(&S::Analyze(statement)));
    };
    let path = lower::object_name(name)?;
    let columns = lower::idents(columns)?;
    let relation = exists(own_relation(&path, "ANALYZE", cx)?, &path)?;
    let name = Ident::made(&relation.name);
    own(Plan::new(StatementKind::Define), cx, |writer| {
        writer.push("ANALYZE ");
        own_name(writer, &name);
        if !columns.is_empty() {
            writer.name_list(&columns);
        }
    })
}

/// CREATE INDEX.
pub(super) fn index(index: ast::CreateIndex, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let ast::CreateIndex {
        name,
        table_name,
        using,
        columns,
        unique,
        concurrently: _,
        r#async,
        if_not_exists,
        include,
        nulls_distinct,
        with,
        predicate,
        index_options,
        alter_options,
    } = index;
    let path = lower::object_name(table_name)?;
    let relation = exists(own_relation(&path, "CREATE INDEX", cx)?, &path)?;
    if r#async || !with.is_empty() {
        return Err(unsupported("this option of CREATE INDEX", place));
    }
    absent(include.into_iter().next(), "INCLUDE", place)?;
    absent(nulls_distinct, "NULLS DISTINCT", place)?;
    absent(
        index_options.into_iter().next(),
        "this option of CREATE INDEX",
        place,
    )?;
    absent(
        alter_options.into_iter().next(),
        "this option of CREATE INDEX",
        place,
    )?;
    let name = match name.map(lower::object_name).transpose()?.as_deref() {
        None => None,
        Some([name]) => Some(name.clone()),
        Some(_qualified) => return Err(unsupported("a qualified name of an index", place)),
    };
    let method = using.map(method).transpose()?;
    let names = own_columns(relation);
    let table = Ident::made(&relation.name);
    let mut resolver = Resolver::new(cx);
    let mut keys = Vec::with_capacity(columns.len());
    for ast::IndexColumn {
        column,
        operator_class,
    } in columns
    {
        absent(operator_class, "an operator class", place)?;
        let ast::OrderByExpr {
            expr,
            options: ast::OrderByOptions { sort, nulls_first },
            with_fill,
        } = column;
        absent(with_fill, "WITH FILL", place)?;
        let mut key = lower::expr(expr)?;
        resolver.over_columns(&table.name, &names, &mut key)?;
        let direction = match sort {
            None => "",
            Some(ast::OrderBySort::Asc) => " ASC",
            Some(ast::OrderBySort::Desc) => " DESC",
            Some(ast::OrderBySort::Using(_)) => return Err(unsupported("USING here", place)),
        };
        keys.push((key, direction, nulls_first));
    }
    let mut predicate = predicate.map(lower::expr).transpose()?;
    if let Some(predicate) = &mut predicate {
        resolver.over_columns(&table.name, &names, predicate)?;
    }
    let resolution = resolver.finish();
    let plan = Plan::new(StatementKind::Define);
    let mut permit = plan.permit(&resolution, cx, |writer| {
        writer.push(if unique {
            "CREATE UNIQUE INDEX "
        } else {
            "CREATE INDEX "
        });
        writer.push(if if_not_exists { "IF NOT EXISTS " } else { "" });
        if let Some(name) = &name {
            writer.chosen(&name.name);
            writer.push(" ");
        }
        writer.push("ON ");
        own_name(writer, &table);
        if let Some(method) = method {
            writer.push(" USING ");
            writer.push(method);
        }
        writer.push(" (");
        writer.separated(&keys, |writer, (key, direction, nulls_first)| {
            index_key(writer, key);
            writer.push(direction);
            writer.push(match nulls_first {
                None => "",
                Some(true) => " NULLS FIRST",
                Some(false) => " NULLS LAST",
            });
        });
        writer.push(")");
        if let Some(predicate) = &predicate {
            writer.push(" WHERE ");
            writer.expr(predicate);
        }
    })?;
    permit.touches.push(own_touch());
    Ok(permit)
}

/// A permit of a statement that reads nothing and changes the session's own.
pub(super) fn own(plan: Plan, cx: &Context<'_>, write: impl Fn(&mut Writer<'_>)) -> Result<Permit> {
    let mut permit = plan.plain(cx, write)?;
    permit.touches.push(own_touch());
    Ok(permit)
}

pub(super) fn own_touch() -> Touch {
    Touch {
        relation: PG_TEMP.to_owned(),
        columns: Vec::new(),
        written: true,
    }
}

pub(super) fn own_name(writer: &mut Writer<'_>, name: &Ident) {
    writer.name(PG_TEMP);
    writer.push(".");
    writer.chosen(&name.name);
}

pub(super) fn own_columns(relation: &Relation) -> Vec<Ident> {
    let columns = relation.columns.iter();
    columns.map(|column| Ident::made(&column.name)).collect()
}

/// A bare column, or an expression in parentheses.
fn index_key(writer: &mut Writer<'_>, key: &Expr) {
    match key {
        Expr::Column(column) => writer.chosen(&column.name),
        expr => {
            writer.push("(");
            writer.expr(expr);
            writer.push(")");
        }
    }
}

fn method(using: ast::IndexType) -> Result<&'static str> {
    const METHODS: [&str; 6] = ["btree", "hash", "gin", "gist", "spgist", "brin"];
    match using {
        ast::IndexType::BTree => Ok("btree"),
        ast::IndexType::Hash => Ok("hash"),
        ast::IndexType::GIN => Ok("gin"),
        ast::IndexType::GiST => Ok("gist"),
        ast::IndexType::SPGiST => Ok("spgist"),
        ast::IndexType::BRIN => Ok("brin"),
        ast::IndexType::Custom(name) => {
            let name = lower::ident(name)?;
            let known = METHODS.into_iter().find(|known| *known == &*name.name);
            known.ok_or_else(|| unsupported("this access method", name.place))
        }
        ast::IndexType::Bloom => Err(unsupported("this access method", Place::default())),
    }
}
