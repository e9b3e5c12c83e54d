//! Windows.

use sqlparser::ast;

use super::expr::{exprs, optional};
use super::{ident, parse, query, unsupported};
use crate::ir::{Bound, Frame, Ident, Over, Window};
use crate::refusal::{Place, Result};

/// What follows OVER.
pub(super) fn over(over: ast::WindowType) -> Result<Over> {
    match over {
        ast::WindowType::WindowSpec(spec) => window(spec).map(Over::Window),
        ast::WindowType::NamedWindow(name) => ident(name).map(Over::Named),
    }
}

/// One definition of a WINDOW clause.
pub(super) fn named(definition: ast::NamedWindowDefinition) -> Result<(Ident, Window)> {
    let ast::NamedWindowDefinition(name, window_expr) = definition;
    let name = ident(name)?;
    match window_expr {
        ast::NamedWindowExpr::WindowSpec(spec) => Ok((name, window(spec)?)),
        ast::NamedWindowExpr::NamedWindow(_) => Err(unsupported(
            "a window that is only another's name",
            name.place,
        )),
    }
}

fn window(spec: ast::WindowSpec) -> Result<Window> {
    let ast::WindowSpec {
        window_name,
        partition_by,
        order_by,
        window_frame,
    } = spec;
    Ok(Window {
        base: window_name.map(ident).transpose()?,
        partition_by: exprs(partition_by)?,
        order_by: query::order_items(order_by)?,
        frame: window_frame.map(frame).transpose()?,
    })
}

fn frame(frame: ast::WindowFrame) -> Result<Frame> {
    let ast::WindowFrame {
        units,
        start_bound,
        end_bound,
    } = frame;
    let units = match units {
        ast::WindowFrameUnits::Rows => "ROWS",
        ast::WindowFrameUnits::Range => "RANGE",
        ast::WindowFrameUnits::Groups => "GROUPS",
    };
    let (start, start_exclude) = bound(start_bound)?;
    let (end, end_exclude) = match end_bound {
        None => (None, None),
        Some(end) => {
            let (end, exclude) = bound(end)?;
            (Some(end), exclude)
        }
    };
    // The pre-pass hangs EXCLUDE on the last bound.
    if start_exclude.is_some() && end.is_some() {
        return Err(unsupported("this window frame", Place::default()));
    }
    Ok(Frame {
        units,
        start,
        end,
        exclude: start_exclude.or(end_exclude),
    })
}

/// A bound, and the EXCLUDE that the pre-pass hung on it.
fn bound(bound: ast::WindowFrameBound) -> Result<(Bound, Option<&'static str>)> {
    let (distance, preceding) = match bound {
        ast::WindowFrameBound::CurrentRow => return Ok((Bound::Current, None)),
        ast::WindowFrameBound::Preceding(distance) => (distance, true),
        ast::WindowFrameBound::Following(distance) => (distance, false),
    };
    let (distance, exclude) = match distance.map(|distance| *distance) {
        None => (None, None),
        Some(ast::Expr::BinaryOp {
            left,
            op: ast::BinaryOperator::Or,
            right,
        }) if excluded(&right).is_some() => (Some(left), excluded(&right)),
        Some(other) => (Some(Box::new(other)), None),
    };
    let distance = match distance.as_deref().map(frame_marker) {
        Some(Some(parse::Marker::CurrentRow)) if exclude.is_some() => {
            return Ok((Bound::Current, exclude));
        }
        Some(Some(parse::Marker::Unbounded)) if exclude.is_some() => None,
        // Any other marker is refused as the name it stands for.
        Some(_) | None => optional(distance)?,
    };
    let bound = if preceding {
        Bound::Preceding(distance)
    } else {
        Bound::Following(distance)
    };
    Ok((bound, exclude))
}

/// The EXCLUDE that an expression is the marker of, in PostgreSQL's words.
fn excluded(e: &ast::Expr) -> Option<&'static str> {
    match frame_marker(e) {
        Some(parse::Marker::Exclude(words)) => Some(words),
        _other => None,
    }
}

fn frame_marker(e: &ast::Expr) -> Option<parse::Marker> {
    match e {
        ast::Expr::Identifier(name) => parse::marker(name),
        _other => None,
    }
}
