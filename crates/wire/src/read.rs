//! Reading one frame's body, every byte of it.

use phigate_types::{PgError, SqlState};

/// Why a frame's body is not what its tag promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A field reaches past the end of the frame.
    #[error("a field reaches past the end of the message")]
    Short,
    /// Bytes are left after the last field.
    #[error("{0} bytes are left after the last field")]
    Leftover(usize),
    /// A string has no NUL before the end of the frame.
    #[error("a string is not terminated")]
    Unterminated,
    /// Text is not UTF-8, the only client encoding the gateway speaks.
    #[error("text is not valid UTF-8")]
    NotUtf8,
    /// A field has a value that the protocol does not know; names the field.
    #[error("{0} has no such value")]
    Value(&'static str),
    /// No message has this tag in this direction.
    #[error("no message has the type {0}")]
    UnknownTag(u8),
}

impl From<DecodeError> for PgError {
    fn from(error: DecodeError) -> Self {
        match error {
            // As PostgreSQL's mbutils.c says it; the statement fails, the session lives.
            DecodeError::NotUtf8 => Self::error(
                SqlState::CHARACTER_NOT_IN_REPERTOIRE,
                "invalid byte sequence for encoding \"UTF8\"",
            )
            .with_hint("set client_encoding to UTF8 and send text in it"),
            DecodeError::UnknownTag(tag) => Self::fatal(
                SqlState::PROTOCOL_VIOLATION,
                format!("invalid frontend message type {tag}"),
            ),
            DecodeError::Short
            | DecodeError::Leftover(_)
            | DecodeError::Unterminated
            | DecodeError::Value(_) => {
                Self::fatal(SqlState::PROTOCOL_VIOLATION, "invalid message format")
                    .with_detail(error.to_string())
            }
        }
    }
}

/// A cursor over one body. Each method takes its bytes from the front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(body: &'a [u8]) -> Self {
        Self { rest: body }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn i16(&mut self) -> Result<i16, DecodeError> {
        self.array().map(i16::from_be_bytes)
    }

    /// Counts are unsigned: PostgreSQL accepts 65535 parameters.
    pub(crate) fn count(&mut self) -> Result<usize, DecodeError> {
        self.array()
            .map(|bytes| usize::from(u16::from_be_bytes(bytes)))
    }

    pub(crate) fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A string up to its NUL, which is taken too.
    pub(crate) fn cstring(&mut self) -> Result<&'a [u8], DecodeError> {
        let end = self
            .rest
            .iter()
            .position(|byte| *byte == 0)
            .ok_or(DecodeError::Unterminated)?;
        let text = self.bytes(end)?;
        self.byte()?;
        Ok(text)
    }

    /// A string in UTF-8 up to its NUL.
    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(self.cstring()?).map_err(|_| DecodeError::NotUtf8)
    }

    /// Everything that is left.
    pub(crate) fn remainder(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// `each`, `count` times. Grows as it reads: a count in a frame is a claim, not a size.
    pub(crate) fn many<T>(
        &mut self,
        count: usize,
        mut each: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let mut all = Vec::with_capacity(count.min(self.rest.len()));
        for _ in 0..count {
            all.push(each(self)?);
        }
        Ok(all)
    }

    /// The last call on every reader: nothing may be left.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(DecodeError::Leftover(self.rest.len()))
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(DecodeError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }
}
