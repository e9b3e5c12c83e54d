//! How many of a table's values look like something: counted inside PostgreSQL, so that no value
//! leaves it.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use phigate_phi::{IdentifierClass, TypeKind, quote_identifier};
use phigate_sql::{Relation, Snapshot};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};
use tokio::time::timeout;

use crate::check::is_classifiable;
use crate::error::CatalogError;

/// The most rows of a table that are looked at.
pub const SAMPLE_MAX: u32 = 10_000;

/// How long one table may take.
const TABLE_DEADLINE: Duration = Duration::from_secs(10);

/// Only reads, waits for nobody, and for nothing long.
const LIMITS: &str = "BEGIN READ ONLY; SET LOCAL statement_timeout = '8s'; \
                      SET LOCAL lock_timeout = '1s'; SET LOCAL search_path = ''; \
                      SET LOCAL client_min_messages = 'error'";

/// Text beyond this many characters is not looked at by patterns.
const CHARACTERS: u32 = 400;

/// Something that values may look like.
pub(super) struct Detector {
    pub(super) class: IdentifierClass,
    /// For people.
    pub(super) what: &'static str,
    /// A condition over `v`, text; total.
    condition: &'static str,
    /// The part of the values that must fulfil it.
    pub(super) least: f64,
    /// Of several that are fulfilled the heaviest counts.
    pub(super) weight: u8,
}

/// Names are frequent given and family names of the United States, from common knowledge.
const NAMES: &str = "lower(v) OPERATOR(pg_catalog.=) ANY (ARRAY['james','mary','robert','patricia',\
    'john','jennifer','michael','linda','david','elizabeth','william','barbara','richard','susan',\
    'joseph','jessica','thomas','sarah','charles','karen','daniel','nancy','matthew','lisa','anthony',\
    'margaret','mark','sandra','paul','ashley','steven','emily','andrew','donna','joshua','michelle',\
    'smith','johnson','williams','brown','jones','garcia','miller','davis','rodriguez','martinez',\
    'hernandez','lopez','gonzalez','wilson','anderson','taylor','moore','jackson','martin','lee',\
    'perez','thompson','white','harris','sanchez','clark','ramirez','lewis','robinson','walker'])";

/// In the order of their columns in the answer.
pub(super) const DETECTORS: [Detector; 10] = [
    Detector {
        class: IdentifierClass::Ssn,
        what: "Social Security numbers",
        condition: "v ~ '^[0-9]{3}-[0-9]{2}-[0-9]{4}$'",
        least: 0.5,
        weight: 9,
    },
    Detector {
        class: IdentifierClass::Email,
        what: "e-mail addresses",
        condition: "v ~ '^[^@[:space:]]+@[^@[:space:]]+[.][A-Za-z]{2,}$'",
        least: 0.5,
        weight: 9,
    },
    Detector {
        class: IdentifierClass::Phone,
        what: "telephone numbers",
        condition: "v ~ '^[+]?(1[-. ]?)?[(]?[0-9]{3}[)]?[-. ][0-9]{3}[-. ][0-9]{4}( ?(x|ext[.]?) ?[0-9]+)?$'",
        least: 0.5,
        weight: 8,
    },
    Detector {
        class: IdentifierClass::Ip,
        what: "IP addresses",
        condition: "v ~ '^([0-9]{1,3}[.]){3}[0-9]{1,3}(/[0-9]{1,2})?$'",
        least: 0.5,
        weight: 8,
    },
    Detector {
        class: IdentifierClass::Url,
        what: "web addresses",
        condition: "v ~* '^(https?|ftp)://'",
        least: 0.5,
        weight: 8,
    },
    Detector {
        class: IdentifierClass::Zip,
        what: "ZIP codes",
        condition: "v ~ '^[0-9]{5}(-[0-9]{4})?$'",
        least: 0.9,
        weight: 4,
    },
    Detector {
        class: IdentifierClass::Date,
        what: "dates",
        condition: "v ~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9]([ T].*)?$' OR v ~ '^[01]?[0-9]/[0-3]?[0-9]/[12][0-9]{3}$'",
        least: 0.8,
        weight: 7,
    },
    Detector {
        class: IdentifierClass::Mrn,
        what: "record numbers",
        condition: "v ~ '^[A-Z]{1,4}-?[0-9]{6,10}$'",
        least: 0.8,
        weight: 5,
    },
    Detector {
        class: IdentifierClass::Name,
        what: "names of people",
        condition: NAMES,
        least: 0.15,
        weight: 6,
    },
    Detector {
        class: IdentifierClass::FreeText,
        what: "prose",
        condition: "pg_catalog.length(v) OPERATOR(pg_catalog.>=) 80 AND v ~ '[[:alpha:]]+ [[:alpha:]]+ [[:alpha:]]+'",
        least: 0.3,
        weight: 3,
    },
];

/// How a column's values look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    /// Values that are not NULL.
    pub(super) filled: u64,
    /// One count a detector.
    pub(super) hits: Vec<u64>,
}

/// What the samples say.
#[derive(Debug, Clone, Default)]
pub struct Sampled {
    /// By table oid and column number.
    pub(super) counts: HashMap<(u32, i16), Counts>,
    /// What was not looked at.
    pub not_sampled: Vec<NotSampled>,
}

/// A table whose rows were not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSampled {
    /// `schema.table`.
    pub table: String,
    /// Why, in words.
    pub why: String,
}

/// Looks at up to `rows` rows of each table, until `until`. Nothing but counts is asked for. Cancel
/// safe: the transaction goes with the connection.
///
/// # Errors
/// When the connection fails; a table that cannot be read is in [`Sampled::not_sampled`].
pub async fn sample(
    connection: &mut PgConnection,
    snapshot: &Snapshot,
    rows: u32,
    until: Instant,
) -> Result<Sampled, CatalogError> {
    let mut sampled = Sampled::default();
    let mut tables: Vec<&Relation> = snapshot
        .relations()
        .filter(|r| is_classifiable(r))
        .collect();
    tables.sort_by_key(|table| table.oid);
    for table in tables {
        let name = format!("{}.{}", table.schema, table.name);
        let columns: Vec<_> = table
            .columns
            .iter()
            .filter(|column| {
                matches!(
                    column.ty.kind,
                    TypeKind::Text | TypeKind::Varchar | TypeKind::Bpchar
                )
            })
            .collect();
        if columns.is_empty() {
            continue;
        }
        let mut skip = |why: &str| {
            sampled.not_sampled.push(NotSampled {
                table: name.clone(),
                why: why.to_owned(),
            });
        };
        if Instant::now() >= until {
            skip("the time was over");
            continue;
        }
        connection.execute(sqlx::raw_sql(LIMITS)).await?;
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let sql = query(table, &names, rows.min(SAMPLE_MAX));
        let answer = timeout(
            TABLE_DEADLINE,
            connection.fetch_one(sqlx::query(AssertSqlSafe(sql))),
        )
        .await;
        match answer {
            Ok(Ok(row)) => {
                let per_column = DETECTORS.len() + 1;
                for (index, column) in columns.iter().enumerate() {
                    let count = |at: usize| -> Result<u64, sqlx::Error> {
                        let count: i64 = row.try_get(index * per_column + at)?;
                        Ok(u64::try_from(count).unwrap_or(0))
                    };
                    let counts = Counts {
                        filled: count(0)?,
                        hits: (1..per_column).map(count).collect::<Result<_, _>>()?,
                    };
                    sampled.counts.insert((table.oid, column.attnum), counts);
                }
            }
            Ok(Err(sqlx::Error::Database(error))) => {
                let code = error.code().unwrap_or_default().into_owned();
                skip(&format!("PostgreSQL refused (SQLSTATE {code})"));
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => {
                return Err(CatalogError::Timeout {
                    address: name,
                    after: TABLE_DEADLINE,
                });
            }
        }
        connection.execute(sqlx::raw_sql("ROLLBACK")).await?;
        connection.ping().await?;
    }
    Ok(sampled)
}

/// One row: for each column how many values there are, then how many each detector takes.
fn query(table: &Relation, columns: &[&str], rows: u32) -> String {
    let mut sql = String::from("SELECT ");
    for (index, _) in columns.iter().enumerate() {
        if index > 0 {
            sql.push_str(", ");
        }
        let _ = write!(sql, "pg_catalog.count(c{index})");
        for detector in &DETECTORS {
            let condition = on_column(detector.condition, index);
            let _ = write!(sql, ", pg_catalog.count(*) FILTER (WHERE {condition})");
        }
    }
    sql.push_str(" FROM (SELECT ");
    for (index, name) in columns.iter().enumerate() {
        if index > 0 {
            sql.push_str(", ");
        }
        let name = quote_identifier(name);
        let _ = write!(
            sql,
            "pg_catalog.left(t.{name}::pg_catalog.text, {CHARACTERS}) AS c{index}"
        );
    }
    let _ = write!(
        sql,
        " FROM {}.{} AS t LIMIT {rows}) AS s",
        quote_identifier(&table.schema),
        quote_identifier(&table.name)
    );
    sql
}

/// A detector's condition over a column of the sample.
fn on_column(condition: &str, index: usize) -> String {
    let column = format!("s.c{index}");
    condition
        .replace(
            "lower(v)",
            &format!("pg_catalog.lower(pg_catalog.btrim({column}))"),
        )
        .replace("length(v)", &format!("length({column})"))
        .replace("v ~* ", &format!("{column} OPERATOR(pg_catalog.~*) "))
        .replace("v ~ ", &format!("{column} OPERATOR(pg_catalog.~) "))
}
