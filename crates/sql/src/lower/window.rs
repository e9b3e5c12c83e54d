//! Windows.

use sqlparser::ast;

use super::expr::{exprs, optional};
use super::{ident, query, unsupported};
use crate::ir::{Bound, Frame, Ident, Over, Window};
use crate::refusal::Result;

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
    Ok(Frame {
        units,
        start: bound(start_bound)?,
        end: end_bound.map(bound).transpose()?,
        exclude: None,
    })
}

fn bound(bound: ast::WindowFrameBound) -> Result<Bound> {
    Ok(match bound {
        ast::WindowFrameBound::CurrentRow => Bound::Current,
        ast::WindowFrameBound::Preceding(distance) => Bound::Preceding(optional(distance)?),
        ast::WindowFrameBound::Following(distance) => Bound::Following(optional(distance)?),
    })
}
