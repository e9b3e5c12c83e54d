//! The fields of an ErrorResponse or NoticeResponse, to be looked at, dropped and sent on.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use phigate_types::SqlState;

use super::tag;

/// Field types (PostgreSQL documentation, 55.8 Error and Notice Message Fields).
pub mod field {
    /// ERROR, FATAL, NOTICE ..., perhaps translated.
    pub const SEVERITY: u8 = b'S';
    /// The same, never translated.
    pub const SEVERITY_PLAIN: u8 = b'V';
    /// SQLSTATE.
    pub const CODE: u8 = b'C';
    /// The primary message.
    pub const MESSAGE: u8 = b'M';
    /// More, perhaps with values.
    pub const DETAIL: u8 = b'D';
    /// What to do.
    pub const HINT: u8 = b'H';
    /// Where in the statement, in characters from 1.
    pub const POSITION: u8 = b'P';
    /// Where in a statement that the server made itself.
    pub const INTERNAL_POSITION: u8 = b'p';
    /// That statement.
    pub const INTERNAL_QUERY: u8 = b'q';
    /// The call stack.
    pub const WHERE: u8 = b'W';
    /// The schema concerned.
    pub const SCHEMA: u8 = b's';
    /// The table concerned.
    pub const TABLE: u8 = b't';
    /// The column concerned.
    pub const COLUMN: u8 = b'c';
    /// The type concerned.
    pub const TYPE: u8 = b'd';
    /// The constraint concerned.
    pub const CONSTRAINT: u8 = b'n';
    /// PostgreSQL's source file.
    pub const FILE: u8 = b'F';
    /// Its line.
    pub const LINE: u8 = b'L';
    /// Its routine.
    pub const ROUTINE: u8 = b'R';
}

/// Fields in the order received, values as bytes in the client encoding.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ErrorFields {
    /// INVARIANT: no key is 0 and no value holds a NUL.
    fields: Vec<(u8, Vec<u8>)>,
}

impl ErrorFields {
    /// The first field of this type.
    pub fn get(&self, key: u8) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(of, _)| *of == key)
            .map(|(_, value)| value.as_slice())
    }

    /// ERROR, FATAL, PANIC, WARNING, NOTICE, DEBUG, INFO or LOG; empty where it is not said.
    pub fn severity(&self) -> &str {
        let severity = self
            .get(field::SEVERITY_PLAIN)
            .or_else(|| self.get(field::SEVERITY));
        severity
            .and_then(|severity| std::str::from_utf8(severity).ok())
            .unwrap_or_default()
    }

    /// Whether the server ends the connection after this.
    pub fn is_fatal(&self) -> bool {
        matches!(self.severity(), "FATAL" | "PANIC")
    }

    /// The SQLSTATE; XX000 where it is not one.
    pub fn code(&self) -> SqlState {
        self.get(field::CODE)
            .and_then(SqlState::from_bytes)
            .unwrap_or(SqlState::INTERNAL_ERROR)
    }

    /// The primary message; may hold PHI. Bytes that are not UTF-8 are replaced.
    pub fn message(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.get(field::MESSAGE).unwrap_or_default())
    }

    /// The position in the statement as sent upstream, in characters from 1.
    pub fn position(&self) -> Option<u32> {
        std::str::from_utf8(self.get(field::POSITION)?)
            .ok()?
            .parse()
            .ok()
    }

    /// Keeps the fields that `keep` says yes to.
    pub fn retain(&mut self, mut keep: impl FnMut(u8) -> bool) {
        self.fields.retain(|(key, _)| keep(*key));
    }

    /// Sets a field in its place, or after the last. A value ends at its first NUL.
    pub fn set(&mut self, key: u8, value: &str) {
        let value = value
            .as_bytes()
            .split(|byte| *byte == 0)
            .next()
            .unwrap_or_default()
            .to_vec();
        match self.fields.iter_mut().find(|(of, _)| *of == key) {
            Some((_, old)) => *old = value,
            None if key != 0 => self.fields.push((key, value)),
            None => {}
        }
    }

    /// Appends an ErrorResponse.
    pub fn encode(&self, out: &mut BytesMut) {
        self.encode_as(tag::ERROR, out);
    }

    /// Appends a NoticeResponse.
    pub fn encode_notice(&self, out: &mut BytesMut) {
        self.encode_as(tag::NOTICE, out);
    }

    pub(super) fn push(&mut self, key: u8, value: &[u8]) {
        self.fields.push((key, value.to_vec()));
    }

    /// By hand: pgwire would replace bytes that are not UTF-8.
    fn encode_as(&self, tag: u8, out: &mut BytesMut) {
        let len: usize = self.fields.iter().map(|(_, value)| value.len() + 2).sum();
        out.put_u8(tag);
        out.put_u32(4 + len as u32 + 1);
        for (key, value) in &self.fields {
            out.put_u8(*key);
            out.put_slice(value);
            out.put_u8(0);
        }
        out.put_u8(0);
    }
}

/// Shows severity and SQLSTATE; the rest may hold PHI.
impl std::fmt::Debug for ErrorFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ErrorFields({} {})", self.severity(), self.code())
    }
}
