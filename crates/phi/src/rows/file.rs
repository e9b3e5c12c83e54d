//! The row rules file: TOML, one table a table.
//!
//! ```toml
//! [table.note_nlp]
//! patient = "note_id -> note.person_id"
//!
//! [table.fact_relationship]          # two references, each of several meanings
//! patient = [
//!   [ { when = "domain_concept_id_1 = 56", path = "fact_id_1" },
//!     { when = "domain_concept_id_1 = 21", path = "fact_id_1 -> measurement(measurement_id).person_id" } ],
//!   [ { when = "domain_concept_id_2 = 56", path = "fact_id_2" } ],
//! ]
//!
//! [table.patients]
//! sensitivity = [ { code = "VIP", where = "is_celebrity", of = "patient" } ]
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::path::MAX_PREDICATE;
use super::{
    Alternative, Bearer, KeyPath, Reference, Route, Sensitivity, SensitivityCode, TableName,
};
use crate::column::ColumnName;

/// The longest file, in bytes.
const FILE_MAX: usize = 1024 * 1024;

/// The most sensitivities of one table.
const MAX_SENSITIVITIES: usize = 64;

/// A database's row rules, as its owner wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowRules {
    paths: BTreeMap<TableName, KeyPath>,
    sensitivities: Vec<Sensitivity>,
    lines: BTreeMap<TableName, usize>,
}

/// Where a row rules file is wrong, and what was expected there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {message}")]
pub struct RowRulesError {
    /// The file's name as given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The key, such as `table.note_nlp.patient`; empty when the whole file is meant.
    pub key: String,
    /// What is wrong and what was expected.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    #[serde(default)]
    table: BTreeMap<Spanned<String>, RawTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    patient: Option<Spanned<Value>>,
    #[serde(default)]
    sensitivity: Vec<Spanned<RawSensitivity>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSensitivity {
    code: String,
    #[serde(rename = "where")]
    predicate: String,
    of: Option<String>,
}

/// One meaning of a reference, as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlternative {
    when: Option<String>,
    path: String,
}

impl RowRules {
    /// Reads a file. `file` is only for errors. Whether tables, columns and predicates fit the
    /// database is for `phigate check` and for whoever binds the rules.
    ///
    /// # Errors
    /// At the first key that is not understood.
    pub fn parse(text: &str, file: &str) -> Result<Self, RowRulesError> {
        let error = |span: Option<std::ops::Range<usize>>, key: String, message: String| {
            let before = text.get(..span.map_or(0, |span| span.start));
            RowRulesError {
                file: file.to_owned(),
                line: before.unwrap_or_default().matches('\n').count() + 1,
                key,
                message,
            }
        };
        if text.len() > FILE_MAX {
            let message = format!("a file has at most {FILE_MAX} bytes");
            return Err(error(None, String::new(), message));
        }
        let raw: RawRules = toml::from_str(text).map_err(|bad| {
            let message = bad.message().trim_end().to_owned();
            error(bad.span(), "table".to_owned(), message)
        })?;
        let mut rules = Self::default();
        for (written, table) in raw.table {
            let key = |key: &str| format!("table.{}{key}", written.as_ref());
            let name = table_name(written.as_ref())
                .map_err(|message| error(Some(written.span()), key(""), message))?;
            let line = error(Some(written.span()), String::new(), String::new()).line;
            if rules.lines.insert(name.clone(), line).is_some() {
                let message = format!("{name} is there twice");
                return Err(error(Some(written.span()), key(""), message));
            }
            if let Some(patient) = table.patient {
                let span = patient.span();
                let path = key_path(patient.into_inner())
                    .map_err(|message| error(Some(span), key(".patient"), message))?;
                rules.paths.insert(name.clone(), path);
            }
            if table.sensitivity.len() > MAX_SENSITIVITIES {
                let message = format!("at most {MAX_SENSITIVITIES} for one table");
                return Err(error(Some(written.span()), key(".sensitivity"), message));
            }
            for raw in table.sensitivity {
                let span = raw.span();
                let rule = raw.into_inner().check(&name).map_err(|(cell, message)| {
                    error(Some(span), key(&format!(".sensitivity.{cell}")), message)
                })?;
                rules.sensitivities.push(rule);
            }
        }
        rules.sensitivities.sort();
        rules.sensitivities.dedup();
        Ok(rules)
    }

    /// The declared key paths.
    pub fn paths(&self) -> &BTreeMap<TableName, KeyPath> {
        &self.paths
    }

    /// The sensitivities, by table.
    pub fn sensitivities(&self) -> impl Iterator<Item = &Sensitivity> {
        self.sensitivities.iter()
    }

    /// The tables the file names, each with the line it is on, from 1.
    pub fn tables(&self) -> impl Iterator<Item = (&TableName, usize)> {
        self.lines.iter().map(|(table, line)| (table, *line))
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.sensitivities.is_empty()
    }
}

impl RawSensitivity {
    fn check(self, table: &TableName) -> Result<Sensitivity, (&'static str, String)> {
        Ok(Sensitivity {
            table: table.clone(),
            code: self
                .code
                .parse::<SensitivityCode>()
                .map_err(|unknown| ("code", unknown.to_string()))?,
            bearer: match self.of.as_deref() {
                None => Bearer::Row,
                Some(word) => word.parse().map_err(|message| ("of", message))?,
            },
            predicate: predicate(&self.predicate).map_err(|message| ("where", message))?,
        })
    }
}

fn table_name(text: &str) -> Result<TableName, String> {
    ColumnName::from_cells(text, "c")
        .map(|name| TableName::new(name.schema, name.table))
        .map_err(|_| format!("expected a table or schema.table, found {text:?}"))
}

fn predicate(text: &str) -> Result<String, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() || trimmed.len() > MAX_PREDICATE || trimmed.contains('\0') {
        return Err(format!(
            "expected an SQL condition of 1 to {MAX_PREDICATE} bytes"
        ));
    }
    Ok(trimmed.to_owned())
}

/// A path, or a list of references.
fn key_path(value: Value) -> Result<KeyPath, String> {
    let references = match value {
        Value::Array(references) => references
            .into_iter()
            .map(reference)
            .collect::<Result<_, _>>()?,
        one => vec![reference(one)?],
    };
    KeyPath::new(references).map_err(|error| error.to_string())
}

/// A path, a meaning, or a list of meanings.
fn reference(value: Value) -> Result<Reference, String> {
    let alternatives = match value {
        Value::Array(list) => list
            .into_iter()
            .map(alternative)
            .collect::<Result<_, _>>()?,
        one => vec![alternative(one)?],
    };
    Reference::new(alternatives).map_err(|error| error.to_string())
}

fn alternative(value: Value) -> Result<Alternative, String> {
    let raw = match value {
        Value::String(path) => RawAlternative { when: None, path },
        table @ Value::Table(_) => table
            .try_into()
            .map_err(|error: toml::de::Error| error.message().trim_end().to_owned())?,
        other => {
            return Err(format!(
                "expected a path, {{ when, path }} or lists of them, found a {}",
                other.type_str()
            ));
        }
    };
    Ok(Alternative {
        when: raw.when.as_deref().map(predicate).transpose()?,
        route: raw
            .path
            .parse::<Route>()
            .map_err(|error| error.to_string())?,
    })
}
