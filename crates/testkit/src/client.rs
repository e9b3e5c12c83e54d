//! A client that speaks the wire protocol by hand, so that a test can say anything, in any order,
//! cut anywhere, and look at every byte that comes back.
//!
//! Every wait has a [`DEADLINE`](crate::DEADLINE); what takes longer, or is not the protocol, panics.
// Said once, above.
#![allow(clippy::missing_panics_doc)]

mod answer;
mod login;
mod tls;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};

use bytes::BytesMut;
use phigate_wire::frame::{Frame, HEADER_LEN};
use phigate_wire::startup::CancelKey;
use phigate_wire::{backend, frontend};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;

use crate::wait::within;

pub use answer::Answer;
pub use login::Session;
pub use tls::Tls;

/// One connection.
pub struct Client {
    stream: Box<dyn Stream>,
    /// The socket under it.
    socket: OwnedFd,
    received: BytesMut,
    /// The hash of the server's certificate, for SCRAM-SHA-256-PLUS.
    endpoint: Option<Vec<u8>>,
    session: Session,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Client {
    /// A TCP connection on which nothing has been said.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpSocket::new_v4().expect("a socket"), address).await
    }

    /// The same, with a small receive buffer: a client that stops reading blocks its peer soon.
    pub async fn connect_narrow(address: SocketAddr) -> Self {
        const RECEIVE_BUFFER: u32 = 4096;
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .set_recv_buffer_size(RECEIVE_BUFFER)
            .expect("SO_RCVBUF");
        Self::over(socket, address).await
    }

    /// A TCP connection, SSLRequest and the handshake.
    ///
    /// # Panics
    /// When the server does not answer `S`, or the handshake fails.
    pub async fn connect_tls(address: SocketAddr, tls: &Tls) -> Self {
        let mut client = Self::connect(address).await;
        client.say(frontend::ssl_request).await;
        assert_eq!(
            client.byte().await,
            Some(b'S'),
            "the server does not speak TLS"
        );
        client
            .handshake(tls, &[])
            .await
            .expect("the TLS handshake succeeds")
    }

    /// A TCP connection and the handshake at once, offering these protocols (`postgresql` is the
    /// right one).
    pub async fn connect_direct_tls(
        address: SocketAddr,
        tls: &Tls,
        protocols: &[&str],
    ) -> std::io::Result<Self> {
        Self::connect(address).await.handshake(tls, protocols).await
    }

    async fn over(socket: TcpSocket, address: SocketAddr) -> Self {
        let stream = within("connecting", socket.connect(address)).await;
        let stream = stream.unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"));
        stream.set_nodelay(true).expect("TCP_NODELAY");
        let socket = stream.as_fd().try_clone_to_owned();
        Self::new(Box::new(stream), socket.expect("a file descriptor"))
    }

    fn new(stream: Box<dyn Stream>, socket: OwnedFd) -> Self {
        Self {
            stream,
            socket,
            received: BytesMut::new(),
            endpoint: None,
            session: Session::default(),
        }
    }

    /// What the login said.
    pub fn session(&self) -> &Session {
        &self.session
    }

    // === saying ===

    /// Sends these bytes.
    ///
    /// # Panics
    /// When the server is gone; see [`try_send`](Self::try_send).
    pub async fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).await.expect("the server takes it");
    }

    /// Sends these bytes, to a server that may be gone.
    pub async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        within("sending", async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        })
        .await
    }

    /// Sends what encoders append: `client.say(|out| { query("select 1", out); sync(out) })`.
    pub async fn say(&mut self, encode: impl FnOnce(&mut BytesMut)) {
        let mut out = BytesMut::new();
        encode(&mut out);
        self.send(&out).await;
    }

    /// Says that nothing more will come, and goes on listening.
    pub async fn shut_down_writing(&mut self) {
        within("shutting down", self.stream.shutdown())
            .await
            .expect("the socket shuts down");
    }

    /// A simple query and everything up to ReadyForQuery, or the end of the connection.
    pub async fn query(&mut self, sql: &str) -> Answer {
        self.say(|out| frontend::query(sql, out)).await;
        self.answer().await
    }

    /// Parse, Bind in text format, Describe, Execute and Sync of the unnamed statement, and everything
    /// up to ReadyForQuery, or the end of the connection.
    pub async fn extended(&mut self, sql: &str, params: &[Option<&str>]) -> Answer {
        self.say(|out| {
            frontend::parse("", sql, &[], out);
            let params = params
                .iter()
                .map(|value| value.map(str::as_bytes))
                .collect();
            frontend::bind(
                &frontend::Bind {
                    params,
                    ..frontend::Bind::default()
                },
                out,
            );
            frontend::describe(frontend::Target::Portal(""), out);
            frontend::execute("", 0, out);
            frontend::sync(out);
        })
        .await;
        self.answer().await
    }

    // === listening ===

    /// How many bytes lie in the kernel, arrived and not read; encrypted ones under TLS.
    ///
    /// # Panics
    /// When the kernel does not say.
    pub fn unread(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.socket).expect("FIONREAD")
    }

    /// Reads once and forgets what it was; how many bytes, 0 at the end. Cancel safe.
    pub async fn skip(&mut self) -> usize {
        self.received.clear();
        self.receive().await
    }

    /// One byte, as SSLRequest is answered; `None` at the end of the connection.
    pub async fn byte(&mut self) -> Option<u8> {
        while self.received.is_empty() {
            if self.receive().await == 0 {
                return None;
            }
        }
        Some(self.received.split_to(1)[0])
    }

    /// The next frame; `None` at the end of the connection, however it ended.
    ///
    /// # Panics
    /// When the connection ends within a frame.
    pub async fn frame(&mut self) -> Option<Frame> {
        let frame = self.frame_or_rest().await;
        assert!(
            self.received.is_empty() || frame.is_some(),
            "half a frame: {:?}",
            self.received
        );
        frame
    }

    /// Everything up to ReadyForQuery, or the end of the connection.
    pub async fn answer(&mut self) -> Answer {
        self.until(backend::tag::READY_FOR_QUERY).await
    }

    /// Sends these bytes and listens meanwhile, as whoever sends more than buffers hold must: everything
    /// up to so many ReadyForQuery, or the end of the connection.
    pub async fn converse(&mut self, bytes: &[u8], answers: usize) -> Answer {
        let (mut reader, mut writer) = tokio::io::split(&mut self.stream);
        let received = &mut self.received;
        let say = async {
            let mut rest = bytes;
            while !rest.is_empty() {
                match within("sending", writer.write(rest)).await {
                    Ok(sent @ 1..) => rest = rest.get(sent..).unwrap_or_default(),
                    // A server that is gone has said why.
                    Ok(0) | Err(_) => return,
                }
            }
            let _ = within("sending", writer.flush()).await;
        };
        let listen = async {
            let mut answer = Answer::default();
            let mut ready = 0;
            while ready < answers {
                if let Some(frame) = cut(received) {
                    ready += usize::from(frame.tag() == backend::tag::READY_FOR_QUERY);
                    answer.push(frame);
                } else if let Ok(0) | Err(_) = within("receiving", reader.read_buf(received)).await
                {
                    answer.close();
                    break;
                }
            }
            answer
        };
        tokio::join!(say, listen).1
    }

    /// Everything up to the first frame of this type, or the end of the connection.
    pub async fn until(&mut self, tag: u8) -> Answer {
        let mut answer = Answer::default();
        while let Some(frame) = self.frame().await {
            let last = frame.tag() == tag;
            answer.push(frame);
            if last {
                return answer;
            }
        }
        answer.close();
        answer
    }

    /// Everything up to the end of the connection, without half a frame at its end, which a killed
    /// session may leave.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn rest(&mut self) -> Answer {
        let mut answer = Answer::default();
        while let Some(frame) = self.frame_or_rest().await {
            answer.push(frame);
        }
        answer.close();
        answer
    }

    /// Whether the connection ends next, and as its kind should end: no reset, and inside TLS with
    /// close_notify.
    pub async fn is_closed_in_order(&mut self) -> bool {
        let ended = within("the end", self.stream.read_buf(&mut self.received)).await;
        matches!(ended, Ok(0))
    }

    async fn frame_or_rest(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = cut(&mut self.received) {
                return Some(frame);
            }
            if self.receive().await == 0 {
                return None;
            }
        }
    }

    /// Reads once; 0 at the end, also by reset.
    async fn receive(&mut self) -> usize {
        within("receiving", self.stream.read_buf(&mut self.received))
            .await
            .unwrap_or(0)
    }
}

/// The first frame, if it is there in whole.
fn cut(received: &mut BytesMut) -> Option<Frame> {
    let [_, len @ ..] = *received.first_chunk::<HEADER_LEN>()?;
    let whole = u32::from_be_bytes(len) as usize + 1;
    let bytes = (received.len() >= whole).then(|| received.split_to(whole).freeze())?;
    Some(Frame::from_bytes(bytes).expect("a length of at least four"))
}

/// Sends a CancelRequest and waits until the server closes the connection.
pub async fn cancel(address: SocketAddr, key: &CancelKey) {
    let mut client = Client::connect(address).await;
    client.say(|out| frontend::cancel_request(key, out)).await;
    assert_eq!(client.byte().await, None, "a CancelRequest is not answered");
}
