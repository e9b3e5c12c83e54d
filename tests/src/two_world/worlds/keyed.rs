//! Injective transforms: pseudonyms and date shifts keep values apart, so worlds cannot differ in the
//! values alone. They differ in values and key together, such that what is released is the same: each
//! raw value of the second world is what its key turns into the first world's code or date.
//!
//! Codes of whole numbers are a permutation, which can be undone, and so can a shift. Codes of texts and
//! uuids are hashes, which cannot: a policy that has them has the same values and key in both worlds.

use std::fmt::Write as _;

use phigate_phi::{
    ColumnType, EffectivePolicy, KeyAccess, PatientKey, ReleaseContext, Transform, Treatment,
    TypeKind, keys, release,
};

/// Undoes the permutation of whole numbers.
const UNCODE: &str = include_str!("uncode.sql");

/// A column that the policy moves by a key, and what it is released as.
struct Moved<'a> {
    column: &'a str,
    transform: Transform,
    released: String,
}

/// The statements that turn a world under the key `from` into one under the key `to` that a grant of the
/// policy cannot tell from it. `type_of` says the SQL type of a `table.column`.
///
/// # Panics
/// When a column has a type of which this knows nothing.
pub(super) fn sql(
    policy: &EffectivePolicy,
    type_of: impl Fn(&str, &str) -> String,
    from: &[u8; 32],
    to: &[u8; 32],
) -> String {
    let mut sql = format!("SET TimeZone = 'UTC'; {UNCODE}");
    let mut tables: Vec<&str> = policy
        .rules
        .iter()
        .map(|rule| &*rule.column.table)
        .collect();
    tables.dedup();
    let tables: Vec<_> = tables
        .into_iter()
        .map(|table| (table, moved(policy, table, &type_of)))
        .collect();
    // First what both worlds release.
    use_key(from, &mut sql);
    for (table, columns) in &tables {
        update(table, columns, &mut sql, |column| {
            Some(column.released.clone())
        });
    }
    // Then what the other key makes that of: keys before the dates that are shifted by them.
    use_key(to, &mut sql);
    for (table, columns) in &tables {
        update(
            table,
            columns,
            &mut sql,
            |Moved {
                 column, transform, ..
             }| {
                let key = format!("decode(current_setting('{}'), 'hex')", keys::INTEGER);
                (*transform == Transform::Pseudonym)
                    .then(|| format!("pg_temp.uncode({column}, {key})"))
            },
        );
        update(
            table,
            columns,
            &mut sql,
            |Moved {
                 column,
                 transform,
                 released,
             }| {
                // As many days back as the key moves it on.
                (*transform == Transform::DateShift)
                    .then(|| format!("{column} - ({released} - {column})"))
            },
        );
    }
    sql
}

fn moved<'a>(
    policy: &'a EffectivePolicy,
    table: &str,
    type_of: impl Fn(&str, &str) -> String,
) -> Vec<Moved<'a>> {
    let of_table = policy
        .rules
        .iter()
        .filter(|rule| rule.column.table == table);
    let patient = policy.patient_key("public", table);
    let patient = patient.map(|name| PatientKey {
        sql: name.column.clone(),
        kind: TypeKind::from_written(&type_of(table, &name.column)),
        or_nobody: false,
    });
    let cx = ReleaseContext::new(policy.profile, "2026-01-01", KeyAccess::Settings)
        .with_patient_key(patient);
    of_table
        .filter_map(|rule| {
            let Treatment::Release(transform @ (Transform::Pseudonym | Transform::DateShift)) =
                rule.treatment
            else {
                return None;
            };
            let column = &*rule.column.column;
            let name = type_of(table, column);
            let oid = match name.as_str() {
                "integer" => 23,
                "bigint" => 20,
                "date" => 1082,
                "timestamptz" => 1184,
                other => panic!("{table}.{column} of type {other} cannot be moved by a key"),
            };
            let ty = ColumnType::builtin(oid, -1, &name);
            let released = release(transform, column, &ty, &cx).expect("a release");
            Some(Moved {
                column,
                transform,
                released,
            })
        })
        .collect()
}

fn use_key(key: &[u8; 32], sql: &mut String) {
    for (name, value) in keys::settings(key) {
        let _ = writeln!(sql, "SET {name} = '{value}';");
    }
}

fn update(
    table: &str,
    columns: &[Moved<'_>],
    sql: &mut String,
    value: impl Fn(&Moved<'_>) -> Option<String>,
) {
    let set: Vec<_> = columns
        .iter()
        .filter_map(|column| Some(format!("{} = {}", column.column, value(column)?)))
        .collect();
    if !set.is_empty() {
        let _ = writeln!(sql, "UPDATE {table} SET {};", set.join(", "));
    }
}
