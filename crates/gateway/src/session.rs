//! One session: a client, its server, and the loop between them.

mod boundary;
mod conversation;
mod end;
mod expect;
mod meter;
mod names;
mod naming;
mod pump;
mod record;
mod reply;
mod temporary;
mod window;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use phigate_audit::AuditError;
use phigate_proto::v1;
use phigate_types::PgError;
use phigate_wire::frame::{BackendWalker, Frame, FrontendCutter, HEADER_LEN, Step};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::Code;

use crate::control::{Control, ControlError};
use crate::live::{Leash, Live, Registration};
use crate::{clock, limits};
use conversation::{Conversation, Taken, Verdict};
use meter::Meter;
use pump::{Broken, Pump, Valves};

pub(crate) use end::{End, turn_away};
pub(crate) use meter::BudgetLeft;
pub(crate) use open::{Opened, Opening, open};

mod open;

/// A session that is open.
pub(crate) struct Session {
    pump: Pump,
    talk: Conversation,
    cutter: FrontendCutter,
    walker: BackendWalker,
    /// A frame that waits for replies.
    held: Option<Frame>,
    /// The client said Terminate.
    terminated: bool,
    watch: Watch,
    waiting: Option<Durable>,
    /// Rows that were walked over and wait for more of the grant's budget.
    stalled: Option<Step>,
    drawing: Option<Drawing>,
    control: Control,
    registration: Registration,
}

/// Until the control plane has given more of a budget.
type Drawing = Pin<Box<dyn Future<Output = Result<v1::DrawBudgetResponse, ControlError>> + Send>>;

/// Until the log is durable far enough.
type Durable = Pin<Box<dyn Future<Output = Result<(), AuditError>> + Send>>;

/// What ends a session from outside.
struct Watch {
    leash: Arc<Leash>,
    pulled: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Until the gateway begins to stop.
    drained: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    live: Arc<Live>,
    grant: phigate_types::GrantId,
    /// The end of the grant on CLOCK_BOOTTIME, early by the slack.
    ends: Duration,
    idle: Duration,
    /// When anything last moved.
    active: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Session {
    /// Relays until something ends it, then closes the client's side. What is left is the upstream
    /// side: see [`Ended::close_upstream`].
    pub(crate) async fn run(mut self) -> Ended {
        let end = loop {
            if let Err(end) = self.work().await {
                break end;
            }
        };
        // A cause from outside stands above what it made happen here.
        let end = self.watch.leash.cause().cloned().unwrap_or(end);
        self.finish(end).await
    }

    /// Deals with what has arrived, then waits for more.
    async fn work(&mut self) -> Result<(), End> {
        self.hear_server().await?;
        self.hear_client().await?;
        // What the client said may have been answered by what is here already.
        self.hear_server().await?;
        // Whatever it said in whole has been dealt with, unless it waits for the log.
        if self.pump.upstream_eof && self.talk.gate().is_none() {
            return Err(self.server_left());
        }
        if self.pump.client_eof {
            return Err(End::ClientLeft);
        }
        if self.watch.live.is_draining()
            && self.talk.is_between_transactions()
            && !self.pump.owes_client()
        {
            return Err(End::Drained);
        }
        self.arm()?;
        std::future::poll_fn(|cx| self.poll(cx)).await
    }

    /// Cuts frames off what the client sent and has each decided on.
    async fn hear_client(&mut self) -> Result<(), End> {
        while !self.terminated && self.pump.to_upstream.len() < limits::HIGH_WATER {
            let frame = if self.held.is_some() && self.talk.is_busy() {
                return Ok(());
            } else if let Some(frame) = self.held.take() {
                frame
            } else if self.talk.expect.len() >= limits::PIPELINE {
                return Ok(());
            } else {
                match self.cutter.cut(&mut self.pump.from_client) {
                    Ok(Some(frame)) => frame,
                    Ok(None) => return Ok(()),
                    Err(error) => return Err(End::Protocol(Box::new(PgError::from(error)))),
                }
            };
            let decided = self.talk.client(frame, &mut self.pump.to_upstream);
            // Analysis may take a while; the end of the session does not wait for it.
            let taken = tokio::select! {
                biased;
                taken = decided => taken?,
                () = self.watch.pulled.as_mut() => return Err(self.watch.cause()),
            };
            match taken {
                Taken::Yes => {}
                Taken::Terminated => self.terminated = true,
                Taken::Later(frame) => self.held = Some(frame),
            }
        }
        Ok(())
    }

    /// Walks what the server sent, in place: rows are cleared as they lie, everything else is
    /// decided on frame by frame. Stops where a record is not durable yet.
    async fn hear_server(&mut self) -> Result<(), End> {
        loop {
            if self.talk.gate().is_some() || self.drawing.is_some() {
                return Ok(());
            }
            let pending = self.pump.from_upstream.pending();
            let step = match self.stalled.take() {
                Some(step) => Ok(step),
                None => self.walker.next(pending),
            };
            if let Ok(step) = &step
                && self.talk.is_overtaken(step)
            {
                tokio::select! {
                    biased;
                    judged = self.talk.judge_anew(step) => judged?,
                    () = self.watch.pulled.as_mut() => return Err(self.watch.cause()),
                }
            }
            let pending = self.pump.from_upstream.pending();
            match step {
                Ok(Step::Stream {
                    len,
                    rows: _,
                    copy_rows: _,
                }) if self.talk.is_asking() => {
                    self.talk.heard(pending.get(..len).unwrap_or_default());
                    self.pump.substitute(len, &[]);
                }
                Ok(Step::Stream {
                    len,
                    rows,
                    copy_rows,
                }) => {
                    let begun = rows + copy_rows;
                    let admitted = self
                        .talk
                        .admit(pending.get(..len).unwrap_or_default(), begun);
                    if admitted.len > 0 {
                        let bytes = pending.get(..admitted.len).unwrap_or_default();
                        self.talk.released(bytes, admitted.rows)?;
                        self.pump.from_upstream.clear(admitted.len);
                    }
                    if let Some(missing) = admitted.missing {
                        // A row begins there, and is walked over again when more of it is here.
                        self.walker = BackendWalker::new();
                        if self.pump.from_upstream.pending().len() > len - admitted.len {
                            continue;
                        }
                        self.pump.from_upstream.reserve(missing);
                        return Ok(());
                    }
                    if let Some(wanted) = admitted.wanted {
                        self.stalled = Some(Step::Stream {
                            len: len - admitted.len,
                            rows: begun - admitted.rows,
                            copy_rows: 0,
                        });
                        self.draw(wanted);
                    }
                }
                Ok(Step::Frame { tag, len }) => {
                    let body = pending.get(HEADER_LEN..len).unwrap_or_default();
                    match self.talk.server(tag, body)? {
                        Verdict::Pass => self.pump.from_upstream.clear(len),
                        Verdict::Drop => self.pump.substitute(len, &[]),
                        Verdict::Say(instead) => self.pump.substitute(len, &instead),
                    }
                }
                Ok(Step::More { need }) => {
                    if !pending.is_empty() {
                        self.pump.from_upstream.reserve(need);
                    }
                    return Ok(());
                }
                Err(error) => {
                    tracing::error!(%error, "the server's stream cannot be read");
                    return Err(End::UpstreamLost);
                }
            }
        }
    }

    /// Asks for more of the grant's budget; nothing leaves before it is there.
    fn draw(&mut self, mut request: v1::DrawBudgetRequest) {
        let control = self.control.clone();
        self.talk.session().clone_into(&mut request.session_id);
        self.drawing = Some(Box::pin(async move { control.draw_budget(request).await }));
    }

    /// The control plane's answer.
    fn drawn(&mut self, answer: Result<v1::DrawBudgetResponse, ControlError>) -> Result<(), End> {
        match answer {
            Ok(given) => {
                if let Some(meter) = &mut self.talk.meter {
                    meter.add(given);
                }
                Ok(())
            }
            Err(ControlError::Refused(status)) if status.code() == Code::ResourceExhausted => {
                Err(End::BudgetSpent(status.message().to_owned()))
            }
            Err(error) => {
                tracing::warn!(%error, "DrawBudget");
                Err(End::LeaseLost)
            }
        }
    }

    /// Waits for the log where something depends on it.
    fn arm(&mut self) -> Result<(), End> {
        if self.waiting.is_none() {
            let position = self.talk.gate().or_else(|| {
                let recorder = &self.talk.recorder;
                (!recorder.may_run()).then(|| recorder.last())
            });
            if let Some(position) = position {
                let log = self.talk.recorder.log().clone();
                self.waiting = Some(Box::pin(async move { log.wait_durable(position).await }));
            }
        } else if self.talk.recorder.log().failed().is_some() {
            return Err(End::RecordingFailed);
        }
        Ok(())
    }

    /// One turn of everything that can move. The lease, the grant and the leash are looked at
    /// before any byte is written.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), End>> {
        let now = clock::now();
        self.watch.check(now)?;
        self.watch.leash.note(self.talk.state());
        let valves = Valves {
            read_client: !self.terminated
                && self.held.is_none()
                && self.talk.expect.len() < limits::PIPELINE,
            write_upstream: self.talk.recorder.may_run(),
        };
        match self.pump.poll(cx, valves) {
            Poll::Ready(Ok(())) => {
                self.watch.active = now;
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(Err(Broken::Client(error))) => {
                tracing::debug!(%error, "the client's connection broke");
                return Poll::Ready(Err(End::ClientLeft));
            }
            Poll::Ready(Err(Broken::Upstream(error))) => {
                tracing::warn!(%error, "the server's connection broke");
                // What it said before may still be unread.
                return Poll::Ready(Err(self.server_left()));
            }
            Poll::Pending => {}
        }
        if let Some(waiting) = &mut self.waiting
            && let Poll::Ready(durable) = waiting.as_mut().poll(cx)
        {
            self.waiting = None;
            return Poll::Ready(durable.map_err(|error| {
                tracing::error!(%error, "the log failed");
                End::RecordingFailed
            }));
        }
        if let Some(drawing) = &mut self.drawing
            && let Poll::Ready(answer) = drawing.as_mut().poll(cx)
        {
            self.drawing = None;
            return Poll::Ready(self.drawn(answer));
        }
        self.watch.poll(cx, self.talk.is_busy())
    }

    fn server_left(&self) -> End {
        match (self.terminated, self.talk.farewell) {
            (true, _) => End::ClientLeft,
            (false, true) => End::UpstreamClosed,
            (false, false) => End::UpstreamLost,
        }
    }

    /// Closes the client's side, says so, and records the end.
    async fn finish(self, end: End) -> Ended {
        let Self {
            pump,
            mut talk,
            registration,
            terminated,
            watch,
            ..
        } = self;
        let (mut rest, released) = pump.unsent();
        if end == End::LeaseLost && watch.overslept() {
            rest = None;
        }
        let Pump {
            client, upstream, ..
        } = pump;
        end::close_client(client, &end, rest.as_deref(), &released, watch.over()).await;
        registration.client_closed();
        let leash = Arc::clone(registration.leash());
        if let Some(after) = leash.told() {
            talk.recorder.events().session_killed(after);
        }
        drop(registration);
        if !end.lets_drain() {
            leash.after_the_others().await;
        }
        let busy = talk.is_busy() && !terminated;
        let used = talk.meter.as_ref().map(Meter::used);
        if let Err(error) = talk.close(&end) {
            tracing::error!(%error, "the end of a session could not be recorded");
        }
        Ended {
            end,
            upstream,
            busy,
            used,
        }
    }
}

/// What is left when the client's side is closed.
pub(crate) struct Ended {
    /// Why.
    pub(crate) end: End,
    /// The server's side, still open.
    pub(crate) upstream: crate::stream::UpstreamStream,
    /// Whether the server may be running something.
    pub(crate) busy: bool,
    /// What was used of the grant's budgets.
    pub(crate) used: Option<v1::Amounts>,
}

// === impl Watch ===

impl Watch {
    fn new(
        registration: &Registration,
        live: Arc<Live>,
        grant: phigate_types::GrantId,
        ends: Duration,
        idle: Duration,
    ) -> Self {
        let leash = Arc::clone(registration.leash());
        let pulled = Box::pin(leash.pulled());
        let drained = Some(Box::pin(live.drained()));
        let now = clock::now();
        let timer = Box::pin(tokio::time::sleep(ends.saturating_sub(now).min(idle)));
        Self {
            leash,
            pulled,
            drained,
            live,
            grant,
            ends,
            idle,
            active: now,
            timer,
        }
    }

    /// Whether anything may still be written at `now`.
    fn check(&self, now: Duration) -> Result<(), End> {
        if let Some(cause) = self.leash.cause() {
            return Err(cause.clone());
        }
        if now >= self.ends {
            return Err(End::Expired(self.grant));
        }
        if !self.live.is_live(now) {
            return Err(End::LeaseLost);
        }
        Ok(())
    }

    /// Whether the lease was over long before anybody looked: the process was stopped, or the machine.
    fn overslept(&self) -> bool {
        self.live
            .lapsed_for(clock::now())
            .is_some_and(|late| late > limits::OVERSLEPT)
    }

    /// Completes when nothing may be written any more.
    async fn over(mut self) {
        while self.check(clock::now()).is_ok() {
            let until = self
                .live
                .deadline()
                .map_or(self.ends, |lease| lease.min(self.ends));
            let left = until.saturating_sub(clock::now());
            tokio::select! {
                biased;
                () = self.pulled.as_mut() => return,
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    fn cause(&self) -> End {
        self.leash
            .cause()
            .cloned()
            .unwrap_or(End::Internal("pulled without a cause"))
    }

    /// Registers for the leash, the drain and the timer. A session in which a statement runs is not idle.
    fn poll(&mut self, cx: &mut Context<'_>, busy: bool) -> Poll<Result<(), End>> {
        if self.pulled.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(self.cause()));
        }
        if let Some(drained) = &mut self.drained
            && drained.as_mut().poll(cx).is_ready()
        {
            self.drained = None;
            return Poll::Ready(Ok(()));
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = clock::now();
            self.check(now)?;
            if busy {
                self.active = now;
            }
            let idle_at = self.active + self.idle;
            if now >= idle_at {
                return Poll::Ready(Err(End::Idle(self.idle)));
            }
            let next = self.ends.min(idle_at).saturating_sub(now);
            self.timer.as_mut().reset(Instant::now() + next);
        }
        Poll::Pending
    }
}
