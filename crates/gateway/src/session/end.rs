//! Why a session ends, the last words to its client, and the closing of the client's side.

use std::future::poll_fn;
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
    /// The gateway stops, and the session is between transactions.
    Drained,
    /// The gateway stops, and the session was not between transactions in time.
    Stopped,
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
    /// The grant's budget of this is used up.
    BudgetSpent(String),
    /// PostgreSQL was about to send a column that the policy masks.
    Tripwire,
    /// The tables changed under a statement that was judged by what they were.
    Overtaken,
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
            Self::Drained | Self::Stopped => EndReason::Drained,
            Self::LeaseLost => EndReason::LeaseLost,
            Self::UpstreamClosed | Self::UpstreamLost => EndReason::UpstreamLost,
            Self::RecordingFailed => EndReason::RecordingFailed,
            Self::Protocol(_) => EndReason::Protocol,
            Self::BudgetSpent(_) => EndReason::Budget,
            Self::Tripwire => EndReason::Tripwire,
            Self::Overtaken => EndReason::CatalogChanged,
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
            Self::Stopped => Some(
                ended("the gateway is stopping")
                    .with_detail("What was under way was not over in time and is rolled back.")
                    .with_hint("connect again and repeat it; the grant still holds"),
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
            Self::BudgetSpent(counted) => Some(
                PgError::fatal(
                    SqlState::LIMIT_EXCEEDED,
                    format!("the grant's budget of {counted} is used up"),
                )
                .with_detail("The result ends before the row that would have been too much.")
                .with_hint("ask for a grant with a larger budget"),
            ),
            Self::Tripwire => Some(
                PgError::fatal(
                    SqlState::INTERNAL_ERROR,
                    "the statement would have returned a masked column",
                )
                .with_detail("Nothing of its result was sent. An alarm was raised.")
                .with_hint("tell the operator of the gateway"),
            ),
            Self::Overtaken => Some(
                ended("the database's tables were changed while a statement was under way")
                    .with_detail(
                        "It would be read in another way now. Nothing of its result was sent.",
                    )
                    .with_hint("connect again and repeat it"),
            ),
            Self::Internal(_) => Some(PgError::fatal(
                SqlState::INTERNAL_ERROR,
                "the gateway has a defect",
            )),
        }
    }

    /// Whether the client may have everything that was released for it before the end.
    pub(super) const fn lets_drain(&self) -> bool {
        match self {
            Self::ClientLeft
            | Self::UpstreamClosed
            | Self::UpstreamLost
            | Self::Protocol(_)
            | Self::BudgetSpent(_)
            | Self::Idle(_)
            | Self::Drained => true,
            Self::Expired(_)
            | Self::Revoked(..)
            | Self::Killed(_)
            | Self::Stopped
            | Self::LeaseLost
            | Self::RecordingFailed
            | Self::Tripwire
            | Self::Overtaken
            | Self::Internal(_) => false,
        }
    }
}

/// Ends the client's side as guarantee G3 says: the frame in progress is finished and the last
/// words are said where the socket takes them at once; then the socket gets [`limits::LAST_WORDS`]
/// to deliver them, and what the kernel still queues is discarded.
///
/// Where the end takes nothing back, the client gets what was released for it, however far away it
/// is: until it has closed its side, [`limits::FAREWELL`] at most and only as long as `may_go_on`
/// is pending, because what the kernel still queues is in our keeping until the peer has it. `rest` is what belongs to the frame in progress, if all of it is at hand; `released` what else
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
    if end.lets_drain() {
        let farewell = async {
            if say_patiently(&mut client, rest, released, &words).await {
                see_off(&mut client).await;
            }
        };
        tokio::select! {
            biased;
            () = may_go_on => {}
            _ = tokio::time::timeout(limits::FAREWELL, farewell) => {}
        }
    } else if let Some(rest) = rest {
        // Held back until the write side ends, so that words and end are one segment: a thousand
        // sessions are ended at once.
        let _ = rustix::net::sockopt::set_tcp_cork(client.socket(), true);
        if say_at_once(&mut client, rest, &words) {
            let _ = tokio::time::timeout(limits::LAST_WORDS, see_off(&mut client)).await;
        }
    }
    // What the peer has acknowledged is delivered, the rest is dropped. A connection that both sides
    // have closed by now is not reset.
    let _ = client.socket().set_zero_linger();
}

/// Ends the write side, then waits for the peer to close its own: by then it has everything. Its
/// unread bytes would otherwise make the kernel reset the connection and lose what was said.
async fn see_off(client: &mut ClientStream) {
    let _ = poll_fn(|cx| Pin::new(&mut *client).poll_shutdown(cx)).await;
    let mut discarded = [0; 512];
    while !matches!(client.read(&mut discarded).await, Ok(0) | Err(_)) {}
}

fn say_at_once(client: &mut ClientStream, rest: &[u8], words: &[u8]) -> bool {
    let whole = rest.len() + words.len();
    let slices = [IoSlice::new(rest), IoSlice::new(words)];
    let written =
        poll_once(|cx| Pin::new(&mut *client).poll_write_vectored(cx, &slices)).unwrap_or(0);
    let flushed = poll_once(|cx| Pin::new(&mut *client).poll_flush(cx)).is_some();
    written == whole && flushed
}

/// For ends that revoke nothing: the client gets what was released. Where the frame in progress
/// cannot be finished, nothing may follow it.
async fn say_patiently(
    client: &mut ClientStream,
    rest: Option<&[u8]>,
    released: &[u8],
    words: &[u8],
) -> bool {
    use tokio::io::AsyncWriteExt;
    let say = async {
        if let Some(rest) = rest {
            client.write_all(rest).await?;
            client.write_all(released).await?;
            client.write_all(words).await?;
        }
        client.flush().await
    };
    let said: std::io::Result<()> = say.await;
    said.is_ok()
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn connected() -> (ClientStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (ours, _) = listener.accept().await.unwrap();
        (ClientStream::Plain(ours), peer)
    }

    /// Whether the end of a session gives a peer that does not close its side more than the 5 ms of
    /// a kill.
    async fn is_patient(end: End, may_go_on: impl Future<Output = ()>) -> bool {
        let (ours, _peer) = connected().await;
        let closing = close_client(ours, &end, Some(b""), b"", may_go_on);
        tokio::time::timeout(limits::LAST_WORDS * 20, closing)
            .await
            .is_err()
    }

    #[tokio::test]
    async fn only_an_end_that_takes_something_back_is_hasty() {
        assert!(is_patient(End::ClientLeft, pending()).await);
        assert!(is_patient(End::UpstreamClosed, pending()).await);
        assert!(is_patient(End::Drained, pending()).await);
        assert!(!is_patient(End::Stopped, pending()).await);
        assert!(!is_patient(End::Killed(String::new()), pending()).await);
        assert!(!is_patient(End::UpstreamClosed, async {}).await);
    }

    #[tokio::test]
    async fn a_client_that_left_is_not_reset() {
        let (ours, mut peer) = connected().await;
        let closing = close_client(ours, &End::ClientLeft, Some(b""), b"last", pending());
        let leaving = async {
            let mut all = [0; 8];
            assert_eq!(peer.read(&mut all).await.unwrap(), 4);
            assert_eq!(peer.read(&mut all).await.unwrap(), 0, "closed in order");
            drop(peer);
        };
        tokio::join!(closing, leaving);
    }
}
