//! Expressions. The dispatch is one flat match over small functions, so that a deep tree costs
//! little stack a level; left-associative chains are walked in a loop.

use sqlparser::ast::{self, Expr as E};

use super::operator::{Prefix, prefix};
use super::{
    access, call, cast, chain, column_id, compare, ident, json, literal, parse, place, query,
    span_place, spelled, unsupported,
};
use crate::ir::{Call, Expr, Literal, Operator, Special};
use crate::refusal::{Place, Reason, Refusal, Result};

/// An expression.
pub(crate) fn expr(e: E) -> Result<Expr> {
    boxed(Box::new(e))
}

/// The same of an expression that is boxed already; the recursion goes through here.
pub(super) fn boxed(e: Box<E>) -> Result<Expr> {
    match *e {
        E::Identifier(name) => identifier(name),
        E::CompoundIdentifier(path) => compound(path),
        E::CompoundFieldAccess { root, access_chain } => access::access(root, access_chain),
        E::IsFalse(e) => is(e, "FALSE", false),
        E::IsNotFalse(e) => is(e, "FALSE", true),
        E::IsTrue(e) => is(e, "TRUE", false),
        E::IsNotTrue(e) => is(e, "TRUE", true),
        E::IsNull(e) => is(e, "NULL", false),
        E::IsNotNull(e) => is(e, "NULL", true),
        E::IsUnknown(e) => is(e, "UNKNOWN", false),
        E::IsNotUnknown(e) => is(e, "UNKNOWN", true),
        E::IsJson {
            expr,
            kind,
            unique_keys,
            negated,
        } => json::is_json(expr, kind.as_ref(), unique_keys.as_ref(), negated),
        E::IsDistinctFrom(left, right) => distinct(left, right, false),
        E::IsNotDistinctFrom(left, right) => distinct(left, right, true),
        E::IsNormalized {
            expr,
            form,
            negated,
        } => normalized(expr, form, negated),
        E::InList {
            expr,
            list,
            negated,
        } => compare::in_list(expr, list, negated),
        E::InSubquery {
            expr,
            subquery,
            negated,
        } => compare::in_subquery(expr, subquery, negated),
        E::Between {
            expr,
            negated,
            low,
            high,
        } => compare::between(expr, negated, low, high),
        E::BinaryOp { left, op, right } => chain::chain(left, op, right),
        E::Like {
            negated,
            any,
            expr,
            pattern,
            escape_char,
        } => compare::like(
            [Operator::new("~~"), Operator::new("!~~")],
            negated,
            any,
            expr,
            pattern,
            escape_char,
        ),
        E::ILike {
            negated,
            any,
            expr,
            pattern,
            escape_char,
        } => compare::like(
            [Operator::new("~~*"), Operator::new("!~~*")],
            negated,
            any,
            expr,
            pattern,
            escape_char,
        ),
        E::SimilarTo {
            negated,
            expr,
            pattern,
            escape_char,
        } => compare::similar(negated, expr, pattern, escape_char),
        E::AnyOp {
            left,
            compare_op,
            right,
            is_some: _,
        } => compare::quantified(left, compare_op, right, false),
        E::AllOp {
            left,
            compare_op,
            right,
        } => compare::quantified(left, compare_op, right, true),
        E::UnaryOp { op, expr } => unary(op, expr),
        E::Cast {
            kind,
            expr,
            data_type,
            format,
        } => cast::cast(&kind, expr, data_type, format),
        E::AtTimeZone {
            timestamp,
            time_zone,
        } => at_time_zone(timestamp, time_zone),
        E::Extract {
            field,
            syntax,
            expr,
        } => spelled::extract(&field, &syntax, expr),
        E::Ceil { expr, field } => spelled::rounded("ceil", expr, &field),
        E::Floor { expr, field } => spelled::rounded("floor", expr, &field),
        E::Position { expr: what, r#in } => pair("position", r#in, what),
        E::Substring {
            expr,
            substring_from,
            substring_for,
            special,
            shorthand,
        } => spelled::substring(expr, substring_from, substring_for, special, shorthand),
        E::Trim {
            trim_where,
            trim_what,
            expr,
            trim_characters,
        } => spelled::trim(trim_where, trim_what, expr, trim_characters),
        E::Overlay {
            expr,
            overlay_what,
            overlay_from,
            overlay_for,
        } => spelled::overlay(expr, overlay_what, overlay_from, overlay_for),
        E::Collate { expr, collation } => cast::collate(expr, collation),
        E::Nested(inner) => boxed(inner),
        E::Value(value) => literal::value(value),
        E::TypedString(string) => cast::typed_string(string),
        E::Function(function) => call::function(function),
        E::Case {
            case_token: _,
            end_token: _,
            operand,
            conditions,
            else_result,
        } => case(operand, conditions, else_result),
        E::Exists { subquery, negated } => exists(subquery, negated),
        E::Subquery(subquery) => scalar(subquery),
        E::Tuple(list) => tuple(list),
        E::Array(ast::Array { elem, named: true }) => array(elem),
        e @ E::Array(ast::Array {
            elem: _,
            named: false,
        }) => Err(Refusal::new(Reason::Syntax, "syntax error at or near \"[\"").near(place(&e))),
        E::Interval(interval) => cast::interval_literal(interval),
        e @ E::JsonAccess { .. } => Err(unsupported("a colon path", place(&e))),
        e @ E::InUnnest { .. } => Err(unsupported("IN UNNEST", place(&e))),
        e @ E::RLike { .. } => Err(unsupported("RLIKE", place(&e))),
        e @ E::Convert { .. } => Err(unsupported("CONVERT", place(&e))),
        e @ E::Prefixed { .. } => Err(unsupported("a prefixed literal", place(&e))),
        e @ E::GroupingSets(_) => Err(unsupported("GROUPING SETS here", place(&e))),
        e @ E::Cube(_) => Err(unsupported("CUBE here", place(&e))),
        e @ E::Rollup(_) => Err(unsupported("ROLLUP here", place(&e))),
        e @ (E::Struct { .. }
        | E::Named { .. }
        | E::Dictionary(_)
        | E::Map(_)
        | E::MatchAgainst { .. }
        | E::OuterJoin(_)
        | E::Prior(_)
        | E::Lambda(_)
        | E::MemberOf(_)) => Err(unsupported("this expression", place(&e))),
        e @ (E::Wildcard(_) | E::QualifiedWildcard(_, _)) => {
            Err(unsupported("a star here", place(&e)))
        }
    }
}

/// A list of expressions.
pub(super) fn exprs(list: Vec<E>) -> Result<Vec<Expr>> {
    list.into_iter().map(expr).collect()
}

/// An expression that may be absent.
pub(super) fn optional(e: Option<Box<E>>) -> Result<Option<Box<Expr>>> {
    e.map(|e| boxed(e).map(Box::new)).transpose()
}

/// Takes off parentheses.
pub(super) fn bare(mut e: E) -> E {
    while let E::Nested(inner) = e {
        e = *inner;
    }
    e
}

fn identifier(name: ast::Ident) -> Result<Expr> {
    if name.quote_style.is_none()
        && let Some(function) = call::value_function(&name.value)
    {
        return Ok(Expr::ValueFunction(function));
    }
    Ok(Expr::Unresolved(vec![column_id(name)?]))
}

/// A dotted name, of which only the first may be no reserved word (`columnref`).
fn compound(path: Vec<ast::Ident>) -> Result<Expr> {
    let mut path = path.into_iter();
    let first = path.next().map(column_id).transpose()?;
    let mut names: Vec<_> = first.into_iter().collect();
    for name in path {
        names.push(ident(name)?);
    }
    Ok(Expr::Unresolved(names))
}

fn exists(subquery: Box<ast::Query>, negated: bool) -> Result<Expr> {
    let exists = Expr::Exists(Box::new(query(*subquery)?));
    Ok(if negated {
        Expr::Not(Box::new(exists))
    } else {
        exists
    })
}

fn scalar(subquery: Box<ast::Query>) -> Result<Expr> {
    Ok(Expr::Scalar(Box::new(query(*subquery)?)))
}

/// `x AT TIME ZONE z` is `timezone(z, x)`, and `x AT LOCAL`, from 17, is `timezone(x)`.
fn at_time_zone(timestamp: Box<E>, zone: Box<E>) -> Result<Expr> {
    if let E::Identifier(name) = &*zone
        && parse::marker(name) == Some(parse::Marker::Local)
    {
        return Ok(Call::built_in("timezone", vec![boxed(timestamp)?]));
    }
    pair("timezone", zone, timestamp)
}

/// A built-in function of two arguments that special syntax stands for.
fn pair(name: &str, one: Box<E>, other: Box<E>) -> Result<Expr> {
    Ok(Call::built_in(name, vec![boxed(one)?, boxed(other)?]))
}

fn is(operand: Box<E>, test: &'static str, negated: bool) -> Result<Expr> {
    Ok(Expr::Is {
        operand: Box::new(boxed(operand)?),
        test,
        negated,
    })
}

fn distinct(left: Box<E>, right: Box<E>, negated: bool) -> Result<Expr> {
    Ok(Expr::IsDistinct {
        left: Box::new(boxed(left)?),
        right: Box::new(boxed(right)?),
        negated,
    })
}

fn normalized(
    operand: Box<E>,
    form: Option<ast::NormalizationForm>,
    negated: bool,
) -> Result<Expr> {
    let form = match form {
        None | Some(ast::NormalizationForm::NFC) => "NFC",
        Some(ast::NormalizationForm::NFD) => "NFD",
        Some(ast::NormalizationForm::NFKC) => "NFKC",
        Some(ast::NormalizationForm::NFKD) => "NFKD",
    };
    let form = Expr::Literal(Literal::String(form.into()));
    let call = Call::built_in("is_normalized", vec![boxed(operand)?, form]);
    Ok(if negated {
        Expr::Not(Box::new(call))
    } else {
        call
    })
}

fn unary(op: ast::UnaryOperator, operand: Box<E>) -> Result<Expr> {
    let place = place_of_leaf(&operand);
    let operator = match prefix(op, place)? {
        Prefix::Not => return Ok(Expr::Not(Box::new(boxed(operand)?))),
        Prefix::Operator(operator) => operator,
    };
    let operand = boxed(operand)?;
    // gram.y folds the sign into a number (`doNegate`), which settles its type.
    if operator.0 == "-"
        && let Expr::Literal(Literal::Number(digits)) = &operand
    {
        let negated = match digits.strip_prefix('-') {
            Some(positive) => positive.into(),
            None => format!("-{digits}").into(),
        };
        return Ok(Expr::Literal(Literal::Number(negated)));
    }
    Ok(Expr::Unary {
        operator,
        operand: Box::new(operand),
        place,
    })
}

fn case(
    operand: Option<Box<E>>,
    conditions: Vec<ast::CaseWhen>,
    otherwise: Option<Box<E>>,
) -> Result<Expr> {
    let arm =
        |ast::CaseWhen { condition, result }: ast::CaseWhen| Ok((expr(condition)?, expr(result)?));
    Ok(Expr::Case {
        operand: optional(operand)?,
        arms: conditions.into_iter().map(arm).collect::<Result<_>>()?,
        otherwise: optional(otherwise)?,
    })
}

/// `ARRAY[[1, 2], [3, 4]]`: within the brackets of ARRAY, brackets alone are an array too.
fn array(list: Vec<E>) -> Result<Expr> {
    let item = |e: E| match e {
        E::Array(ast::Array {
            elem: inner,
            named: _,
        }) => array(inner),
        other => expr(other),
    };
    let list = list.into_iter().map(item).collect::<Result<_>>()?;
    Ok(Expr::Special(Special::Array, list))
}

fn tuple(list: Vec<E>) -> Result<Expr> {
    if list.is_empty() {
        return Err(unsupported("an empty row", Place::default()));
    }
    Ok(Expr::Special(Special::Row, exprs(list)?))
}

/// The place of a name or literal; nothing deeper is looked into, so that it costs nothing.
pub(super) fn place_of_leaf(e: &E) -> Place {
    match e {
        E::Identifier(name) => span_place(name.span),
        E::CompoundIdentifier(path) => path
            .first()
            .map_or(Place::default(), |name| span_place(name.span)),
        E::Value(value) => span_place(value.span),
        _deeper => Place::default(),
    }
}
