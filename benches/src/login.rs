//! A client's login, by hand.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::BytesMut;
use phigate_testkit::within;
use phigate_wire::backend::{self, Authentication};
use phigate_wire::{frontend, scram};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::client::TlsStream;

/// Between two attempts.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// Who connects, and where.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) address: SocketAddr,
    /// The address it comes from; any when unspecified.
    pub(crate) from: IpAddr,
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Connects to the database `clinic`; returns at the first ReadyForQuery. A gateway that lost its lease,
/// on a machine that stalls, is asked again, as it says.
pub(crate) async fn log_in(login: &Login) -> TcpStream {
    let session = async {
        loop {
            let mut stream = connect(login).await;
            if is_let_in(&mut stream, login).await {
                return stream;
            }
        }
    };
    within("a session", session).await
}

/// The same inside TLS, of which only this authority's certificates are believed.
pub(crate) async fn log_in_tls(login: &Login, ca: &Path) -> TlsStream<TcpStream> {
    let session = async {
        loop {
            let mut stream = connect_tls(login, ca).await;
            if is_let_in(&mut stream, login).await {
                return stream;
            }
        }
    };
    within("a session", session).await
}

async fn connect_tls(login: &Login, ca: &Path) -> TlsStream<TcpStream> {
    let mut stream = connect(login).await;
    let mut out = BytesMut::new();
    frontend::ssl_request(&mut out);
    stream.write_all(&out).await.expect("a connection");
    assert_eq!(stream.read_u8().await.ok(), Some(b'S'), "no TLS");
    let connector = tokio_rustls::TlsConnector::from(Arc::new(trusting(ca)));
    let name = ServerName::from(login.address.ip());
    connector.connect(name, stream).await.expect("a handshake")
}

/// Whether it worked; if not, it is time to try again.
async fn is_let_in(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), login: &Login) -> bool {
    match authenticate(stream, login).await {
        Ok(()) => true,
        Err(error) if error.contains("57P03") => {
            tokio::time::sleep(AGAIN).await;
            false
        }
        Err(error) => panic!("{}: {error}", login.address),
    }
}

async fn connect(login: &Login) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(login.from, 0))
        .expect("an address of this machine");
    let stream = socket.connect(login.address).await.expect("it listens");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    stream
}

async fn authenticate(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    login: &Login,
) -> Result<(), String> {
    let mut nonce = [0; scram::NONCE_LEN];
    getrandom::fill(&mut nonce).expect("randomness");
    let mut exchange = scram::Client::new(&login.password, nonce);
    let mut out = BytesMut::new();
    frontend::startup(
        &[("user", login.user.as_str()), ("database", "clinic")],
        &mut out,
    );
    loop {
        stream.write_all(&out).await.expect("a connection");
        stream.flush().await.expect("a connection");
        out.clear();
        let (tag, body) = frame(stream).await;
        match tag {
            b'R' => match backend::decode_authentication(&body).expect("an authentication") {
                Authentication::Sasl(_) => {
                    let first = exchange.first();
                    frontend::sasl_initial(scram::SHA_256, &first, &mut out);
                }
                Authentication::SaslContinue(challenge) => {
                    let answer = exchange.respond(&challenge).expect("a SCRAM challenge");
                    frontend::sasl_response(&answer, &mut out);
                }
                Authentication::SaslFinal(last) => exchange.verify(&last).expect("its signature"),
                Authentication::Ok => {}
                other => panic!("{}: {other:?}", login.address),
            },
            b'Z' => return Ok(()),
            b'E' => return Err(String::from_utf8_lossy(&body).into_owned()),
            _ => {}
        }
    }
}

async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> (u8, Vec<u8>) {
    let tag = stream.read_u8().await.expect("a frame");
    let length = stream.read_u32().await.expect("a frame") as usize;
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).await.expect("a frame");
    (tag, body)
}

fn trusting(ca: &Path) -> rustls::ClientConfig {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).expect("PEM") {
        let certificate = certificate.expect("a certificate");
        roots.add(certificate).expect("an authority");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider knows them")
        .with_root_certificates(roots)
        .with_no_client_auth()
}
