//! TLS towards clients: rustls on aws-lc-rs, TLS 1.2 and 1.3, ALPN `postgresql`.

use std::sync::Arc;

use phigate_pki::Identity;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::GatewayError;

/// The protocol name registered with IANA; PostgreSQL: libpq/pqcomm.h, PG_ALPN_PROTOCOL.
pub(crate) const ALPN: &[u8] = b"postgresql";

/// What clients' TLS connections are accepted with; each keeps what it was accepted with.
pub(crate) struct Acceptor {
    acceptor: TlsAcceptor,
    /// RFC 5929 tls-server-end-point of the leaf certificate; `None` when PLUS is not offered.
    pub(crate) end_point: Option<Vec<u8>>,
}

impl Acceptor {
    /// Shows `identity` to clients.
    pub(crate) fn new(identity: &Identity, channel_binding: bool) -> Result<Self, GatewayError> {
        let key = identity
            .key()
            .map_err(|error| GatewayError::Tls(error.to_string()))?;
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_no_client_auth()
                    .with_single_cert(identity.chain().to_vec(), key)
            })
            .map_err(|error| GatewayError::Tls(error.to_string()))?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        let end_point = if channel_binding {
            identity.server_end_point()
        } else {
            None
        };
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            end_point,
        })
    }

    /// Shakes hands on a socket from which nothing has been read beyond the SSLRequest.
    pub(crate) async fn accept(&self, socket: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(socket).await
    }
}

/// The only cryptography provider in the house.
pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
