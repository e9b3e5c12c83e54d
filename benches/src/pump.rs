//! The floor: a proxy of our own that walks the headers of every frame in both directions and
//! forwards the bytes, without a policy, masks or a record. What the gateway costs above it is the
//! price of what the gateway does.

use std::net::SocketAddr;
use std::sync::Arc;

use phigate_pki::Identity;
use phigate_wire::frame::{BackendWalker, Step};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A read buffer, in bytes: as large as the gateway's while it streams.
const BUFFER: usize = 64 * 1024;

/// The worker threads' stacks are as the gateway's.
const STACK_BYTES: usize = 64 << 20;

/// A running pump, on a runtime of its own as the gateway has.
pub(crate) struct Pump {
    pub(crate) port: u16,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Pump {
    /// Starts it in front of a server; inside TLS with an identity to show.
    pub(crate) async fn start(server: SocketAddr, identity: Option<&Identity>) -> Self {
        let acceptor = identity.map(|identity| {
            let key = identity.key().expect("a key");
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .and_then(|builder| {
                    builder
                        .with_no_client_auth()
                        .with_single_cert(identity.chain().to_vec(), key)
                });
            TlsAcceptor::from(Arc::new(config.expect("an identity that was just made")))
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .expect("threads can be made");
        let listening = runtime.spawn(TcpListener::bind(("127.0.0.1", 0)));
        let listener = listening.await.expect("no panic").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, server, acceptor.clone()));
            }
        });
        Self {
            port,
            runtime: Some(runtime),
        }
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// One connection, to the end of either side.
async fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    acceptor: Option<TlsAcceptor>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let Some(acceptor) = acceptor else {
        let first = first_packet(&mut client).await?;
        let upstream = open(server, &first).await?;
        return relay(client, upstream).await;
    };
    // Whatever it is, it is SSLRequest: the benches' clients say nothing else.
    first_packet(&mut client).await?;
    client.write_all(b"S").await?;
    let mut client = acceptor.accept(client).await?;
    let first = first_packet(&mut client).await?;
    let upstream = open(server, &first).await?;
    relay(client, upstream).await
}

async fn open(server: SocketAddr, startup: &[u8]) -> std::io::Result<TcpStream> {
    let mut upstream = TcpStream::connect(server).await?;
    upstream.set_nodelay(true)?;
    upstream.write_all(startup).await?;
    Ok(upstream)
}

/// A packet without a type: length and body.
async fn first_packet(client: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let length = client.read_u32().await?;
    let mut packet = length.to_be_bytes().to_vec();
    packet.resize(length as usize, 0);
    let body = packet.get_mut(4..).unwrap_or_default();
    client.read_exact(body).await?;
    Ok(packet)
}

async fn relay(
    client: impl AsyncRead + AsyncWrite,
    mut upstream: TcpStream,
) -> std::io::Result<()> {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = upstream.split();
    tokio::select! {
        ended = forward(from_client, to_server) => ended,
        ended = forward(from_server, to_client) => ended,
    }
}

/// Walks and forwards whole frames, and rows as they come, until the end.
async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut walker = BackendWalker::new();
    let mut buffer = vec![0; BUFFER];
    let mut held = 0;
    loop {
        let room = buffer.get_mut(held..).unwrap_or_default();
        let read = from.read(room).await?;
        if read == 0 {
            return Ok(());
        }
        held += read;
        let mut walked = 0;
        loop {
            let ahead = buffer.get(walked..held).unwrap_or_default();
            match walker.next(ahead).map_err(std::io::Error::other)? {
                Step::Stream { len, .. } | Step::Frame { len, .. } => walked += len,
                Step::More { .. } => break,
            }
        }
        to.write_all(buffer.get(..walked).unwrap_or_default())
            .await?;
        to.flush().await?;
        buffer.copy_within(walked..held, 0);
        held -= walked;
        if held == buffer.len() {
            buffer.resize(held * 2, 0);
        }
    }
}
