//! One gateway's stream: a Hello, then renewals one way and changes the other.

use std::sync::Arc;
use std::time::Duration;

use phigate_audit::Head;
use phigate_lease::{Change, Ending};
use phigate_proto::v1::{self, attach_request, attach_response};
use phigate_proto::{Malformed, parse, to_duration};
use phigate_store::{Event, Fence, Notice};
use phigate_types::{GatewayId, SessionId, Version};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::clock;
use crate::gateways::{About, Attached};
use crate::plane::{Plane, stored};

/// How long a stream may be open before its Hello.
const HELLO_DEADLINE: Duration = Duration::from_secs(5);

/// Messages that may wait for a gateway's socket.
pub(crate) const OUT_QUEUE: usize = 256;

/// Changes that are read from the store at once.
const READ_AT_ONCE: u32 = 10_000;

/// The changes in one message, in bytes: tonic's clients read messages of up to 4 MiB.
const MAX_CHANGES_BYTES: usize = 3 << 20;

/// How often at most the head of a gateway's own log is noted in the control plane's.
const NOTE_HEAD_EVERY: Duration = Duration::from_mins(1);

/// The longest instance id, in bytes.
const MAX_INSTANCE: usize = 128;

type Out = mpsc::Sender<Result<v1::AttachResponse, Status>>;

/// Serves the stream to its end; the last thing sent is the status that ended it.
pub(crate) async fn run(
    plane: Arc<Plane>,
    gateway: GatewayId,
    mut incoming: Streaming<v1::AttachRequest>,
    out: Out,
) {
    let hello = match tokio::time::timeout(HELLO_DEADLINE, incoming.message()).await {
        Err(_) => Err(Status::deadline_exceeded("no Hello arrived")),
        Ok(Err(status)) => Err(status),
        Ok(Ok(None)) => return,
        Ok(Ok(Some(message))) => hello(gateway, message.message).map_err(Status::from),
    };
    let ended = match hello {
        Ok(hello) => attach(&plane, hello, &mut incoming, &out).await,
        Err(status) => Err(status),
    };
    if let Err(status) = ended {
        let _ = tokio::time::timeout(HELLO_DEADLINE, out.send(Err(status))).await;
    }
}

struct Hello {
    about: About,
    applied: Version,
    sessions: Vec<SessionId>,
}

fn hello(gateway: GatewayId, message: Option<attach_request::Message>) -> Result<Hello, Malformed> {
    let Some(attach_request::Message::Hello(hello)) = message else {
        return Err(Malformed::new("message", "the first one is a Hello"));
    };
    if !(1..=MAX_INSTANCE).contains(&hello.instance_id.len()) {
        return Err(Malformed::new("instance_id", "is 1 to 128 bytes"));
    }
    let databases = hello.databases.iter().map(|name| parse("databases", name));
    let sessions = hello.session_ids.iter().map(|id| parse("session_ids", id));
    Ok(Hello {
        about: About {
            gateway,
            instance: hello.instance_id,
            advertised: address(&hello.advertised_address)?,
            databases: databases.collect::<Result<_, _>>()?,
        },
        applied: Version(hello.applied_version),
        sessions: sessions.collect::<Result<_, _>>()?,
    })
}

/// `host:port` or `[v6]:port`; empty for none.
fn address(text: &str) -> Result<Option<(String, u16)>, Malformed> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || Malformed::new("advertised_address", "is host:port");
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().map_err(|_| wrong())?;
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong());
    }
    Ok(Some((host.to_owned(), port)))
}

async fn attach(
    plane: &Arc<Plane>,
    hello: Hello,
    incoming: &mut Streaming<v1::AttachRequest>,
    out: &Out,
) -> Result<(), Status> {
    let about = hello.about.clone();
    match stored(plane.store.fence_gateway(hello.applied, clock::now()).await)? {
        Fence::Current => {}
        Fence::RolledBack {
            store,
            seen,
            revoked,
        } => {
            tracing::error!(%store, %seen, revoked, gateway = %about.gateway,
                "a gateway knows changes that the store does not: every grant was revoked");
        }
    }
    // Rule 2 of `phigate_lease`: the lease is noted before the log is read.
    let attached = plane
        .gateways
        .attach(&about, hello.applied)
        .map_err(|fenced| Status::failed_precondition(fenced.to_string()))?;
    let number = attached.number;
    tracing::info!(gateway = %about.gateway, instance = about.instance, "gateway attached");
    let ended = serve(plane, &hello, attached, incoming, out).await;
    let fenced = plane.gateways.detach(&about, number);
    tracing::info!(gateway = %about.gateway, instance = about.instance, fenced, "gateway detached");
    let now = clock::now();
    let detached = plane
        .store
        .gateway_detached(&about.gateway, &about.instance, fenced, now);
    if let Err(error) = detached.await {
        tracing::error!(%error, "a detached gateway was not recorded");
    }
    plane.watch_lost(about.gateway, about.instance);
    ended
}

async fn serve(
    plane: &Arc<Plane>,
    hello: &Hello,
    attached: Attached,
    incoming: &mut Streaming<v1::AttachRequest>,
    out: &Out,
) -> Result<(), Status> {
    let Attached {
        mut pushed, end, ..
    } = attached;
    let about = &hello.about;
    let now = clock::now();
    let held = &hello.sessions;
    let version = if hello.applied == Version(0) && held.is_empty() {
        // It holds nothing, so it need not know what ended before, and all of that is ended there. Read
        // after its lease was noted (rule 2).
        let head = stored(plane.store.head().await)?;
        plane.gateways.applied(about, head, 0);
        head
    } else {
        hello.applied
    };
    let recorded = plane
        .store
        .gateway_attached(&about.gateway, &about.instance, held, now)
        .await;
    plane.recorder.wait(stored(recorded)?).await?;
    let mut stream = Told {
        plane,
        out,
        version,
    };
    stream.welcome().await?;
    let mut own_log = OwnLog::default();
    let ended = converse(
        plane,
        about,
        &mut stream,
        (&mut pushed, &end),
        incoming,
        &mut own_log,
    );
    let ended = ended.await;
    own_log.note(plane, &about.gateway).await;
    ended
}

fn replaced() -> Status {
    Status::failed_precondition(
        "this stream was replaced by another process of the gateway, or fell behind",
    )
}

async fn converse(
    plane: &Arc<Plane>,
    about: &About,
    stream: &mut Told<'_>,
    (pushed, end): (&mut mpsc::Receiver<Notice>, &CancellationToken),
    incoming: &mut Streaming<v1::AttachRequest>,
    own_log: &mut OwnLog,
) -> Result<(), Status> {
    loop {
        // A gateway that does not renew has no lease; its stream is of no use.
        let silent = tokio::time::sleep(plane.lease.saturating_mul(2));
        tokio::select! {
            () = end.cancelled() => return Err(replaced()),
            () = plane.shutdown.cancelled() => {
                return Err(Status::unavailable("the control plane is stopping"));
            }
            notice = pushed.recv() => match notice {
                Some(Notice::Ahead(ending)) => stream.ahead(&ending).await?,
                Some(Notice::Changed(change)) => stream.push(&change).await?,
                // Who ends a stream lets go of its queue, too.
                None => return Err(replaced()),
            },
            message = incoming.message() => match message?.map(|message| message.message) {
                None => return Ok(()),
                Some(Some(attach_request::Message::Renew(renew))) => {
                    plane
                        .gateways
                        .renew(about)
                        .map_err(|fenced| Status::failed_precondition(fenced.to_string()))?;
                    stream.renewed(renew.sequence).await?;
                    own_log.heard(&renew.log_head)?;
                    own_log.note_when_due(plane, &about.gateway).await;
                }
                Some(Some(attach_request::Message::Applied(applied))) => {
                    let version = Version(applied.version);
                    if version > stream.version {
                        return Err(Status::invalid_argument("version: it was never sent"));
                    }
                    plane.gateways.applied(about, version, applied.sessions_ended);
                }
                Some(Some(attach_request::Message::Hello(_))) => {
                    return Err(Status::invalid_argument("message: a second Hello"));
                }
                Some(None) => {
                    return Err(Status::invalid_argument("message: of a kind not known here"));
                }
            },
            () = silent => {
                return Err(Status::deadline_exceeded("the gateway did not renew its lease"));
            }
        }
    }
}

/// How far the gateway's own log goes, as it says.
#[derive(Default)]
struct OwnLog {
    heard: Option<Head>,
    noted: Option<Head>,
    noted_at: Option<phigate_lease::Instant>,
}

impl OwnLog {
    /// What a Renew said; empty from a gateway that says nothing.
    fn heard(&mut self, text: &str) -> Result<(), Malformed> {
        if !text.is_empty() {
            self.heard = Some(parse("log_head", text)?);
        }
        Ok(())
    }

    async fn note_when_due(&mut self, plane: &Plane, gateway: &GatewayId) {
        let due = |noted: phigate_lease::Instant| {
            clock::boottime().saturating_sub(noted) >= NOTE_HEAD_EVERY
        };
        if self.noted_at.is_none_or(due) {
            self.note(plane, gateway).await;
        }
    }

    /// Puts the head into the control plane's own log, unless it is there.
    async fn note(&mut self, plane: &Plane, gateway: &GatewayId) {
        let Some(head) = self.heard.filter(|head| Some(*head) != self.noted) else {
            return;
        };
        let noted = async {
            let event = Event::GatewayHead {
                gateway: gateway.clone(),
                head: head.to_string(),
                version: plane.store.head().await?,
            };
            plane.store.record(&event, clock::now()).await
        };
        match noted.await {
            Ok(_) => (self.noted, self.noted_at) = (Some(head), Some(clock::boottime())),
            Err(error) => tracing::error!(%error, %gateway, "the head of a log was not noted"),
        }
    }
}

/// What a gateway has been told: changes go out in order, each once.
struct Told<'a> {
    plane: &'a Plane,
    out: &'a Out,
    version: Version,
}

impl Told<'_> {
    async fn welcome(&mut self) -> Result<(), Status> {
        let (changes, head_version) = match self.catch_up().await? {
            Some(changes) => (changes, self.version.0),
            None if self.version == Version(0) => {
                return Err(Status::failed_precondition(
                    "session_ids: held by a process that has applied no change",
                ));
            }
            None => {
                // Too much for one message, or no longer kept. A head below what it has seen makes it
                // end its sessions and begin anew (rule 8), which needs no change from before.
                tracing::warn!(version = %self.version, "a gateway is too far behind: it begins anew");
                (Vec::new(), 0)
            }
        };
        self.send(attach_response::Message::Welcome(v1::Welcome {
            lease: Some(to_duration(self.plane.lease)),
            changes,
            head_version,
        }))
        .await
    }

    async fn renewed(&mut self, sequence: u64) -> Result<(), Status> {
        let changes = self.catch_up().await?.ok_or_else(behind)?;
        self.send(attach_response::Message::Renewed(v1::Renewed {
            sequence,
            changes,
            head_version: self.version.0,
        }))
        .await
    }

    async fn ahead(&self, ending: &Ending) -> Result<(), Status> {
        self.send(attach_response::Message::Ahead(ending.into()))
            .await
    }

    async fn push(&mut self, change: &Change) -> Result<(), Status> {
        if change.version() > self.version.next() {
            // Committed while this stream began; all of it is in the store by now.
            let missed = self.catch_up().await?.ok_or_else(behind)?;
            for change in missed {
                self.send(attach_response::Message::Change(change)).await?;
            }
        }
        if change.version() == self.version.next() {
            self.version = change.version();
            self.send(attach_response::Message::Change(change.into()))
                .await?;
        }
        Ok(())
    }

    /// Every change that was not sent, up to the head; `None` when they are too many for one message
    /// or are no longer kept.
    async fn catch_up(&mut self) -> Result<Option<Vec<v1::Change>>, Status> {
        let (mut changes, mut version, mut bytes) = (Vec::new(), self.version, 0);
        loop {
            let read = self.plane.store.changes_after(version, READ_AT_ONCE);
            let read = stored(read.await)?;
            if read.changes.is_empty() {
                self.version = version;
                return Ok(Some(changes));
            }
            for change in &read.changes {
                if change.version() != version.next() {
                    return Ok(None);
                }
                version = change.version();
                let change = v1::Change::from(change);
                // Each with its tag and length in the message.
                bytes += change.encoded_len() + 8;
                changes.push(change);
            }
            if bytes > MAX_CHANGES_BYTES {
                return Ok(None);
            }
        }
    }

    async fn send(&self, message: attach_response::Message) -> Result<(), Status> {
        let response = v1::AttachResponse {
            message: Some(message),
        };
        match tokio::time::timeout(self.plane.lease, self.out.send(Ok(response))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::unavailable("the gateway is gone")),
            Err(_) => Err(Status::deadline_exceeded("the gateway does not read")),
        }
    }
}

fn behind() -> Status {
    Status::failed_precondition("the gateway fell behind; it has to attach again")
}
