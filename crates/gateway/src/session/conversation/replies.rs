//! What the server says beside rows: each frame belongs to the request at the head of the queue.

use std::sync::Arc;

use bytes::BytesMut;
use phigate_sql::Effect;
use phigate_types::{PgError, SqlState};
use phigate_wire::backend::{self, ErrorFields, TransactionStatus, tag};

use super::frontend::effect_of;
use super::{Conversation, unexpected};
use crate::enforce::Plan;
use crate::session::end::End;
use crate::session::expect::{Expect, Run};
use crate::session::reply::{self, Described};

/// What becomes of a frame.
#[derive(Debug)]
pub(in crate::session) enum Verdict {
    /// It goes to the client as it is.
    Pass,
    /// The client does not see it.
    Drop,
    /// The client gets this in its place.
    Say(BytesMut),
}

impl Conversation {
    /// Decides on one frame of the server.
    pub(in crate::session) fn server(&mut self, tag: u8, body: &[u8]) -> Result<Verdict, End> {
        match tag {
            tag::PARAMETER_STATUS => self.parameter_status(body),
            tag::NOTICE => self.notice(body),
            // Its payload is another session's text.
            tag::NOTIFICATION if self.masked => Ok(Verdict::Drop),
            tag::NOTIFICATION => Ok(Verdict::Pass),
            tag::ERROR => self.error(body),
            tag::READY_FOR_QUERY => self.ready(body),
            _ => self.reply(tag, body),
        }
    }

    fn reply(&mut self, tag: u8, body: &[u8]) -> Result<Verdict, End> {
        let passthrough = self.enforcer.is_passthrough();
        let Some(head) = self.expect.head() else {
            return Err(unexpected(tag));
        };
        let (verdict, answered) = match (head, tag) {
            // What was refused must not run.
            (
                Expect::Query(Run {
                    refused: Some(_), ..
                })
                | Expect::Parse {
                    refused: Some(_), ..
                },
                _,
            ) => return Err(unexpected(tag)),
            // Nor anything after its error.
            (Expect::Query(Run { plan: None, .. }), _) if !passthrough => {
                return Err(unexpected(tag));
            }
            (Expect::Query(_), tag::ROW_DESCRIPTION) if passthrough => (Verdict::Pass, false),
            (Expect::Query(_), tag::ROW_DESCRIPTION) => (self.watch(body)?, false),
            (Expect::Query(_), tag::COMMAND_COMPLETE | tag::EMPTY_QUERY) => {
                self.query_completed(tag, body)?;
                (Verdict::Pass, false)
            }
            (Expect::Query(_) | Expect::Execute(_), tag::COPY_OUT_RESPONSE | tag::COPY_DONE)
            | (Expect::Query(_), tag::COPY_IN_RESPONSE) => (Verdict::Pass, false),
            (Expect::Execute(_), tag::COPY_IN_RESPONSE) => {
                self.expect.copy_in_begins();
                (Verdict::Pass, false)
            }
            (
                Expect::Execute(_),
                tag::COMMAND_COMPLETE | tag::EMPTY_QUERY | tag::PORTAL_SUSPENDED,
            ) => {
                return self.execute_completed(tag, body).map(|()| Verdict::Pass);
            }
            (Expect::Temporary { synced: _, closed }, tag::CLOSE_COMPLETE) => {
                *closed += 1;
                if *closed == 2 {
                    self.expect.done();
                    self.temporary_answered();
                }
                (Verdict::Drop, false)
            }
            (
                Expect::Temporary { .. },
                tag::PARSE_COMPLETE | tag::BIND_COMPLETE | tag::COMMAND_COMPLETE,
            ) => (Verdict::Drop, false),
            (Expect::Inspect, tag::PARAMETER_DESCRIPTION) => (Verdict::Drop, false),
            (Expect::Inspect, tag::NO_DATA) => (Verdict::Drop, true),
            (Expect::Inspect, tag::ROW_DESCRIPTION) => {
                self.watch(body)?;
                (Verdict::Drop, true)
            }
            (Expect::DescribeStatement, tag::PARAMETER_DESCRIPTION) => (Verdict::Pass, false),
            (Expect::DescribeStatement | Expect::DescribePortal, tag::ROW_DESCRIPTION)
                if passthrough =>
            {
                (Verdict::Pass, true)
            }
            (Expect::DescribeStatement | Expect::DescribePortal, tag::ROW_DESCRIPTION) => {
                (self.watch(body)?, true)
            }
            (Expect::DescribeStatement | Expect::DescribePortal, tag::NO_DATA)
            | (Expect::Parse { .. }, tag::PARSE_COMPLETE)
            | (Expect::Bind { .. }, tag::BIND_COMPLETE)
            | (Expect::Close { .. }, tag::CLOSE_COMPLETE) => (Verdict::Pass, true),
            (Expect::FunctionCall, tag::FUNCTION_CALL_RESPONSE) => (Verdict::Pass, false),
            // A newer server may say more than is known here; only where it is trusted wholly.
            (_, _) if passthrough && !is_known(tag) => (Verdict::Pass, false),
            (_, _) => return Err(unexpected(tag)),
        };
        if answered {
            self.expect.done();
        }
        Ok(verdict)
    }

    fn temporary_answered(&mut self) {
        if let Some(temporary) = self.temporary.answered() {
            let settled = !self.temporary.is_open();
            self.enforcer.set_temporary(temporary, settled);
        }
    }

    /// The tripwire, and masked views told as what they stand for. A row description that cannot be
    /// read is as bad as one with a masked column.
    fn watch(&self, body: &[u8]) -> Result<Verdict, End> {
        let Some(policy) = self.enforcer.bound() else {
            return Err(End::Internal("no policy"));
        };
        match reply::described(body, policy) {
            Ok(Described::AsItIs) => Ok(Verdict::Pass),
            Ok(Described::As(said)) => Ok(Verdict::Say(said)),
            Ok(Described::Masked) => {
                tracing::error!(session = %self.session, "ALARM: a masked column in a result");
                Err(End::Tripwire)
            }
            Err(_) => Err(unexpected(tag::ROW_DESCRIPTION)),
        }
    }

    /// One statement of a simple query is done; under passthrough, one of a text nobody counted.
    fn query_completed(&mut self, tag: u8, body: &[u8]) -> Result<(), End> {
        let command = command(tag, body)?;
        let Some(Expect::Query(run)) = self.expect.head() else {
            return Ok(());
        };
        let index = run.index;
        run.index += 1;
        run.begun = false;
        let Some(plan) = run.plan.clone() else {
            return Ok(());
        };
        if self.enforcer.is_passthrough() {
            return Ok(());
        }
        if tag == tag::EMPTY_QUERY && plan.permits.is_empty() {
            return Ok(());
        }
        let (Some(permit), Some(statement)) = (plan.permits.get(index), run.statements.next())
        else {
            // More statements ran than were permitted.
            return Err(unexpected(tag));
        };
        let started = run.started;
        self.outcome(statement, started, Some(command), None, None)?;
        self.completed(permit.effect(), command, &plan);
        Ok(())
    }

    fn execute_completed(&mut self, tag: u8, body: &[u8]) -> Result<(), End> {
        let command = command(tag, body)?;
        let Some(Expect::Execute(mut run)) = self.expect.done() else {
            return Ok(());
        };
        if let Some(statement) = run.statements.next() {
            let command = (tag == tag::COMMAND_COMPLETE).then_some(command);
            self.outcome(statement, run.started, command, None, None)?;
        }
        if let (tag::COMMAND_COMPLETE, Some(plan)) = (tag, &run.plan)
            && let Some(effect) = effect_of(plan)
        {
            self.completed(effect, command, plan);
        }
        Ok(())
    }

    fn completed(&mut self, effect: &Effect, command: &str, plan: &Arc<Plan>) {
        self.naming.completed(effect, command);
        match effect {
            Effect::Deallocate(None) | Effect::DiscardAll => self.names.forget_statements(),
            Effect::Deallocate(Some(name)) => drop(self.names.forget_statement(name)),
            Effect::Prepare(name) => self.names.prepared_in_sql(name, Arc::clone(plan)),
            // INVARIANT: the server takes no cursor by the name of a portal that it has, so whatever
            // was bound under it is gone: by CLOSE, or with a savepoint or transaction.
            Effect::Declare(name) => self.names.forget_portal(name),
            _ => {}
        }
    }

    fn error(&mut self, body: &[u8]) -> Result<Verdict, End> {
        let mut fields = backend::decode_error(body).map_err(|_| unexpected(tag::ERROR))?;
        let code = fields.code();
        self.farewell |= fields.is_fatal();
        if let Some(Expect::Temporary {
            synced: true,
            closed: _,
        }) = self.expect.head()
            && !fields.is_fatal()
        {
            // The text that waits for the answer is refused in its place.
            self.expect.done();
            self.temporary.unanswered();
            return Ok(Verdict::Drop);
        }
        self.naming.failed();
        let detail = self.masked.then(|| reply::withheld(&fields));
        let plan = match self.expect.head() {
            Some(Expect::Query(run) | Expect::Execute(run)) => run.plan.clone(),
            Some(Expect::Parse { plan, .. }) => plan.clone(),
            Some(_) | None => None,
        };
        let refused = match self.expect.head() {
            None | Some(Expect::Sync | Expect::FunctionCall) => None,
            Some(Expect::Query(run)) => {
                let refused = run.refused.take();
                // The statements after the failed one do not run.
                let (started, statements) = (run.started, std::mem::take(&mut run.statements));
                let mut detail = detail;
                for statement in statements {
                    self.outcome(statement, started, None, Some(code), detail.take())?;
                }
                refused
            }
            Some(_) if fields.is_fatal() => None,
            Some(_) => self.skip(code, detail)?,
        };
        match refused {
            Some(refused) if !fields.is_fatal() => {
                let mut out = BytesMut::new();
                backend::error(&refused, &mut out);
                Ok(Verdict::Say(out))
            }
            Some(_) | None => Ok(self.scrubbed(&mut fields, plan.as_deref(), ErrorFields::encode)),
        }
    }

    /// The server skips to the next Sync: nothing it skips has happened. Returns the refusal that
    /// the failed request stands for, if it does.
    fn skip(
        &mut self,
        code: SqlState,
        mut detail: Option<String>,
    ) -> Result<Option<Box<PgError>>, End> {
        let mut refusal = None;
        let skipped = self.expect.fail();
        for (index, expect) in skipped.into_iter().enumerate().rev() {
            match expect {
                Expect::Parse {
                    plan: _,
                    refused,
                    undo,
                } => {
                    self.names.undo(undo);
                    if index == 0 {
                        refusal = refused;
                    }
                }
                Expect::Bind { undo } | Expect::Close { undo } => self.names.undo(undo),
                Expect::Execute(run) | Expect::Query(run) => {
                    if index == 0 {
                        refusal = run.refused;
                    }
                    for statement in run.statements {
                        let detail = if index == 0 { detail.take() } else { None };
                        self.outcome(statement, run.started, None, Some(code), detail)?;
                    }
                }
                Expect::Inspect
                | Expect::Temporary { .. }
                | Expect::TemporaryReady
                | Expect::DescribeStatement
                | Expect::DescribePortal
                | Expect::FunctionCall
                | Expect::Sync
                | Expect::CopyEnd => {}
            }
        }
        Ok(refusal)
    }

    fn ready(&mut self, body: &[u8]) -> Result<Verdict, End> {
        let status = backend::decode_ready(body).map_err(|_| unexpected(tag::READY_FOR_QUERY))?;
        self.expect.head();
        let mut verdict = Verdict::Pass;
        match self.expect.done() {
            Some(Expect::Sync | Expect::FunctionCall) => {}
            Some(Expect::TemporaryReady) => verdict = Verdict::Drop,
            // What was refused must have failed.
            Some(Expect::Query(Run {
                refused: Some(_), ..
            })) => {
                return Err(unexpected(tag::READY_FOR_QUERY));
            }
            Some(Expect::Query(run)) => {
                for statement in run.statements {
                    self.outcome(statement, run.started, None, None, None)?;
                }
            }
            Some(_) | None => return Err(unexpected(tag::READY_FOR_QUERY)),
        }
        let idle = status == TransactionStatus::Idle;
        self.naming.ready(idle);
        self.temporary.ready(status, !self.expect.is_empty());
        if idle && self.expect.is_empty() {
            self.names.transaction_ended();
        }
        self.between_transactions = idle && !self.expect.is_busy();
        Ok(verdict)
    }

    fn notice(&mut self, body: &[u8]) -> Result<Verdict, End> {
        let mut fields = backend::decode_error(body).map_err(|_| unexpected(tag::NOTICE))?;
        Ok(self.scrubbed(&mut fields, None, ErrorFields::encode_notice))
    }

    fn scrubbed(
        &self,
        fields: &mut ErrorFields,
        plan: Option<&Plan>,
        encode: impl Fn(&ErrorFields, &mut BytesMut),
    ) -> Verdict {
        if self.enforcer.is_passthrough() {
            return Verdict::Pass;
        }
        let position = reply::position(fields);
        if self.masked {
            reply::scrub(fields);
        } else {
            reply::drop_positions(fields);
        }
        if let Some(plan) = plan {
            reply::speak_of(fields, plan, position);
        }
        let mut out = BytesMut::new();
        encode(fields, &mut out);
        Verdict::Say(out)
    }

    fn parameter_status(&self, body: &[u8]) -> Result<Verdict, End> {
        let principal = (!self.enforcer.is_passthrough()).then_some(self.principal.as_str());
        match reply::parameter_status(body, &self.session, principal) {
            Ok(Some(instead)) => Ok(Verdict::Say(instead)),
            Ok(None) => Ok(Verdict::Pass),
            Err(_) => Err(unexpected(tag::PARAMETER_STATUS)),
        }
    }

    fn outcome(
        &mut self,
        statement: u64,
        started: std::time::Duration,
        command: Option<&str>,
        code: Option<SqlState>,
        detail: Option<String>,
    ) -> Result<(), End> {
        self.recorder
            .outcome(statement, started, command, code, detail)
            .map_err(|error| {
                tracing::error!(%error, "an outcome could not be recorded");
                End::RecordingFailed
            })
    }
}

fn command(tag: u8, body: &[u8]) -> Result<&str, End> {
    match tag {
        tag::COMMAND_COMPLETE => {
            backend::decode_command_complete(body).map_err(|_| unexpected(tag))
        }
        _ => Ok(""),
    }
}

/// Message types that this crate gives a meaning to.
const fn is_known(tag: u8) -> bool {
    matches!(
        tag,
        tag::ROW_DESCRIPTION
            | tag::COMMAND_COMPLETE
            | tag::EMPTY_QUERY
            | tag::COPY_IN_RESPONSE
            | tag::COPY_OUT_RESPONSE
            | tag::COPY_BOTH_RESPONSE
            | tag::COPY_DONE
            | tag::PORTAL_SUSPENDED
            | tag::PARAMETER_DESCRIPTION
            | tag::NO_DATA
            | tag::PARSE_COMPLETE
            | tag::BIND_COMPLETE
            | tag::CLOSE_COMPLETE
            | tag::FUNCTION_CALL_RESPONSE
            | tag::AUTHENTICATION
            | tag::BACKEND_KEY_DATA
            | tag::NEGOTIATE_PROTOCOL_VERSION
    )
}
