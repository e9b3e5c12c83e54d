//! Frames: one byte of type, four of length (which counts itself), and a body.
//!
//! A client's frames are cut out whole ([`FrontendCutter`]), because each is a decision. A server's
//! are walked where they lie ([`BackendWalker`]), because rows are only passed on.

mod cutter;
mod walker;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use phigate_types::{PgError, SqlState};

pub use cutter::{
    AUTHENTICATION_MAX, BIND_MAX, COPY_DATA_MAX, FrontendCutter, QUERY_MAX, SMALL_MAX,
};
pub use walker::{BackendWalker, CONTROL_MAX, Step, rest_of_frame};

/// Type byte and length word.
pub const HEADER_LEN: usize = 5;

/// The length word counts itself.
const LENGTH_WORD: usize = 4;

/// One whole typed frame, header included.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// INVARIANT: at least [`HEADER_LEN`] bytes, as many as the length word says plus one.
    bytes: Bytes,
}

impl Frame {
    /// The frame that `bytes` are, exactly.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, FrameError> {
        let (tag, whole) = match header(&bytes) {
            Header::Whole { tag, whole } => (tag, whole),
            Header::Partial => {
                return Err(FrameError::TooShort {
                    tag: 0,
                    len: bytes.len(),
                });
            }
            Header::Bad(error) => return Err(error),
        };
        if bytes.len() == whole {
            Ok(Self { bytes })
        } else {
            Err(FrameError::TooShort {
                tag,
                len: bytes.len(),
            })
        }
    }

    /// The type byte.
    pub fn tag(&self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }

    /// All of it, as it goes on the wire.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What follows the header.
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }

    /// All of it, given up.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }
}

/// Shows type and size; a body may hold anything.
impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Frame({}, {} bytes)",
            char::from(self.tag()).escape_default(),
            self.bytes.len()
        )
    }
}

/// Why no frame begins here. The stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The length word is less than four, or not what the bytes are.
    #[error("message of type {tag} has the length {len}, which is too short")]
    TooShort {
        /// The type byte.
        tag: u8,
        /// The length word.
        len: usize,
    },
    /// Longer than the gateway accepts for this type.
    #[error("message of type {tag} has the length {len}, more than the limit of {max} bytes")]
    TooLong {
        /// The type byte.
        tag: u8,
        /// The length word.
        len: usize,
        /// The most this type may have.
        max: usize,
    },
    /// No message of this type is expected in this phase.
    #[error("no message of type {0} is expected here")]
    UnknownTag(u8),
}

impl From<FrameError> for PgError {
    fn from(error: FrameError) -> Self {
        let fatal = |message: String| Self::fatal(SqlState::PROTOCOL_VIOLATION, message);
        match error {
            FrameError::TooShort { .. } => {
                fatal("invalid message length".to_owned()).with_detail(error.to_string())
            }
            FrameError::TooLong { .. } => fatal("message is too long for the gateway".to_owned())
                .with_detail(error.to_string()),
            FrameError::UnknownTag(tag) => fatal(format!("invalid frontend message type {tag}")),
        }
    }
}

/// What the first five bytes say.
enum Header {
    /// Not there yet.
    Partial,
    /// A frame of this type, this long with its header.
    Whole { tag: u8, whole: usize },
    /// Not a frame.
    Bad(FrameError),
}

#[inline]
fn header(buf: &[u8]) -> Header {
    let Some(&[tag, a, b, c, d]) = buf.first_chunk::<HEADER_LEN>() else {
        return Header::Partial;
    };
    let len = u32::from_be_bytes([a, b, c, d]) as usize;
    if len < LENGTH_WORD {
        return Header::Bad(FrameError::TooShort { tag, len });
    }
    Header::Whole {
        tag,
        whole: len + 1,
    }
}
