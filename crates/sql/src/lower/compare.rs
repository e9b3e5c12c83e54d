//! Comparisons with a grammar of their own: IN, BETWEEN, LIKE, SIMILAR TO, ANY and ALL.

use sqlparser::ast::{self, Expr as E};

use super::expr::{bare, boxed, expr, place_of_leaf};
use super::operator::comparison;
use super::{absent, call, call_marker, parse, query};
use crate::ir::{Call, Expr, Operator, Quantified};
use crate::refusal::{Place, Result};

pub(super) fn in_list(operand: Box<E>, list: Vec<E>, negated: bool) -> Result<Expr> {
    let item = |item: E| match item {
        E::Function(call) if call_marker(&call) == Some(parse::Marker::Operand) => {
            call::only_argument(call)
        }
        other => expr(other),
    };
    Ok(Expr::InList {
        operand: Box::new(boxed(operand)?),
        list: list.into_iter().map(item).collect::<Result<_>>()?,
        negated,
    })
}

pub(super) fn in_subquery(
    operand: Box<E>,
    subquery: Box<ast::Query>,
    negated: bool,
) -> Result<Expr> {
    let found = Expr::Quantified {
        left: Box::new(boxed(operand)?),
        operator: Operator::new("="),
        all: false,
        right: Quantified::Query(Box::new(query(*subquery)?)),
        place: Place::default(),
    };
    Ok(if negated {
        Expr::Not(Box::new(found))
    } else {
        found
    })
}

pub(super) fn between(operand: Box<E>, negated: bool, low: Box<E>, high: Box<E>) -> Result<Expr> {
    let (low, symmetric) = match *low {
        E::Function(call) if call_marker(&call) == Some(parse::Marker::Symmetric) => {
            (call::only_argument(call)?, true)
        }
        low => (expr(low)?, false),
    };
    Ok(Expr::Between {
        operand: Box::new(boxed(operand)?),
        low: Box::new(low),
        high: Box::new(boxed(high)?),
        symmetric,
        negated,
    })
}

/// LIKE and ILIKE are operators, their ESCAPE a function (gram.y).
pub(super) fn like(
    operators: [Operator; 2],
    negated: bool,
    any: bool,
    operand: Box<E>,
    pattern: Box<E>,
    escape: Option<Box<E>>,
) -> Result<Expr> {
    let [positive, negative] = operators;
    let operator = if negated { negative } else { positive };
    if any {
        absent(escape, "ESCAPE with ANY", Place::default())?;
        return quantify(operand, operator, pattern, false, Place::default());
    }
    let mut pattern = boxed(pattern)?;
    if let Some(escape) = escape {
        pattern = Call::built_in("like_escape", vec![pattern, boxed(escape)?]);
    }
    Ok(binary(operator, boxed(operand)?, pattern))
}

/// SIMILAR TO is a regular expression made by a function (gram.y).
pub(super) fn similar(
    negated: bool,
    operand: Box<E>,
    pattern: Box<E>,
    escape: Option<Box<E>>,
) -> Result<Expr> {
    let mut arguments = vec![boxed(pattern)?];
    if let Some(escape) = escape {
        arguments.push(boxed(escape)?);
    }
    let pattern = Call::built_in("similar_to_escape", arguments);
    let operator = Operator::new(if negated { "!~" } else { "~" });
    Ok(binary(operator, boxed(operand)?, pattern))
}

fn binary(operator: Operator, left: Expr, right: Expr) -> Expr {
    let place = Place::default();
    Expr::Binary {
        first: Box::new(left),
        rest: vec![(operator, right)],
        place,
    }
}

pub(super) fn quantified(
    left: Box<E>,
    op: ast::BinaryOperator,
    right: Box<E>,
    all: bool,
) -> Result<Expr> {
    let place = place_of_leaf(&left);
    quantify(left, comparison(op, place)?, right, all, place)
}

fn quantify(
    left: Box<E>,
    operator: Operator,
    right: Box<E>,
    all: bool,
    place: Place,
) -> Result<Expr> {
    let left = Box::new(boxed(left)?);
    let right = match bare(*right) {
        E::Subquery(subquery) => Quantified::Query(Box::new(query(*subquery)?)),
        other => Quantified::Array(Box::new(expr(other)?)),
    };
    Ok(Expr::Quantified {
        left,
        operator,
        all,
        right,
        place,
    })
}
