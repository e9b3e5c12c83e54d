//! Proposes a classification: from the names of columns, and from how many values of a sample look
//! like something. Values are compared inside PostgreSQL; only counts leave it.

mod lexicon;
mod sample;

use std::fmt::Write as _;

use phigate_phi::{IdentifierClass, TypeKind};
use phigate_sql::{Column, Relation, Snapshot};

pub use lexicon::{Lexicon, LexiconError};
pub use sample::{NotSampled, SAMPLE_MAX, Sampled, sample};

use crate::check::is_classifiable;
use sample::{Counts, DETECTORS};

/// What is proposed for one column.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// `pg_namespace.nspname`.
    pub schema: String,
    /// `pg_class.relname`.
    pub table: String,
    /// `pg_attribute.attname`.
    pub column: String,
    /// The type, as the classification file writes it.
    pub pg_type: String,
    /// Its kind.
    pub kind: TypeKind,
    /// What it seems to hold.
    pub identifier: IdentifierClass,
    /// 0 to 1; below 0.5 it is a guess.
    pub confidence: f64,
    /// What spoke for it.
    pub because: String,
}

/// Non-null values of which at least so many must be there before they speak.
const VALUES_MIN: u64 = 5;

/// The part of the values that must look alike before they outvote a name.
const OUTVOTE: f64 = 0.8;

/// Proposes for every column of every table, by name. Never fails: what nothing speaks for gets the
/// class that withholds most for its type, and little confidence.
pub fn propose(snapshot: &Snapshot, lexicon: &Lexicon, sampled: &Sampled) -> Vec<Proposal> {
    let mut tables: Vec<&Relation> = snapshot
        .relations()
        .filter(|relation| is_classifiable(relation))
        .collect();
    tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    let columns = tables
        .into_iter()
        .flat_map(|table| table.columns.iter().map(move |column| (table, column)));
    columns
        .map(|(table, column)| {
            let counts = sampled.counts.get(&(table.oid, column.attnum));
            let (identifier, confidence, because) = judge(table, column, lexicon, counts);
            Proposal {
                schema: table.schema.clone(),
                table: table.name.clone(),
                column: column.name.clone(),
                pg_type: column.ty.name.replace("pg_catalog.", "").replace('"', ""),
                kind: column.ty.kind,
                identifier,
                confidence,
                because,
            }
        })
        .collect()
}

fn judge(
    table: &Relation,
    column: &Column,
    lexicon: &Lexicon,
    counts: Option<&Counts>,
) -> (IdentifierClass, f64, String) {
    let named = lexicon
        .match_name(&table.name, &column.name)
        .map(|found| (fitted(found.class, column.ty.kind), found))
        // `cost_id` numbers a row of a patient, it does not cost anything.
        .filter(|(class, found)| {
            !(class.is_some_and(|c| !c.is_phi()) && is_row_number(column, found))
        })
        .filter(|(class, _)| class.is_some());
    let valued = counts.and_then(looks_like);
    match (named, valued) {
        (Some((Some(class), name)), Some((values, ratio, said))) => {
            let because = format!("name: {}; values: {said}", name.phrase);
            if class == values {
                (class, (name.confidence + 0.05).min(0.99), because)
            } else if ratio >= OUTVOTE && (is_direct(values) || name.confidence < 0.7) {
                // Nobody calls a number of another kind by chance what nine in ten values are.
                (values, 0.5 + 0.4 * ratio, because)
            } else {
                (class, name.confidence * 0.8, because)
            }
        }
        (Some((Some(class), name)), None) => {
            (class, name.confidence, format!("name: {}", name.phrase))
        }
        (_, Some((values, ratio, said))) => (values, 0.4 + 0.5 * ratio, format!("values: {said}")),
        (_, None) => by_type(column),
    }
}

/// The class a name stands for, as far as the type allows it: a flag named after a thing is not the
/// thing.
fn fitted(class: IdentifierClass, kind: TypeKind) -> Option<IdentifierClass> {
    use IdentifierClass as I;
    let text = matches!(kind, TypeKind::Text | TypeKind::Varchar | TypeKind::Bpchar);
    let moment = matches!(
        kind,
        TypeKind::Date | TypeKind::Timestamp | TypeKind::Timestamptz
    );
    let whole = matches!(kind, TypeKind::Int2 | TypeKind::Int4 | TypeKind::Int8);
    match class {
        _ if kind == TypeKind::Bool => None,
        I::BirthDate | I::DeathDate | I::Date => (moment || text).then_some(class),
        _ if moment => None,
        I::BirthPart if kind == TypeKind::Time => Some(class),
        _ if kind == TypeKind::Time => None,
        I::Name
        | I::ProviderName
        | I::Employer
        | I::Facility
        | I::Email
        | I::Url
        | I::FreeText
        | I::TextValue
        | I::City => text.then_some(class),
        I::PersonKey | I::RecordKey | I::ProviderKey | I::FacilityKey => {
            (whole || text || kind == TypeKind::Uuid || kind == TypeKind::Numeric).then_some(class)
        }
        _ => Some(class),
    }
}

/// Whether a column is a whole number whose name ends like a key's, where the word that spoke is
/// another one.
fn is_row_number(column: &Column, found: &lexicon::Match) -> bool {
    let whole = matches!(
        column.ty.kind,
        TypeKind::Int2 | TypeKind::Int4 | TypeKind::Int8
    );
    whole && column.name.to_ascii_lowercase().ends_with("id") && !found.phrase.ends_with("id")
}

/// What the type alone says.
fn by_type(column: &Column) -> (IdentifierClass, f64, String) {
    let key = Lexicon::is_key_name(&column.name);
    let (class, confidence) = match column.ty.kind {
        TypeKind::Date | TypeKind::Timestamp | TypeKind::Timestamptz => {
            (IdentifierClass::Date, 0.8)
        }
        TypeKind::Time => (IdentifierClass::Time, 0.6),
        TypeKind::Bool => (IdentifierClass::Clinical, 0.6),
        TypeKind::Uuid => (IdentifierClass::RecordKey, 0.5),
        TypeKind::Int2 | TypeKind::Int4 | TypeKind::Int8 if key => {
            (IdentifierClass::RecordKey, 0.5)
        }
        TypeKind::Int2
        | TypeKind::Int4
        | TypeKind::Int8
        | TypeKind::Numeric
        | TypeKind::Float4
        | TypeKind::Float8 => (IdentifierClass::Clinical, 0.4),
        TypeKind::Text if key => (IdentifierClass::OtherUniqueId, 0.4),
        TypeKind::Varchar | TypeKind::Bpchar if key => (IdentifierClass::OtherUniqueId, 0.4),
        _ => (IdentifierClass::FreeText, 0.3),
    };
    (class, confidence, format!("type: {}", column.ty.name))
}

/// The numbers that name one person.
fn is_direct(class: IdentifierClass) -> bool {
    use IdentifierClass as I;
    matches!(class, I::Ssn | I::Phone | I::Email | I::Ip | I::Url)
}

/// What most values look like.
fn looks_like(counts: &Counts) -> Option<(IdentifierClass, f64, String)> {
    if counts.filled < VALUES_MIN {
        return None;
    }
    let ratio = |hits: u64| hits as f64 / counts.filled as f64;
    let best = DETECTORS
        .iter()
        .zip(&counts.hits)
        .filter(|(detector, hits)| ratio(**hits) >= detector.least)
        .max_by_key(|(detector, hits)| (detector.weight, **hits))?;
    let (detector, hits) = best;
    let part = ratio(*hits);
    let said = format!(
        "{:.0} % of {} like {}",
        part * 100.0,
        counts.filled,
        detector.what
    );
    Some((detector.class, part, said))
}

/// The proposal as a classification file to review: each row below a comment that says how sure it is
/// and why.
pub fn file(proposals: &[Proposal]) -> String {
    use phigate_types::Profile;
    let mut out = String::from(
        "# Proposed by phictl catalog discover: names and samples, not knowledge. Review every row,\n\
         # those with little confidence first; then remove the comments and use it as `catalog`.\n\
         table,column,pg_type,identifier,safe_harbor,limited_dataset\n",
    );
    for proposal in proposals {
        let of = |profile| {
            proposal
                .identifier
                .default_transform(profile, proposal.kind)
        };
        let table = if proposal.schema == "public" {
            proposal.table.clone()
        } else {
            format!("{}.{}", proposal.schema, proposal.table)
        };
        let because: String = proposal
            .because
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let _ = writeln!(out, "# {:.2} {because}", proposal.confidence);
        let cells = [
            cell(&table),
            cell(&proposal.column),
            cell(&proposal.pg_type),
            proposal.identifier.as_str().to_owned(),
            of(Profile::SafeHarbor).as_str().to_owned(),
            of(Profile::LimitedDataset).as_str().to_owned(),
        ];
        out.push_str(&cells.join(","));
        out.push('\n');
    }
    out
}

/// RFC 4180.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) || text.starts_with('#') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
