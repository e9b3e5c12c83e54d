//! What may be relayed, as a value that only this crate can make.

use std::fmt;

use phigate_phi::Treatment;

use crate::temporary::TemporaryChange;
use crate::{Patients, Refusal};

/// The authority to send one statement to PostgreSQL. Holding one means the statement was read by
/// both lexers, parsed, lowered, resolved, substituted and rendered; there is no other way to make
/// one but [`passthrough`].
#[derive(Clone)]
pub struct Permit {
    pub(crate) sql: String,
    pub(crate) kind: StatementKind,
    pub(crate) effect: Effect,
    pub(crate) touches: Vec<Touch>,
    pub(crate) patients: Patients,
    pub(crate) functions: Box<[&'static str]>,
    pub(crate) skeleton: String,
    pub(crate) fingerprint: [u8; 16],
    pub(crate) shape_bound: bool,
    pub(crate) masked: bool,
    pub(crate) places: crate::position::Places,
    pub(crate) copy: Option<CopyDirection>,
    pub(crate) runs: Option<String>,
}

/// The statements of one simple query: all of them may be relayed, or none would be here.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// One permit a statement, in order.
    pub permits: Vec<Permit>,
}

/// What kind of statement it is; a metric label and the record's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// SELECT, VALUES, TABLE, with or without WITH.
    Query,
    /// EXPLAIN of a query.
    Explain,
    /// SHOW, also of `phigate.*`.
    Show,
    /// SET, RESET, DISCARD.
    Set,
    /// BEGIN, COMMIT, ROLLBACK, SAVEPOINT and kin.
    Transaction,
    /// DECLARE, FETCH, MOVE, CLOSE.
    Cursor,
    /// PREPARE, EXECUTE, DEALLOCATE.
    Prepare,
    /// COPY ... TO STDOUT.
    Copy,
    /// INSERT, UPDATE, DELETE, MERGE, also within WITH.
    Write,
    /// What makes, changes or drops a table: the session's own, or a new one.
    Define,
    /// Relayed unread under a passthrough grant.
    Passthrough,
}

/// What running the statement changes that the gateway must follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// A transaction block starts.
    Begin,
    /// A transaction block commits.
    Commit {
        /// Another block starts at once (`AND CHAIN`).
        chain: bool,
    },
    /// A transaction block rolls back.
    Rollback {
        /// Another block starts at once (`AND CHAIN`).
        chain: bool,
    },
    /// `SAVEPOINT name`.
    Savepoint(String),
    /// `RELEASE SAVEPOINT name`.
    ReleaseSavepoint(String),
    /// `ROLLBACK TO SAVEPOINT name`.
    RollbackToSavepoint(String),
    /// `search_path` changes: names resolve differently from the next statement on.
    SetSearchPath {
        /// The schemas in order; `None` is RESET or SET TO DEFAULT.
        path: Option<Vec<String>>,
        /// Only until the transaction ends.
        local: bool,
    },
    /// Another setting changes.
    Set {
        /// The setting, in lower case.
        name: String,
        /// Only until the transaction ends.
        local: bool,
    },
    /// Every setting goes back to what the session started with (RESET ALL).
    ResetAll,
    /// DISCARD ALL: settings as with [`Effect::ResetAll`]; every cursor, every prepared statement
    /// (those of the extended protocol too) and every temporary table goes.
    DiscardAll,
    /// A cursor is declared.
    Declare(String),
    /// A cursor, or with `None` every cursor, is closed.
    CloseCursor(Option<String>),
    /// An SQL-level prepared statement appears.
    Prepare(String),
    /// An SQL-level prepared statement, or with `None` every one, goes.
    Deallocate(Option<String>),
    /// The session's own temporary relations change.
    Temporary(TemporaryChange),
    /// DISCARD TEMP: every temporary relation goes.
    DiscardTemporary,
    /// The catalog may change: the snapshot must be checked before the next statement.
    CatalogMayChange,
}

/// Which way a COPY runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyDirection {
    /// PostgreSQL to client.
    Out,
    /// Client to PostgreSQL.
    In,
}

/// A relation that a statement reads or writes, and what was done to each column it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// `schema.relation`.
    pub relation: String,
    /// The columns the statement uses, each with its treatment.
    pub columns: Vec<(String, Treatment)>,
    /// Its rows are changed, or it is made.
    pub written: bool,
}

impl Permit {
    /// The statement to send, complete, without a semicolon.
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// What kind it is.
    pub fn kind(&self) -> StatementKind {
        self.kind
    }

    /// What to follow once it has run.
    pub fn effect(&self) -> &Effect {
        &self.effect
    }

    /// Which relations it reads, and how their columns are released.
    pub fn touches(&self) -> &[Touch] {
        &self.touches
    }

    /// Whose the rows of its result are, or those that it keeps for later.
    pub fn patients(&self) -> &Patients {
        &self.patients
    }

    /// Whether a budget of patients can be counted over its rows.
    ///
    /// # Errors
    /// The refusal under a grant with such a budget.
    pub fn check_countable(&self) -> Result<(), Refusal> {
        match self.kind {
            // A plan is nobody's.
            StatementKind::Explain => Ok(()),
            StatementKind::Cursor
            | StatementKind::Prepare
            | StatementKind::Write
            | StatementKind::Define => self.patients.check_countable(true),
            StatementKind::Query
            | StatementKind::Copy
            | StatementKind::Show
            | StatementKind::Set
            | StatementKind::Transaction
            | StatementKind::Passthrough => self.patients.check_countable(false),
        }
    }

    /// The built-in functions it calls by name, each once, in order of their names.
    pub fn functions(&self) -> &[&'static str] {
        &self.functions
    }

    /// The statement without literals and without names its author chose: fit for the clear part
    /// of the record.
    pub fn skeleton(&self) -> &str {
        &self.skeleton
    }

    /// The first 16 bytes of the BLAKE3 hash of the skeleton.
    pub fn fingerprint(&self) -> [u8; 16] {
        self.fingerprint
    }

    /// Whether it may read a relation that the grant masks: its errors and notices are scrubbed
    /// and its row description is watched.
    pub fn masked(&self) -> bool {
        self.masked
    }

    /// Whether it means something else once the session's own table that it writes is another one of
    /// the same name: it must not be run then.
    pub fn shape_bound(&self) -> bool {
        self.shape_bound
    }

    /// The prepared statement that it runs, or explains, by name: its text says nothing of what that
    /// is.
    pub fn runs(&self) -> Option<&str> {
        self.runs.as_deref()
    }

    /// Which way it copies, if it does.
    pub fn copy(&self) -> Option<CopyDirection> {
        self.copy
    }
}

impl fmt::Debug for Permit {
    /// Without literals: the skeleton stands for the statement.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("kind", &self.kind)
            .field("skeleton", &self.skeleton)
            .field("masked", &self.masked)
            .finish_non_exhaustive()
    }
}

impl Batch {
    /// The text to send as one simple query.
    pub fn sql(&self) -> String {
        let mut text = String::new();
        for permit in &self.permits {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&permit.sql);
        }
        text
    }
}

impl StatementKind {
    /// The metric label and the record's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Explain => "explain",
            Self::Show => "show",
            Self::Set => "set",
            Self::Transaction => "transaction",
            Self::Cursor => "cursor",
            Self::Prepare => "prepare",
            Self::Copy => "copy",
            Self::Write => "write",
            Self::Define => "define",
            Self::Passthrough => "passthrough",
        }
    }
}

/// That a session may relay statements unread: an `identified`, `--write` grant on a database that
/// its operator configured `passthrough`.
#[derive(Debug)]
pub struct Passthrough(());

impl Passthrough {
    /// The authority, if every condition holds; nothing otherwise.
    pub fn new(profile: phigate_types::Profile, write: bool, configured: bool) -> Option<Self> {
        (profile == phigate_types::Profile::Identified && write && configured).then_some(Self(()))
    }
}

/// Permits a text unread. It is neither parsed nor split; its record has no skeleton.
pub fn passthrough(text: &str, _authority: &Passthrough) -> Permit {
    Permit {
        sql: text.to_owned(),
        kind: StatementKind::Passthrough,
        effect: Effect::CatalogMayChange,
        touches: Vec::new(),
        patients: Patients::default(),
        functions: Box::default(),
        skeleton: String::new(),
        fingerprint: [0; 16],
        shape_bound: false,
        masked: false,
        places: crate::position::Places::default(),
        copy: None,
        runs: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use phigate_types::Profile;

    #[test]
    fn passthrough_needs_identified_write_and_configuration() {
        assert!(Passthrough::new(Profile::Identified, true, true).is_some());
        for (profile, write, configured) in [
            (Profile::Identified, true, false),
            (Profile::Identified, false, true),
            (Profile::LimitedDataset, true, true),
        ] {
            assert!(Passthrough::new(profile, write, configured).is_none());
        }
    }
}
