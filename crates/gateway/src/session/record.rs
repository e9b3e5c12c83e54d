//! What one session writes down: intents before anything runs, outcomes after, refusals in between.

use std::sync::Arc;
use std::time::Duration;

use phigate_audit::record::{
    Analysis, Intent, Outcome, Parameter, Payload, Prepared, Record, Refused as RefusedRecord,
    SessionClosed, SessionOpened,
};
use phigate_audit::{AuditError, Entry, Level, Log, Position};
use phigate_types::{PgError, SessionId, SqlState};
use phigate_wire::frontend::Bind;

use super::end::End;
use crate::clock;
use crate::enforce::{Plan, Refused};
use crate::events::Events;

/// The session's records.
pub(super) struct Recorder {
    log: Log,
    events: Arc<Events>,
    session: SessionId,
    opened: Duration,
    digest_key: [u8; 32],
    /// The digest of the result under way; made with its first row.
    digest: Option<Box<blake3::Hasher>>,
    statements: u64,
    prepared: u64,
    refused: u64,
    rows: u64,
    bytes: u64,
    /// What the current result has released.
    result_rows: u64,
    result_bytes: u64,
    /// The last intent.
    last: Position,
}

impl Recorder {
    /// Records the opening.
    pub(super) fn open(
        log: Log,
        events: Arc<Events>,
        session: SessionId,
        opened: SessionOpened,
        application_name: &str,
        digest_key: [u8; 32],
    ) -> Result<Self, AuditError> {
        let payload = Payload {
            application_name: Some(application_name.to_owned()),
            digest_key: Some(hex::encode(digest_key)),
            ..Payload::default()
        };
        let last = log.append(Entry {
            session: Some(session),
            record: Record::SessionOpened(opened),
            payload: Some(payload),
        })?;
        Ok(Self {
            log,
            events,
            session,
            opened: clock::now(),
            digest_key,
            digest: None,
            statements: 0,
            prepared: 0,
            refused: 0,
            rows: 0,
            bytes: 0,
            result_rows: 0,
            result_bytes: 0,
            last,
        })
    }

    /// Whether results recorded up to `position` may go to the client.
    pub(super) fn is_durable(&self, position: Position) -> bool {
        self.log.durable() >= position
    }

    /// Whether what was permitted may run already.
    pub(super) fn may_run(&self) -> bool {
        self.log.level() != Level::Strict || self.is_durable(self.last)
    }

    /// The last intent.
    pub(super) fn last(&self) -> Position {
        self.last
    }

    /// Where what happens is counted.
    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// The log, to wait on.
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// A statement was prepared; its number.
    pub(super) fn prepare(&mut self, plan: &Plan, sent: &str) -> Result<u64, AuditError> {
        let Some(analysis) = plan.analyses.first() else {
            return Ok(0);
        };
        self.prepared += 1;
        let prepared = self.prepared;
        let record = Record::Prepared(Prepared {
            prepared,
            analysis: Arc::clone(analysis),
        });
        self.last = self.append(record, Some(texts(plan, sent)))?;
        Ok(prepared)
    }

    /// The statements of a simple query are about to run; their numbers.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        sent: &str,
    ) -> Result<std::ops::Range<u64>, AuditError> {
        let first = self.statements + 1;
        for (index, analysis) in plan.analyses.iter().enumerate() {
            // The text is one; it stands with the first statement of it.
            let payload = (index == 0).then(|| texts(plan, sent));
            self.intend(Some(Arc::clone(analysis)), None, payload)?;
        }
        Ok(first..self.statements + 1)
    }

    /// A prepared statement is about to run; its number. `what` stands for a statement or portal
    /// that SQL made.
    pub(super) fn execute(
        &mut self,
        prepared: Option<u64>,
        bind: Option<&Bind<'_>>,
        what: Option<&str>,
    ) -> Result<u64, AuditError> {
        let parameters = bind.map(parameters).unwrap_or_default();
        let payload = (!parameters.is_empty() || what.is_some()).then(|| Payload {
            parameters,
            sent: what.map(Into::into),
            ..Payload::default()
        });
        self.intend(None, prepared, payload)?;
        Ok(self.statements)
    }

    /// Rows went by.
    pub(super) fn released(&mut self, bytes: &[u8], rows: u32) {
        self.result_rows += u64::from(rows);
        self.result_bytes += bytes.len() as u64;
        let key = &self.digest_key;
        self.digest
            .get_or_insert_with(|| Box::new(blake3::Hasher::new_keyed(key)))
            .update(bytes);
    }

    /// An execution ended.
    pub(super) fn outcome(
        &mut self,
        statement: u64,
        started: Duration,
        tag: Option<&str>,
        sqlstate: Option<SqlState>,
        detail: Option<String>,
    ) -> Result<(), AuditError> {
        let (rows, bytes) = (
            std::mem::take(&mut self.result_rows),
            std::mem::take(&mut self.result_bytes),
        );
        self.rows += rows;
        self.bytes += bytes;
        self.events.statement_ended(sqlstate.is_some(), rows, bytes);
        let digest = self
            .digest
            .take()
            .map(|hasher| hasher.finalize().to_hex().to_string());
        let outcome = Outcome {
            statement,
            rows,
            bytes,
            duration: clock::now().saturating_sub(started),
            tag: tag.map(str::to_owned),
            sqlstate,
            digest,
        };
        let payload = detail.map(|detail| Payload {
            detail: Some(detail),
            ..Payload::default()
        });
        self.append(Record::Outcome(outcome), payload).map(|_| ())
    }

    /// A statement or message was refused. Durable before the client hears of it, like a result.
    pub(super) fn refuse(
        &mut self,
        refused: &Refused,
        sent: Option<&str>,
    ) -> Result<(), AuditError> {
        self.refused += 1;
        self.events.statement_refused(refused.reason);
        let record = Record::Refused(RefusedRecord {
            reason: refused.reason.to_owned(),
            sqlstate: refused.error.code,
            position: refused.error.position,
        });
        let payload = sent.map(|sent| Payload {
            sent: Some(sent.into()),
            ..Payload::default()
        });
        self.last = self.append(record, payload)?;
        Ok(())
    }

    /// The session is over.
    pub(super) fn close(&mut self, end: &End) -> Result<(), AuditError> {
        let reason = match end {
            End::Revoked(_, reason) | End::Killed(reason) if !reason.is_empty() => Some(Payload {
                reason: Some(reason.clone()),
                ..Payload::default()
            }),
            _ => None,
        };
        let record = Record::SessionClosed(SessionClosed {
            reason: end.reason(),
            statements: self.statements,
            refused: self.refused,
            rows: self.rows + self.result_rows,
            bytes: self.bytes + self.result_bytes,
            duration: clock::now().saturating_sub(self.opened),
        });
        self.append(record, reason).map(|_| ())
    }

    fn intend(
        &mut self,
        analysis: Option<Arc<Analysis>>,
        prepared: Option<u64>,
        payload: Option<Payload>,
    ) -> Result<(), AuditError> {
        let statement = self.statements + 1;
        let record = Record::Statement(Intent {
            statement,
            prepared,
            analysis,
        });
        self.last = self.append(record, payload)?;
        self.statements = statement;
        Ok(())
    }

    fn append(&self, record: Record, payload: Option<Payload>) -> Result<Position, AuditError> {
        self.log.append(Entry {
            session: Some(self.session),
            record,
            payload,
        })
    }
}

fn texts(plan: &Plan, sent: &str) -> Payload {
    Payload {
        sent: Some(sent.into()),
        run: Some(Arc::clone(&plan.sql)),
        ..Payload::default()
    }
}

fn parameters(bind: &Bind<'_>) -> Vec<Parameter> {
    let format = |index: usize| match bind.param_formats.as_slice() {
        [] => 0,
        [one] => *one,
        many => many.get(index).copied().unwrap_or(0),
    };
    bind.params
        .iter()
        .enumerate()
        .map(|(index, value)| Parameter::from_wire(format(index), *value))
        .collect()
}

/// What a client is told when something cannot be recorded.
pub(super) fn not_recorded(error: &AuditError) -> PgError {
    tracing::error!(%error, "a record could not be written");
    PgError::from(error)
}
