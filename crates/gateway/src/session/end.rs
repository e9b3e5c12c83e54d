//! Why a session ends, the last words to its client, and the closing of the client's side.

use std::io::IoSlice;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::BytesMut;
use phigate_audit::record::EndReason;
use phigate_types::{GrantId, PgError, SqlState};
use phigate_wire::backend;
use tokio::io::{AsyncReadExt, AsyncWrite};

use crate::limits;
use crate::stream::ClientStream;

/// Why a session ends. The first cause stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The client said Terminate or closed its side.
    ClientLeft,
    /// The grant's time is over.
    Expired(GrantId),
    /// Somebody ended the grant; their reason.
    Revoked(GrantId, String),
    /// Somebody ended the session; their reason.
    Killed(String),
    /// Nothing was asked for too long.
    Idle(Duration),
    /// The gateway stops.
    Drained,
    /// The lease ran out.
    LeaseLost,
    /// PostgreSQL closed the connection, having said why.
    UpstreamClosed,
    /// PostgreSQL closed the connection without a word, or said what cannot be understood.
    UpstreamLost,
    /// The log failed.
    RecordingFailed,
    /// The client broke the protocol.
    Protocol(Box<PgError>),
    /// PostgreSQL was about to send a column that the policy masks.
    Tripwire,
    /// A defect of the gateway.
    Internal(&'static str),
}

impl End {
    /// The word in the record.
    pub(crate) const fn reason(&self) -> EndReason {
        match self {
            Self::ClientLeft => EndReason::ClientLeft,
            Self::Expired(_) => EndReason::Expired,
            Self::Revoked(..) => EndReason::Revoked,
            Self::Killed(_) => EndReason::Killed,
            Self::Idle(_) => EndReason::Idle,
            Self::Drained => EndReason::Drained,
            Self::LeaseLost => EndReason::LeaseLost,
            Self::UpstreamClosed | Self::UpstreamLost => EndReason::UpstreamLost,
            Self::RecordingFailed => EndReason::RecordingFailed,
            Self::Protocol(_) => EndReason::Protocol,
            Self::Tripwire => EndReason::Tripwire,
            Self::Internal(_) => EndReason::Internal,
        }
    }

    /// What the client is told, where there is still something to tell.
    pub(crate) fn last_words(&self) -> Option<PgError> {
        let ended = |message: &'static str| PgError::fatal(SqlState::ADMIN_SHUTDOWN, message);
        let because = |error: PgError, reason: &str| match reason {
            "" => error,
            reason => error.with_detail(format!("Reason: {reason}")),
        };
        match self {
            Self::ClientLeft | Self::UpstreamClosed => None,
            Self::Expired(grant) => Some(
                PgError::fatal(
                    SqlState::ADMIN_SHUTDOWN,
                    format!("grant {grant} has expired"),
                )
                .with_hint("request a new one with phictl request create"),
            ),
            Self::Revoked(grant, reason) => Some(because(
                PgError::fatal(
                    SqlState::ADMIN_SHUTDOWN,
                    format!("grant {grant} was revoked"),
                ),
                reason,
            )),
            Self::Killed(reason) => Some(because(
                ended("session was ended by an administrator"),
                reason,
            )),
            Self::Idle(limit) => Some(PgError::fatal(
                SqlState::IDLE_SESSION_TIMEOUT,
                format!("session was idle for more than {} s", limit.as_secs()),
            )),
            Self::Drained => Some(
                ended("the gateway is stopping").with_hint("connect again; the grant still holds"),
            ),
            Self::LeaseLost => Some(
                ended("the gateway has lost its control plane and cannot tell whether grants hold")
                    .with_hint("connect again later"),
            ),
            Self::UpstreamLost => Some(PgError::fatal(
                SqlState::CONNECTION_FAILURE,
                "the connection to the database behind the gateway is lost",
            )),
            Self::RecordingFailed => Some(
                PgError::fatal(
                    SqlState::IO_ERROR,
                    "the gateway could not record the statement",
                )
                .with_detail("Nothing is released that is not recorded.")
                .with_hint("tell the operator of the gateway"),
            ),
            Self::Protocol(error) => Some(error.as_ref().clone()),
            Self::Tripwire => Some(
                PgError::fatal(
                    SqlState::INTERNAL_ERROR,
                    "the statement would have returned a masked column",
                )
                .with_detail("Nothing of its result was sent. An alarm was raised.")
                .with_hint("tell the operator of the gateway"),
            ),
            Self::Internal(_) => Some(PgError::fatal(
                SqlState::INTERNAL_ERROR,
                "the gateway has a defect",
            )),
        }
    }

    /// Whether the client may have everything that was released for it before the end.
    const fn lets_drain(&self) -> bool {
        match self {
            Self::ClientLeft
            | Self::UpstreamClosed
            | Self::UpstreamLost
            | Self::Protocol(_)
            | Self::Idle(_) => true,
            Self::Expired(_)
            | Self::Revoked(..)
            | Self::Killed(_)
            | Self::Drained
            | Self::LeaseLost
            | Self::RecordingFailed
            | Self::Tripwire
            | Self::Internal(_) => false,
        }
    }
}

/// Ends the client's side as guarantee G3 says: the frame in progress is finished and the last
/// words are said where the socket takes them at once; then the socket gets [`limits::LAST_WORDS`]
/// to deliver them, and what the kernel still queues is discarded.
///
/// Where the end takes nothing back, the client gets what was released for it, for as long as
/// `may_go_on` is pending. `rest` is what belongs to the frame in progress, if all of it is at hand; `released` what else
/// was released, written only when the end takes nothing back.
pub(super) async fn close_client(
    mut client: ClientStream,
    end: &End,
    rest: Option<&[u8]>,
    released: &[u8],
    may_go_on: impl Future<Output = ()>,
) {
    let mut words = BytesMut::new();
    if let Some(error) = end.last_words() {
        backend::error(&error, &mut words);
    }
    let said = match rest {
        Some(rest) if end.lets_drain() => {
            tokio::select! {
                biased;
                () = may_go_on => false,
                said = say_patiently(&mut client, rest, released, &words) => said,
            }
        }
        Some(rest) => say_at_once(&mut client, rest, &words),
        None => false,
    };
    // The write side ends here; what the peer has acknowledged is delivered, the rest is dropped.
    if said {
        let _ = poll_once(|cx| Pin::new(&mut client).poll_shutdown(cx));
        let mut discarded = [0; 512];
        let drained =
            async { while !matches!(client.read(&mut discarded).await, Ok(0) | Err(_)) {} };
        let _ = tokio::time::timeout(limits::LAST_WORDS, drained).await;
    }
    let _ = client.socket().set_zero_linger();
}

fn say_at_once(client: &mut ClientStream, rest: &[u8], words: &[u8]) -> bool {
    let whole = rest.len() + words.len();
    let slices = [IoSlice::new(rest), IoSlice::new(words)];
    let written =
        poll_once(|cx| Pin::new(&mut *client).poll_write_vectored(cx, &slices)).unwrap_or(0);
    let flushed = poll_once(|cx| Pin::new(&mut *client).poll_flush(cx)).is_some();
    written == whole && flushed
}

/// For ends that revoke nothing: the client gets what was released, within a deadline.
async fn say_patiently(
    client: &mut ClientStream,
    rest: &[u8],
    released: &[u8],
    words: &[u8],
) -> bool {
    use tokio::io::AsyncWriteExt;
    let say = async {
        client.write_all(rest).await?;
        client.write_all(released).await?;
        client.write_all(words).await?;
        client.flush().await
    };
    matches!(
        tokio::time::timeout(limits::FAREWELL, say).await,
        Ok(Ok(()))
    )
}

/// One try, without waiting: `None` when it would block or fails.
fn poll_once<T>(mut poll: impl FnMut(&mut Context<'_>) -> Poll<std::io::Result<T>>) -> Option<T> {
    let mut cx = Context::from_waker(Waker::noop());
    match poll(&mut cx) {
        Poll::Ready(Ok(value)) => Some(value),
        Poll::Ready(Err(_)) | Poll::Pending => None,
    }
}

/// Says why a connection is refused before it is a session, and closes it in order.
pub(crate) async fn turn_away(mut client: ClientStream, error: &PgError) {
    use tokio::io::AsyncWriteExt;
    let mut out = BytesMut::new();
    backend::error(error, &mut out);
    let say = pin!(async {
        client.write_all(&out).await?;
        client.shutdown().await?;
        // Until the client has closed too, or its unread bytes would make the kernel reset the
        // connection and lose the error.
        let mut discarded = [0; 512];
        while client.read(&mut discarded).await? > 0 {}
        Ok::<(), std::io::Error>(())
    });
    let _ = tokio::time::timeout(limits::FAREWELL, say).await;
}
