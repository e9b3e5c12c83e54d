//! One client connection, from its first byte to the close of both sides.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use phigate_audit::Entry;
use phigate_audit::record::{LoginRefused, Payload, Record};
use phigate_proto::v1;
use phigate_types::{GrantId, PgError, SqlState};
use phigate_wire::backend;
use phigate_wire::startup::{NEWEST_MINOR, StartupPacket};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::authenticate::{Unproved, authenticate};
use crate::authorise::{Denied, authorise, unready};
use crate::gateway::{Gateway, NotInTime};
use crate::session::{self, Ended, Opened, Opening};
use crate::startup::parameters::Requested;
use crate::startup::{self, NoOpening};
use crate::stream::ClientStream;
use crate::{limits, upstream};

/// Serves one connection.
pub(crate) async fn serve(gateway: Arc<Gateway>, socket: TcpStream, peer: SocketAddr) {
    let tls = gateway.acceptor();
    let opening = startup::open(socket, tls.as_deref());
    let opening = match gateway.at_login(Box::pin(opening)).await {
        Ok(Ok(opening)) => opening,
        Err(NotInTime::Stopping) => return,
        Ok(Err(NoOpening::Gone(error))) => {
            tracing::debug!(%peer, %error, "no startup packet");
            return;
        }
        Ok(Err(NoOpening::Refused(stream, error))) => {
            tracing::info!(%peer, %error, "startup refused");
            session::turn_away(stream, &error).await;
            return;
        }
        Err(NotInTime::Late) => {
            tracing::info!(%peer, "no startup packet in time");
            return;
        }
    };
    match opening {
        startup::Opening::Cancel { mut stream, key } => {
            gateway.cancels.deliver(&key).await;
            // In order: libpq takes TLS that ends without close_notify for a failed cancellation.
            let _ = tokio::time::timeout(limits::FAREWELL, stream.shutdown()).await;
        }
        startup::Opening::Session {
            stream,
            buffer,
            packet,
        } => {
            let end_point = tls.and_then(|tls| tls.end_point.clone());
            log_in(gateway, stream, end_point, buffer, packet, peer).await;
        }
    }
}

/// Why a connection becomes no session.
enum NoSession {
    /// The client left.
    Left,
    /// It is to be told why.
    Refused(ClientStream, Denied, Option<GrantId>),
    /// It was told why: the session was ended before it began.
    Ended(Denied, GrantId),
}

async fn log_in(
    gateway: Arc<Gateway>,
    mut stream: ClientStream,
    end_point: Option<Vec<u8>>,
    buffer: BytesMut,
    packet: StartupPacket,
    peer: SocketAddr,
) {
    let requested = match Requested::read(&packet) {
        Ok(requested) => requested,
        Err(error) => {
            refuse(&gateway, stream, None, &("startup", error), None, peer).await;
            return;
        }
    };
    if packet.needs_negotiation() && negotiate(&mut stream, &packet).await.is_err() {
        return;
    }
    let claimed = (requested.principal.clone(), requested.database.clone());
    // Dropping the attempt at the deadline closes the socket; the task of an opened session goes on.
    let attempt = attempt(&gateway, stream, end_point, buffer, requested, peer);
    match gateway.at_login(Box::pin(attempt)).await {
        Ok(Ok((opened, session))) => run(gateway, opened, session).await,
        Ok(Err(NoSession::Refused(stream, denied, grant))) => {
            refuse(&gateway, stream, Some(&claimed), &denied, grant, peer).await;
        }
        Ok(Err(NoSession::Ended(denied, grant))) => {
            record_refusal(&gateway, Some(&claimed), &denied, Some(grant), peer);
        }
        Ok(Err(NoSession::Left)) => tracing::debug!(%peer, "client left at login"),
        Err(NotInTime::Stopping) => {}
        Err(NotInTime::Late) => {
            tracing::info!(%peer, "login took too long");
            let error = PgError::fatal(SqlState::CONNECTION_FAILURE, "login took too long");
            record_refusal(&gateway, Some(&claimed), &("timeout", error), None, peer);
        }
    }
}

/// Authenticates, authorises, connects.
async fn attempt(
    gateway: &Arc<Gateway>,
    mut stream: ClientStream,
    end_point: Option<Vec<u8>>,
    mut buffer: BytesMut,
    requested: Requested,
    peer: SocketAddr,
) -> Result<(Opened, SessionAtControl), NoSession> {
    let refusal = NoSession::Refused;
    if let Some(denied) = unready(&gateway.live) {
        return Err(refusal(stream, denied, None));
    }
    let proving = authenticate(gateway, &mut stream, end_point, &mut buffer, &requested);
    let proved = match proving.await {
        Ok(proved) => proved,
        Err(Unproved::Gone(error)) => {
            tracing::debug!(%peer, %error, "client left at login");
            return Err(NoSession::Left);
        }
        Err(Unproved::Refused(word, error)) => return Err(refusal(stream, (word, error), None)),
    };
    let grant = proved.grant;
    let known = gateway
        .databases
        .iter()
        .find(|(name, _)| name.as_str() == requested.database);
    let Some((_, database)) = known else {
        let error = PgError::fatal(
            SqlState::UNDEFINED_DATABASE,
            format!(
                "database \"{}\" is not served by this gateway",
                requested.database
            ),
        );
        return Err(refusal(stream, ("unknown_database", error), Some(grant)));
    };
    let authorised = match authorise(gateway, &requested, grant, peer).await {
        Ok(authorised) => authorised,
        Err(denied) => return Err(refusal(stream, denied, Some(grant))),
    };
    let at_control = SessionAtControl {
        gateway: Arc::clone(gateway),
        session: authorised.session.to_string(),
        reason: "internal",
        used: None,
    };
    let database = Arc::clone(database);
    let opening = Opening {
        gateway,
        database,
        requested,
        proved,
        authorised,
        peer,
    };
    match session::open(opening, stream, buffer).await {
        Ok(opened) => Ok((opened, at_control)),
        Err((Some(stream), denied)) => Err(refusal(stream, denied, Some(grant))),
        Err((None, denied)) => Err(NoSession::Ended(denied, grant)),
    }
}

async fn run(gateway: Arc<Gateway>, opened: Opened, mut at_control: SessionAtControl) {
    let Opened {
        session,
        cancel,
        database,
    } = opened;
    gateway.events.session_opened(&at_control.session);
    let Ended {
        end,
        upstream,
        busy,
        used,
    } = session.run().await;
    at_control.used = used;
    at_control.reason = end.reason().as_str();
    gateway
        .events
        .session_ended(&at_control.session, end.reason());
    // Many may have been ended at once; each costs the server a process or two.
    let _turn = gateway.teardowns.acquire().await;
    // Our key is void from here; the server's is used once more if something runs.
    if let Some((issued, theirs)) = cancel {
        drop(issued);
        if busy && let Err(error) = upstream::cancel(&database.address, &theirs).await {
            tracing::warn!(%error, "the running statement could not be cancelled");
        }
    }
    close_upstream(upstream).await;
}

/// Terminate, then close.
async fn close_upstream(mut upstream: crate::stream::UpstreamStream) {
    let mut out = BytesMut::new();
    phigate_wire::frontend::terminate(&mut out);
    let goodbye = async {
        upstream.write_all(&out).await?;
        upstream.shutdown().await
    };
    let _ = tokio::time::timeout(limits::LAST_WORDS, goodbye).await;
}

async fn negotiate(stream: &mut ClientStream, packet: &StartupPacket) -> std::io::Result<()> {
    let mut out = BytesMut::new();
    let minor = packet.negotiated_minor().min(NEWEST_MINOR);
    backend::negotiate_protocol_version(minor, &packet.unknown_extensions, &mut out);
    stream.write_all(&out).await?;
    stream.flush().await
}

async fn refuse(
    gateway: &Gateway,
    stream: ClientStream,
    claimed: Option<&(String, String)>,
    denied: &Denied,
    grant: Option<GrantId>,
    peer: SocketAddr,
) {
    record_refusal(gateway, claimed, denied, grant, peer);
    session::turn_away(stream, &denied.1).await;
}

fn record_refusal(
    gateway: &Gateway,
    claimed: Option<&(String, String)>,
    denied: &Denied,
    grant: Option<GrantId>,
    peer: SocketAddr,
) {
    let (reason, error) = denied;
    gateway.events.login_refused(peer, reason, error.code);
    let record = Record::LoginRefused(LoginRefused {
        client: peer.to_string(),
        gateway: gateway.id.clone(),
        principal: claimed.and_then(|(principal, _)| principal.parse().ok()),
        database: claimed.and_then(|(_, database)| database.parse().ok()),
        grant,
        reason: (*reason).to_owned(),
        sqlstate: error.code,
    });
    let payload = claimed.map(|(principal, database)| Payload {
        detail: Some(format!("user {principal:?}, database {database:?}")),
        ..Payload::default()
    });
    if let Err(error) = gateway.log.append(Entry {
        session: None,
        record,
        payload,
    }) {
        tracing::error!(%error, "a refused login could not be recorded");
    }
}

/// A session that the control plane counts; it is told when this is dropped, whatever happened.
struct SessionAtControl {
    gateway: Arc<Gateway>,
    session: String,
    reason: &'static str,
    /// What it used of its budgets, where that is known.
    used: Option<v1::Amounts>,
}

impl Drop for SessionAtControl {
    fn drop(&mut self) {
        let gateway = Arc::clone(&self.gateway);
        let request = v1::CloseSessionRequest {
            session_id: std::mem::take(&mut self.session),
            end_reason: self.reason.to_owned(),
            used: self.used,
        };
        self.gateway.tasks.spawn(async move {
            let _turn = gateway.teardowns.acquire().await;
            if let Err(error) = gateway.control.close_session(request).await {
                tracing::warn!(%error, "CloseSession");
            }
        });
    }
}
