//! An upstream server for benchmarks only: it lets every session in and never says a word; what reads the
//! catalog is passed on to a real PostgreSQL. So ten thousand sessions cost no ten thousand backends.

use std::net::SocketAddr;

use bytes::BytesMut;
use phigate_wire::backend::{self, TransactionStatus};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The application_name of the catalog's readers.
const CATALOG: &[u8] = b"application_name\0phigate catalog\0";

/// The longest startup packet, in bytes: PostgreSQL's MAX_STARTUP_PACKET_LENGTH.
const STARTUP_MAX: usize = 10_000;

/// Serves until it is dropped.
pub(crate) struct SilentUpstream {
    pub(crate) port: u16,
    task: JoinHandle<()>,
}

impl SilentUpstream {
    pub(crate) async fn start(real: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(async move {
                    // Whoever leaves has left.
                    let _ = serve(socket, real).await;
                });
            }
        });
        Self { port, task }
    }
}

impl Drop for SilentUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, real: SocketAddr) -> std::io::Result<()> {
    let length = socket.read_u32().await?;
    let mut startup = vec![0; (length as usize).saturating_sub(4).min(STARTUP_MAX)];
    socket.read_exact(&mut startup).await?;
    if startup.windows(CATALOG.len()).any(|part| part == CATALOG) {
        let mut server = TcpStream::connect(real).await?;
        server.write_u32(length).await?;
        server.write_all(&startup).await?;
        copy_bidirectional(&mut socket, &mut server).await?;
        return Ok(());
    }
    let mut greeting = BytesMut::new();
    backend::authentication_ok(&mut greeting);
    for (name, value) in [
        ("server_version", "16.0"),
        ("server_encoding", "UTF8"),
        ("client_encoding", "UTF8"),
        ("standard_conforming_strings", "on"),
    ] {
        backend::parameter_status(name, value, &mut greeting);
    }
    backend::ready_for_query(TransactionStatus::Idle, &mut greeting);
    socket.write_all(&greeting).await?;
    let mut ignored = [0; 64];
    while socket.read(&mut ignored).await? > 0 {}
    Ok(())
}
