//! Chains of operators: `a op b op c ...`, walked down their left spine in a loop.

use sqlparser::ast::{self, Expr as E};

use super::expr::{bare, boxed, expr, place_of_leaf};
use super::operator::{Infix, comparison_symbol, infix};
use super::{call, call_marker, parse, query, unsupported};
use crate::ir::{Call, Expr, Operator, Quantified, Special};
use crate::refusal::{Place, Reason, Refusal, Result};

/// `a op b op c ...`: down the left spine in a loop, then back up.
pub(super) fn chain(left: Box<E>, op: ast::BinaryOperator, right: Box<E>) -> Result<Expr> {
    let mut links = vec![(op, right)];
    let mut first = left;
    while matches!(*first, E::BinaryOp { .. }) {
        let E::BinaryOp { left, op, right } = *first else {
            break;
        };
        if let Some((outer, _)) = links.last()
            && let (Some(_), Some(symbol)) = (comparison_symbol(&op), comparison_symbol(outer))
        {
            // gram.y: comparisons do not associate.
            return Err(Refusal::new(
                Reason::Syntax,
                format!("syntax error at or near \"{symbol}\""),
            )
            .near(place_of_leaf(&right)));
        }
        links.push((op, right));
        first = left;
    }
    let start = if links.len() == 1 {
        Place::default()
    } else {
        place_of_leaf(&first)
    };
    let mut done = Link::Operand(boxed(first)?);
    for (op, right) in links.into_iter().rev() {
        done = link(done, infix(op, start)?, right, start)?;
    }
    Ok(done.into_expr(start))
}

/// What a chain has become so far.
enum Link {
    Operand(Expr),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Binary(Box<Expr>, Vec<(Operator, Expr)>),
}

impl Link {
    fn into_expr(self, place: Place) -> Expr {
        match self {
            Self::Operand(expr) => expr,
            Self::And(list) => Expr::And(list),
            Self::Or(list) => Expr::Or(list),
            Self::Binary(first, rest) => Expr::Binary { first, rest, place },
        }
    }
}

fn link(done: Link, op: Infix, right: Box<E>, place: Place) -> Result<Link> {
    Ok(match op {
        Infix::And => match done {
            Link::And(mut list) => {
                list.push(boxed(right)?);
                Link::And(list)
            }
            other => Link::And(vec![other.into_expr(place), boxed(right)?]),
        },
        Infix::Or => match done {
            Link::Or(mut list) => {
                list.push(boxed(right)?);
                Link::Or(list)
            }
            other => Link::Or(vec![other.into_expr(place), boxed(right)?]),
        },
        Infix::Operator(operator) => match (done, *right) {
            // What the pre-pass says of ANY and ALL.
            (done, E::Function(call)) if quantifier(&call).is_some() => {
                let all = quantifier(&call) == Some(parse::Marker::All);
                Link::Operand(Expr::Quantified {
                    left: Box::new(done.into_expr(place)),
                    operator,
                    all,
                    right: quantified_argument(call)?,
                    place,
                })
            }
            (Link::Binary(first, mut rest), right) => {
                rest.push((operator, expr(right)?));
                Link::Binary(first, rest)
            }
            (other, right) => Link::Binary(
                Box::new(other.into_expr(place)),
                vec![(operator, expr(right)?)],
            ),
        },
        Infix::Overlaps => Link::Operand(overlaps(done.into_expr(place), boxed(right)?, place)?),
    })
}

fn quantifier(call: &ast::Function) -> Option<parse::Marker> {
    call_marker(call).filter(|marker| matches!(marker, parse::Marker::Any | parse::Marker::All))
}

/// What stands in the brackets of ANY: a query or an array.
fn quantified_argument(call: ast::Function) -> Result<Quantified> {
    let place = super::place(&call.name);
    let mut arguments = call::plain_arguments(call)?.into_iter();
    match (arguments.next().map(bare), arguments.next()) {
        (Some(E::Subquery(subquery)), None) => Ok(Quantified::Query(Box::new(query(*subquery)?))),
        (Some(array), None) => Ok(Quantified::Array(Box::new(expr(array)?))),
        (Some(_), Some(_)) | (None, _) => Err(unsupported("this list after ANY or ALL", place)),
    }
}

/// `(a, b) OVERLAPS (c, d)` is the function of that name (gram.y).
fn overlaps(left: Expr, right: Expr, place: Place) -> Result<Expr> {
    match (left, right) {
        (Expr::Special(Special::Row, mut left), Expr::Special(Special::Row, right))
            if left.len() == 2 && right.len() == 2 =>
        {
            left.extend(right);
            Ok(Call::built_in("overlaps", left))
        }
        _other => Err(unsupported("OVERLAPS of anything but two pairs", place)),
    }
}
