//! Dates: cut to the year, or moved by a patient's own number of days.

use super::sql::{between, call, cast, constant, null, op};
use super::text::type_of;
use super::{ReleaseContext, keyed};
use crate::column::{ColumnType, TypeKind};

/// Numbers taken for years. Not below 1300: MMDD ends at 1231. Not above 9999: YYYYMMDD and serial
/// days begin there.
const YEARS: (&str, &str) = ("1300", "9999");

/// Days before which the first of January is not a date of its type any more
/// (PostgreSQL `src/include/datatype/timestamp.h`: dates begin on 4714-11-24 BC).
const FIRST_WHOLE_YEAR: &str = "4713-01-01 BC";
/// What stands for them: the first date.
const FIRST_DAY: &str = "4714-11-24 BC";
/// A `timestamptz` keeps a year from either end, for the session's time zone moves it.
const FIRST_ZONED_YEAR: &str = "4712-01-01 BC";

/// Where the last whole year of timestamps begins: what rounding to a type modifier carried beyond
/// the type's end is only ever compared with it.
const LAST_TIMESTAMP_YEAR: &str = "294276-01-01";

/// The last day that can be moved by a year (dates end in 5874897, timestamps in 294276).
const LAST_MOVABLE_DATE: &str = "5874895-12-31";
const LAST_MOVABLE_TIMESTAMP: &str = "294274-12-31";

/// The first of January; numbers outside [`YEARS`] and all texts are NULL.
pub(super) fn year(column: &str, ty: &ColumnType) -> String {
    match ty.kind {
        TypeKind::Date => {
            let first = call("make_date", &[&year_of(column), "1", "1"]);
            whole_years(column, "date", FIRST_WHOLE_YEAR, None, &first)
        }
        TypeKind::Timestamp => {
            let first = call("date_trunc", &["'year'", column]);
            whole_years(
                column,
                "timestamp",
                FIRST_WHOLE_YEAR,
                Some(LAST_TIMESTAMP_YEAR),
                &first,
            )
        }
        TypeKind::Timestamptz => {
            // The year is read in UTC: by the session's time zone a client could move the cut and
            // find the day. It is written as that year's midnight in the session's time zone, so
            // that whoever extracts the year finds the same one.
            let year = year_of(&call("timezone", &["'UTC'", column]));
            let first = call("make_timestamptz", &[&year, "1", "1", "0", "0", "0"]);
            whole_years(
                column,
                "timestamptz",
                FIRST_ZONED_YEAR,
                Some(LAST_TIMESTAMP_YEAR),
                &first,
            )
        }
        kind if kind.is_number() => number_year(column, kind, |year| year),
        _ => null(),
    }
}

/// As [`year`], with every year before `cap` (an int4) as `cap`.
pub(super) fn year_cap90(column: &str, ty: &ColumnType, cap: &str) -> String {
    let first = match ty.kind {
        TypeKind::Date => call("make_date", &[cap, "1", "1"]),
        TypeKind::Timestamp => call("make_timestamp", &[cap, "1", "1", "0", "0", "0"]),
        TypeKind::Timestamptz => call("make_timestamptz", &[cap, "1", "1", "0", "0", "0"]),
        kind if kind.is_number() => {
            let cap = cast(cap, type_of(kind));
            return number_year(column, kind, |year| format!("GREATEST({year}, {cap})"));
        }
        _ => return null(),
    };
    format!(
        "CASE WHEN {column} IS NULL THEN NULL ELSE GREATEST({}, {first}) END",
        year(column, ty)
    )
}

/// Moved by the patient's whole days; the year where the table has no patient column.
pub(super) fn shift(column: &str, ty: &ColumnType, cx: &ReleaseContext) -> String {
    let days = cx
        .patient_key
        .as_ref()
        .and_then(|key| keyed::days(key, cx.keys));
    let (Some(days), true) = (days, ty.kind.is_calendar()) else {
        return year(column, ty);
    };
    let (name, last, moved) = match ty.kind {
        TypeKind::Date => ("date", LAST_MOVABLE_DATE.to_owned(), op(column, "+", &days)),
        TypeKind::Timestamp => {
            let span = call("make_interval", &["0", "0", "0", &days]);
            (
                "timestamp",
                LAST_MOVABLE_TIMESTAMP.to_owned(),
                op(column, "+", &span),
            )
        }
        // Hours, not days: a day of a time zone with summer time is not always 24 hours long.
        _ => {
            let hours = op(&days, "*", "24");
            let span = call("make_interval", &["0", "0", "0", "0", &hours]);
            (
                "timestamptz",
                format!("{LAST_MOVABLE_TIMESTAMP} UTC"),
                op(column, "+", &span),
            )
        }
    };
    let first = if name == "timestamptz" {
        "4712-01-01 BC UTC"
    } else {
        "4712-01-01 BC"
    };
    let movable = between(column, &constant(first, name), &constant(&last, name));
    let finite = call("isfinite", &[column]);
    let nobodys = match &cx.patient_key {
        Some(key) if key.or_nobody => {
            format!("WHEN {} IS NULL THEN {} ", key.sql, year(column, ty))
        }
        _ => String::new(),
    };
    format!("CASE {nobodys}WHEN {movable} THEN {moved} WHEN {finite} THEN NULL ELSE {column} END")
}

/// The value's year as an int4; only of finite values. `extract`, for `date_part` of a date goes
/// through a timestamp, which does not reach as far.
fn year_of(value: &str) -> String {
    cast(&call("extract", &["'year'", value]), "int4")
}

/// Infinities as they are, what lies before `from` as the type's first day, what lies after `last` as
/// `last`, anything else as `first`.
fn whole_years(column: &str, ty: &str, from: &str, last: Option<&str>, first: &str) -> String {
    let zone = if ty == "timestamptz" { " UTC" } else { "" };
    let day = |text: &str| constant(&format!("{text}{zone}"), ty);
    let finite = call("isfinite", &[column]);
    let early = op(column, "<", &day(from));
    let late = last.map_or(String::new(), |last| {
        format!("WHEN {} THEN {} ", op(column, ">=", &day(last)), day(last))
    });
    format!(
        "CASE WHEN NOT {finite} THEN {column} WHEN {early} THEN {} {late}ELSE {first} END",
        day(FIRST_DAY)
    )
}

/// A number taken for a year, if it can be one.
fn number_year(column: &str, kind: TypeKind, finish: impl Fn(String) -> String) -> String {
    let ty = type_of(kind);
    let (low, high) = (cast(YEARS.0, ty), cast(YEARS.1, ty));
    let whole = match kind {
        TypeKind::Numeric => call("trunc", &[column]),
        TypeKind::Float4 | TypeKind::Float8 => cast(&call("trunc", &[&cast(column, "float8")]), ty),
        _ => column.to_owned(),
    };
    format!(
        "CASE WHEN {} THEN {} ELSE NULL END",
        between(column, &low, &high),
        finish(whole)
    )
}
