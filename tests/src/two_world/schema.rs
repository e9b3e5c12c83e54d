//! What the generator knows of the hospital: its tables, from the classification file that the
//! gateway itself is given.

use super::worlds::classification;

/// The view that stands in every world (`worlds/objects.sql`), and its columns: table and name.
const VIEW: (&str, [(&str, &str); 9]) = (
    "visits",
    [
        ("encounters", "encounter_id"),
        ("encounters", "patient_id"),
        ("patients", "last_name"),
        ("patients", "ssn"),
        ("patients", "sex"),
        ("patients", "birth_date"),
        ("encounters", "kind"),
        ("encounters", "started_at"),
        ("encounters", "age_at_visit"),
    ],
);

/// The kinds of value that expressions are made of. `char`, `varchar` and `text` are one, and so
/// are `smallint` and `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ty {
    /// `integer`.
    Int,
    /// `text`.
    Text,
    /// `boolean`.
    Bool,
    /// `date`.
    Date,
    /// `numeric`.
    Num,
    /// `timestamptz`.
    Stamp,
    /// `bigint`.
    Big,
    /// `interval`.
    Span,
    /// `real`: never summed, for sums of it depend on the order of rows.
    Real,
    /// `uuid`.
    Uuid,
    /// `bytea`.
    Bytes,
    /// `inet`.
    Inet,
    /// `jsonb`.
    Json,
    /// `claim_status`, the hospital's enum.
    Status,
    /// `text[]`.
    Texts,
    /// `integer[]`.
    Ints,
    /// `daterange`.
    Dates,
    /// `tsvector`.
    Words,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub ty: Ty,
    /// Whether the profile at hand changes it.
    pub masked: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns that the grant releases, in order.
    pub columns: Vec<Column>,
    /// So few rows that anything may be joined with it.
    pub few: bool,
}

/// Tables of a dozen rows.
const FEW: [&str; 3] = ["departments", "devices", "worksheet"];

impl Ty {
    /// Every kind, simple ones first.
    pub const ALL: [Self; 18] = [
        Self::Int,
        Self::Text,
        Self::Bool,
        Self::Date,
        Self::Num,
        Self::Stamp,
        Self::Big,
        Self::Span,
        Self::Real,
        Self::Uuid,
        Self::Bytes,
        Self::Inet,
        Self::Json,
        Self::Status,
        Self::Texts,
        Self::Ints,
        Self::Dates,
        Self::Words,
    ];

    /// Its name in the grammar.
    pub fn word(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Text => "text",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Num => "num",
            Self::Stamp => "stamp",
            Self::Big => "big",
            Self::Span => "span",
            Self::Real => "real",
            Self::Uuid => "uuid",
            Self::Bytes => "bytes",
            Self::Inet => "inet",
            Self::Json => "json",
            Self::Status => "status",
            Self::Texts => "texts",
            Self::Ints => "ints",
            Self::Dates => "dates",
            Self::Words => "words",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.word() == word)
    }

    /// Its SQL name.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Int => "integer",
            Self::Text => "text",
            Self::Bool => "boolean",
            Self::Date => "date",
            Self::Num => "numeric",
            Self::Stamp => "timestamptz",
            Self::Big => "bigint",
            Self::Span => "interval",
            Self::Real => "real",
            Self::Uuid => "uuid",
            Self::Bytes => "bytea",
            Self::Inet => "inet",
            Self::Json => "jsonb",
            Self::Status => "claim_status",
            Self::Texts => "text[]",
            Self::Ints => "integer[]",
            Self::Dates => "daterange",
            Self::Words => "tsvector",
        }
    }

    /// Its type's oid (`pg_type.dat`), 0 where the server is to find it out.
    pub fn oid(self) -> u32 {
        match self {
            Self::Int => 23,
            Self::Text => 25,
            Self::Bool => 16,
            Self::Date => 1082,
            Self::Num => 1700,
            Self::Stamp => 1184,
            Self::Big => 20,
            Self::Span => 1186,
            Self::Real => 700,
            Self::Uuid => 2950,
            Self::Bytes => 17,
            Self::Inet => 869,
            Self::Json => 3802,
            Self::Status => 0,
            Self::Texts => 1009,
            Self::Ints => 1007,
            Self::Dates => 3912,
            Self::Words => 3614,
        }
    }

    /// The kind of a column of the classification file.
    fn of_column(sql: &str) -> Self {
        match sql.split('(').next().unwrap_or(sql) {
            "smallint" | "integer" => Self::Int,
            "char" | "varchar" | "text" => Self::Text,
            "timestamptz" => Self::Stamp,
            other => Self::ALL
                .into_iter()
                .find(|ty| ty.sql() == other)
                .unwrap_or_else(|| panic!("no kind for columns of type {other}")),
        }
    }
}

/// The hospital as a grant shows it. `keeps` says for `schema.table.column` whether it stays as it is, or
/// `None` where it is not there.
pub fn tables(keeps: impl Fn(&str) -> Option<bool>) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    for line in classification().lines().skip(1) {
        // The only commas inside a field are those of numeric(p,s).
        let line = line.replace("\"numeric(10,2)\"", "numeric");
        let line = line.replace("\"numeric(8,2)\"", "numeric");
        let words: Vec<&str> = line.split(',').collect();
        let [table, column, ty, ..] = words.as_slice() else {
            continue;
        };
        if tables.last().is_none_or(|last| last.name != *table) {
            tables.push(Table {
                name: (*table).to_owned(),
                columns: Vec::new(),
                few: FEW.contains(table),
            });
        }
        let Some(keeps) = keeps(&format!("public.{table}.{column}")) else {
            continue;
        };
        if let Some(last) = tables.last_mut() {
            last.columns.push(Column {
                name: (*column).to_owned(),
                ty: Ty::of_column(ty),
                masked: !keeps,
            });
        }
    }
    let view = view(&tables);
    tables.push(view);
    tables
}

/// What is seen through the view, as the tables show it.
fn view(tables: &[Table]) -> Table {
    let (name, columns) = VIEW;
    let columns = columns.into_iter().filter_map(|(table, name)| {
        let table = tables.iter().find(|found| found.name == table)?;
        table
            .columns
            .iter()
            .find(|column| column.name == name)
            .cloned()
    });
    Table {
        name: name.to_owned(),
        columns: columns.collect(),
        few: false,
    }
}
