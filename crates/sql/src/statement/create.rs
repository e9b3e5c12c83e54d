//! CREATE TABLE of the session's own, CREATE TABLE AS, SELECT INTO and CREATE TEMPORARY VIEW: what
//! a table or view is made of is a query read as any other.

use sqlparser::ast::helpers::stmt_create_table::CreateTableBuilder;
use sqlparser::ast::{self, SetExpr, Statement as S};

use super::destination::Destination;
use super::{Plan, refused, settle_columns};
use crate::ir::definition::OnCommit;
use crate::ir::{Ident, Item, Name, Query, Star};
use crate::lower::{self, absent, unsupported};
use crate::parse;
use crate::refusal::{Place, Reason, Refusal, Result};
use crate::resolve::{Resolution, Resolver};
use crate::snapshot::RelationKind;
use crate::temporary::{TemporaryChange, TemporaryRelation};
use crate::{Context, Effect, Permit, StatementKind};

/// A table made of a query.
struct TableAs {
    destination: Destination,
    if_not_exists: bool,
    columns: Vec<Ident>,
    on_commit: OnCommit,
    query: Query,
    resolution: Resolution,
    /// The query's own columns.
    found: Vec<Name>,
    /// `WITH NO DATA`
    empty: bool,
}

pub(super) fn table(table: ast::CreateTable, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let mut rest = table;
    let path = lower::object_name(rest.name.clone())?;
    let columns = std::mem::take(&mut rest.columns);
    let constraints = std::mem::take(&mut rest.constraints);
    let query = rest.query.take();
    let temporary = std::mem::take(&mut rest.temporary);
    let if_not_exists = std::mem::take(&mut rest.if_not_exists);
    let on_commit = on_commit(rest.on_commit.take());
    let with_data = rest.with_data.take();
    let like = rest.like.take();
    // GLOBAL and LOCAL mean nothing to PostgreSQL.
    rest.global = None;
    // INVARIANT: whatever else a release of sqlparser reads is not what its builder starts with.
    if rest != CreateTableBuilder::new(rest.name.clone()).build() {
        return Err(unsupported("this clause of CREATE TABLE", place));
    }
    let destination = Destination::of(path, temporary, cx)?;
    if let Some(like) = like {
        return table_like(like, destination, if_not_exists, on_commit, cx);
    }
    let Some(query) = query else {
        absent(with_data, "WITH DATA", place)?;
        return defined(
            &destination,
            if_not_exists,
            on_commit,
            columns,
            constraints,
            cx,
        );
    };
    absent(
        constraints.into_iter().next(),
        "a constraint in CREATE TABLE AS",
        place,
    )?;
    let names = (columns.into_iter())
        .map(|column| {
            let ast::ColumnDef {
                name,
                data_type,
                options,
            } = column;
            let name = lower::ident(name)?;
            if !is_untyped(&data_type) || !options.is_empty() {
                return Err(unsupported(
                    "a column's type in CREATE TABLE AS",
                    name.place,
                ));
            }
            Ok(name)
        })
        .collect::<Result<_>>()?;
    let empty = match with_data {
        None => false,
        Some(ast::WithData {
            data,
            statistics: None,
        }) => !data,
        Some(ast::WithData {
            data: _,
            statistics: Some(_),
        }) => return Err(unsupported("WITH DATA AND STATISTICS", place)),
    };
    let (query, resolution, found) = settle_columns(*query, cx)?;
    table_as(
        &TableAs {
            destination,
            if_not_exists,
            columns: names,
            on_commit,
            query,
            resolution,
            found,
            empty,
        },
        cx,
    )
}

/// `CREATE TABLE t (LIKE s)`: a table of no rows made of what a query of `s` shows. So what is masked has the types of what is
/// released, and nothing of `s` but names, types and collations is copied: not even NOT NULL, which a mask may
/// break.
fn table_like(
    like: ast::CreateTableLikeKind,
    destination: Destination,
    if_not_exists: bool,
    on_commit: OnCommit,
    cx: &Context<'_>,
) -> Result<Permit> {
    let like = match like {
        ast::CreateTableLikeKind::Parenthesized(like) => like,
        ast::CreateTableLikeKind::Plain(like) => {
            let place = lower::place(&like.name);
            return Err(Refusal::new(Reason::Syntax, "LIKE takes brackets").near(place));
        }
    };
    let ast::CreateTableLike { name, defaults } = like;
    let place = lower::place(&name);
    match defaults {
        None | Some(ast::CreateTableLikeDefaults::Excluding) => {}
        Some(ast::CreateTableLikeDefaults::Including) => {
            return Err(unsupported("INCLUDING DEFAULTS", place));
        }
    }
    let all = vec![Item::Star(Star::at(place))];
    let mut query = Query::of_relation(lower::object_name(name)?, false, all);
    let mut resolver = Resolver::new(cx);
    let columns = resolver.statement(&mut query)?;
    let found = columns.visible().map(|column| column.name.clone());
    let table = TableAs {
        destination,
        if_not_exists,
        columns: Vec::new(),
        on_commit,
        found: found.collect(),
        query,
        resolution: resolver.finish(),
        empty: true,
    };
    table_as(&table, cx)
}

/// `SELECT ... INTO`: the query without its INTO, and where that goes.
pub(super) fn select_into(
    mut query: ast::Query,
    cx: &Context<'_>,
) -> Result<std::result::Result<Permit, Box<ast::Query>>> {
    let Some(into) = take_into(&mut query.body) else {
        return Ok(Err(Box::new(query)));
    };
    let ast::SelectInto {
        temporary,
        unlogged,
        table: _,
        targets,
    } = into;
    let place = Place::default();
    if unlogged {
        return Err(unsupported("UNLOGGED", place));
    }
    let mut targets = targets.into_iter();
    let (Some(target), None) = (targets.next(), targets.next()) else {
        return Err(unsupported("several targets of SELECT INTO", place));
    };
    let path = match target {
        ast::Expr::Identifier(name) => vec![lower::ident(name)?],
        ast::Expr::CompoundIdentifier(names) => lower::idents(names)?,
        _other => return Err(unsupported("this target of SELECT INTO", place)),
    };
    let destination = Destination::of(path, temporary, cx)?;
    let (query, resolution, found) = settle_columns(query, cx)?;
    let table = TableAs {
        destination,
        if_not_exists: false,
        columns: Vec::new(),
        on_commit: OnCommit::Default,
        query,
        resolution,
        found,
        empty: false,
    };
    table_as(&table, cx).map(Ok)
}

/// CREATE [OR REPLACE] TEMPORARY VIEW.
pub(super) fn view(view: ast::CreateView, cx: &Context<'_>) -> Result<Permit> {
    let place = Place::default();
    let whole = S::CreateView(view.clone());
    let ast::CreateView {
        or_alter,
        or_replace,
        materialized,
        secure,
        name,
        name_before_not_exists,
        columns,
        query,
        options,
        cluster_by,
        comment,
        with_no_schema_binding,
        if_not_exists,
        temporary,
        copy_grants,
        to,
        params,
    } = view;
    let path = lower::object_name(name)?;
    if materialized || !(temporary || is_own(&path)) {
        return Err(refused::refusal(&whole));
    }
    let other = or_alter
        || secure
        || name_before_not_exists
        || with_no_schema_binding
        || if_not_exists
        || copy_grants
        || !cluster_by.is_empty();
    if other || options != ast::CreateTableOptions::None {
        return Err(unsupported("this clause of CREATE VIEW", place));
    }
    absent(comment, "COMMENT here", place)?;
    absent(to, "TO here", place)?;
    absent(params, "this clause of CREATE VIEW", place)?;
    let columns = (columns.into_iter())
        .map(|column| {
            let ast::ViewColumnDef {
                name,
                data_type,
                options,
            } = column;
            absent(data_type, "a column's type in CREATE VIEW", place)?;
            absent(options, "a column's option in CREATE VIEW", place)?;
            lower::ident(name)
        })
        .collect::<Result<Vec<_>>>()?;
    let destination = Destination::of(path, temporary, cx)?;
    let (query, resolution, found) = settle_columns(*query, cx)?;
    let effect = appears(
        &destination,
        RelationKind::View,
        named(&found, &columns),
        false,
        OnCommit::Default,
    );
    let plan = Plan::new(StatementKind::Define).effect(effect);
    let mut permit = plan.permit(&resolution, cx, |writer| {
        writer.push(if or_replace {
            "CREATE OR REPLACE TEMPORARY VIEW "
        } else {
            "CREATE TEMPORARY VIEW "
        });
        destination.write(writer);
        if !columns.is_empty() {
            writer.name_list(&columns);
        }
        writer.push(" AS ");
        writer.query(&query);
    })?;
    permit.touches.push(destination.touch());
    Ok(permit)
}

fn is_own(path: &[Ident]) -> bool {
    matches!(path, [schema, _] if &*schema.name == crate::temporary::PG_TEMP)
}

fn table_as(table: &TableAs, cx: &Context<'_>) -> Result<Permit> {
    let TableAs {
        destination,
        if_not_exists,
        columns,
        on_commit,
        query,
        resolution,
        found,
        empty,
    } = table;
    let effect = match destination {
        Destination::Own(_) => appears(
            destination,
            RelationKind::Table,
            named(found, columns),
            *if_not_exists,
            *on_commit,
        ),
        Destination::Permanent { .. } => Effect::CatalogMayChange,
    };
    let plan = Plan::new(StatementKind::Define).effect(effect);
    let mut permit = plan.permit(resolution, cx, |writer| {
        writer.push(match destination {
            Destination::Own(_) => "CREATE TEMPORARY TABLE ",
            Destination::Permanent { .. } => "CREATE TABLE ",
        });
        writer.push(if *if_not_exists { "IF NOT EXISTS " } else { "" });
        destination.write(writer);
        if !columns.is_empty() {
            writer.name_list(columns);
        }
        writer.on_commit(*on_commit);
        writer.push(" AS ");
        writer.query(query);
        writer.push(if *empty { " WITH NO DATA" } else { "" });
    })?;
    permit.touches.push(destination.touch());
    Ok(permit)
}

fn is_untyped(data_type: &ast::DataType) -> bool {
    let ast::DataType::Custom(ast::ObjectName(path), modifiers) = data_type else {
        return false;
    };
    match path.as_slice() {
        [ast::ObjectNamePart::Identifier(name)] => {
            modifiers.is_empty() && parse::marker(name) == Some(parse::Marker::Untyped)
        }
        _other => false,
    }
}

/// CREATE TABLE with a list of columns: only of the session's own.
fn defined(
    destination: &Destination,
    if_not_exists: bool,
    on_commit: OnCommit,
    columns: Vec<ast::ColumnDef>,
    constraints: Vec<ast::TableConstraint>,
    cx: &Context<'_>,
) -> Result<Permit> {
    let Destination::Own(name) = destination else {
        return Err(Refusal::new(
            Reason::Statement,
            "CREATE TABLE is not relayed: it is for the database's administrators",
        )
        .with_hint("make it temporary, or of a query: CREATE TABLE ... AS"));
    };
    let mut definition = lower::definition::table(columns, constraints)?;
    let mut resolver = Resolver::new(cx);
    resolver.table_definition(&name.name, &mut definition)?;
    let resolution = resolver.finish();
    let names = definition
        .columns
        .iter()
        .map(|column| column.name.name.to_string());
    let effect = appears(
        destination,
        RelationKind::Table,
        names.collect(),
        if_not_exists,
        on_commit,
    );
    let plan = Plan::new(StatementKind::Define).effect(effect);
    let mut permit = plan.permit(&resolution, cx, |writer| {
        writer.push("CREATE TEMPORARY TABLE ");
        writer.push(if if_not_exists { "IF NOT EXISTS " } else { "" });
        destination.write(writer);
        writer.table_definition(&definition);
        writer.on_commit(on_commit);
    })?;
    permit.touches.push(destination.touch());
    Ok(permit)
}

fn appears(
    destination: &Destination,
    kind: RelationKind,
    columns: Vec<String>,
    keeps: bool,
    on_commit: OnCommit,
) -> Effect {
    let relation = TemporaryRelation {
        name: destination.name().name.to_string(),
        kind,
        columns,
        vanishes: on_commit == OnCommit::Drop,
    };
    Effect::Temporary(TemporaryChange::Create { relation, keeps })
}

/// The query's columns under the names that the statement gives the first of them.
fn named(found: &[Name], names: &[Ident]) -> Vec<String> {
    let given = names.iter().map(|name| name.name.to_string());
    let rest = found.iter().skip(names.len()).map(ToString::to_string);
    given.chain(rest).collect()
}

fn on_commit(on_commit: Option<ast::OnCommit>) -> OnCommit {
    match on_commit {
        None => OnCommit::Default,
        Some(ast::OnCommit::PreserveRows) => OnCommit::PreserveRows,
        Some(ast::OnCommit::DeleteRows) => OnCommit::DeleteRows,
        Some(ast::OnCommit::Drop) => OnCommit::Drop,
    }
}

/// INTO stands in the leftmost SELECT (`analyze.c`, transformSetOperationStmt).
fn take_into(body: &mut SetExpr) -> Option<ast::SelectInto> {
    let mut body = body;
    loop {
        match body {
            SetExpr::Select(select) => return select.into.take(),
            SetExpr::SetOperation {
                left,
                op: _,
                set_quantifier: _,
                right: _,
            } => body = left,
            SetExpr::Query(query) => body = &mut query.body,
            SetExpr::Values(_)
            | SetExpr::Insert(_)
            | SetExpr::Update(_)
            | SetExpr::Delete(_)
            | SetExpr::Merge(_)
            | SetExpr::Table(_) => return None,
        }
    }
}
