//! What is written down. A record is JSON inside a leaf: its members are never renamed, and never
//! change their meaning; new ones are added and a reader ignores those it does not know.
//!
//! INVARIANT: nothing in a [`Record`] is a PHI value or text a person typed. That goes into a
//! [`Payload`], which is encrypted.

mod control;
mod payload;
mod session;
mod statement;
mod upkeep;

use serde::{Deserialize, Serialize};

pub use control::{Action, Confirmation, ControlEvent};
pub use payload::{Parameter, Payload};
pub use session::{EndReason, LoginRefused, SessionClosed, SessionOpened};
pub use statement::{
    Analysis, ColumnTouch, Decision, Fingerprint, Intent, Outcome, Prepared, Refused, Touch,
};
pub use upkeep::{Heartbeat, LogClosed, LogOpened, Quarantined};

/// One record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record {
    /// The log was opened; written by the log itself.
    LogOpened(LogOpened),
    /// The log was closed in order; written by the log itself.
    LogClosed(LogClosed),
    /// Nothing happened for a while; written by the log itself.
    Heartbeat(Heartbeat),
    /// A client connection was authorised. The first record of its session.
    SessionOpened(SessionOpened),
    /// The last record of its session.
    SessionClosed(SessionClosed),
    /// A statement was analysed and may be executed many times.
    Prepared(Prepared),
    /// A statement is about to be executed.
    Statement(Intent),
    /// How an execution ended.
    Outcome(Outcome),
    /// A statement or message was refused and nothing was executed.
    Refused(Refused),
    /// A connection was refused before it became a session.
    LoginRefused(LoginRefused),
    /// The control plane changed something.
    Control(ControlEvent),
}

impl Record {
    /// Which kind of record it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::LogOpened(_) => Kind::LogOpened,
            Self::LogClosed(_) => Kind::LogClosed,
            Self::Heartbeat(_) => Kind::Heartbeat,
            Self::SessionOpened(_) => Kind::SessionOpened,
            Self::SessionClosed(_) => Kind::SessionClosed,
            Self::Prepared(_) => Kind::Prepared,
            Self::Statement(_) => Kind::Statement,
            Self::Outcome(_) => Kind::Outcome,
            Self::Refused(_) => Kind::Refused,
            Self::LoginRefused(_) => Kind::LoginRefused,
            Self::Control(_) => Kind::Control,
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// The kind of a record, also a byte of the leaf's fixed part.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $variant = $code,)* }

        impl Kind {
            /// The kind of this code.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)* _ => None }
            }

            /// The `type` member of the record's JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    /// See [`Record::LogOpened`].
    LogOpened = 1, "log_opened";
    /// See [`Record::LogClosed`].
    LogClosed = 2, "log_closed";
    /// See [`Record::Heartbeat`].
    Heartbeat = 3, "heartbeat";
    /// See [`Record::SessionOpened`].
    SessionOpened = 16, "session_opened";
    /// See [`Record::SessionClosed`].
    SessionClosed = 17, "session_closed";
    /// See [`Record::Prepared`].
    Prepared = 18, "prepared";
    /// See [`Record::Statement`].
    Statement = 19, "statement";
    /// See [`Record::Outcome`].
    Outcome = 20, "outcome";
    /// See [`Record::Refused`].
    Refused = 21, "refused";
    /// See [`Record::LoginRefused`].
    LoginRefused = 32, "login_refused";
    /// See [`Record::Control`].
    Control = 48, "control";
}

impl Kind {
    /// The byte in the leaf.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether such a record belongs to a session.
    pub const fn of_session(self) -> bool {
        matches!(
            self,
            Self::SessionOpened
                | Self::SessionClosed
                | Self::Prepared
                | Self::Statement
                | Self::Outcome
                | Self::Refused
        )
    }

    /// Whether it ends something begun earlier: such records are taken when the disk is full.
    pub const fn is_closing(self) -> bool {
        matches!(self, Self::Outcome | Self::SessionClosed | Self::LogClosed)
    }
}

#[cfg(test)]
mod tests;
