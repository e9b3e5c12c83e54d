//! Release profiles: how much of a record a grant lets through, by name. What each does to a
//! column is in `phigate-phi`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of four ways to release protected data, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// 45 CFR 164.514(b)(2): the eighteen identifiers removed or generalised.
    SafeHarbor,
    /// 45 CFR 164.514(e): direct identifiers removed; dates, cities, ZIP codes and keys kept.
    LimitedDataset,
    /// 45 CFR 164.514(b)(1): an expert's determination; dates shifted per patient.
    Expert,
    /// Nothing masked unless blocked.
    Identified,
}

impl Profile {
    /// Every profile, in the order of the enum.
    pub const ALL: [Self; 4] = [
        Self::SafeHarbor,
        Self::LimitedDataset,
        Self::Expert,
        Self::Identified,
    ];

    /// The name used in files, commands and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SafeHarbor => "safe_harbor",
            Self::LimitedDataset => "limited_dataset",
            Self::Expert => "expert",
            Self::Identified => "identified",
        }
    }
}

/// No profile has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown profile {0:?}; one of safe_harbor, limited_dataset, expert, identified")]
pub struct UnknownProfile(pub String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownProfile(text.to_owned()))
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
