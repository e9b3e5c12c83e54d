//! Key paths: by which columns a row leads to its patient.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::column::{self, DEFAULT_SCHEMA, quote_if_needed};

/// The most steps of one path; each is a subselect.
pub(super) const MAX_STEPS: usize = 8;
/// The most references of one row to patients.
pub(super) const MAX_REFERENCES: usize = 8;
/// The most meanings that one reference may have.
pub(super) const MAX_ALTERNATIVES: usize = 128;
/// The longest condition or predicate, in bytes.
pub(super) const MAX_PREDICATE: usize = 4096;

/// What stands for a path that leads to nobody.
const NOBODY: &str = "none";

/// How a table's rows lead to patients. A row belongs to a cohort when **every** reference leads into it.
///
/// Its text form is what files and the wire hold: `patient_id`, `note_id -> note.person_id`,
/// `encounter -> encounters(id).patient`, `none`. A step `table.column` joins the column before it to the
/// column of the same name in the table; `table(key).column` says otherwise. Several references are
/// separated by `&`, the meanings of one by `|`, each with its condition: `when (SQL): path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyPath(Vec<Reference>);

/// One way in which a row names a patient; the first meaning whose condition holds counts. Where none
/// does, the patient cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(Vec<Alternative>);

/// One meaning of a reference.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Alternative {
    /// When it is meant: SQL over the table's own columns; `None` for always.
    pub when: Option<String>,
    /// Where it leads.
    pub route: Route,
}

/// Where a reference leads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Route {
    /// To a patient.
    Patient(Chain),
    /// To nobody: such rows are about no patient, and everyone sees them.
    Nobody,
}

/// A column, and the tables it leads through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Chain {
    /// The column of the table at hand.
    pub column: String,
    /// The tables on the way, at most `MAX_STEPS`; none when the column is the patient's.
    pub steps: Vec<Step>,
}

/// One table on the way: `column` of the row whose `key` equals the column before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Step {
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// What the column before is equal to.
    pub key: String,
    /// What leads on; in the last step the patient's key.
    pub column: String,
}

/// The text is no key path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a key path such as patient_id, note_id -> note.person_id, visit -> visits(id).patient or none: {0}"
)]
pub struct KeyPathError(String);

// === impl KeyPath ===

impl KeyPath {
    /// From references; each must lead somewhere.
    ///
    /// # Errors
    /// With none or more than `MAX_REFERENCES`.
    pub fn new(references: Vec<Reference>) -> Result<Self, KeyPathError> {
        match references.len() {
            0 => Err(KeyPathError("it is empty".to_owned())),
            1..=MAX_REFERENCES => Ok(Self(references)),
            _ => Err(KeyPathError(format!("at most {MAX_REFERENCES} references"))),
        }
    }

    /// The table has a column that names the patient.
    pub fn column(column: impl Into<String>) -> Self {
        Self::always(Route::Patient(Chain {
            column: column.into(),
            steps: Vec::new(),
        }))
    }

    fn always(route: Route) -> Self {
        Self(vec![Reference(vec![Alternative { when: None, route }])])
    }

    /// Its references.
    pub fn references(&self) -> &[Reference] {
        &self.0
    }

    /// The one chain that all rows follow, if they do: what a date shift can be keyed by.
    pub fn chain(&self) -> Option<&Chain> {
        match self.0.as_slice() {
            [Reference(alternatives)] => match alternatives.as_slice() {
                [
                    Alternative {
                        when: None,
                        route: Route::Patient(chain),
                    },
                ] => Some(chain),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether no row is about a patient.
    pub fn is_nobody(&self) -> bool {
        self.alternatives()
            .all(|alternative| alternative.route == Route::Nobody)
    }

    /// Every meaning of every reference.
    pub fn alternatives(&self) -> impl Iterator<Item = &Alternative> {
        self.0.iter().flat_map(|reference| &reference.0)
    }
}

impl FromStr for KeyPath {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        let mut reader = Reader { rest: text };
        let mut references = vec![Reference::read(&mut reader)?];
        while reader.takes("&") {
            references.push(Reference::read(&mut reader)?);
        }
        if reader.is_done() {
            Self::new(references)
        } else {
            Err(reader.unexpected())
        }
    }
}

impl TryFrom<String> for KeyPath {
    type Error = KeyPathError;

    fn try_from(text: String) -> Result<Self, KeyPathError> {
        text.parse()
    }
}

impl From<KeyPath> for String {
    fn from(path: KeyPath) -> Self {
        path.to_string()
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Reference(alternatives)) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { " & " } else { "" })?;
            for (index, alternative) in alternatives.iter().enumerate() {
                f.write_str(if index > 0 { " | " } else { "" })?;
                if let Some(when) = &alternative.when {
                    // A length, so that no text can imitate what follows it.
                    write!(f, "when {}({when}): ", when.len())?;
                }
                write!(f, "{}", alternative.route)?;
            }
        }
        Ok(())
    }
}

// === impl Reference ===

impl Reference {
    /// From meanings. Only the last may be without a condition: what follows it would never be meant.
    ///
    /// # Errors
    /// With none, more than `MAX_ALTERNATIVES`, or one that is never meant.
    pub fn new(alternatives: Vec<Alternative>) -> Result<Self, KeyPathError> {
        let Some((_, all_but_last)) = alternatives.split_last() else {
            return Err(KeyPathError("a reference has no path".to_owned()));
        };
        if alternatives.len() > MAX_ALTERNATIVES {
            return Err(KeyPathError(format!(
                "at most {MAX_ALTERNATIVES} meanings of one reference"
            )));
        }
        if all_but_last
            .iter()
            .any(|alternative| alternative.when.is_none())
        {
            return Err(KeyPathError(
                "a path without a condition must come last".to_owned(),
            ));
        }
        Ok(Self(alternatives))
    }

    /// Its meanings, in the order in which they are tried.
    pub fn alternatives(&self) -> &[Alternative] {
        &self.0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyPathError> {
        let mut alternatives = vec![Alternative::read(reader)?];
        while reader.takes("|") {
            alternatives.push(Alternative::read(reader)?);
        }
        Self::new(alternatives)
    }
}

// === impl Alternative ===

impl Alternative {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyPathError> {
        let when = reader.condition()?;
        let route = if reader.takes_word(NOBODY) {
            Route::Nobody
        } else {
            Route::Patient(Chain::read(reader)?)
        };
        Ok(Self { when, route })
    }
}

impl FromStr for Route {
    type Err = KeyPathError;

    fn from_str(text: &str) -> Result<Self, KeyPathError> {
        if text.trim() == NOBODY {
            return Ok(Self::Nobody);
        }
        let mut reader = Reader { rest: text };
        let chain = Chain::read(&mut reader)?;
        if reader.is_done() {
            Ok(Self::Patient(chain))
        } else {
            Err(reader.unexpected())
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str(NOBODY),
            Self::Patient(chain) => chain.fmt(f),
        }
    }
}

// === impl Chain ===

impl Chain {
    fn read(reader: &mut Reader<'_>) -> Result<Self, KeyPathError> {
        let column = reader.identifier()?;
        let mut steps: Vec<Step> = Vec::new();
        while reader.takes("->") {
            if steps.len() == MAX_STEPS {
                return Err(KeyPathError(format!("at most {MAX_STEPS} steps")));
            }
            let before = steps.last().map_or(&column, |step| &step.column);
            let step = Step::read(reader, before)?;
            steps.push(step);
        }
        Ok(Self { column, steps })
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quote(&self.column))?;
        for step in &self.steps {
            let [schema, table, key, column] =
                [&step.schema, &step.table, &step.key, &step.column].map(|name| quote(name));
            write!(f, " -> {schema}.{table}({key}).{column}")?;
        }
        Ok(())
    }
}

impl Step {
    /// `[schema.]table[(key)].column`
    fn read(reader: &mut Reader<'_>, before: &str) -> Result<Self, KeyPathError> {
        let mut names = vec![reader.identifier()?];
        let mut key = None;
        loop {
            if key.is_none() && names.len() <= 2 && reader.takes("(") {
                key = Some(reader.identifier()?);
                if !reader.takes(")") {
                    return Err(reader.unexpected());
                }
            }
            if !reader.takes(".") {
                break;
            }
            names.push(reader.identifier()?);
            if key.is_some() {
                break;
            }
        }
        let column = names.pop().unwrap_or_default();
        let mut names = names.into_iter();
        let (schema, table) = match (names.next(), names.next(), names.next()) {
            (Some(table), None, None) => (DEFAULT_SCHEMA.to_owned(), table),
            (Some(schema), Some(table), None) => (schema, table),
            _ => {
                return Err(KeyPathError(format!(
                    "a step is written [schema.]table[(key)].column, found {column:?}"
                )));
            }
        };
        Ok(Self {
            schema,
            table,
            key: key.unwrap_or_else(|| before.to_owned()),
            column,
        })
    }
}

/// Reads a path from left to right; blanks separate.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn is_done(&self) -> bool {
        self.rest.trim_start().is_empty()
    }

    fn takes(&mut self, symbol: &str) -> bool {
        match self.rest.trim_start().strip_prefix(symbol) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// Takes a bare word that is not the beginning of a longer name or path.
    fn takes_word(&mut self, word: &str) -> bool {
        let after = self.rest.trim_start().strip_prefix(word);
        match after
            .filter(|after| matches!(after.trim_start().chars().next(), None | Some('|' | '&')))
        {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    fn identifier(&mut self) -> Result<String, KeyPathError> {
        let (name, after) =
            column::leading_identifier(self.rest.trim_start()).map_err(|_| self.unexpected())?;
        self.rest = after;
        Ok(name)
    }

    /// `when 12(...): `, the length in bytes.
    fn condition(&mut self) -> Result<Option<String>, KeyPathError> {
        let Some(after) = self.rest.trim_start().strip_prefix("when ") else {
            return Ok(None);
        };
        let read = || {
            let (len, text) = after.split_once('(')?;
            let len: usize = len.parse().ok()?;
            let condition = text.get(..len)?;
            let rest = text.get(len..)?.strip_prefix("):")?;
            (len <= MAX_PREDICATE).then_some((condition.to_owned(), rest))
        };
        let (condition, rest) = read().ok_or_else(|| self.unexpected())?;
        self.rest = rest;
        Ok(Some(condition))
    }

    fn unexpected(&self) -> KeyPathError {
        let shown: String = self.rest.trim_start().chars().take(40).collect();
        KeyPathError(if shown.is_empty() {
            "it ends too early".to_owned()
        } else {
            format!("cannot read it from {shown:?} on")
        })
    }
}

/// As [`Reader`] reads it back; the word for nobody is quoted, for a column may be called so.
fn quote(name: &str) -> String {
    if name == NOBODY || name == "when" {
        format!("\"{name}\"")
    } else {
        quote_if_needed(name)
    }
}
