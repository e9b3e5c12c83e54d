//! One statement at a time: which kinds are read, and how.

use sqlparser::ast;

use crate::ir::Query;
use crate::parse::{self, Parsed};
use crate::refusal::{Reason, Refusal};
use crate::render::Writer;
use crate::resolve::Resolver;
use crate::{Batch, Context, Effect, Permit, StatementKind, lower};

/// Analyses the text of a simple query: every statement of it, or none.
///
/// # Errors
/// The refusal of the first statement that is refused.
pub fn analyse(text: &str, cx: &Context<'_>) -> Result<Batch, Refusal> {
    let permits = parse::statements(text)?
        .into_iter()
        .map(|parsed| one(parsed, cx))
        .collect::<Result<_, _>>()?;
    Ok(Batch { permits })
}

/// Analyses the text of a Parse message: one statement, or `None` for an empty one.
///
/// # Errors
/// The refusal.
pub fn analyse_one(text: &str, cx: &Context<'_>) -> Result<Option<Permit>, Refusal> {
    let mut statements = parse::statements(text)?.into_iter();
    match (statements.next(), statements.next()) {
        (None, _) => Ok(None),
        (Some(parsed), None) => one(parsed, cx).map(Some),
        (Some(_), Some(_)) => Err(Refusal::new(
            Reason::Syntax,
            "cannot insert multiple commands into a prepared statement",
        )),
    }
}

fn one(parsed: Parsed, cx: &Context<'_>) -> Result<Permit, Refusal> {
    let Parsed { statement, start: _, end: _ } = parsed;
    match statement {
        ast::Statement::Query(query) => self::query(lower::query(*query)?, cx),
        _ => Err(Refusal::new(Reason::Statement, "not yet")),
    }
}

fn query(mut query: Query, cx: &Context<'_>) -> Result<Permit, Refusal> {
    let mut resolver = Resolver::new(cx);
    resolver.statement(&mut query)?;
    let resolution = resolver.finish();
    let mut writer = Writer::text(&resolution, cx);
    writer.query(&query);
    let sql = writer.finish()?;
    let mut writer = Writer::skeleton(&resolution, cx);
    writer.query(&query);
    let skeleton = writer.finish()?;
    Ok(permit(StatementKind::Query, sql, skeleton, Effect::None, &resolution, cx))
}

fn permit(
    kind: StatementKind,
    sql: String,
    skeleton: String,
    effect: Effect,
    resolution: &crate::resolve::Resolution,
    cx: &Context<'_>,
) -> Permit {
    let mut fingerprint = [0; 16];
    let hash = blake3::hash(skeleton.as_bytes());
    fingerprint.copy_from_slice(&hash.as_bytes()[..16]);
    Permit {
        sql,
        kind,
        effect,
        touches: resolution.touches(cx),
        skeleton,
        fingerprint,
        masked: resolution.masked,
        copy: None,
    }
}
