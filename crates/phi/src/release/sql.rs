//! Pieces of SQL: everything named in `pg_catalog`, everything in parentheses.

use crate::column::ColumnType;

/// An untyped NULL; [`released`] gives it its type.
pub(super) fn null() -> String {
    "NULL".to_owned()
}

/// A call of a built-in function.
pub(super) fn call(function: &str, arguments: &[&str]) -> String {
    format!("pg_catalog.{function}({})", arguments.join(", "))
}

/// A built-in operator between two operands.
pub(super) fn op(left: &str, symbol: &str, right: &str) -> String {
    format!("({left} OPERATOR(pg_catalog.{symbol}) {right})")
}

/// A cast to a built-in type.
pub(super) fn cast(value: &str, ty: &str) -> String {
    format!("CAST({value} AS pg_catalog.{ty})")
}

/// A string constant of a built-in type. INVARIANT: `text` is ours, printable ASCII without a
/// quote or backslash.
pub(super) fn constant(text: &str, ty: &str) -> String {
    debug_assert!(
        text.bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\'')
    );
    cast(&format!("'{text}'"), ty)
}

/// What the session's slot says, by an expression over `s`; NULL where nothing is assigned to it. A
/// subselect that depends on no row: read once a statement, and `$0` in a plan.
pub(super) fn slot(expression: &str) -> String {
    format!(
        "(SELECT {expression} FROM phigate.slot AS s \
         WHERE (s.login OPERATOR(pg_catalog.=) SESSION_USER))"
    )
}

/// `low <= value <= high`.
pub(super) fn between(value: &str, low: &str, high: &str) -> String {
    format!("({} AND {})", op(value, ">=", low), op(value, "<=", high))
}

/// The value in the type that leaves: the column's own, a domain's base; with the column's
/// collation, which an inner `COLLATE` would else replace.
pub(super) fn released(value: &str, ty: &ColumnType) -> String {
    let cast = format!("CAST({value} AS {})", ty.released_name());
    match &ty.collation {
        Some(collation) => format!("({cast} COLLATE {collation})"),
        None if ty.kind.is_text() => format!("({cast} COLLATE pg_catalog.\"default\")"),
        None => cast,
    }
}

/// A character column as text whose comparisons and patterns follow bytes, whatever its collation:
/// patterns fail under nondeterministic ones.
pub(super) fn plain_text(column: &str) -> String {
    format!("({} COLLATE pg_catalog.\"C\")", cast(column, "text"))
}
