//! A client's login, by hand.

use std::net::{IpAddr, SocketAddr};

use bytes::BytesMut;
use phigate_testkit::within;
use phigate_wire::backend::{self, Authentication};
use phigate_wire::{frontend, scram};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

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
            match try_log_in(login).await {
                Ok(stream) => return stream,
                Err(error) if error.contains("57P03") => tokio::time::sleep(AGAIN).await,
                Err(error) => panic!("{}: {error}", login.address),
            }
        }
    };
    within("a session", session).await
}

async fn try_log_in(login: &Login) -> Result<TcpStream, String> {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind(SocketAddr::new(login.from, 0))
        .expect("an address of this machine");
    let mut stream = socket.connect(login.address).await.expect("it listens");
    stream.set_nodelay(true).expect("TCP_NODELAY");
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
        out.clear();
        let (tag, body) = frame(&mut stream).await;
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
            b'Z' => return Ok(stream),
            b'E' => return Err(String::from_utf8_lossy(&body).into_owned()),
            _ => {}
        }
    }
}

async fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let tag = stream.read_u8().await.expect("a frame");
    let length = stream.read_u32().await.expect("a frame") as usize;
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).await.expect("a frame");
    (tag, body)
}
