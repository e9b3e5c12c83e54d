//! What arrived is not what the API says it is.

/// A field holds what it must not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Malformed {
    /// The field, as the `.proto` names it.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: String,
}

impl Malformed {
    /// Names the field and says what is wrong with it.
    pub fn new(field: &'static str, message: impl std::fmt::Display) -> Self {
        Self {
            field,
            message: message.to_string(),
        }
    }
}

impl From<Malformed> for tonic::Status {
    fn from(malformed: Malformed) -> Self {
        Self::invalid_argument(malformed.to_string())
    }
}

/// Reads a text field as a type that is made from text.
pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Malformed> {
    text.parse().map_err(|error| Malformed::new(field, error))
}
