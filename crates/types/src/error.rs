//! Errors in PostgreSQL's own form: severity, SQLSTATE, lowercase primary message, detail, hint.

use std::borrow::Cow;
use std::fmt;

/// A five-character SQLSTATE (PostgreSQL documentation, appendix A).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SqlState([u8; 5]);

impl SqlState {
    /// `0A000`: not supported through the gateway.
    pub const FEATURE_NOT_SUPPORTED: Self = Self(*b"0A000");
    /// `08P01`: the peer broke the protocol.
    pub const PROTOCOL_VIOLATION: Self = Self(*b"08P01");
    /// `08006`: the upstream connection is gone.
    pub const CONNECTION_FAILURE: Self = Self(*b"08006");
    /// `08001`: the upstream server cannot be reached.
    pub const CANNOT_CONNECT: Self = Self(*b"08001");
    /// `22023`: a parameter has a value that is not accepted.
    pub const INVALID_PARAMETER_VALUE: Self = Self(*b"22023");
    /// `22021`: text is not valid in its encoding.
    pub const CHARACTER_NOT_IN_REPERTOIRE: Self = Self(*b"22021");
    /// `25P02`: the transaction is aborted.
    pub const IN_FAILED_TRANSACTION: Self = Self(*b"25P02");
    /// `26000`: no such prepared statement.
    pub const INVALID_STATEMENT_NAME: Self = Self(*b"26000");
    /// `28000`: no live grant, or this connection may not authenticate.
    pub const INVALID_AUTHORIZATION: Self = Self(*b"28000");
    /// `28P01`: wrong user or password.
    pub const INVALID_PASSWORD: Self = Self(*b"28P01");
    /// `3D000`: no such database.
    pub const UNDEFINED_DATABASE: Self = Self(*b"3D000");
    /// `42501`: refused by policy.
    pub const INSUFFICIENT_PRIVILEGE: Self = Self(*b"42501");
    /// `42601`: syntax error.
    pub const SYNTAX_ERROR: Self = Self(*b"42601");
    /// `42702`: a column name fits more than one relation.
    pub const AMBIGUOUS_COLUMN: Self = Self(*b"42702");
    /// `42703`: no such column.
    pub const UNDEFINED_COLUMN: Self = Self(*b"42703");
    /// `42704`: no such type, setting or other object.
    pub const UNDEFINED_OBJECT: Self = Self(*b"42704");
    /// `42712`: one alias used twice.
    pub const DUPLICATE_ALIAS: Self = Self(*b"42712");
    /// `42883`: no such function or operator.
    pub const UNDEFINED_FUNCTION: Self = Self(*b"42883");
    /// `42P01`: no such relation.
    pub const UNDEFINED_TABLE: Self = Self(*b"42P01");
    /// `53100`: disk full.
    pub const DISK_FULL: Self = Self(*b"53100");
    /// `53300`: too many sessions.
    pub const TOO_MANY_CONNECTIONS: Self = Self(*b"53300");
    /// `53400`: a budget is used up.
    pub const LIMIT_EXCEEDED: Self = Self(*b"53400");
    /// `54000`: a gateway limit was exceeded.
    pub const PROGRAM_LIMIT_EXCEEDED: Self = Self(*b"54000");
    /// `54001`: the statement is too complex to analyse.
    pub const STATEMENT_TOO_COMPLEX: Self = Self(*b"54001");
    /// `57014`: the statement was cancelled.
    pub const QUERY_CANCELED: Self = Self(*b"57014");
    /// `57P01`: the grant ended (expiry, revocation, kill).
    pub const ADMIN_SHUTDOWN: Self = Self(*b"57P01");
    /// `57P03`: the gateway is not ready (no lease, draining).
    pub const CANNOT_CONNECT_NOW: Self = Self(*b"57P03");
    /// `57P05`: idle too long.
    pub const IDLE_SESSION_TIMEOUT: Self = Self(*b"57P05");
    /// `58030`: recording failed.
    pub const IO_ERROR: Self = Self(*b"58030");
    /// `XX000`: a defect of the gateway.
    pub const INTERNAL_ERROR: Self = Self(*b"XX000");

    /// From five upper-case letters or digits.
    pub fn from_bytes(code: &[u8]) -> Option<Self> {
        let code: [u8; 5] = code.try_into().ok()?;
        code.iter()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            .then_some(Self(code))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        // INVARIANT: only ASCII is ever stored.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How grave an error is for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The statement failed.
    Error,
    /// The connection ends.
    Fatal,
    /// Not an error: a line for the person at the keyboard.
    Notice,
    /// Not an error: something to look at.
    Warning,
}

impl Severity {
    /// The word on the wire (fields `S` and `V`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
        }
    }
}

/// Who has to act for it to go away; a metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The connected client: bad protocol, bad credentials.
    Client,
    /// The grant does not allow it.
    Policy,
    /// The gateway or its disk.
    Gateway,
    /// The control plane.
    Control,
    /// The database behind the gateway.
    Upstream,
}

impl Blame {
    /// The label's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Policy => "policy",
            Self::Gateway => "gateway",
            Self::Control => "control",
            Self::Upstream => "upstream",
        }
    }
}

/// What a client is told: the text for the peer, never the text for the log.
///
/// INVARIANT: no field ever carries a PHI value or an upstream text that may carry one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgError {
    /// How grave.
    pub severity: Severity,
    /// The SQLSTATE.
    pub code: SqlState,
    /// Primary message, lowercase, no full stop.
    pub message: Cow<'static, str>,
    /// More, when it helps.
    pub detail: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
    /// Where in the statement the person typed, in characters from 1.
    pub position: Option<u32>,
}

impl PgError {
    /// An error that fails the statement.
    pub fn error(code: SqlState, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// An error that ends the connection.
    pub fn fatal(code: SqlState, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Severity::Fatal, code, message)
    }

    /// A line for the person at the keyboard.
    pub fn notice(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Severity::Notice, SqlState(*b"00000"), message)
    }

    fn new(severity: Severity, code: SqlState, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            severity,
            code,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
        }
    }

    /// Adds the detail.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds the hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the position in the typed statement, in characters from 1.
    #[must_use]
    pub fn at(mut self, position: Option<u32>) -> Self {
        self.position = position;
        self
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}: {}",
            self.severity.as_str(),
            self.code,
            self.message
        )
    }
}

impl std::error::Error for PgError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlstate_is_five_capitals_or_digits() {
        assert_eq!(
            SqlState::from_bytes(b"42501"),
            Some(SqlState::INSUFFICIENT_PRIVILEGE)
        );
        for code in [b"4250".as_slice(), b"425011", b"42a01", b"42\xff01"] {
            assert_eq!(SqlState::from_bytes(code), None);
        }
    }
}
