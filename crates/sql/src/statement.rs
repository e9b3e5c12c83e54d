//! One statement at a time: which kinds are read, and what each becomes.

mod alter;
mod copy;
mod create;
mod cursor;
mod destination;
mod explain;
mod own;
mod prepare;
mod refused;
mod setting;
mod show;
mod standard;
mod transaction;

use std::borrow::Cow;

use sqlparser::ast::{self, SetExpr, Statement as S};

use crate::ir::{Name, Query};
use crate::parse;
use crate::refusal::{Reason, Refusal, Result};
use crate::render::Writer;
use crate::resolve::{Resolution, Resolver};
use crate::{
    Batch, Context, CopyDirection, Effect, OwnCode, Permit, StatementKind, Temporary, lower,
    patients,
};

/// Length of a fingerprint, in bytes.
const FINGERPRINT_BYTES: usize = 16;

/// Analyses the text of a simple query: every statement of it, or none.
///
/// # Errors
/// The refusal of the first statement that is refused.
pub fn analyse(text: &str, cx: &Context<'_>) -> std::result::Result<Batch, Refusal> {
    batch(text, cx).map_err(|refusal| standard::named(text, refusal))
}

fn batch(text: &str, cx: &Context<'_>) -> Result<Batch> {
    let parsed = read(text, cx)?;
    let mut permits = Vec::with_capacity(parsed.len());
    // Statement by statement, the temporary relations as the ones before leave them.
    let before = cx.temporary;
    let mut temporary = Cow::Borrowed(before);
    for parsed in parsed {
        let cx = Context {
            temporary: &temporary,
            ..*cx
        };
        let permit = one(parsed, &cx)?;
        follow(&permit.effect, &mut temporary, before);
        permits.push(permit);
    }
    let moves_names = |permit: &Permit| {
        matches!(
            permit.effect,
            Effect::SetSearchPath { .. } | Effect::ResetAll
        )
    };
    // The names of a batch are all resolved by the search path it starts with; after its last
    // statement none follows.
    let earlier = permits.split_last().map_or(&[][..], |(_, earlier)| earlier);
    if earlier.iter().any(moves_names) {
        return Err(Refusal::new(
            Reason::Statement,
            "a change of search_path must be the last statement of its query",
        )
        .with_hint("send what follows it as a query of its own"));
    }
    Ok(Batch { permits })
}

/// The temporary relations after a statement of a batch has run; where it fails, none follows.
fn follow(effect: &Effect, temporary: &mut Cow<'_, Temporary>, before: &Temporary) {
    match effect {
        Effect::Temporary(change) => temporary.to_mut().apply(change),
        Effect::DiscardTemporary | Effect::DiscardAll => temporary.to_mut().discarded(),
        Effect::Rollback { chain: _ } | Effect::RollbackToSavepoint(_) => {
            if !(temporary.is_empty() && before.is_empty()) {
                temporary.to_mut().rolled_back(before);
            }
        }
        Effect::Commit { chain: _ } => {
            if temporary.relations().any(|relation| relation.vanishes) {
                temporary.to_mut().committed();
            }
        }
        Effect::None
        | Effect::Begin
        | Effect::Savepoint(_)
        | Effect::ReleaseSavepoint(_)
        | Effect::SetSearchPath { .. }
        | Effect::Set { .. }
        | Effect::ResetAll
        | Effect::Declare(_)
        | Effect::CloseCursor(_)
        | Effect::Prepare(_)
        | Effect::Deallocate(_)
        | Effect::CatalogMayChange => {}
    }
}

/// Analyses the text of a Parse message: one statement, or `None` for an empty one.
///
/// # Errors
/// The refusal.
pub fn analyse_one(text: &str, cx: &Context<'_>) -> std::result::Result<Option<Permit>, Refusal> {
    alone(text, cx).map_err(|refusal| standard::named(text, refusal))
}

fn alone(text: &str, cx: &Context<'_>) -> Result<Option<Permit>> {
    let mut statements = read(text, cx)?.into_iter();
    match (statements.next(), statements.next()) {
        (None, _) => Ok(None),
        (Some(parsed), None) => one(parsed, cx).map(Some),
        (Some(_), Some(_)) => Err(Refusal::new(
            Reason::Syntax,
            "cannot insert multiple commands into a prepared statement",
        )),
    }
}

/// Parses a text; what sqlparser cannot read but PostgreSQL has is refused by its name.
fn read(text: &str, cx: &Context<'_>) -> Result<Vec<S>> {
    parse::statements_on(text, cx.snapshot.major).map_err(|refusal| match refusal.reason() {
        Reason::Syntax => refused::unreadable(text).unwrap_or(refusal),
        _other => refusal,
    })
}

fn one(statement: S, cx: &Context<'_>) -> Result<Permit> {
    computes_as_postgresql(&statement, cx)?;
    match statement {
        S::Query(query) => match create::select_into(*query, cx)? {
            Ok(permit) => Ok(permit),
            Err(query) => self::query(*query, cx),
        },
        S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_) => {
            self::query(as_query(statement)?, cx)
        }
        S::CreateTable(table) => create::table(table, cx),
        S::CreateView(view) => create::view(view, cx),
        S::CreateIndex(index) => own::index(index, cx),
        S::AlterTable(alter) => alter::alter(alter, cx),
        S::Drop { .. } => own::drop(statement, cx),
        S::Truncate(truncate) => own::truncate(truncate, cx),
        S::Analyze(analyze) => own::analyze(analyze, cx),
        S::Explain { .. } => explain::explain(statement, cx),
        S::ShowVariable { variable } => show::show(&variable, cx),
        S::Set(set) => setting::set(set, cx),
        S::Reset(reset) => setting::reset(reset, cx),
        S::Discard { object_type } => setting::discard(object_type, cx),
        S::UNLISTEN { channel } => setting::unlisten(&channel, cx),
        S::StartTransaction { .. }
        | S::Commit { .. }
        | S::Rollback { .. }
        | S::Savepoint { .. }
        | S::ReleaseSavepoint { .. } => transaction::transaction(statement, cx),
        S::Declare { stmts } => cursor::declare(stmts, cx),
        S::Fetch {
            name,
            direction,
            position,
            into,
        } => cursor::fetch(name, direction, &position, into, cx),
        S::Close { cursor } => cursor::close(cursor, cx),
        S::Prepare {
            name,
            data_types,
            statement,
        } => prepare::prepare(name, data_types, *statement, cx),
        S::Execute { .. } => prepare::execute(statement, cx),
        S::Deallocate { name, prepare: _ } => prepare::deallocate(name, cx),
        S::Copy {
            source,
            to,
            target,
            options,
            legacy_options,
            values,
        } => copy::copy(
            copy::Copy {
                source,
                to,
                target,
                options,
                legacy_options,
                values,
            },
            cx,
        ),
        other => Err(refused::refusal(&other)),
    }
}

/// Where PostgreSQL's own types, functions and operators lead to code of the database's, so may any
/// expression, and no text shows it.
fn computes_as_postgresql(statement: &S, cx: &Context<'_>) -> Result<()> {
    let computes = !matches!(
        statement,
        S::StartTransaction { .. }
            | S::Commit { .. }
            | S::Rollback { .. }
            | S::Savepoint { .. }
            | S::ReleaseSavepoint { .. }
            | S::Set(_)
            | S::Reset(_)
            | S::Discard { .. }
            | S::ShowVariable { .. }
            | S::Close { .. }
            | S::Deallocate { .. }
    );
    let guarded = computes && cx.policy.guards_code;
    let Some(code) = cx.snapshot.own_code().filter(|_| guarded) else {
        return Ok(());
    };
    let hint = match code {
        OwnCode::Cast { .. } => {
            "ask an administrator to drop that cast, or to make it WITHOUT FUNCTION or WITH INOUT"
        }
        OwnCode::Order(_) => {
            "ask an administrator to drop that operator class or its own functions"
        }
        OwnCode::Overload(_) => "ask an administrator to move it to a schema of its own",
    };
    Err(
        Refusal::new(Reason::OwnCode, format!("the database {code}"))
            .with_detail("any expression may run it, and it may read anything")
            .with_hint(hint),
    )
}

fn query(query: sqlparser::ast::Query, cx: &Context<'_>) -> Result<Permit> {
    let (query, resolution) = settle(query, cx)?;
    let plan = Plan::new(if resolution.writes {
        StatementKind::Write
    } else {
        StatementKind::Query
    });
    plan.permit(&resolution, cx, |writer| writer.query(&query))
}

/// A query, or a statement that changes rows as the query that has nothing else.
fn as_query(statement: S) -> Result<ast::Query> {
    let body = match statement {
        S::Query(query) => return Ok(*query),
        insert @ S::Insert(_) => SetExpr::Insert(insert),
        update @ S::Update(_) => SetExpr::Update(update),
        delete @ S::Delete(_) => SetExpr::Delete(delete),
        merge @ S::Merge(_) => SetExpr::Merge(merge),
        other => return Err(refused::refusal(&other)),
    };
    Ok(ast::Query {
        with: None,
        body: Box::new(body),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    })
}

/// Lowers and resolves a query; also returns the names of its columns.
fn settle_columns(
    query: sqlparser::ast::Query,
    cx: &Context<'_>,
) -> Result<(Query, Resolution, Vec<Name>)> {
    let mut query = lower::query(query)?;
    let mut resolver = Resolver::new(cx);
    let columns = resolver.statement(&mut query)?;
    let names = columns.visible().map(|column| column.name.clone());
    let names = names.collect();
    let resolution = attributed(&query, resolver, cx);
    Ok((query, resolution, names))
}

/// Lowers and resolves a query.
fn settle(query: sqlparser::ast::Query, cx: &Context<'_>) -> Result<(Query, Resolution)> {
    let mut query = lower::query(query)?;
    let mut resolver = Resolver::new(cx);
    resolver.statement(&mut query)?;
    let resolution = attributed(&query, resolver, cx);
    Ok((query, resolution))
}

/// What is known of a settled query, and whose its rows are.
fn attributed(query: &Query, resolver: Resolver<'_>, cx: &Context<'_>) -> Resolution {
    let mut resolution = resolver.finish();
    resolution.patients = patients::of(query, &resolution, cx);
    resolution
}

/// What is known of a permit before its text is written.
struct Plan {
    kind: StatementKind,
    effect: Effect,
    copy: Option<CopyDirection>,
    /// It may run something masked that it does not spell out.
    by_reference: bool,
    /// The prepared statement that is, where it is one.
    runs: Option<String>,
}

impl Plan {
    fn new(kind: StatementKind) -> Self {
        Self {
            kind,
            effect: Effect::None,
            copy: None,
            by_reference: false,
            runs: None,
        }
    }

    fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// Writes the text and the skeleton, and makes the permit.
    fn permit(
        self,
        resolution: &Resolution,
        cx: &Context<'_>,
        write: impl Fn(&mut Writer<'_>),
    ) -> Result<Permit> {
        let mut writer = Writer::text(resolution, cx);
        write(&mut writer);
        let (sql, places) = writer.finish_with_places()?;
        let mut writer = Writer::skeleton(resolution, cx);
        write(&mut writer);
        let skeleton = writer.finish()?;
        let mut fingerprint = [0; FINGERPRINT_BYTES];
        for (to, from) in fingerprint
            .iter_mut()
            .zip(blake3::hash(skeleton.as_bytes()).as_bytes())
        {
            *to = *from;
        }
        Ok(Permit {
            sql,
            kind: self.kind,
            effect: self.effect,
            touches: resolution.touches(cx),
            patients: resolution.patients.clone(),
            functions: resolution.functions.iter().copied().collect(),
            skeleton,
            fingerprint,
            shape_bound: resolution.reads_own_target(),
            masked: resolution.masked || (self.by_reference && cx.policy.masks_anything()),
            copy: self.copy,
            runs: self.runs,
            places,
        })
    }

    /// The permit of a statement that names no relation.
    fn plain(self, cx: &Context<'_>, write: impl Fn(&mut Writer<'_>)) -> Result<Permit> {
        self.permit(&Resolution::default(), cx, write)
    }
}
