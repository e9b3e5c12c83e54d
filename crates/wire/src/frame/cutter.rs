//! Cuts one frame at a time from what a client sends.

use bytes::BytesMut;

use super::{Frame, FrameError, HEADER_LEN, Header, header};
use crate::frontend::tag;

/// Longest SASLInitialResponse, SASLResponse or PasswordMessage, in bytes. PostgreSQL:
/// PG_MAX_AUTH_TOKEN_LENGTH (libpq/auth.h).
pub const AUTHENTICATION_MAX: usize = 65_535;

/// Longest Query or Parse, in bytes. Below PostgreSQL's 1 GiB: each session may have to hold one,
/// and the analyser refuses far shorter text by name.
pub const QUERY_MAX: usize = 16 << 20;

/// Longest Bind or FunctionCall, in bytes; its values are recorded, so it is held whole.
pub const BIND_MAX: usize = 64 << 20;

/// Longest CopyData, in bytes; clients send 8 to 128 KiB.
pub const COPY_DATA_MAX: usize = 16 << 20;

/// Longest message of any other type, in bytes. PostgreSQL: PQ_SMALL_MESSAGE_LIMIT (libpq/libpq.h).
pub const SMALL_MAX: usize = 10_000;

/// Cuts frames off the front of a buffer, within a limit for each type.
#[derive(Debug, Clone, Copy)]
pub struct FrontendCutter {
    phase: Phase,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Authentication,
    Session,
}

impl FrontendCutter {
    /// Before AuthenticationOk: answers to authentication requests and Terminate, nothing else.
    pub const fn authentication() -> Self {
        Self {
            phase: Phase::Authentication,
        }
    }

    /// After AuthenticationOk: everything but answers to authentication requests.
    pub const fn session() -> Self {
        Self {
            phase: Phase::Session,
        }
    }

    /// The frame at the front of `buf`, taken out of it; `None` until all of it is there. An error
    /// is known from the header alone, before anything is buffered for it, and leaves `buf` as it is.
    pub fn cut(&self, buf: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let whole = match self.expected(buf)? {
            Some(whole) if whole <= buf.len() => whole,
            Some(_) | None => return Ok(None),
        };
        Ok(Some(Frame {
            bytes: buf.split_to(whole).freeze(),
        }))
    }

    /// How many more bytes the frame at the front of `buf` needs, as far as can be told; 0 when it
    /// is whole. What to reserve before reading.
    pub fn missing(&self, buf: &[u8]) -> Result<usize, FrameError> {
        let whole = self.expected(buf)?.unwrap_or(HEADER_LEN);
        Ok(whole.saturating_sub(buf.len()))
    }

    fn expected(self, buf: &[u8]) -> Result<Option<usize>, FrameError> {
        // The type alone can be wrong; then the length is not waited for.
        let Some(first) = buf.first() else {
            return Ok(None);
        };
        let max = self.limit(*first).ok_or(FrameError::UnknownTag(*first))?;
        match header(buf) {
            Header::Partial => Ok(None),
            Header::Bad(error) => Err(error),
            Header::Whole { tag, whole } => {
                let len = whole - 1;
                if len > max {
                    return Err(FrameError::TooLong { tag, len, max });
                }
                Ok(Some(whole))
            }
        }
    }

    /// The most a type's length word may say; `None` for a type not expected in this phase.
    fn limit(self, tag: u8) -> Option<usize> {
        match self.phase {
            Phase::Authentication => match tag {
                tag::AUTHENTICATION => Some(AUTHENTICATION_MAX),
                tag::TERMINATE => Some(SMALL_MAX),
                _ => None,
            },
            Phase::Session => match tag {
                tag::QUERY | tag::PARSE => Some(QUERY_MAX),
                tag::BIND | tag::FUNCTION_CALL => Some(BIND_MAX),
                tag::COPY_DATA => Some(COPY_DATA_MAX),
                tag::CLOSE
                | tag::DESCRIBE
                | tag::EXECUTE
                | tag::FLUSH
                | tag::SYNC
                | tag::COPY_DONE
                | tag::COPY_FAIL
                | tag::TERMINATE => Some(SMALL_MAX),
                _ => None,
            },
        }
    }
}
