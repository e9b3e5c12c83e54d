//! Constants in the place of values, ZIP codes and ages.

use super::CAP_AGE;
use super::sql::{between, call, cast, constant, null, op, plain_text};
use crate::column::{ColumnType, TypeKind};
use crate::zip3::Zip3List;

/// What stands for a redacted text.
const REDACTED: &str = "[redacted]";

/// What stands for a withheld text.
pub(super) const WITHHELD: &str = "[text withheld]";

/// What stands for a ZIP code prefix that may not be told (45 CFR 164.514(b)(2)(i)(B)).
const ZIP_000: &str = "000";

/// The digits of a ZIP code prefix.
const ZIP_PREFIX: usize = 3;

/// `[redacted]` for text, cut to the width; NULL else.
pub(super) fn redact(ty: &ColumnType) -> String {
    if ty.kind.is_text() {
        text_constant(REDACTED, ty)
    } else {
        null()
    }
}

/// `[text withheld]` for text, cut to the width; an empty object for JSON, so that every path into
/// it is NULL; NULL else.
pub(super) fn block(ty: &ColumnType) -> String {
    match ty.kind {
        TypeKind::Json | TypeKind::Jsonb => "'{}'".to_owned(),
        kind if kind.is_text() => text_constant(WITHHELD, ty),
        _ => null(),
    }
}

/// The first three digits of five or nine, or 000.
pub(super) fn zip3(column: &str, ty: &ColumnType, list: Zip3List) -> String {
    let told = |prefix: &str| {
        let bitmap = constant(&format!("\\x{}", hex::encode(list.bitmap())), "bytea");
        op(
            &call("get_bit", &[&bitmap, &cast(prefix, "int8")]),
            "=",
            "1",
        )
    };
    if ty.kind.is_integer() {
        let prefix = op(column, "/", &cast("100", type_of(ty.kind)));
        let five_digits = between(column, "0", "99999");
        return format!(
            "CASE WHEN {column} IS NULL THEN NULL WHEN {five_digits} THEN \
             CASE WHEN {} THEN {prefix} ELSE 0 END ELSE 0 END",
            told(&prefix)
        );
    }
    if ty.width().is_some_and(|width| width < ZIP_PREFIX) {
        return null();
    }
    let text = call("btrim", &[&plain_text(column)]);
    let prefix = call("left", &[&text, "3"]);
    let is_zip = op(&text, "~", "'^[0-9]{5}(-?[0-9]{4})?$'");
    format!(
        "CASE WHEN {column} IS NULL THEN NULL WHEN {is_zip} THEN \
         CASE WHEN {} THEN {prefix} ELSE '{ZIP_000}' END ELSE '{ZIP_000}' END",
        told(&prefix)
    )
}

/// Ages over 89 as 90; a text that is not a whole number is NULL.
pub(super) fn age_cap90(column: &str, ty: &ColumnType) -> String {
    if ty.kind.is_number() {
        let cap = cast(&CAP_AGE.to_string(), type_of(ty.kind));
        let over = op(
            column,
            ">",
            &cast(&(CAP_AGE - 1).to_string(), type_of(ty.kind)),
        );
        return format!("CASE WHEN {over} THEN {cap} ELSE {column} END");
    }
    let text = call("btrim", &[&plain_text(column)]);
    let told = op(&text, "~", "'^0*[0-8]?[0-9]$'");
    let number = op(&text, "~", "'^[0-9]+$'");
    format!("CASE WHEN {told} THEN {text} WHEN {number} THEN '{CAP_AGE}' ELSE NULL END")
}

/// The name, in `pg_catalog`, of a number's type.
pub(super) fn type_of(kind: TypeKind) -> &'static str {
    match kind {
        TypeKind::Int2 => "int2",
        TypeKind::Int4 => "int4",
        TypeKind::Int8 => "int8",
        TypeKind::Float4 => "float4",
        TypeKind::Float8 => "float8",
        _ => "numeric",
    }
}

fn text_constant(text: &str, ty: &ColumnType) -> String {
    let shown: String = text
        .chars()
        .take(ty.width().unwrap_or(usize::MAX))
        .collect();
    format!("'{shown}'")
}
