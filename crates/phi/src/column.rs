//! Columns: their names as people write them, and their types as PostgreSQL knows them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest identifier, in bytes (PostgreSQL's NAMEDATALEN - 1).
const IDENTIFIER_MAX: usize = 63;

/// The schema of a column named without one.
pub(crate) const DEFAULT_SCHEMA: &str = "public";

/// The length of a `varlena` header, which `varchar` and `char` count in their type modifier
/// (PostgreSQL `src/include/c.h`, VARHDRSZ).
const VARLENA_HEADER: i32 = 4;

/// The bits of a `numeric`'s scale in its type modifier, and the highest of them.
const NUMERIC_SCALE: i32 = 0x7ff;
const NUMERIC_SIGN: i32 = 0x400;

/// A column, by schema, table and name, each exactly as in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnName {
    /// The schema.
    pub schema: String,
    /// The table or view.
    pub table: String,
    /// The column.
    pub column: String,
}

/// Why a text does not name a column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnNameError {
    /// Not `table.column` or `schema.table.column`.
    #[error("a column is written [schema.]table.column")]
    Parts,
    /// An identifier is empty, too long, or not quoted as PostgreSQL wants it.
    #[error(
        "{0:?} is not an identifier: 1 to {IDENTIFIER_MAX} bytes, letters, digits, _ and $, or anything in double quotes"
    )]
    Identifier(String),
}

// === impl ColumnName ===

impl ColumnName {
    /// From exact catalog names.
    pub fn new(
        schema: impl Into<String>,
        table: impl Into<String>,
        column: impl Into<String>,
    ) -> Self {
        Self {
            schema: schema.into(),
            table: table.into(),
            column: column.into(),
        }
    }

    /// Reads `[schema.]table.column`. Unquoted identifiers are folded to lower case (ASCII only, as
    /// PostgreSQL does in UTF-8), double-quoted ones are taken as they are; the schema defaults to
    /// `public`.
    pub fn parse(text: &str) -> Result<Self, ColumnNameError> {
        let mut parts = identifiers(text)?.into_iter();
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(table), Some(column), None, None) => Ok(Self::new(DEFAULT_SCHEMA, table, column)),
            (Some(schema), Some(table), Some(column), None) => Ok(Self::new(schema, table, column)),
            _ => Err(ColumnNameError::Parts),
        }
    }

    /// Reads the two cells of a classification file: `[schema.]table`, and the column.
    pub(crate) fn from_cells(table: &str, column: &str) -> Result<Self, ColumnNameError> {
        let mut parts = identifiers(table)?.into_iter();
        let (schema, table) = match (parts.next(), parts.next(), parts.next()) {
            (Some(table), None, None) => (DEFAULT_SCHEMA.to_owned(), table),
            (Some(schema), Some(table), None) => (schema, table),
            _ => return Err(ColumnNameError::Parts),
        };
        match <[String; 1]>::try_from(identifiers(column)?) {
            Ok([column]) => Ok(Self {
                schema,
                table,
                column,
            }),
            Err(_) => Err(ColumnNameError::Parts),
        }
    }
}

/// As PostgreSQL's `quote_ident` would write it, the schema always named.
impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [schema, table, column] =
            [&self.schema, &self.table, &self.column].map(|name| quote_if_needed(name));
        write!(f, "{schema}.{table}.{column}")
    }
}

impl FromStr for ColumnName {
    type Err = ColumnNameError;

    fn from_str(text: &str) -> Result<Self, ColumnNameError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ColumnName {
    type Error = ColumnNameError;

    fn try_from(text: String) -> Result<Self, ColumnNameError> {
        Self::parse(&text)
    }
}

impl From<ColumnName> for String {
    fn from(name: ColumnName) -> Self {
        name.to_string()
    }
}

/// The family a type belongs to: what a transform needs to know of it. A domain has its base's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TypeKind {
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `numeric`.
    Numeric,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `text`.
    Text,
    /// `character varying`.
    Varchar,
    /// `character` (blank-padded).
    Bpchar,
    /// `boolean`.
    Bool,
    /// `date`.
    Date,
    /// `timestamp without time zone`.
    Timestamp,
    /// `timestamp with time zone`.
    Timestamptz,
    /// `time`, with or without time zone.
    Time,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`.
    Jsonb,
    /// `bytea`.
    Bytea,
    /// Any enumeration.
    Enum,
    /// Any array.
    Array,
    /// Anything else: only kept or nulled.
    Other,
}

// === impl TypeKind ===

impl TypeKind {
    /// The kind of a base type by its oid (PostgreSQL `src/include/catalog/pg_type.dat`); enums,
    /// arrays and domains are told by `typtype` and `typcategory`, not here.
    pub fn from_oid(oid: u32) -> Self {
        match oid {
            16 => Self::Bool,
            17 => Self::Bytea,
            20 => Self::Int8,
            21 => Self::Int2,
            23 => Self::Int4,
            25 => Self::Text,
            114 => Self::Json,
            700 => Self::Float4,
            701 => Self::Float8,
            1042 => Self::Bpchar,
            1043 => Self::Varchar,
            1082 => Self::Date,
            1083 | 1266 => Self::Time,
            1114 => Self::Timestamp,
            1184 => Self::Timestamptz,
            1700 => Self::Numeric,
            2950 => Self::Uuid,
            3802 => Self::Jsonb,
            _ => Self::Other,
        }
    }

    /// The kind of a type as people write it in a classification file (`varchar(20)`, `float`,
    /// `timestamp(0) with time zone`); [`TypeKind::Other`] when the word is not a built-in type's.
    pub fn from_written(text: &str) -> Self {
        let word = without_modifier(text);
        if word.ends_with("[]") {
            return Self::Array;
        }
        match word.strip_prefix("pg_catalog.").unwrap_or(&word) {
            "smallint" | "int2" | "smallserial" => Self::Int2,
            "integer" | "int" | "int4" | "serial" => Self::Int4,
            "bigint" | "int8" | "bigserial" => Self::Int8,
            "numeric" | "decimal" => Self::Numeric,
            "real" | "float4" => Self::Float4,
            "double precision" | "float8" | "float" => Self::Float8,
            "text" => Self::Text,
            "varchar" | "character varying" => Self::Varchar,
            "char" | "character" | "bpchar" => Self::Bpchar,
            "boolean" | "bool" => Self::Bool,
            "date" => Self::Date,
            "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "timestamptz" | "timestamp with time zone" => Self::Timestamptz,
            "time" | "timetz" | "time without time zone" | "time with time zone" => Self::Time,
            "uuid" => Self::Uuid,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "bytea" => Self::Bytea,
            _ => Self::Other,
        }
    }

    /// Whether values are character strings.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Varchar | Self::Bpchar)
    }

    /// Whether values are whole numbers.
    pub const fn is_integer(self) -> bool {
        matches!(self, Self::Int2 | Self::Int4 | Self::Int8)
    }

    /// Whether values are numbers.
    pub const fn is_number(self) -> bool {
        self.is_integer() || matches!(self, Self::Numeric | Self::Float4 | Self::Float8)
    }

    /// Whether values lie on the calendar.
    pub const fn is_calendar(self) -> bool {
        matches!(self, Self::Date | Self::Timestamp | Self::Timestamptz)
    }
}

/// A column's type, as `catalog` reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColumnType {
    /// `pg_attribute.atttypid`.
    pub oid: u32,
    /// `pg_attribute.atttypmod`; for a domain, that of its base. -1 is none.
    pub typmod: i32,
    /// The type as SQL, modifier included, qualified and quoted so that no `search_path` and no
    /// temporary type changes its meaning.
    pub name: String,
    /// The family it belongs to.
    pub kind: TypeKind,
    /// A domain that takes no NULL.
    pub not_null_domain: bool,
    /// Qualified and quoted, only where the column's collation is not its type's own.
    pub collation: Option<String>,
    /// For a domain, the type under it as SQL, written as `name` is. Released values get this type:
    /// a domain's constraint may refuse them, and PostgreSQL describes both alike to clients
    /// (`src/backend/access/common/printtup.c`, SendRowDescriptionMessage).
    pub base: Option<String>,
}

// === impl ColumnType ===

impl ColumnType {
    /// A built-in type without domain or collation of its own.
    pub fn builtin(oid: u32, typmod: i32, name: impl Into<String>) -> Self {
        Self {
            oid,
            typmod,
            name: name.into(),
            kind: TypeKind::from_oid(oid),
            not_null_domain: false,
            collation: None,
            base: None,
        }
    }

    /// The type that released values have: a domain's base, else the type itself.
    pub fn released_name(&self) -> &str {
        self.base.as_deref().unwrap_or(&self.name)
    }

    /// The most characters a `varchar(n)` or `char(n)` holds; `None` for no limit.
    pub fn width(&self) -> Option<usize> {
        let limited = matches!(self.kind, TypeKind::Varchar | TypeKind::Bpchar);
        (limited && self.typmod >= VARLENA_HEADER)
            .then(|| usize::try_from(self.typmod - VARLENA_HEADER).unwrap_or(0))
    }

    /// The most digits before the point of a `numeric(p, s)`; `None` for no limit.
    pub fn whole_digits(&self) -> Option<i32> {
        let limited = self.kind == TypeKind::Numeric && self.typmod >= VARLENA_HEADER;
        limited.then(|| {
            let modifier = self.typmod - VARLENA_HEADER;
            // PostgreSQL src/backend/utils/adt/numeric.c, make_numeric_typmod: the scale is signed.
            let scale = ((modifier & NUMERIC_SCALE) ^ NUMERIC_SIGN) - NUMERIC_SIGN;
            (modifier >> 16) - scale
        })
    }
}

/// The identifier in double quotes, always.
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(crate) fn quote_if_needed(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| plain(byte) && !byte.is_ascii_digit());
    if starts && name.bytes().all(plain) {
        name.to_owned()
    } else {
        quote_identifier(name)
    }
}

/// Splits a dotted name into identifiers, folding the unquoted ones.
fn identifiers(text: &str) -> Result<Vec<String>, ColumnNameError> {
    let mut names = Vec::new();
    let mut rest = text.trim();
    loop {
        let (name, after) = leading_identifier(rest)?;
        names.push(name);
        if after.is_empty() {
            return Ok(names);
        }
        rest = after
            .strip_prefix('.')
            .ok_or_else(|| ColumnNameError::Identifier(after.to_owned()))?;
    }
}

/// The identifier that a text begins with, the unquoted one folded, and what follows it.
pub(crate) fn leading_identifier(text: &str) -> Result<(String, &str), ColumnNameError> {
    let (name, after) = if let Some(quoted) = text.strip_prefix('"') {
        quoted_identifier(quoted).ok_or_else(|| ColumnNameError::Identifier(text.to_owned()))?
    } else {
        let ends = |c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' && c != '$';
        let (name, after) = text.split_at(text.find(ends).unwrap_or(text.len()));
        if !is_bare(name) {
            return Err(ColumnNameError::Identifier(text.to_owned()));
        }
        (name.to_ascii_lowercase(), after)
    };
    if name.is_empty() || name.len() > IDENTIFIER_MAX || name.contains('\0') {
        return Err(ColumnNameError::Identifier(name));
    }
    Ok((name, after))
}

/// Reads to the closing quote; the name and what follows it.
fn quoted_identifier(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"')?;
        name.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, after)),
        }
    }
}

fn is_bare(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80;
    name.bytes().next().is_some_and(first)
        && name
            .bytes()
            .all(|byte| first(byte) || byte.is_ascii_digit() || byte == b'$')
}

/// `timestamp(3) with time zone` without its modifier, in lower case, blanks single.
fn without_modifier(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    let bare = match (text.find('('), text.rfind(')')) {
        (Some(open), Some(close)) if open < close => {
            format!(
                "{} {}",
                text.get(..open).unwrap_or(""),
                text.get(close + 1..).unwrap_or("")
            )
        }
        _ => text,
    };
    bare.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace(" []", "[]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_name_is_read_as_postgresql_reads_it() {
        let cases = [
            ("patients.ssn", ColumnName::new("public", "patients", "ssn")),
            (
                "Clinic.Patients.SSN",
                ColumnName::new("clinic", "patients", "ssn"),
            ),
            (r#""Clinic"."a.b".c"#, ColumnName::new("Clinic", "a.b", "c")),
            (
                r#"t."say ""ah""""#,
                ColumnName::new("public", "t", "say \"ah\""),
            ),
            (
                "größe.ÄRZTE$1",
                ColumnName::new("public", "größe", "Ärzte$1"),
            ),
        ];
        for (text, name) in cases {
            assert_eq!(ColumnName::parse(text).as_ref(), Ok(&name), "{text}");
            assert_eq!(ColumnName::parse(&name.to_string()), Ok(name), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_column_name_is_refused() {
        let long = format!("t.{}", "x".repeat(64));
        for text in [
            "", "ssn", "a.b.c.d", "t.", ".c", "t.c d", "t.\"c", "t.\"\"", "t.1c", &long,
        ] {
            assert!(ColumnName::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn written_types_have_kinds() {
        for (text, kind) in [
            ("varchar(20)", TypeKind::Varchar),
            ("CHARACTER VARYING (20)", TypeKind::Varchar),
            ("numeric(10, 4)", TypeKind::Numeric),
            ("timestamp(3)", TypeKind::Timestamp),
            ("timestamp(3) with time zone", TypeKind::Timestamptz),
            ("float", TypeKind::Float8),
            ("text[]", TypeKind::Array),
            ("geometry(Point,4326)", TypeKind::Other),
        ] {
            assert_eq!(TypeKind::from_written(text), kind, "{text}");
        }
    }

    #[test]
    fn width_is_the_modifier_without_the_header() {
        assert_eq!(
            ColumnType::builtin(1043, 24, "character varying(20)").width(),
            Some(20)
        );
        assert_eq!(
            ColumnType::builtin(1043, -1, "character varying").width(),
            None
        );
        assert_eq!(ColumnType::builtin(25, -1, "pg_catalog.text").width(), None);
    }
}
