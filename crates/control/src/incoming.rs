//! Connections of admins and gateways: accepted, and their TLS handshakes done, beside each other. The
//! certificates are those of the moment.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use phigate_pki::Identity;
use phigate_vitals::Beats;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use crate::events::Events;
use crate::{ControlError, HANDSHAKE_DEADLINE};

/// Handshakes at once; who comes later waits in the kernel.
const HANDSHAKES: usize = 256;

/// Connections that wait to be served.
const QUEUE: usize = 64;

/// How long to rest when the system gives no socket.
const REST: std::time::Duration = std::time::Duration::from_millis(100);

/// What connections are accepted with.
pub(crate) type Tls = Arc<ArcSwap<ServerConfig>>;

/// A connection whose handshake is done.
pub(crate) type Incoming = ReceiverStream<std::io::Result<TlsStream<TcpStream>>>;

/// TLS with client certificates for those who have one: each service says what it asks for.
pub(crate) fn tls(identity: &Identity, client_ca_pem: &str) -> Result<ServerConfig, ControlError> {
    let unusable = |error: &dyn std::fmt::Display| ControlError::Tls(error.to_string());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(client_ca_pem.as_bytes()) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| unusable(&error))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_client_cert_verifier(clients)
        .with_single_cert(identity.chain().to_vec(), identity.key()?)
        .map_err(|error| unusable(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Accepts until `stop`.
pub(crate) fn accept(
    listener: TcpListener,
    tls: Tls,
    beats: Beats,
    events: Arc<Events>,
    stop: CancellationToken,
) -> Incoming {
    let (ready, incoming) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => {}
            () = ready.closed() => {}
            () = keep_accepting(&listener, &tls, beats, &events, &ready) => {}
        }
    });
    ReceiverStream::new(incoming)
}

async fn keep_accepting(
    listener: &TcpListener,
    tls: &Tls,
    mut beats: Beats,
    events: &Arc<Events>,
    ready: &mpsc::Sender<std::io::Result<TlsStream<TcpStream>>>,
) {
    let slots = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let accepted = tokio::select! {
            accepted = accept_one(listener, &slots) => accepted,
            () = beats.answer() => continue,
        };
        let (socket, peer, slot) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // EMFILE and its like last for a while; do not spin.
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(REST).await;
                continue;
            }
        };
        let acceptor = TlsAcceptor::from(tls.load_full());
        let (ready, events) = (ready.clone(), Arc::clone(events));
        tokio::spawn(async move {
            if let Some(stream) = shake(acceptor, socket, peer, &events).await {
                // An error: the control plane stops, and nobody is served any more.
                let _ = ready.send(Ok(stream)).await;
            }
            // Until here, so that no more connections wait to be served than shake hands.
            drop(slot);
        });
    }
}

type Slot = tokio::sync::OwnedSemaphorePermit;

/// One connection, when there is room for its handshake. Cancel safe.
async fn accept_one(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, Slot)> {
    let slot = Arc::clone(slots)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (socket, peer) = listener.accept().await?;
    socket.set_nodelay(true)?;
    Ok((socket, peer, slot))
}

/// The handshake.
async fn shake(
    acceptor: TlsAcceptor,
    socket: TcpStream,
    peer: SocketAddr,
    events: &Events,
) -> Option<TlsStream<TcpStream>> {
    match tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(socket)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            events.handshake_failed(peer, &error);
            None
        }
        Err(_) => {
            tracing::info!(%peer, "a TLS handshake took too long");
            None
        }
    }
}
