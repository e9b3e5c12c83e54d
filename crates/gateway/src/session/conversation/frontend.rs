//! What the client says: each frame is decided on before a byte of it goes upstream.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::BytesMut;
use phigate_sql::Effect;
use phigate_types::{PgError, SqlState};
use phigate_wire::frame::Frame;
use phigate_wire::frontend::{self, Bind, Message, Target, tag};
use phigate_wire::{DecodeError, frontend as out};

use super::{Conversation, run};
use crate::clock;
use crate::enforce::{Form, Plan, Refused};
use crate::limits;
use crate::session::end::End;
use crate::session::expect::{Expect, Run};
use crate::session::names::{Parsed, Portal, Statement, Undo};

/// Sent in the place of what is refused: no PostgreSQL accepts it in any state, so that error,
/// transaction status and skipping to Sync are the server's own.
const REFUSED: &str = "PHIGATE REFUSED THIS STATEMENT";

/// The statement that [`REFUSED`] would be, where the client named none: not the unnamed one, which
/// a Parse destroys even when it fails.
const REFUSED_NAME: &str = "phigate_refused";

/// Whether a frame was dealt with.
pub(in crate::session) enum Taken {
    /// It was.
    Yes,
    /// The client leaves; nothing more is read from it.
    Terminated,
    /// What it means depends on replies that are outstanding: try again when they have come.
    Later(Frame),
}

impl Conversation {
    /// Decides on one frame; what goes upstream is appended to `to`.
    pub(in crate::session) async fn client(
        &mut self,
        frame: Frame,
        to: &mut BytesMut,
    ) -> Result<Taken, End> {
        self.between_transactions = false;
        let skipped = self.expect.skipping() && !matches!(frame.tag(), tag::SYNC | tag::TERMINATE);
        if skipped {
            return Ok(Taken::Yes);
        }
        if self.waits(&frame) {
            // The server keeps its replies back until it is asked for them.
            out::flush(to);
            return Ok(Taken::Later(frame));
        }
        if matches!(frame.tag(), tag::QUERY | tag::PARSE) && self.temporary.must_ask() {
            let synced = self.temporary.ask(to);
            self.expect.push(Expect::Temporary { synced, closed: 0 });
            if synced {
                self.expect.push(Expect::TemporaryReady);
            }
            return Ok(Taken::Later(frame));
        }
        if matches!(
            frame.tag(),
            tag::PARSE | tag::BIND | tag::DESCRIBE | tag::EXECUTE | tag::CLOSE
        ) {
            self.temporary.request();
        }
        let message = match frontend::decode(&frame) {
            Ok(message) => message,
            Err(error) => return self.undecodable(&frame, error, to).map(|()| Taken::Yes),
        };
        match message {
            Message::Query(sql) => self.query(sql, &frame, to).await?,
            Message::Parse {
                name,
                sql,
                param_types,
            } => {
                self.parse(name, sql, &param_types, &frame, to).await?;
            }
            Message::Bind(bind) => self.bind(&bind, &frame, to).await?,
            Message::Describe(target) => self.describe(target, &frame, to),
            Message::Execute {
                portal,
                max_rows: _,
            } => self.execute(portal, &frame, to).await?,
            Message::Close(target) => self.close_name(target, &frame, to),
            Message::Sync => {
                if self.expect.sync() {
                    forward(&frame, to);
                }
            }
            Message::Flush if self.expect.copying_in() => {}
            Message::Flush | Message::CopyData(_) => forward(&frame, to),
            Message::CopyDone | Message::CopyFail(_) => {
                self.expect.copy_end();
                forward(&frame, to);
            }
            Message::Terminate => {
                forward(&frame, to);
                return Ok(Taken::Terminated);
            }
            Message::FunctionCall => self.function_call(&frame, to)?,
            // The cutter of this phase does not let it through.
            Message::SaslOrPassword(_) => return Err(End::Internal("authentication frame")),
        }
        Ok(Taken::Yes)
    }

    /// Whether the frame has text to be resolved while the search path or the temporary relations
    /// may yet change, or names what SQL may yet prepare, deallocate or declare.
    fn waits(&mut self, frame: &Frame) -> bool {
        let outstanding = !self.expect.is_empty();
        if !outstanding {
            self.naming.settled();
            self.names.settled();
        }
        let resolves = matches!(frame.tag(), tag::QUERY | tag::PARSE);
        let names = resolves || matches!(frame.tag(), tag::BIND | tag::EXECUTE | tag::CLOSE);
        resolves && (self.naming.unsettled(outstanding) || self.temporary.unsettled(outstanding))
            || names && self.names.unsettled()
    }

    async fn query(&mut self, sql: &str, frame: &Frame, to: &mut BytesMut) -> Result<(), End> {
        self.names.simple_query();
        if self.temporary.take_lost() {
            return self.refuse_query(temporary_unknown(), Some(sql), to);
        }
        let plan = match self
            .enforcer
            .plan(sql, Form::Simple, self.naming.path())
            .await
        {
            Ok(plan) => plan,
            Err(refused) => return self.refuse_query(refused, Some(sql), to),
        };
        if self.kept() >= limits::NAMES && plan.permits.iter().any(prepares) {
            return self.refuse_query(too_many_names(), Some(sql), to);
        }
        let beneath = match self.beneath(&plan).await {
            Ok(beneath) => beneath,
            Err(refused) => return self.refuse_query(refused, Some(sql), to),
        };
        let statements = match self.recorder.run(&plan, sql) {
            Ok(statements) => statements,
            Err(error) => {
                let refused = self.unrecorded(&error)?;
                return self.refuse_query(refused, None, to);
            }
        };
        if self.enforcer.is_passthrough() {
            forward(frame, to);
        } else {
            out::query(&plan.sql, to);
        }
        self.enforcer.sent(&plan);
        for permit in &plan.permits {
            self.naming.sent(permit.effect());
            self.names.sent(permit.effect());
            self.temporary.sent(permit.effect());
        }
        let recorded = self.recorder.last();
        let started = clock::now();
        let run = Run {
            plan: Some(plan),
            beneath,
            begun: false,
            formats: Box::default(),
            refused: None,
            statements,
            index: 0,
            recorded,
            started,
        };
        self.expect.push(Expect::Query(run));
        Ok(())
    }

    async fn parse(
        &mut self,
        name: &str,
        sql: &str,
        param_types: &[u32],
        frame: &Frame,
        to: &mut BytesMut,
    ) -> Result<(), End> {
        if self.kept() >= limits::NAMES {
            return self.refuse_parse(name, too_many_names(), None, to);
        }
        if self.temporary.take_lost() {
            return self.refuse_parse(name, temporary_unknown(), Some(sql), to);
        }
        let plan = match self
            .enforcer
            .plan(sql, Form::Extended, self.naming.path())
            .await
        {
            Ok(plan) => plan,
            Err(refused) => return self.refuse_parse(name, refused, Some(sql), to),
        };
        if let Err(refused) = self.enforcer.check_parameters(param_types) {
            return self.refuse_parse(name, refused, Some(sql), to);
        }
        let prepared = match self.recorder.prepare(&plan, sql) {
            Ok(prepared) => prepared,
            Err(error) => {
                let refused = self.unrecorded(&error)?;
                return self.refuse_parse(name, refused, None, to);
            }
        };
        if self.enforcer.is_passthrough() {
            forward(frame, to);
        } else {
            out::parse(name, &plan.sql, param_types, to);
        }
        let permitted = Some(Arc::clone(&plan));
        let undo = self.names.name_statement(
            name,
            Statement {
                parsed: Arc::new(Parsed {
                    listing: self.temporary.listing(),
                    parameters: param_types.into(),
                    prepared,
                }),
                plan,
            },
        );
        self.expect.push(Expect::Parse {
            plan: permitted,
            refused: None,
            undo,
        });
        if self.masked {
            self.inspect(Target::Statement(name), to);
        }
        Ok(())
    }

    async fn bind(&mut self, bind: &Bind<'_>, frame: &Frame, to: &mut BytesMut) -> Result<(), End> {
        if self.names.len() >= limits::NAMES {
            return self.refuse_other(too_many_names(), to);
        }
        let prepared = match self.prepared(bind.statement).await {
            Ok(prepared) => prepared,
            Err(refused) => return self.refuse_other(refused, to),
        };
        let anew = prepared.as_ref().is_some_and(|prepared| prepared.anew);
        let statement = self.names.statement(bind.statement).map(Arc::clone);
        let outlived = statement.as_ref().is_some_and(|statement| {
            let bound = statement
                .plan
                .permits
                .iter()
                .any(phigate_sql::Permit::shape_bound);
            bound && !self.temporary.holds(statement.parsed.listing)
        });
        if outlived {
            return self.refuse_other(outdated(), to);
        }
        if self.masked && (statement.is_none() || anew) {
            // Made by SQL's PREPARE, or not there at all, or described by another catalog: the
            // tripwire has not seen its rows.
            self.inspect(Target::Statement(bind.statement), to);
        }
        forward(frame, to);
        let in_sql = prepared.filter(|_| statement.is_none());
        let portal = Portal {
            statement,
            beneath: in_sql.map(|prepared| prepared.plan),
            formats: match self.meter {
                Some(_) => bind.result_formats.as_slice().into(),
                None => Box::default(),
            },
            bind: frame.bytes().clone(),
            begun: AtomicBool::new(false),
        };
        let undo = self.names.name_portal(bind.portal, portal);
        self.expect.push(Expect::Bind { undo });
        Ok(())
    }

    fn describe(&mut self, target: Target<'_>, frame: &Frame, to: &mut BytesMut) {
        forward(frame, to);
        self.expect.push(match target {
            Target::Statement(_) => Expect::DescribeStatement,
            Target::Portal(_) => Expect::DescribePortal,
        });
    }

    async fn execute(&mut self, name: &str, frame: &Frame, to: &mut BytesMut) -> Result<(), End> {
        let portal = self.names.portal(name).map(Arc::clone);
        let statement = portal.as_ref().and_then(|portal| portal.statement.clone());
        let mut beneath = match &statement {
            Some(statement) => match self.beneath(&statement.plan).await {
                Ok(beneath) => beneath,
                Err(refused) => return self.refuse_other(refused, to),
            },
            None => Vec::new(),
        };
        beneath.extend(portal.as_ref().and_then(|portal| portal.beneath.clone()));
        let written = match (&portal, &statement) {
            (Some(_), Some(statement)) if statement.parsed.prepared == 0 => Ok(None),
            (Some(portal), statement) => {
                let frame = Frame::from_bytes(portal.bind.clone());
                let bind = match frame.as_ref().map(frontend::decode) {
                    Ok(Ok(Message::Bind(bind))) => Some(bind),
                    _ => None,
                };
                let prepared = statement
                    .as_ref()
                    .map(|statement| statement.parsed.prepared);
                let what = prepared.is_none().then_some("a statement prepared in SQL");
                self.recorder
                    .execute(prepared, bind.as_ref(), what)
                    .map(Some)
            }
            (None, _) => {
                if self.masked {
                    // A cursor that SQL declared, or nothing: the tripwire looks first.
                    self.inspect(Target::Portal(name), to);
                }
                self.recorder
                    .execute(None, None, Some("a cursor declared in SQL"))
                    .map(Some)
            }
        };
        let statements = match written {
            Ok(Some(number)) => number..number + 1,
            Ok(None) => 0..0,
            Err(error) => {
                let refused = self.unrecorded(&error)?;
                return self.refuse_other(refused, to);
            }
        };
        forward(frame, to);
        let plan = statement.map(|statement| Arc::clone(&statement.plan));
        if let Some(plan) = &plan {
            self.enforcer.sent(plan);
        }
        if let Some(effect) = plan.as_ref().and_then(|plan| effect_of(plan)) {
            self.naming.sent(effect);
            self.names.sent(effect);
            self.temporary.sent(effect);
        }
        let recorded = self.recorder.last();
        let started = clock::now();
        let run = Run {
            plan,
            beneath,
            begun: portal.as_ref().is_some_and(|portal| portal.begin()),
            formats: portal.map_or_else(Box::default, |portal| portal.formats.clone()),
            refused: None,
            statements,
            index: 0,
            recorded,
            started,
        };
        self.expect.push(Expect::Execute(run));
        Ok(())
    }

    fn close_name(&mut self, target: Target<'_>, frame: &Frame, to: &mut BytesMut) {
        let undo = match target {
            Target::Statement(name) => self.names.forget_statement(name),
            Target::Portal(name) => {
                self.names.forget_portal(name);
                Undo::Nothing
            }
        };
        forward(frame, to);
        self.expect.push(Expect::Close { undo });
    }

    fn function_call(&mut self, frame: &Frame, to: &mut BytesMut) -> Result<(), End> {
        if self.enforcer.is_passthrough() {
            forward(frame, to);
            self.expect.push(Expect::FunctionCall);
            return Ok(());
        }
        let error = PgError::error(
            SqlState::FEATURE_NOT_SUPPORTED,
            "function calls of the fast path are not supported through the gateway",
        )
        .with_hint("call the function in a SELECT");
        // A simple query answers as a function call does: error and ReadyForQuery.
        self.refuse_query(
            Refused {
                reason: "function_call",
                error,
            },
            None,
            to,
        )
    }

    /// How many texts and names are kept for the client.
    fn kept(&self) -> usize {
        self.names.len() + self.enforcer.kept()
    }

    /// Asks for the row description on our own account.
    fn inspect(&mut self, target: Target<'_>, to: &mut BytesMut) {
        out::describe(target, to);
        self.expect.push(Expect::Inspect);
    }

    fn undecodable(
        &mut self,
        frame: &Frame,
        error: DecodeError,
        to: &mut BytesMut,
    ) -> Result<(), End> {
        let refused = Refused {
            reason: "encoding",
            error: PgError::from(error),
        };
        match frame.tag() {
            _ if self.enforcer.is_passthrough() => self.relay_undecoded(frame, to),
            tag::QUERY if error == DecodeError::NotUtf8 => self.refuse_query(refused, None, to),
            tag::COPY_FAIL if error == DecodeError::NotUtf8 => {
                self.expect.copy_end();
                forward(frame, to);
                Ok(())
            }
            _ if error == DecodeError::NotUtf8 => self.refuse_other(refused, to),
            _ => {
                let error = refused.error;
                Err(End::Protocol(Box::new(PgError {
                    severity: phigate_types::Severity::Fatal,
                    ..error
                })))
            }
        }
    }

    /// Under passthrough the server is the judge of what it is sent, in whatever encoding.
    fn relay_undecoded(&mut self, frame: &Frame, to: &mut BytesMut) -> Result<(), End> {
        let text = String::from_utf8_lossy(frame.body());
        let what = self.recorder.execute(None, None, Some(&text));
        let number = match what {
            Ok(number) => number,
            Err(error) => {
                let refused = self.unrecorded(&error)?;
                return self.refuse_other(refused, to);
            }
        };
        forward(frame, to);
        let mut run = run(None, self.recorder.last(), clock::now());
        run.statements = number..number + 1;
        match frame.tag() {
            tag::QUERY => self.expect.push(Expect::Query(run)),
            tag::EXECUTE => self.expect.push(Expect::Execute(run)),
            tag::PARSE => self.expect.push(Expect::Parse {
                plan: None,
                refused: None,
                undo: Undo::Nothing,
            }),
            tag::BIND => self.expect.push(Expect::Bind {
                undo: Undo::Nothing,
            }),
            tag::DESCRIBE if frame.body().first() == Some(&b'S') => {
                self.expect.push(Expect::DescribeStatement);
            }
            tag::DESCRIBE => self.expect.push(Expect::DescribePortal),
            tag::CLOSE => self.expect.push(Expect::Close {
                undo: Undo::Nothing,
            }),
            // An error, then ReadyForQuery all the same.
            tag::SYNC => {
                self.expect.sync();
            }
            tag::COPY_FAIL => self.expect.copy_end(),
            _ => {}
        }
        Ok(())
    }

    fn refuse_query(
        &mut self,
        refused: Refused,
        sent: Option<&str>,
        to: &mut BytesMut,
    ) -> Result<(), End> {
        let error = self.refused(refused, sent)?;
        out::query(REFUSED, to);
        let run = run(Some(error), self.recorder.last(), clock::now());
        self.expect.push(Expect::Query(run));
        Ok(())
    }

    fn refuse_parse(
        &mut self,
        name: &str,
        refused: Refused,
        sent: Option<&str>,
        to: &mut BytesMut,
    ) -> Result<(), End> {
        let error = self.refused(refused, sent)?;
        // Under the client's own name: if it is the unnamed one, this destroys it, as it should.
        out::parse(name, REFUSED, &[], to);
        self.expect.push(Expect::Parse {
            plan: None,
            refused: Some(Box::new(error)),
            undo: Undo::Nothing,
        });
        Ok(())
    }

    fn refuse_other(&mut self, refused: Refused, to: &mut BytesMut) -> Result<(), End> {
        let error = self.refused(refused, None)?;
        out::parse(REFUSED_NAME, REFUSED, &[], to);
        self.expect.push(Expect::Parse {
            plan: None,
            refused: Some(Box::new(error)),
            undo: Undo::Nothing,
        });
        Ok(())
    }

    fn refused(&mut self, refused: Refused, sent: Option<&str>) -> Result<PgError, End> {
        tracing::info!(
            session = %self.session,
            reason = refused.reason,
            sqlstate = %refused.error.code,
            "statement refused"
        );
        match self.recorder.refuse(&refused, sent) {
            Ok(()) => Ok(refused.error),
            Err(error) => self.unrecorded(&error).map(|refused| refused.error),
        }
    }
}

/// The effect of a plan of one statement.
pub(super) fn effect_of(plan: &Plan) -> Option<&Effect> {
    plan.permits.first().map(phigate_sql::Permit::effect)
}

/// Whether something is kept of a statement as long as the session has what it makes.
fn prepares(permit: &phigate_sql::Permit) -> bool {
    matches!(permit.effect(), Effect::Prepare(_) | Effect::Temporary(_))
}

fn forward(frame: &Frame, to: &mut BytesMut) {
    to.extend_from_slice(frame.bytes());
}

fn outdated() -> Refused {
    Refused {
        reason: "temporary_changed",
        error: PgError::error(
            SqlState::FEATURE_NOT_SUPPORTED,
            "cached plan must not change result type",
        )
        .with_detail("The temporary tables have changed since the statement was prepared.")
        .with_hint("prepare it again"),
    }
}

fn temporary_unknown() -> Refused {
    Refused {
        reason: "temporary_unknown",
        error: PgError::error(
            SqlState::QUERY_CANCELED,
            "the session's temporary tables could not be listed",
        )
        .with_detail("The statement that asks for them was cancelled, or there are too many.")
        .with_hint("try again"),
    }
}

fn too_many_names() -> Refused {
    Refused {
        reason: "too_many_names",
        error: PgError::error(
            SqlState::PROGRAM_LIMIT_EXCEEDED,
            "too many prepared statements and portals in one session",
        )
        .with_hint("close those that are not needed any more"),
    }
}
