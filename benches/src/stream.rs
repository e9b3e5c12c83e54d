//! One large result, read as fast as it comes and thrown away.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use phigate_wire::backend::{self, Authentication};
use phigate_wire::{frontend, scram};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::contender::Contender;
use crate::cpu;

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// ReadyForQuery, idle: the last bytes of an answer.
const READY: &[u8] = b"Z\0\0\0\x05I";

const SQL: &str = "SELECT id, body FROM wide";

/// What came and how long it took.
pub(crate) struct Drained {
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) cpu: Duration,
}

/// Runs the statement once.
pub(crate) async fn drain(contender: &Contender) -> Drained {
    let mut stream = log_in(contender).await;
    let mut out = BytesMut::new();
    frontend::query(SQL, &mut out);
    let (start, cpu) = (Instant::now(), cpu::own());
    stream.write_all(&out).await.expect("a connection");
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let length = stream.read(&mut chunk).await.expect("a connection");
        assert!(length > 0, "{}: the stream was cut", contender.name);
        bytes += length as u64;
        if chunk
            .get(..length)
            .is_some_and(|read| read.ends_with(READY))
        {
            break;
        }
    }
    Drained {
        bytes,
        took: start.elapsed(),
        cpu: cpu::own().saturating_sub(cpu),
    }
}

async fn log_in(contender: &Contender) -> TcpStream {
    let address = (contender.host.as_str(), contender.port);
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("TCP_NODELAY");
    let mut nonce = [0; scram::NONCE_LEN];
    getrandom::fill(&mut nonce).expect("randomness");
    let mut exchange = scram::Client::new(&contender.password, nonce);
    let mut out = BytesMut::new();
    frontend::startup(
        &[("user", contender.user.as_str()), ("database", "clinic")],
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
                other => panic!("{}: {other:?}", contender.name),
            },
            b'Z' => return stream,
            b'E' => panic!("{}: {}", contender.name, String::from_utf8_lossy(&body)),
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
