//! Cursors: DECLARE of a query read as any other, FETCH, CLOSE.

use sqlparser::ast::{self, FetchDirection};

use super::{Plan, settle};
use crate::lower::{self, absent, unsupported};
use crate::parse::{self, Marker};
use crate::refusal::{Place, Result};
use crate::{Context, Effect, Permit, StatementKind};

pub(super) fn declare(declarations: Vec<ast::Declare>, cx: &Context<'_>) -> Result<Permit> {
    let mut declarations = declarations.into_iter();
    let (Some(declaration), None) = (declarations.next(), declarations.next()) else {
        return Err(unsupported("several declarations", Place::default()));
    };
    let ast::Declare {
        names,
        data_type,
        assignment,
        declare_type,
        binary,
        sensitive,
        scroll,
        hold,
        for_query,
    } = declaration;
    let place = Place::default();
    absent(data_type, "a variable", place)?;
    absent(assignment, "a variable", place)?;
    let mut names = names.into_iter();
    let (Some(name), None) = (names.next(), names.next()) else {
        return Err(unsupported("several names in DECLARE", place));
    };
    let name = lower::ident(name)?.name;
    let (Some(ast::DeclareType::Cursor), Some(query)) = (declare_type, for_query) else {
        return Err(unsupported("DECLARE of anything but a cursor", place));
    };
    let (query, resolution) = settle(*query, cx)?;
    let plan = Plan::new(StatementKind::Cursor).effect(Effect::Declare(name.to_string()));
    plan.permit(&resolution, cx, |writer| {
        writer.push("DECLARE ");
        writer.chosen(&name);
        writer.push(if binary == Some(true) { " BINARY" } else { "" });
        writer.push(match sensitive {
            None => "",
            Some(true) => " INSENSITIVE",
            Some(false) => " ASENSITIVE",
        });
        writer.push(match scroll {
            None => "",
            Some(true) => " SCROLL",
            Some(false) => " NO SCROLL",
        });
        writer.push(match hold {
            None => " CURSOR",
            Some(true) => " CURSOR WITH HOLD",
            Some(false) => " CURSOR WITHOUT HOLD",
        });
        writer.push(" FOR ");
        writer.query(&query);
    })
}

pub(super) fn fetch(
    name: ast::Ident,
    direction: FetchDirection,
    position: &ast::FetchPosition,
    into: Option<ast::ObjectName>,
    cx: &Context<'_>,
) -> Result<Permit> {
    // FROM and IN mean the same.
    match position {
        ast::FetchPosition::From | ast::FetchPosition::In => {}
    }
    let moves = matches!(
        &into,
        Some(ast::ObjectName(parts)) if matches!(
            parts.as_slice(),
            [ast::ObjectNamePart::Identifier(name)] if parse::marker(name) == Some(Marker::Move)
        )
    );
    if !moves {
        absent(into, "FETCH INTO", lower::name_place(&name))?;
    }
    let name = lower::ident(name)?.name;
    let (word, count) = match direction {
        FetchDirection::Count { limit } => ("", Some(number(limit)?)),
        FetchDirection::Next => ("NEXT", None),
        FetchDirection::Prior => ("PRIOR", None),
        FetchDirection::First => ("FIRST", None),
        FetchDirection::Last => ("LAST", None),
        FetchDirection::Absolute { limit } => ("ABSOLUTE ", Some(number(limit)?)),
        FetchDirection::Relative { limit } => ("RELATIVE ", Some(number(limit)?)),
        FetchDirection::All => ("ALL", None),
        FetchDirection::Forward { limit } => ("FORWARD ", limit.map(number).transpose()?),
        FetchDirection::ForwardAll => ("FORWARD ALL", None),
        FetchDirection::Backward { limit } => ("BACKWARD ", limit.map(number).transpose()?),
        FetchDirection::BackwardAll => ("BACKWARD ALL", None),
    };
    let plan = Plan {
        by_reference: true,
        ..Plan::new(StatementKind::Cursor)
    };
    plan.plain(cx, |writer| {
        writer.push(if moves { "MOVE " } else { "FETCH " });
        writer.push(word);
        if let Some(count) = &count {
            writer.push(count);
        }
        writer.push(" FROM ");
        writer.chosen(&name);
    })
}

pub(super) fn close(cursor: ast::CloseCursor, cx: &Context<'_>) -> Result<Permit> {
    let name = match cursor {
        ast::CloseCursor::All => None,
        ast::CloseCursor::Specific { name } => Some(lower::ident(name)?.name),
    };
    let effect = Effect::CloseCursor(name.as_ref().map(ToString::to_string));
    Plan::new(StatementKind::Cursor)
        .effect(effect)
        .plain(cx, |writer| match &name {
            None => writer.push("CLOSE ALL"),
            Some(name) => {
                writer.push("CLOSE ");
                writer.chosen(name);
            }
        })
}

/// A whole number, as digits, perhaps after a minus.
fn number(value: ast::ValueWithSpan) -> Result<String> {
    let ast::ValueWithSpan { value, span: _ } = value;
    if let ast::Value::Number(text, false) = &value {
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(text.clone());
        }
    }
    Err(unsupported("this count", Place::default()))
}
