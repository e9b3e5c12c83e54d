//! What is said, and what it means: decides on each frame of the client, and knows what each reply
//! of the server belongs to. No sockets here.

mod catalog;
mod frontend;
mod replies;

use std::time::Duration;

use phigate_audit::{AuditError, Position};
use phigate_types::PgError;

use super::end::End;
use super::expect::{Expect, Expectations, Run};
use super::meter::{Admitted, Cost, Meter};
use super::names::Names;
use super::naming::Naming;
use super::record::{Recorder, not_recorded};
use super::temporary::Following;
use crate::enforce::{Enforcer, Refused};
use crate::live::State;

pub(super) use frontend::Taken;
pub(super) use replies::Verdict;

/// One client's conversation with its server.
pub(super) struct Conversation {
    pub(super) enforcer: Enforcer,
    pub(super) recorder: Recorder,
    pub(super) expect: Expectations,
    names: Names,
    naming: Naming,
    temporary: Following,
    /// The grant masks or refuses something: the tripwire watches, and what the server says beside
    /// rows is scrubbed.
    masked: bool,
    /// Our id, in front of the application_name upstream.
    session: String,
    principal: String,
    /// Counts what leaves, under a grant with budgets.
    pub(super) meter: Option<Meter>,
    /// The server said why it closes.
    pub(super) farewell: bool,
    /// The server has said that it is in no transaction, and the client nothing since.
    between_transactions: bool,
}

impl Conversation {
    pub(super) fn new(
        enforcer: Enforcer,
        recorder: Recorder,
        path: Vec<String>,
        masked: bool,
        session: String,
        principal: String,
    ) -> Self {
        Self {
            enforcer,
            recorder,
            expect: Expectations::default(),
            names: Names::default(),
            naming: Naming::new(path),
            temporary: Following::default(),
            masked,
            session,
            principal,
            meter: None,
            farewell: false,
            between_transactions: true,
        }
    }

    /// How much of a stretch of rows may leave; all of it without budgets.
    pub(super) fn admit(&mut self, bytes: &[u8], rows: u32) -> Admitted {
        let Some(meter) = &mut self.meter else {
            return Admitted {
                len: bytes.len(),
                rows,
                ..Admitted::default()
            };
        };
        let (permit, formats) = match self.expect.head() {
            Some(Expect::Query(run) | Expect::Execute(run)) => {
                let plan = run.plan.as_ref();
                let permit = plan.and_then(|plan| plan.permits.get(run.index));
                (permit, &*run.formats)
            }
            _ => (None, &[][..]),
        };
        let cost = Cost::of(permit, self.enforcer.policy(), formats);
        meter.admit(bytes, cost)
    }

    /// What has to be durable before more of the server's replies may go to the client.
    pub(super) fn gate(&mut self) -> Option<Position> {
        let recorded = match self.expect.head()? {
            Expect::Query(run) | Expect::Execute(run) => run.recorded,
            _ => return None,
        };
        (!self.recorder.is_durable(recorded)).then_some(recorded)
    }

    /// Rows or COPY data went by, `rows` of which began here.
    pub(super) fn released(&mut self, bytes: &[u8], rows: u32) -> Result<(), End> {
        let passthrough = self.enforcer.is_passthrough();
        match self.expect.head() {
            Some(Expect::Query(run)) if run.plan.is_some() || passthrough => {
                self.recorder.released(bytes, rows);
                Ok(())
            }
            Some(Expect::Execute(_)) => {
                self.recorder.released(bytes, rows);
                Ok(())
            }
            _ => Err(unexpected(b'D')),
        }
    }

    /// Whether the rows that come are the answer to a question of our own.
    pub(super) fn is_asking(&mut self) -> bool {
        matches!(self.expect.head(), Some(Expect::Temporary { .. }))
    }

    /// Rows of that answer.
    pub(super) fn heard(&mut self, bytes: &[u8]) {
        self.temporary.rows(bytes);
    }

    /// The session's id.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// Whether the session could end here without anything being lost.
    pub(super) fn is_between_transactions(&self) -> bool {
        self.between_transactions
    }

    /// What the session is doing.
    pub(super) fn state(&self) -> State {
        match (self.between_transactions, self.is_busy()) {
            (true, _) => State::Idle,
            (false, false) => State::InTransaction,
            (false, true) => State::Busy,
        }
    }

    /// Whether replies are outstanding.
    pub(super) fn is_busy(&self) -> bool {
        self.expect.is_busy()
    }

    /// The executions that the end of the session cut short, and the end itself.
    pub(super) fn close(&mut self, end: &End) -> Result<(), AuditError> {
        let code = end.last_words().map(|error| error.code);
        while let Some(expect) = self.expect.done() {
            if let Expect::Query(run) | Expect::Execute(run) = expect {
                for statement in run.statements {
                    let code = code.or(Some(phigate_types::SqlState::QUERY_CANCELED));
                    self.recorder
                        .outcome(statement, run.started, None, code, None)?;
                }
            }
        }
        self.recorder.close(end)
    }

    /// Something could not be recorded: the statement fails; a log that failed ends the session.
    fn unrecorded(&self, error: &AuditError) -> Result<Refused, End> {
        let error = not_recorded(error);
        if self.recorder.log().failed().is_some() {
            return Err(End::RecordingFailed);
        }
        Ok(Refused {
            reason: "unrecorded",
            error,
        })
    }
}

/// A run of which nothing is known but what is given.
fn run(refused: Option<PgError>, recorded: Position, started: Duration) -> Run {
    Run {
        plan: None,
        beneath: Vec::new(),
        begun: false,
        formats: Box::default(),
        refused: refused.map(Box::new),
        statements: 0..0,
        index: 0,
        recorded,
        started,
    }
}

/// The server said what nobody asked for: nothing it says can be attributed any more.
fn unexpected(tag: u8) -> End {
    tracing::error!(tag = %char::from(tag).escape_default(), "unexpected message from the server");
    End::UpstreamLost
}
