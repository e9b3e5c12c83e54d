//! Transforms: the closed list of what a release can do to a value.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::column::{ColumnType, TypeKind};

/// What happens to a value on its way out. Each keeps the column's type; [`crate::release`] says
/// how, type by type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The value itself.
    Keep,
    /// A NULL of the column's type, on every row.
    Null,
    /// The constant `[redacted]` for text, a typed NULL else, on every row.
    Redact,
    /// The first of January of the year (45 CFR 164.514(b)(2)(i)(C)).
    Year,
    /// As [`Transform::Year`], with everyone of 90 and older in one year (the same clause).
    YearCap90,
    /// An age, with all ages over 89 as 90 (the same clause).
    AgeCap90,
    /// The first three digits of a ZIP code, 000 where they hold 20,000 people or fewer
    /// (45 CFR 164.514(b)(2)(i)(B)).
    Zip3,
    /// A code that joins within a project and nowhere else: keyed, or under safe harbor, where
    /// 45 CFR 164.514(c) allows no code derived from the individual's data, assigned at random (NULL
    /// where nothing is there to keep such codes).
    Pseudonym,
    /// Whole days added, the same number for all dates of a patient; the year where a table has no
    /// column that names the patient.
    DateShift,
    /// A constant in the place of free text or of a document, on every row.
    TextBlock,
    /// Free text without what looks like a number, date, address or titled name. An explicit choice
    /// whose risk someone accepted: what it does not recognise goes out.
    TextScrub,
    /// A JSON document with the single values at declared paths and nothing else. An explicit choice:
    /// whatever lies there goes out.
    JsonPaths,
}

/// No transform has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown transform {0:?}; one of {names}", names = names())]
pub struct UnknownTransform(pub String);

// === impl Transform ===

impl Transform {
    /// Every transform.
    pub const ALL: [Self; 12] = [
        Self::Keep,
        Self::Null,
        Self::Redact,
        Self::Year,
        Self::YearCap90,
        Self::AgeCap90,
        Self::Zip3,
        Self::Pseudonym,
        Self::DateShift,
        Self::TextBlock,
        Self::TextScrub,
        Self::JsonPaths,
    ];

    /// How much of a value it lets out, roughly: 0 nothing, 1 something of it, 2 all of it. Two
    /// transforms that let out something are not comparable.
    pub const fn lets_out(self) -> u8 {
        match self {
            Self::Null | Self::Redact | Self::TextBlock => 0,
            Self::Year
            | Self::YearCap90
            | Self::AgeCap90
            | Self::Zip3
            | Self::Pseudonym
            | Self::DateShift
            | Self::TextScrub
            | Self::JsonPaths => 1,
            Self::Keep => 2,
        }
    }

    /// The name used in files and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Null => "null",
            Self::Redact => "redact",
            Self::Year => "year",
            Self::YearCap90 => "year_cap90",
            Self::AgeCap90 => "age_cap90",
            Self::Zip3 => "zip3",
            Self::Pseudonym => "pseudonym",
            Self::DateShift => "date_shift",
            Self::TextBlock => "text_block",
            Self::TextScrub => "text_scrub",
            Self::JsonPaths => "json_paths",
        }
    }

    /// Whether a column of this type can be released so.
    pub const fn type_supported(self, ty: &ColumnType) -> bool {
        self.supports(ty.kind)
    }

    /// Whether a column of this kind of type can be released so.
    pub const fn supports(self, kind: TypeKind) -> bool {
        match self {
            Self::Keep | Self::Null | Self::Redact | Self::TextBlock => true,
            Self::Year | Self::YearCap90 => {
                kind.is_calendar() || kind.is_number() || kind.is_text()
            }
            Self::AgeCap90 => kind.is_number() || kind.is_text(),
            Self::Zip3 => kind.is_text() || kind.is_integer(),
            Self::Pseudonym => {
                kind.is_text()
                    || kind.is_integer()
                    || matches!(kind, TypeKind::Uuid | TypeKind::Numeric | TypeKind::Bytea)
            }
            Self::DateShift => kind.is_calendar() || kind.is_text(),
            Self::TextScrub => kind.is_text(),
            Self::JsonPaths => matches!(kind, TypeKind::Json | TypeKind::Jsonb),
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Transform {
    type Err = UnknownTransform;

    fn from_str(text: &str) -> Result<Self, UnknownTransform> {
        Self::ALL
            .into_iter()
            .find(|transform| transform.as_str() == text)
            .ok_or_else(|| UnknownTransform(text.to_owned()))
    }
}

fn names() -> String {
    Transform::ALL.map(Transform::as_str).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for transform in Transform::ALL {
            assert_eq!(transform.as_str().parse(), Ok(transform));
        }
        let error = "yaer".parse::<Transform>().unwrap_err().to_string();
        assert!(error.contains("year_cap90"), "{error}");
    }
}
