//! Which rows are whose, and which of them are sensitive: key paths to the patient, and predicates.
//!
//! A [`RowRules`] file says it of each table; with a grant's cohort and the sensitivities it names it
//! becomes the [`RowPolicy`] of an effective policy.

mod file;
mod path;
mod sensitivity;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::column::quote_if_needed;

pub use file::{RowRules, RowRulesError};
pub use path::{Alternative, Chain, KeyPath, KeyPathError, Reference, Route, Step};
pub use sensitivity::{Bearer, Sensitivity, SensitivityCode, UnknownSensitivity};

/// A table or view, by exact catalog names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// The schema.
    pub schema: String,
    /// The table.
    pub table: String,
}

/// What one grant makes of a database's row rules.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RowPolicy {
    /// Whether the grant shows the rows of listed patients only. The list itself is not here.
    pub scoped: bool,
    /// The declared key paths.
    pub paths: BTreeMap<TableName, KeyPath>,
    /// The sensitive rows that the grant does not name, and so does not show.
    pub withheld: Vec<Sensitivity>,
}

/// A grant names a sensitivity that its database's rules do not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no row rule of the database has the sensitivity {code}; {declared}")]
pub struct UndeclaredSensitivity {
    /// The code.
    pub code: SensitivityCode,
    /// Which ones it knows, for people.
    pub declared: String,
}

// === impl RowRules ===

impl RowRules {
    /// What a grant makes of the rules: `scoped` when it has a patient list, `named` what it may see.
    ///
    /// # Errors
    /// When it names a sensitivity that no rule has: a misspelt one must not look granted.
    pub fn policy(
        &self,
        scoped: bool,
        named: &BTreeSet<SensitivityCode>,
    ) -> Result<RowPolicy, UndeclaredSensitivity> {
        let declared: BTreeSet<_> = self.sensitivities().map(|rule| &rule.code).collect();
        if let Some(unknown) = named.iter().find(|code| !declared.contains(code)) {
            let list: Vec<_> = declared.iter().map(ToString::to_string).collect();
            let declared = match list.as_slice() {
                [] => "it has none".to_owned(),
                list => format!("it has {}", list.join(", ")),
            };
            return Err(UndeclaredSensitivity {
                code: unknown.clone(),
                declared,
            });
        }
        let withheld = self
            .sensitivities()
            .filter(|rule| !named.contains(&rule.code));
        Ok(RowPolicy {
            scoped,
            paths: self.paths().clone(),
            withheld: withheld.cloned().collect(),
        })
    }
}

// === impl RowPolicy ===

impl RowPolicy {
    /// Whether any row may be out of scope: such a policy needs a barrier inside PostgreSQL.
    pub fn restricts(&self) -> bool {
        self.scoped || !self.withheld.is_empty()
    }

    /// Whether it says nothing at all.
    pub fn is_empty(&self) -> bool {
        !self.restricts() && self.paths.is_empty()
    }

    /// Appends what it says to the canonical form that policy ids are the hash of. INVARIANT: nothing
    /// where it is empty, and a length before each text.
    pub(crate) fn write_canonical(&self, canonical: &mut String) {
        let Self {
            scoped,
            paths,
            withheld,
        } = self;
        if *scoped {
            canonical.push_str("scoped\n");
        }
        for (table, path) in paths {
            let path = path.to_string();
            canonical.push_str("path ");
            for text in [&table.schema, &table.table, &path] {
                let _ = write!(canonical, "{}:{text} ", text.len());
            }
            canonical.push('\n');
        }
        for rule in withheld {
            let Sensitivity {
                table,
                code,
                bearer,
                predicate,
            } = rule;
            let _ = write!(canonical, "withheld {code} {} ", bearer.as_str());
            for text in [&table.schema, &table.table, predicate] {
                let _ = write!(canonical, "{}:{text} ", text.len());
            }
            canonical.push('\n');
        }
    }
}

// === impl TableName ===

impl TableName {
    /// From exact catalog names.
    pub fn new(schema: impl Into<String>, table: impl Into<String>) -> Self {
        Self {
            schema: schema.into(),
            table: table.into(),
        }
    }
}

/// As PostgreSQL's `quote_ident` would write it, the schema always named.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [schema, table] = [&self.schema, &self.table].map(|name| quote_if_needed(name));
        write!(f, "{schema}.{table}")
    }
}

#[cfg(test)]
mod tests;
