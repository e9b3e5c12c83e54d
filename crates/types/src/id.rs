//! Identifiers. Short ones are twelve characters of Crockford base 32 in lower case (60 bits): easy
//! to read aloud, to paste after `options=-c phigate.grant=`, and to put before an `application_name`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The length of a [`GrantId`] and of a [`SessionId`], in characters.
pub const SHORT_ID_LEN: usize = 12;

/// The longest principal, database or gateway name, in bytes: PostgreSQL's NAMEDATALEN - 1.
const NAME_MAX: usize = 63;

/// Crockford's alphabet: no i, l, o or u.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Not twelve characters of the alphabet.
    #[error("an id is {SHORT_ID_LEN} characters of 0-9 and a-z without i, l, o, u")]
    Short,
    /// Empty, too long, or with a character outside the set.
    #[error(
        "{what} is 1 to {NAME_MAX} characters of A-Z a-z 0-9 . _ - @ +, starting with a letter, digit or _"
    )]
    Name {
        /// Which kind of name.
        what: &'static str,
    },
}

macro_rules! short_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; SHORT_ID_LEN]);

        impl $name {
            /// Makes an id of the first 60 of 64 random bits.
            pub fn from_random(random: [u8; 8]) -> Self {
                let mut bits = u64::from_be_bytes(random);
                let mut text = [b'0'; SHORT_ID_LEN];
                for slot in text.iter_mut().rev() {
                    if let Some(letter) = ALPHABET.get((bits & 31) as usize) {
                        *slot = *letter;
                    }
                    bits >>= 5;
                }
                Self(text)
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                // INVARIANT: only bytes of ALPHABET are ever stored, all of them ASCII.
                std::str::from_utf8(&self.0).unwrap_or_default()
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let bytes: [u8; SHORT_ID_LEN] =
                    text.as_bytes().try_into().map_err(|_| IdError::Short)?;
                if bytes.iter().all(|byte| ALPHABET.contains(byte)) {
                    Ok(Self(bytes))
                } else {
                    Err(IdError::Short)
                }
            }
        }

        text_conversions!($name);
    };
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(IdError::Name { what: $what }) }
            }
        }

        text_conversions!($name);
    };
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

short_id! {
    /// A grant: one principal, one database, one profile, one span of time.
    GrantId
}
short_id! {
    /// One client connection through a gateway, from authorisation to its end.
    SessionId
}
name! {
    /// A person or service account, as they write it in `user=`.
    PrincipalName, "a principal name"
}
name! {
    /// A configured database, as clients write it in `dbname=`.
    DatabaseName, "a database name"
}
name! {
    /// A gateway instance, the subject of its client certificate.
    GatewayId, "a gateway id"
}

fn is_name(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-@+".contains(byte);
    text.len() <= NAME_MAX
        && text
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric() || first == b'_')
        && text.as_bytes().iter().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_survives_its_text() {
        let id = GrantId::from_random(*b"\x01\x23\x45\x67\x89\xab\xcd\xef");
        assert_eq!(id.as_str().parse(), Ok(id));
        assert_eq!(id.as_str().len(), SHORT_ID_LEN);
    }

    #[test]
    fn other_alphabets_and_lengths_are_refused() {
        for text in [
            "",
            "0123456789a",
            "0123456789abc",
            "0123456789AB",
            "0123456789il",
        ] {
            assert_eq!(text.parse::<SessionId>(), Err(IdError::Short), "{text}");
        }
    }

    #[test]
    fn names_are_plain_words() {
        for text in ["alice", "alice.smith@example.org", "_svc", "9lives", "a+b"] {
            assert!(text.parse::<PrincipalName>().is_ok(), "{text}");
        }
        for text in ["", "-x", "a b", "a'b", "a\0", "ä", &"x".repeat(64)] {
            assert!(text.parse::<PrincipalName>().is_err(), "{text:?}");
        }
    }
}
