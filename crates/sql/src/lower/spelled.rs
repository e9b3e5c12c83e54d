//! Functions that the grammar spells in words: EXTRACT, SUBSTRING, TRIM, OVERLAY, CEIL and FLOOR.

use sqlparser::ast::{self, DateTimeField, Expr as E};

use super::expr::{boxed, exprs};
use super::{ident, unsupported};
use crate::ir::{Call, Expr, Literal, TypeName};
use crate::refusal::{Place, Result};

/// `EXTRACT(field FROM x)` is `pg_catalog.extract('field', x)` (gram.y).
pub(super) fn extract(
    field: &DateTimeField,
    syntax: &ast::ExtractSyntax,
    x: Box<E>,
) -> Result<Expr> {
    let place = super::place(&*x);
    match syntax {
        ast::ExtractSyntax::From => {}
        ast::ExtractSyntax::Comma => return Err(unsupported("EXTRACT with a comma", place)),
    }
    let field = Expr::Literal(Literal::String(field_name(field, place)?.into()));
    Ok(Call::built_in("extract", vec![field, boxed(x)?]))
}

/// CEIL and FLOOR are plain functions in PostgreSQL.
pub(super) fn rounded(name: &str, x: Box<E>, field: &ast::CeilFloorKind) -> Result<Expr> {
    match field {
        ast::CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) => {
            Ok(Call::built_in(name, vec![boxed(x)?]))
        }
        ast::CeilFloorKind::DateTimeField(_) | ast::CeilFloorKind::Scale(_) => {
            Err(unsupported("CEIL or FLOOR to a unit", super::place(&*x)))
        }
    }
}

/// `SUBSTRING(x FROM a FOR b)`, `SUBSTRING(x FOR b)`, `SUBSTRING(x, a, b)`, `SUBSTR(x, a, b)`.
pub(super) fn substring(
    x: Box<E>,
    from: Option<Box<E>>,
    length: Option<Box<E>>,
    comma: bool,
    shorthand: bool,
) -> Result<Expr> {
    if shorthand && !comma {
        return Err(unsupported("SUBSTR with FROM", super::place(&*x)));
    }
    let mut arguments = vec![boxed(x)?];
    match (from, length) {
        (Some(from), length) => {
            arguments.push(boxed(from)?);
            if let Some(length) = length {
                arguments.push(boxed(length)?);
            }
        }
        // gram.y: "SUBSTRING(A FOR B)" is substring(A, 1, B::int4).
        (None, Some(length)) => {
            arguments.push(Expr::Literal(Literal::Number("1".into())));
            let operand = Box::new(boxed(length)?);
            arguments.push(Expr::Cast {
                operand,
                ty: TypeName::built_in("int4"),
            });
        }
        (None, None) => {}
    }
    Ok(Call::built_in(
        if shorthand { "substr" } else { "substring" },
        arguments,
    ))
}

/// TRIM is btrim, ltrim or rtrim (gram.y).
pub(super) fn trim(
    side: Option<ast::TrimWhereField>,
    what: Option<Box<E>>,
    x: Box<E>,
    characters: Option<Vec<E>>,
) -> Result<Expr> {
    let name = match side {
        None | Some(ast::TrimWhereField::Both) => "btrim",
        Some(ast::TrimWhereField::Leading) => "ltrim",
        Some(ast::TrimWhereField::Trailing) => "rtrim",
    };
    let mut arguments = vec![boxed(x)?];
    if let Some(what) = what {
        arguments.push(boxed(what)?);
    }
    arguments.extend(exprs(characters.unwrap_or_default())?);
    if arguments.len() > 2 {
        return Err(unsupported("TRIM with so many arguments", Place::default()));
    }
    Ok(Call::built_in(name, arguments))
}

/// `OVERLAY(x PLACING what FROM a FOR b)`.
pub(super) fn overlay(
    x: Box<E>,
    what: Box<E>,
    from: Box<E>,
    length: Option<Box<E>>,
) -> Result<Expr> {
    let mut arguments = vec![boxed(x)?, boxed(what)?, boxed(from)?];
    if let Some(length) = length {
        arguments.push(boxed(length)?);
    }
    Ok(Call::built_in("overlay", arguments))
}

/// The field that EXTRACT names, as `extract` takes it.
fn field_name(field: &DateTimeField, place: Place) -> Result<String> {
    use DateTimeField as F;
    let name = match field {
        F::Year => "year",
        F::Years => "years",
        F::Month => "month",
        F::Months => "months",
        F::Week(None) => "week",
        F::Weeks => "weeks",
        F::Day => "day",
        F::Days => "days",
        F::Hour => "hour",
        F::Hours => "hours",
        F::Minute => "minute",
        F::Minutes => "minutes",
        F::Second => "second",
        F::Seconds => "seconds",
        F::Century => "century",
        F::Decade => "decade",
        F::Dow => "dow",
        F::Doy => "doy",
        F::Epoch => "epoch",
        F::Isodow => "isodow",
        F::Isoyear => "isoyear",
        F::Julian => "julian",
        F::Microsecond => "microsecond",
        F::Microseconds => "microseconds",
        F::Millennium => "millennium",
        F::Millisecond => "millisecond",
        F::Milliseconds => "milliseconds",
        F::Quarter => "quarter",
        F::Timezone => "timezone",
        F::TimezoneHour => "timezone_hour",
        F::TimezoneMinute => "timezone_minute",
        // `EXTRACT('year' FROM x)`
        F::Custom(name) if name.quote_style == Some('\'') => return Ok(name.value.clone()),
        F::Custom(name) => return Ok(ident(name.clone())?.name.to_string()),
        F::Week(Some(_))
        | F::DayOfWeek
        | F::DayOfYear
        | F::Date
        | F::Datetime
        | F::IsoWeek
        | F::Millenium
        | F::Nanosecond
        | F::Nanoseconds
        | F::Time
        | F::TimezoneAbbr
        | F::TimezoneRegion
        | F::NoDateTime => return Err(unsupported("this field in EXTRACT", place)),
    };
    Ok(name.to_owned())
}
