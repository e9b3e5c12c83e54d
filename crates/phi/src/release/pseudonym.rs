//! Pseudonyms: of what a value is made of (a number, a uuid, a text, or several of these), and which
//! code each of them gets, derived under a project's key or assigned at random.

use super::keyed;
use super::sql::{between, call, cast, null, op, plain_text, slot};
use super::text::type_of;
use super::{KeyAccess, ReleaseContext, parts};
use crate::column::{ColumnType, TypeKind};
use phigate_types::Profile;

/// The characters of a text's code: 95 bits, so that among a hundred million values two share one
/// with a chance below 10^-12. Equal values in columns of this width or more have equal codes.
const CODE_LEN: usize = 16;
/// Fewer than 47 bits are no code: among a million values two would share one.
const CODE_MIN: usize = 8;

/// The digits of the largest code of an `int8`, and of an `int4`.
const DIGITS: (i32, i32) = (19, 10);

/// Where codes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codes {
    /// Derived under the project's key.
    Keyed(KeyAccess),
    /// Assigned at random, key by key, and looked up: 45 CFR 164.514(c) allows no code that is derived
    /// from information about the individual. `phigate-catalog` makes and fills the tables
    /// (`phigate.code_int`, `code_int2`, `code_uuid`, `code_text`), which only the owner of masked
    /// views reads. A key that has no code yet is NULL.
    Assigned,
}

/// Which table has the codes of a kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `int2`, among themselves: there is no room for other codes.
    Int2,
    /// `int4` and `int8`, whole `numeric`s, and numbers in texts.
    Int,
    /// `uuid`, also in texts.
    Uuid,
    /// SHA-256 of a text's or a `bytea`'s bytes.
    Text,
}

/// A query for keys that need codes: one column, called `key`, of distinct values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySource {
    /// Of which kind they are.
    pub kind: KeyKind,
    /// The query.
    pub sql: String,
}

/// The code of a value of the type; NULL where the profile has none.
pub(super) fn pseudonym(column: &str, ty: &ColumnType, cx: &ReleaseContext) -> String {
    match (cx.profile, cx.keys) {
        (Profile::SafeHarbor, KeyAccess::Slot) => code(column, ty, Codes::Assigned),
        // No table of codes stands in a database that is not hardened.
        (Profile::SafeHarbor, KeyAccess::Settings) => null(),
        (_, keys) => code(column, ty, Codes::Keyed(keys)),
    }
}

/// The keys that [`Codes::Assigned`] looks up for a column of a table, both quoted SQL.
pub(super) fn sources(table: &str, column: &str, ty: &ColumnType) -> Vec<KeySource> {
    let source = |kind, key: &str, from: &str, condition: &str| KeySource {
        kind,
        sql: format!("SELECT DISTINCT {key} AS key FROM {from} WHERE {condition}"),
    };
    let there = format!("({column} IS NOT NULL)");
    match ty.kind {
        TypeKind::Int2 => vec![source(KeyKind::Int2, column, table, &there)],
        kind if kind.is_integer() => {
            vec![source(KeyKind::Int, &cast(column, "int8"), table, &there)]
        }
        TypeKind::Numeric => {
            let key = format!(
                "CASE WHEN {} THEN {} ELSE NULL END",
                keyed::is_whole(column),
                cast(column, "int8")
            );
            vec![source(KeyKind::Int, &key, table, &keyed::is_whole(column))]
        }
        TypeKind::Uuid => vec![source(KeyKind::Uuid, column, table, &there)],
        TypeKind::Bytea => {
            vec![source(
                KeyKind::Text,
                &call("sha256", &[column]),
                table,
                &there,
            )]
        }
        kind if kind.is_text() => {
            let text = plain_text(column);
            let made_of_parts = parts::is_composite(&text);
            let from = format!("{table}, {} AS a (p, n)", parts::split(&text));
            let part = |kind, is_it: &str, key: &str| {
                let key = format!("CASE WHEN {is_it} THEN {key} ELSE NULL END");
                source(kind, &key, &from, &format!("({made_of_parts} AND {is_it})"))
            };
            let (number, uuid) = (parts::is_number(parts::KEY), parts::is_uuid(parts::KEY));
            let other = format!("(NOT {number} AND NOT {uuid})");
            // Composites too where their code may not fit: they get one of the whole.
            let whole = match ty.width() {
                Some(_) => there,
                None => format!("({there} AND NOT {made_of_parts})"),
            };
            vec![
                part(KeyKind::Int, &number, &cast(parts::KEY, "int8")),
                part(KeyKind::Uuid, &uuid, &cast(parts::KEY, "uuid")),
                part(KeyKind::Text, &other, &hashed_text(parts::KEY)),
                source(KeyKind::Text, &hashed_text(column), table, &whole),
            ]
        }
        _ => Vec::new(),
    }
}

fn code(column: &str, ty: &ColumnType, codes: Codes) -> String {
    match ty.kind {
        kind if kind.is_integer() => codes.integer(column, kind),
        TypeKind::Numeric => numeric(column, ty, codes),
        TypeKind::Uuid => codes.uuid(column),
        TypeKind::Bytea => codes.bytes(column),
        _ => text(column, ty, codes),
    }
}

/// The code of the whole number, as of an `int8`; NULL for fractions, for what no `int8` holds, and
/// where the modifier leaves no room for a code.
fn numeric(column: &str, ty: &ColumnType, codes: Codes) -> String {
    let value = cast(column, "int8");
    let code = cast(&codes.integer(&value, TypeKind::Int8), "numeric");
    let narrow = between(column, "-2147483648", "2147483647");
    let condition = match (ty.whole_digits(), codes) {
        (Some(digits), _) if digits < DIGITS.1 => return null(),
        (Some(digits), Codes::Keyed(_)) if digits < DIGITS.0 => {
            format!("({} AND {narrow})", keyed::is_whole(column))
        }
        _ => keyed::is_whole(column),
    };
    format!("CASE WHEN {condition} THEN {code} ELSE NULL END")
}

/// Part by part where it is made of keys, else as a whole. Where the parts' codes do not fit the
/// width, as much as fits of the whole's code.
fn text(column: &str, ty: &ColumnType, codes: Codes) -> String {
    let width = ty.width();
    let len = width.unwrap_or(CODE_LEN).min(CODE_LEN);
    if len < CODE_MIN {
        return null();
    }
    let whole = call("left", &[&codes.text(column), &len.to_string()]);
    let text = plain_text(column);
    let part = format!(
        "CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END",
        parts::is_number(parts::KEY),
        cast(
            &codes.integer(&cast(parts::KEY, "int8"), TypeKind::Int8),
            "text"
        ),
        parts::is_uuid(parts::KEY),
        cast(&codes.uuid(&cast(parts::KEY, "uuid")), "text"),
        codes.text(parts::KEY),
    );
    let joined = parts::joined(&text, &part);
    let joined = match width {
        None => joined,
        Some(width) => format!(
            "(SELECT CASE WHEN {} THEN {whole} ELSE b.c END FROM (SELECT {joined} AS c OFFSET 0) AS b)",
            op(&call("length", &["b.c"]), ">", &width.to_string()),
        ),
    };
    format!(
        "CASE WHEN {} THEN {joined} ELSE {whole} END",
        parts::is_composite(&text)
    )
}

/// The key by which a text's code is looked up.
fn hashed_text(text: &str) -> String {
    call("sha256", &[&keyed::text_bytes(text)])
}

// === impl Codes ===

impl Codes {
    fn integer(self, value: &str, kind: TypeKind) -> String {
        match (self, kind) {
            (Self::Keyed(keys), _) => keyed::integer(value, kind, keys),
            (Self::Assigned, TypeKind::Int2) => KeyKind::Int2.look_up(value),
            (Self::Assigned, _) => {
                let code = KeyKind::Int.look_up(&cast(value, "int8"));
                cast(&code, type_of(kind))
            }
        }
    }

    fn uuid(self, value: &str) -> String {
        match self {
            Self::Keyed(keys) => keyed::uuid(value, keys),
            Self::Assigned => KeyKind::Uuid.look_up(value),
        }
    }

    /// Sixteen letters and digits.
    fn text(self, value: &str) -> String {
        match self {
            Self::Keyed(keys) => keyed::text(value, keys),
            Self::Assigned => KeyKind::Text.look_up(&hashed_text(value)),
        }
    }

    /// Sixteen bytes.
    fn bytes(self, value: &str) -> String {
        match self {
            Self::Keyed(keys) => keyed::bytes(value, keys),
            Self::Assigned => {
                let letters = KeyKind::Text.look_up(&call("sha256", &[value]));
                call("decode", &[&letters, "'escape'"])
            }
        }
    }
}

// === impl KeyKind ===

impl KeyKind {
    /// The table of its codes, with columns `project`, `key` and `code`.
    pub const fn table(self) -> &'static str {
        match self {
            Self::Int2 => "code_int2",
            Self::Int => "code_int",
            Self::Uuid => "code_uuid",
            Self::Text => "code_text",
        }
    }

    /// The code of a key. A scalar subselect, not a join: it is planned once whatever else a
    /// statement joins, and is not run for columns that nobody asks for.
    fn look_up(self, key: &str) -> String {
        format!(
            "(SELECT x.code FROM phigate.{} AS x WHERE ((x.project OPERATOR(pg_catalog.=) {}) AND (x.key OPERATOR(pg_catalog.=) {key})))",
            self.table(),
            slot("s.project"),
        )
    }
}
