//! Casts, and what the grammar takes for one.

use sqlparser::ast::{self, DateTimeField, Expr as E};

use super::expr::{boxed, place_of_leaf};
use super::{absent, literal, object_name, parse, place, span_place, types, unsupported};
use crate::ir::{Expr, Literal, TypeName};
use crate::refusal::{Place, Result};

pub(super) fn cast(
    kind: &ast::CastKind,
    operand: Box<E>,
    data_type: ast::DataType,
    format: Option<ast::CastFormat>,
) -> Result<Expr> {
    absent(format, "FORMAT in CAST", Place::default())?;
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

pub(super) fn collate(operand: Box<E>, collation: ast::ObjectName) -> Result<Expr> {
    Ok(Expr::Collate {
        operand: Box::new(boxed(operand)?),
        collation: object_name(collation)?,
    })
}

pub(super) fn typed_string(string: ast::TypedString) -> Result<Expr> {
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

/// `INTERVAL '...' fields` is a cast of a string (gram.y `ConstInterval Sconst opt_interval`).
pub(super) fn interval_literal(interval: ast::Interval) -> Result<Expr> {
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
    ty.fields = interval_fields(leading_field.as_ref(), last_field.as_ref(), at)?;
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

/// The fields of an interval type, which PostgreSQL's grammar closes.
fn interval_fields(
    first: Option<&DateTimeField>,
    last: Option<&DateTimeField>,
    place: Place,
) -> Result<Option<&'static str>> {
    use DateTimeField as F;
    let fields = match (first, last) {
        (None, None) => return Ok(None),
        (Some(F::Year), None) => "YEAR",
        (Some(F::Month), None) => "MONTH",
        (Some(F::Day), None) => "DAY",
        (Some(F::Hour), None) => "HOUR",
        (Some(F::Minute), None) => "MINUTE",
        (Some(F::Second), None) => "SECOND",
        (Some(F::Year), Some(F::Month)) => "YEAR TO MONTH",
        (Some(F::Day), Some(F::Hour)) => "DAY TO HOUR",
        (Some(F::Day), Some(F::Minute)) => "DAY TO MINUTE",
        (Some(F::Day), Some(F::Second)) => "DAY TO SECOND",
        (Some(F::Hour), Some(F::Minute)) => "HOUR TO MINUTE",
        (Some(F::Hour), Some(F::Second)) => "HOUR TO SECOND",
        (Some(F::Minute), Some(F::Second)) => "MINUTE TO SECOND",
        (Some(_) | None, Some(_)) | (Some(_), None) => {
            return Err(unsupported("this interval field", place));
        }
    };
    Ok(Some(fields))
}
