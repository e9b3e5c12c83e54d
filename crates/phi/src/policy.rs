//! Effective policies: what one grant's profile, reveal and block lists make of a classification.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use aws_lc_rs::digest;
use phigate_types::Profile;
use serde::{Deserialize, Serialize};

use crate::classification::Classification;
use crate::column::ColumnName;
use crate::identifier::IdentifierClass;
use crate::json_paths::JsonPaths;
use crate::rows::{KeyPath, RowPolicy, TableName, UndeclaredSensitivity};
use crate::transform::{Transform, UnknownTransform};

/// The first line of the canonical form; changes when its meaning does.
const CANONICAL_HEADER: &str = "phigate effective policy 1";

/// The name of [`Treatment::Block`].
const BLOCK: &str = "block";

/// What becomes of columns that the classification does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unclassified {
    /// Naming one is refused; `*` omits it.
    Refuse,
    /// A typed NULL.
    Mask,
    /// The value itself.
    Release,
}

/// No choice for unclassified columns has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown choice for unclassified columns {0:?}; one of refuse, mask, release")]
pub struct UnknownUnclassified(pub String);

/// What happens to one column under a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Treatment {
    /// It leaves, transformed so.
    Release(Transform),
    /// It is not there: naming it is refused, `*` omits it.
    Block,
}

/// No treatment has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown treatment: {0}, or {BLOCK}")]
pub struct UnknownTreatment(UnknownTransform);

/// What happens to one column, and because of which class.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rule {
    /// The column.
    pub column: ColumnName,
    /// What it holds.
    pub identifier: IdentifierClass,
    /// What happens to it.
    pub treatment: Treatment,
    /// Which values of it leave, under [`Transform::JsonPaths`]; empty else.
    #[serde(default, skip_serializing_if = "JsonPaths::is_empty")]
    pub json_paths: JsonPaths,
}

/// The SHA-256 of a policy's canonical form, in lower-case hex. Equal ids mean equal treatment of
/// every column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyId(String);

/// This is not the id of a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a policy's id is 64 lower-case hexadecimal digits")]
pub struct MalformedPolicyId;

/// What a grant does to every column of its database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectivePolicy {
    /// Names this policy by what it does.
    pub id: PolicyId,
    /// The profile it comes from.
    pub profile: Profile,
    /// What becomes of columns without a rule.
    pub unclassified: Unclassified,
    /// One rule a classified column, by column name.
    pub rules: Vec<Rule>,
    /// Which rows it shows.
    #[serde(default)]
    pub rows: RowPolicy,
}

/// Why a grant's lists do not make a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A list names a column that the classification does not have.
    #[error("column {0} is not classified; add it to the classification file or correct the name")]
    UnknownColumn(ColumnName),
    /// Both lists name it.
    #[error("column {0} cannot be both revealed and blocked")]
    RevealedAndBlocked(ColumnName),
    /// Two rules for one column.
    #[error("column {0} has more than one rule")]
    DuplicateRule(ColumnName),
    /// The grant names a sensitivity that no row rule has.
    #[error(transparent)]
    UndeclaredSensitivity(#[from] UndeclaredSensitivity),
}

// === impl EffectivePolicy ===

impl EffectivePolicy {
    /// Applies a profile and a grant's lists to a classification: a blocked column is blocked, a
    /// revealed one kept, any other released as the profile says.
    ///
    /// # Errors
    /// When a list names an unclassified column, or both lists name the same one.
    pub fn derive(
        classification: &Classification,
        profile: Profile,
        reveal: &[ColumnName],
        block: &[ColumnName],
        unclassified: Unclassified,
    ) -> Result<Self, PolicyError> {
        if let Some(unknown) = reveal
            .iter()
            .chain(block)
            .find(|name| classification.get(name).is_none())
        {
            return Err(PolicyError::UnknownColumn(unknown.clone()));
        }
        if let Some(both) = reveal.iter().find(|name| block.contains(name)) {
            return Err(PolicyError::RevealedAndBlocked(both.clone()));
        }
        let rules = classification.iter().map(|column| Rule {
            column: column.name.clone(),
            identifier: column.identifier,
            treatment: if block.contains(&column.name) {
                Treatment::Block
            } else if reveal.contains(&column.name) {
                Treatment::Release(Transform::Keep)
            } else {
                Treatment::Release(column.transform(profile))
            },
            json_paths: column.json_paths(profile).clone(),
        });
        Self::from_parts(profile, unclassified, rules.collect())
    }

    /// Puts a policy together again from what was sent or stored; rules may come in any order, the
    /// id is computed, never believed.
    ///
    /// # Errors
    /// When two rules name one column.
    pub fn from_parts(
        profile: Profile,
        unclassified: Unclassified,
        rules: Vec<Rule>,
    ) -> Result<Self, PolicyError> {
        let mut by_column = BTreeMap::new();
        for mut rule in rules {
            if rule.treatment != Treatment::Release(Transform::JsonPaths) {
                rule.json_paths = JsonPaths::default();
            }
            if let Some(twice) = by_column.insert(rule.column.clone(), rule) {
                return Err(PolicyError::DuplicateRule(twice.column));
            }
        }
        let rules: Vec<Rule> = by_column.into_values().collect();
        let rows = RowPolicy::default();
        Ok(Self {
            id: PolicyId::of(profile, unclassified, &rules, &rows),
            profile,
            unclassified,
            rules,
            rows,
        })
    }

    /// The same with other row rules, under the id that these make.
    #[must_use]
    pub fn with_rows(self, rows: RowPolicy) -> Self {
        Self {
            id: PolicyId::of(self.profile, self.unclassified, &self.rules, &rows),
            rows,
            ..self
        }
    }

    /// Whether any row may be out of scope: only masked views can hold that.
    pub fn restricts_rows(&self) -> bool {
        self.rows.restricts()
    }

    /// How a table's rows lead to their patients: as declared, or by its only column of class
    /// `person_key`. A table with none or several of these and no declaration has no path.
    pub fn key_path(&self, schema: &str, table: &str) -> Option<Cow<'_, KeyPath>> {
        let name = TableName::new(schema, table);
        if let Some(declared) = self.rows.paths.get(&name) {
            return Some(Cow::Borrowed(declared));
        }
        let key = self.patient_key(schema, table)?;
        Some(Cow::Owned(KeyPath::column(&key.column)))
    }

    /// Whether a table holds anything about patients, by the classes of its columns. Those who treat
    /// and the places of treatment are not patients.
    pub fn is_about_patients(&self, schema: &str, table: &str) -> bool {
        let from = self.rules.partition_point(|rule| {
            (rule.column.schema.as_str(), rule.column.table.as_str()) < (schema, table)
        });
        self.rules
            .iter()
            .skip(from)
            .take_while(|rule| rule.column.schema == schema && rule.column.table == table)
            .any(|rule| rule.identifier.is_about_patients())
    }

    /// The rule of a column, if it is classified.
    pub fn rule(&self, name: &ColumnName) -> Option<&Rule> {
        let index = self
            .rules
            .binary_search_by(|rule| rule.column.cmp(name))
            .ok()?;
        self.rules.get(index)
    }

    /// The column of a table that names the patient: its only one of class `person_key`. It keys
    /// [`Transform::DateShift`]; a table with none or several has no such column.
    pub fn patient_key(&self, schema: &str, table: &str) -> Option<&ColumnName> {
        let mut keys = self.rules.iter().filter(|rule| {
            rule.identifier == IdentifierClass::PersonKey
                && rule.column.schema == schema
                && rule.column.table == table
        });
        match (keys.next(), keys.next()) {
            (Some(only), None) => Some(&only.column),
            _ => None,
        }
    }
}

// === impl PolicyId ===

impl PolicyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(profile: Profile, unclassified: Unclassified, rules: &[Rule], rows: &RowPolicy) -> Self {
        let mut canonical = format!("{CANONICAL_HEADER}\n{profile}\n{}\n", unclassified.as_str());
        for Rule {
            column,
            identifier,
            treatment,
            json_paths,
        } in rules
        {
            // INVARIANT: a length before each name, so that no name can imitate a separator.
            for name in [&column.schema, &column.table, &column.column] {
                let _ = write!(canonical, "{}:{name} ", name.len());
            }
            let _ = write!(canonical, "{identifier} {}", treatment.as_str());
            if !json_paths.is_empty() {
                let _ = write!(canonical, " {json_paths}");
            }
            canonical.push('\n');
        }
        rows.write_canonical(&mut canonical);
        Self(hex::encode(digest::digest(
            &digest::SHA256,
            canonical.as_bytes(),
        )))
    }
}

impl FromStr for PolicyId {
    type Err = MalformedPolicyId;

    fn from_str(text: &str) -> Result<Self, MalformedPolicyId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 2 * digest::SHA256_OUTPUT_LEN && text.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedPolicyId)
        }
    }
}

impl fmt::Display for PolicyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Treatment ===

impl Treatment {
    /// The name used in records and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Release(transform) => transform.as_str(),
            Self::Block => BLOCK,
        }
    }

    /// Whether the value itself leaves.
    pub const fn is_keep(self) -> bool {
        matches!(self, Self::Release(Transform::Keep))
    }
}

impl fmt::Display for Treatment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Treatment {
    type Err = UnknownTreatment;

    fn from_str(text: &str) -> Result<Self, UnknownTreatment> {
        if text == BLOCK {
            return Ok(Self::Block);
        }
        text.parse().map(Self::Release).map_err(UnknownTreatment)
    }
}

impl TryFrom<String> for Treatment {
    type Error = UnknownTreatment;

    fn try_from(text: String) -> Result<Self, UnknownTreatment> {
        text.parse()
    }
}

impl From<Treatment> for String {
    fn from(treatment: Treatment) -> Self {
        treatment.as_str().to_owned()
    }
}

// === impl Unclassified ===

impl Unclassified {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::Mask, Self::Release];

    /// The name used in files and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Mask => "mask",
            Self::Release => "release",
        }
    }
}

impl FromStr for Unclassified {
    type Err = UnknownUnclassified;

    fn from_str(text: &str) -> Result<Self, UnknownUnclassified> {
        Self::ALL
            .into_iter()
            .find(|choice| choice.as_str() == text)
            .ok_or_else(|| UnknownUnclassified(text.to_owned()))
    }
}

impl fmt::Display for Unclassified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
