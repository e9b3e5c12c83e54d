//! Opens the socket, with TLS where `sslmode` says so.

use std::io;

use bytes::BytesMut;
use phigate_wire::frontend;
use phigate_wire::startup::CancelKey;
use rustls_pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{Address, TlsPolicy, UpstreamError, verify};
use crate::limits;
use crate::stream::UpstreamStream;

/// Connects. The caller sets the deadline; dropping the future drops the socket.
pub(crate) async fn connect(address: &Address) -> Result<UpstreamStream, UpstreamError> {
    if address.host.starts_with('/') {
        let path = format!("{}/.s.PGSQL.{}", address.host, address.port);
        return Ok(UpstreamStream::Unix(UnixStream::connect(path).await?));
    }
    let mut socket = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tune(&socket)?;
    let required = match &address.tls {
        TlsPolicy::Disable => return Ok(UpstreamStream::Tcp(socket)),
        TlsPolicy::Prefer => false,
        TlsPolicy::Require | TlsPolicy::VerifyCa { .. } | TlsPolicy::VerifyFull { .. } => true,
    };
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request).await?;
    // One byte, so that nothing sent before the handshake is ever read (CVE-2021-23222).
    match socket.read_u8().await? {
        b'S' => handshake(socket, address).await,
        b'N' if required => Err(UpstreamError::NoTls),
        b'N' => Ok(UpstreamStream::Tcp(socket)),
        other => Err(UpstreamError::Protocol(format!(
            "answered {other} to SSLRequest"
        ))),
    }
}

/// Asks the server to cancel what the connection with this key runs, and waits until the server has
/// closed: a CancelRequest still under way could hit the next statement.
pub(crate) async fn cancel(address: &Address, key: &CancelKey) -> Result<(), UpstreamError> {
    let deliver = async {
        let mut stream = connect(address).await?;
        let mut request = BytesMut::new();
        frontend::cancel_request(key, &mut request);
        stream.write_all(&request).await?;
        stream.flush().await?;
        let mut rest = [0; 64];
        while !matches!(stream.read(&mut rest).await, Ok(0) | Err(_)) {}
        Ok(())
    };
    tokio::time::timeout(limits::CANCEL, deliver)
        .await
        .map_err(|_| UpstreamError::Timeout)?
}

fn tune(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (idle, interval) = limits::TCP_KEEPALIVE;
    SockRef::from(socket)
        .set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(interval))
}

async fn handshake(socket: TcpStream, address: &Address) -> Result<UpstreamStream, UpstreamError> {
    let config = verify::client_config(&address.tls)?;
    let name = ServerName::try_from(address.host.clone())
        .map_err(|_| UpstreamError::Tls(format!("{} is not a host name", address.host)))?;
    let tls = TlsConnector::from(config).connect(name, socket).await?;
    Ok(UpstreamStream::Tls(Box::new(tls)))
}
