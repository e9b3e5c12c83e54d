//! Expressions. The dispatch is one flat match over small functions, so that a deep tree costs
//! little stack a level; left-associative chains are walked in a loop.

use sqlparser::ast::{self, Expr as E};

use super::operator::{Infix, Prefix, comparison, comparison_symbol, infix, prefix};
use super::unsupported;
use super::{
    access, call, call_marker, column_id, ident, literal, object_name, parse, place, query,
    span_place, types,
};
use crate::ir::{Call, Expr, Literal, Operator, Quantified, Special, TypeName};
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
        } => in_list(expr, list, negated),
        E::InSubquery {
            expr,
            subquery,
            negated,
        } => in_subquery(expr, subquery, negated),
        E::Between {
            expr,
            negated,
            low,
            high,
        } => between(expr, negated, low, high),
        E::BinaryOp { left, op, right } => chain(left, op, right),
        E::Like {
            negated,
            any,
            expr,
            pattern,
            escape_char,
        } => like(
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
        } => like(
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
        } => similar(negated, expr, pattern, escape_char),
        E::AnyOp {
            left,
            compare_op,
            right,
            is_some: _,
        } => quantified(left, compare_op, right, false),
        E::AllOp {
            left,
            compare_op,
            right,
        } => quantified(left, compare_op, right, true),
        E::UnaryOp { op, expr } => unary(op, expr),
        E::Cast {
            kind,
            expr,
            data_type,
            format,
        } => cast(&kind, expr, data_type, format),
        E::AtTimeZone {
            timestamp,
            time_zone,
        } => at_time_zone(timestamp, time_zone),
        E::Extract {
            field,
            syntax,
            expr,
        } => call::extract(&field, &syntax, expr),
        E::Ceil { expr, field } => call::rounded("ceil", expr, &field),
        E::Floor { expr, field } => call::rounded("floor", expr, &field),
        E::Position { expr: what, r#in } => pair("position", r#in, what),
        E::Substring {
            expr,
            substring_from,
            substring_for,
            special,
            shorthand,
        } => call::substring(expr, substring_from, substring_for, special, shorthand),
        E::Trim {
            trim_where,
            trim_what,
            expr,
            trim_characters,
        } => call::trim(trim_where, trim_what, expr, trim_characters),
        E::Overlay {
            expr,
            overlay_what,
            overlay_from,
            overlay_for,
        } => call::overlay(expr, overlay_what, overlay_from, overlay_for),
        E::Collate { expr, collation } => collate(expr, collation),
        E::Nested(inner) => boxed(inner),
        E::Value(value) => literal::value(value),
        E::TypedString(string) => typed_string(string),
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
        E::Interval(interval) => interval_literal(interval),
        e @ E::IsJson { .. } => Err(unsupported("IS JSON", place(&e))),
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

fn in_list(operand: Box<E>, list: Vec<E>, negated: bool) -> Result<Expr> {
    Ok(Expr::InList {
        operand: Box::new(boxed(operand)?),
        list: exprs(list)?,
        negated,
    })
}

fn in_subquery(operand: Box<E>, subquery: Box<ast::Query>, negated: bool) -> Result<Expr> {
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

fn between(operand: Box<E>, negated: bool, low: Box<E>, high: Box<E>) -> Result<Expr> {
    let (low, symmetric) = match *low {
        E::Function(call) if is_symmetric(&call) => (call::only_argument(call)?, true),
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

/// Whether a call is the pre-pass's way of saying BETWEEN SYMMETRIC.
fn is_symmetric(call: &ast::Function) -> bool {
    let [ast::ObjectNamePart::Identifier(name)] = call.name.0.as_slice() else {
        return false;
    };
    parse::marker(name) == Some(parse::Marker::Symmetric)
}

/// `a op b op c ...`: down the left spine in a loop, then back up.
fn chain(left: Box<E>, op: ast::BinaryOperator, right: Box<E>) -> Result<Expr> {
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

/// LIKE and ILIKE are operators, their ESCAPE a function (gram.y).
fn like(
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
        super::absent(escape, "ESCAPE with ANY", Place::default())?;
        return quantify(operand, operator, pattern, false, Place::default());
    }
    let mut pattern = boxed(pattern)?;
    if let Some(escape) = escape {
        pattern = Call::built_in("like_escape", vec![pattern, boxed(escape)?]);
    }
    Ok(binary(operator, boxed(operand)?, pattern))
}

/// SIMILAR TO is a regular expression made by a function (gram.y).
fn similar(
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

fn quantified(left: Box<E>, op: ast::BinaryOperator, right: Box<E>, all: bool) -> Result<Expr> {
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

fn cast(
    kind: &ast::CastKind,
    operand: Box<E>,
    data_type: ast::DataType,
    format: Option<ast::CastFormat>,
) -> Result<Expr> {
    super::absent(format, "FORMAT in CAST", Place::default())?;
    match kind {
        ast::CastKind::Cast | ast::CastKind::DoubleColon => {}
        ast::CastKind::TryCast | ast::CastKind::SafeCast => {
            return Err(unsupported("this kind of cast", place(&*operand)));
        }
    }
    let at = place_of_leaf(&operand);
    let operand = Box::new(boxed(operand)?);
    if let ast::DataType::Custom(ast::ObjectName(parts), modifiers) = &data_type
        && let [ast::ObjectNamePart::Identifier(first), collation @ ..] = parts.as_slice()
        && parse::marker(first) == Some(parse::Marker::Collate)
        && !collation.is_empty()
        && modifiers.is_empty()
    {
        let collation = object_name(ast::ObjectName(collation.to_vec()))?;
        return Ok(Expr::Collate { operand, collation });
    }
    let ty = types::type_name(data_type).map_err(|refusal| refusal.near(at))?;
    Ok(Expr::Cast { operand, ty })
}

fn collate(operand: Box<E>, collation: ast::ObjectName) -> Result<Expr> {
    Ok(Expr::Collate {
        operand: Box::new(boxed(operand)?),
        collation: object_name(collation)?,
    })
}

fn typed_string(string: ast::TypedString) -> Result<Expr> {
    let ast::TypedString {
        data_type,
        value,
        uses_odbc_syntax,
    } = string;
    let at = span_place(value.span);
    if uses_odbc_syntax {
        return Err(unsupported("ODBC syntax", at));
    }
    let operand = Box::new(literal::value(value)?);
    let ty = types::type_name(data_type).map_err(|refusal| refusal.near(at))?;
    Ok(Expr::Cast { operand, ty })
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

/// `INTERVAL '...' fields` is a cast of a string (gram.y `ConstInterval Sconst opt_interval`).
fn interval_literal(interval: ast::Interval) -> Result<Expr> {
    let ast::Interval {
        value,
        leading_field,
        leading_precision,
        last_field,
        fractional_seconds_precision,
    } = interval;
    let at = place(&*value);
    let E::Value(value) = *value else {
        return Err(unsupported("INTERVAL of anything but a string", at));
    };
    let literal = literal::value(value)?;
    if !matches!(literal, Expr::Literal(Literal::String(_))) {
        return Err(unsupported("INTERVAL of anything but a string", at));
    }
    let mut ty = TypeName::built_in("interval");
    ty.fields = call::interval_fields(leading_field.as_ref(), last_field.as_ref(), at)?;
    let precision = leading_precision.or(fractional_seconds_precision);
    if precision.is_some() && !ty.fields.is_some_and(|fields| fields.ends_with("SECOND")) {
        return Err(unsupported("this precision of an interval", at));
    }
    ty.modifiers
        .extend(precision.map(|precision| precision.min(u64::from(u32::MAX)) as i64));
    Ok(Expr::Cast {
        operand: Box::new(literal),
        ty,
    })
}

/// The place of a name or literal; nothing deeper is looked into, so that it costs nothing.
fn place_of_leaf(e: &E) -> Place {
    match e {
        E::Identifier(name) => span_place(name.span),
        E::CompoundIdentifier(path) => path
            .first()
            .map_or(Place::default(), |name| span_place(name.span)),
        E::Value(value) => span_place(value.span),
        _deeper => Place::default(),
    }
}
