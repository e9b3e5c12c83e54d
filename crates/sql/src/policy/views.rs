//! Views, by their own definition: read as any statement is, with what it reads substituted, so
//! that its conditions too see only released values.

use std::sync::Arc;

use phigate_phi::{Transform, Treatment, quote_identifier};

use super::bind::{quoted_name, source_column};
use super::columns::{Columns, Visibility};
use super::{Access, BoundPolicy, INNER, Masked};
use crate::ir::Query;
use crate::refusal::{Reason, Refusal, Result};
use crate::resolve::Resolver;
use crate::snapshot::{Relation, Snapshot};
use crate::{Context, Patients, Session, Temporary, lower, parse, patients, render};

/// The session that definitions are read in: they were printed with an empty search path.
const DEFINITION: Session<'static> = Session {
    user: "",
    database: "",
    search_path: &[],
    id: "",
    grant: "",
    expires_at: "",
    budget: "",
    write: false,
};

/// How a view's definition turned out.
enum Outcome {
    /// It reads a view that is not bound yet.
    Pending,
    Bound(Access, Patients),
}

/// Binds views over tables first, then views over these, until no more can be bound.
pub(super) fn bind(bound: &mut BoundPolicy, views: Vec<&Relation>, snapshot: &Snapshot) {
    let mut waiting = views;
    loop {
        let before = waiting.len();
        let mut still = Vec::new();
        for view in waiting {
            let cx = Context {
                snapshot,
                policy: bound,
                session: &DEFINITION,
                temporary: Temporary::NONE,
            };
            match read(view, &cx) {
                Ok(Outcome::Pending) => still.push(view),
                Ok(Outcome::Bound(access, patients)) => {
                    insert(bound, view, access);
                    bound.note_subjects_of_view(view, &patients);
                }
                Err(refusal) => {
                    let access = Access::Refused(Box::new(unreadable(view, &refusal)));
                    insert(bound, view, access);
                }
            }
        }
        waiting = still;
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for view in waiting {
        let unbound = Refusal::new(Reason::View, "it reads a relation that is not known");
        insert(
            bound,
            view,
            Access::Refused(Box::new(unreadable(view, &unbound))),
        );
    }
}

/// Binds the standard's views by their definitions, in which roles are read from the catalog that
/// has no passwords.
pub(super) fn bind_standard(bound: &mut BoundPolicy, views: Vec<&Relation>, snapshot: &Snapshot) {
    let mut waiting: Vec<Relation> = views.into_iter().cloned().collect();
    for view in &mut waiting {
        let text = view.definition.take();
        view.definition = text.map(|text| text.replace("pg_authid", "pg_roles"));
    }
    loop {
        let before = waiting.len();
        let mut still = Vec::new();
        for view in waiting {
            let cx = Context {
                snapshot,
                policy: bound,
                session: &DEFINITION,
                temporary: Temporary::NONE,
            };
            let access = match read(&view, &cx) {
                Ok(Outcome::Pending) => {
                    still.push(view);
                    continue;
                }
                Ok(Outcome::Bound(access, _)) => access,
                Err(refusal) => Access::Refused(Box::new(unreadable(&view, &refusal))),
            };
            bound.access.insert(view.oid, access);
        }
        waiting = still;
        if waiting.is_empty() || waiting.len() == before {
            break;
        }
    }
    for view in waiting {
        let unbound = Refusal::new(Reason::View, "it reads a relation that is not known");
        let refused = Access::Refused(Box::new(unreadable(&view, &unbound)));
        bound.access.insert(view.oid, refused);
    }
}

/// The columns of `relation` that an expression over it reads; `None` if it cannot be told.
pub(crate) fn columns_of_expression(
    relation: &Relation,
    expression: &str,
    snapshot: &Snapshot,
) -> Option<Vec<usize>> {
    let mut alone = BoundPolicy::default();
    alone
        .access
        .insert(relation.oid, Access::Open(all_columns(relation, snapshot)));
    let cx = Context {
        snapshot,
        policy: &alone,
        session: &DEFINITION,
        temporary: Temporary::NONE,
    };
    let text = format!("SELECT ({expression}) FROM {}", quoted_name(relation));
    let mut query = definition(&text).ok()?;
    let mut resolver = Resolver::new(&cx);
    resolver.statement(&mut query).ok()?;
    let resolution = resolver.finish();
    let source = resolution.sources.first()?;
    let used = source.used.iter().enumerate().filter(|(_, used)| **used);
    Some(used.map(|(index, _)| index).collect())
}

/// A view that is substituted is never read by name, so all its fields are watched.
fn insert(bound: &mut BoundPolicy, view: &Relation, access: Access) {
    let watch = !matches!(access, Access::Open(_));
    bound.insert(view, access);
    if watch {
        bound.fields.insert((view.oid, 0));
        bound
            .fields
            .extend(view.columns.iter().map(|column| (view.oid, column.attnum)));
    }
}

fn read(view: &Relation, cx: &Context<'_>) -> Result<Outcome> {
    let Some(text) = &view.definition else {
        return Err(Refusal::new(
            Reason::View,
            "its definition could not be read, or runs code that is not PostgreSQL's own",
        ));
    };
    let mut query = definition(text)?;
    let mut resolver = Resolver::new(cx);
    let columns = match resolver.statement(&mut query) {
        Ok(columns) => columns,
        Err(_) if resolver.is_pending() => return Ok(Outcome::Pending),
        Err(refusal) => return Err(refusal),
    };
    if columns.visible().count() != view.columns.len() {
        return Err(Refusal::new(
            Reason::View,
            "its columns do not match its definition",
        ));
    }
    let resolution = resolver.finish();
    let patients = patients::of(&query, &resolution, cx);
    let open = all_columns(view, cx.snapshot);
    if !resolution.rewritten {
        return Ok(Outcome::Bound(Access::Open(open), patients));
    }
    let body = render::query(&query, &resolution, cx)?;
    let names: Vec<_> = view
        .columns
        .iter()
        .map(|column| quote_identifier(&column.name))
        .collect();
    let released = names
        .iter()
        .map(|name| Some(format!("\"{INNER}\".{name}")))
        .collect();
    let access = Access::Masked(Arc::new(Masked {
        from: format!("({body}) AS \"{INNER}\"({})", names.join(", ")),
        takes_only: false,
        own_rows: None,
        filter: None,
        barrier: resolution.is_restricted(cx),
        columns: open,
        released,
        treatments: vec![Treatment::Release(Transform::Keep); names.len()],
        catalog: !resolution.masked,
        beneath: resolution.touches(cx),
    }));
    Ok(Outcome::Bound(access, patients))
}

/// The one query that a definition is.
fn definition(text: &str) -> Result<Query> {
    let mut statements = parse::statements(text)?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(statement), None) => match statement {
            sqlparser::ast::Statement::Query(query) => lower::query(*query),
            _other => Err(Refusal::new(Reason::View, "its definition is not a query")),
        },
        _none_or_many => Err(Refusal::new(
            Reason::View,
            "its definition is not one statement",
        )),
    }
}

fn all_columns(relation: &Relation, snapshot: &Snapshot) -> Arc<Columns> {
    let column = |column| source_column(column, Visibility::Visible, snapshot);
    Arc::new(relation.columns.iter().map(column).collect())
}

fn unreadable(view: &Relation, cause: &Refusal) -> Refusal {
    let full = format!("{}.{}", view.schema, view.name);
    Refusal::new(Reason::View, format!("view {full} cannot be masked"))
        .with_detail(format!("its definition is refused: {}", cause.message()))
        .with_hint(format!(
            "query the relations it reads, or ask an administrator to classify the columns of {full}",
        ))
}
