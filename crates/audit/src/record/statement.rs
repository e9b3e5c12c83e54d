//! What is known of a statement before it runs, when it has run, and when it was refused.

use std::sync::Arc;
use std::time::Duration;

use phigate_types::SqlState;
use serde::{Deserialize, Serialize};

/// What the analysis of a statement found. Made once per plan and shared by its records.
///
/// INVARIANT: the skeleton holds no literal, and aliases, cursor, savepoint and statement names in it
/// are replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    /// The kind of statement: `select`, `explain`, `begin`, ...
    pub kind: String,
    /// The statement without its literals.
    pub skeleton: String,
    /// Equal for statements that differ only in what the skeleton leaves out.
    pub fingerprint: Fingerprint,
    /// Why it may run.
    pub decision: Decision,
    /// Whether a relation in it is read through its masked form.
    pub masked: bool,
    /// What it reads and writes.
    pub touches: Vec<Touch>,
}

/// Why a statement may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It was analysed and every part of it is allowed under the grant.
    Permit,
    /// The grant and the database allow it unread.
    Passthrough,
}

/// One relation that a statement touches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// As schema.name.
    pub relation: String,
    /// Which of its columns, and what was done to each.
    pub columns: Vec<ColumnTouch>,
    /// Its rows are changed, or it is made.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub written: bool,
}

/// One column that a statement touches; in JSON `["birth_date","year"]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnTouch(
    /// The column.
    pub String,
    /// `block`, or the transform it was released through.
    pub String,
);

/// Sixteen bytes, in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// A statement was analysed and may be executed many times. Its payload holds the SQL as sent and as
/// run; the intents of its executions name it instead of repeating that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// Its number in the session, from 1.
    pub prepared: u64,
    /// What it does.
    pub analysis: Arc<Analysis>,
}

/// A statement is about to be executed. Its payload holds the bind values and, unless it was prepared
/// before, the SQL as sent and as run. Who, under which grant and why is in the session's first record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The number of the execution in the session, from 1.
    pub statement: u64,
    /// Which [`Prepared`] of the session it executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prepared: Option<u64>,
    /// What it does, unless a [`Prepared`] says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analysis: Option<Arc<Analysis>>,
}

/// How an execution ended. Its payload may hold an upstream error's detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The [`Intent::statement`] it belongs to.
    pub statement: u64,
    /// Rows released.
    pub rows: u64,
    /// Bytes of results released, frame headers included.
    pub bytes: u64,
    /// From its forwarding to the end of its result, in microseconds.
    #[serde(rename = "duration_us", with = "micros")]
    pub duration: Duration,
    /// PostgreSQL's command tag, `SELECT 5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Why it failed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_sqlstate"
    )]
    pub sqlstate: Option<SqlState>,
    /// Digest of the result's bytes under the session's digest key, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// A statement or message was refused. Its payload holds the SQL as sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// A word from a closed list.
    pub reason: String,
    /// What the client was told.
    #[serde(with = "sqlstate")]
    pub sqlstate: SqlState,
    /// Where in the statement, in characters from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
}

// === impl Fingerprint ===

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = [0; 32];
        let _ = hex::encode_to_slice(self.0, &mut text);
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 16];
        hex::decode_to_slice(&text, &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}

/// Durations as whole microseconds.
pub(super) mod micros {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(
        span: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(span.as_micros()).unwrap_or(u64::MAX))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

/// SQLSTATEs as their five characters.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
pub(super) mod sqlstate {
    use phigate_types::SqlState;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(
        code: &SqlState,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(code.as_str())
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SqlState, D::Error> {
        let text = String::deserialize(deserializer)?;
        SqlState::from_bytes(text.as_bytes())
            .ok_or_else(|| D::Error::custom("a SQLSTATE is five capitals or digits"))
    }
}

/// SQLSTATEs that may be absent.
#[allow(clippy::trivially_copy_pass_by_ref, clippy::ref_option)] // serde's signature
mod optional_sqlstate {
    use phigate_types::SqlState;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        code: &Option<SqlState>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match code {
            Some(code) => super::sqlstate::serialize(code, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SqlState>, D::Error> {
        super::sqlstate::deserialize(deserializer).map(Some)
    }
}
