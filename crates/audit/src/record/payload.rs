//! What may hold PHI or a person's words: encrypted, and committed to by hash from its leaf.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The confidential part of a record. No `Display`; its `Debug` shows nothing.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// The SQL as the client sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Arc<str>>,
    /// The SQL as PostgreSQL got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<Arc<str>>,
    /// The values bound to its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The client's own `application_name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application_name: Option<String>,
    /// Why, as somebody typed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was withheld from the client: an upstream error's message and detail, what a refused
    /// connection claimed to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The key of the session's result digests, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest_key: Option<String>,
}

/// One bound value; in JSON `null`, `{"text":"..."}` or `{"binary":"base64"}`.
#[derive(Clone, PartialEq, Eq)]
pub enum Parameter {
    /// NULL.
    Null,
    /// Sent in text format, and UTF-8.
    Text(String),
    /// Sent in binary format, or not UTF-8.
    Binary(Vec<u8>),
}

impl Parameter {
    /// A value as a Bind message carries it. `format` is 0 for text and 1 for binary.
    pub fn from_wire(format: i16, value: Option<&[u8]>) -> Self {
        match value {
            None => Self::Null,
            Some(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) if format == 0 => Self::Text(text.to_owned()),
                _ => Self::Binary(bytes.to_vec()),
            },
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[payload]")
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[parameter]")
    }
}

/// The JSON form of a [`Parameter`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Text(String),
    Binary(String),
}

impl Serialize for Parameter {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match self {
            Self::Null => None,
            Self::Text(text) => Some(Form::Text(text.clone())),
            Self::Binary(bytes) => Some(Form::Binary(STANDARD.encode(bytes))),
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Option::<Form>::deserialize(deserializer)? {
            None => Ok(Self::Null),
            Some(Form::Text(text)) => Ok(Self::Text(text)),
            Some(Form::Binary(text)) => STANDARD
                .decode(text)
                .map(Self::Binary)
                .map_err(serde::de::Error::custom),
        }
    }
}
