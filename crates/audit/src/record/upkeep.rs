//! What the log writes about itself.

use serde::{Deserialize, Serialize};

/// The log was opened. The first record after each start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOpened {
    /// Whose log it is.
    pub origin: String,
    /// The version of the software.
    pub software: String,
    /// `process`, `local` or `strict`.
    pub level: String,
    /// Whether the leaf before this one was a [`LogClosed`]; true for the first leaf of all.
    pub clean: bool,
    /// Bytes of an unfinished batch that were cut after the last commit mark.
    pub torn_bytes: u64,
    /// Why the epoch before this one is not continued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Quarantined>,
}

/// An epoch of the log that is left as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// Which epoch.
    pub epoch: u32,
    /// The file in which the first damage was found.
    pub file: String,
    /// Where in it, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub why: String,
    /// How many of its leaves are sound.
    pub leaves: u64,
    /// The hash of the last sound one, in hexadecimal.
    pub head: String,
}

/// The log was closed in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogClosed {}

/// Nothing was recorded for one interval: bounds in time what a truncation can take away unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// How many leaves come before this one.
    pub leaves: u64,
    /// The hash of the last of them, in hexadecimal.
    pub head: String,
}
