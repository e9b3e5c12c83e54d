//! Rows that need a word of their own in the grant: HIV, PSY, SUD, VIP, EMP and the like.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::TableName;

/// The longest code, in bytes.
const CODE_MAX: usize = 16;

/// A sensitivity by its code: one of HL7 v3 ActCode's information sensitivity policies, such as HIV, PSY,
/// SUD (substance use disorder, 42 CFR part 2), VIP (celebrity), EMP (employee); or the house's own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SensitivityCode(String);

/// The text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a sensitivity: 2 to {CODE_MAX} capital letters, digits and _, such as HIV, PSY, SUD, VIP, EMP"
)]
pub struct UnknownSensitivity(pub String);

/// What a predicate finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// Sensitive rows: each by itself.
    Row,
    /// Sensitive patients: every row of theirs in every table, through its key path.
    Patient,
}

/// Which rows are sensitive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The table whose rows the predicate judges.
    pub table: TableName,
    /// The code a grant has to name to see them.
    pub code: SensitivityCode,
    /// Whether it finds rows or patients.
    pub bearer: Bearer,
    /// SQL over the table's own columns; a row is sensitive where it is true, not where it is NULL.
    pub predicate: String,
}

// === impl SensitivityCode ===

impl SensitivityCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SensitivityCode {
    type Err = UnknownSensitivity;

    fn from_str(text: &str) -> Result<Self, UnknownSensitivity> {
        let sound = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let first = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_uppercase());
        if first && (2..=CODE_MAX).contains(&text.len()) && text.bytes().all(sound) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownSensitivity(
                text.chars().take(CODE_MAX * 2).collect(),
            ))
        }
    }
}

impl TryFrom<String> for SensitivityCode {
    type Error = UnknownSensitivity;

    fn try_from(text: String) -> Result<Self, UnknownSensitivity> {
        text.parse()
    }
}

impl From<SensitivityCode> for String {
    fn from(code: SensitivityCode) -> Self {
        code.0
    }
}

impl fmt::Display for SensitivityCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Bearer ===

impl Bearer {
    /// The name used in files and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Patient => "patient",
        }
    }
}

impl FromStr for Bearer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "row" => Ok(Self::Row),
            "patient" => Ok(Self::Patient),
            other => Err(format!("expected row or patient, found {other:?}")),
        }
    }
}
