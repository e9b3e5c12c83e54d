//! One large result, read as fast as it comes and thrown away: by a process of its own, so that its
//! CPU time is nobody else's.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use phigate_wire::frontend;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::child;
use crate::contender::Contender;
use crate::login::{log_in, log_in_tls};

/// Bytes read at once.
const CHUNK: usize = 256 * 1024;

/// ReadyForQuery, idle: the last bytes of an answer.
const READY: [u8; 6] = *b"Z\0\0\0\x05I";

const SQL: &str = "SELECT id, body FROM wide";

/// What came and how long it took.
#[derive(Debug, Serialize, Deserialize)]
struct Drained {
    bytes: u64,
    took: Duration,
}

/// What one turn did.
pub(crate) struct Turn {
    /// Megabytes a second.
    pub(crate) rate: f64,
    /// CPU time of the contender for a gigabyte, in seconds.
    pub(crate) cpu_seconds: Option<f64>,
}

/// Runs the statement once.
pub(crate) async fn turn(contender: &Contender) -> Turn {
    eprintln!("stream: {}", contender.name);
    let before = contender.process.cpu();
    let answer = child::ask("drain", contender).await;
    let spent = contender.process.cpu().zip(before);
    let Drained { bytes, took } = serde_json::from_str(&answer).expect("what a child prints");
    let bytes = bytes as f64;
    Turn {
        rate: bytes / 1e6 / took.as_secs_f64(),
        cpu_seconds: spent
            .map(|(after, before)| (after - before).total().as_secs_f64() / (bytes / 1e9)),
    }
}

/// The child: says what it drained.
pub(crate) async fn drain() {
    let contender: Contender = child::told();
    let login = contender.login();
    let drained = match &contender.ca {
        None => read_all(log_in(&login).await).await,
        Some(ca) => read_all(log_in_tls(&login, ca).await).await,
    };
    child::until_released(&serde_json::to_string(&drained).expect("numbers"));
}

async fn read_all(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> Drained {
    let mut out = BytesMut::new();
    frontend::query(SQL, &mut out);
    let start = Instant::now();
    stream.write_all(&out).await.expect("a connection");
    stream.flush().await.expect("a connection");
    Drained {
        bytes: to_end(&mut stream).await,
        took: start.elapsed(),
    }
}

/// Reads an answer and throws it away; its bytes.
pub(crate) async fn to_end(stream: &mut (impl AsyncRead + Unpin)) -> u64 {
    let mut chunk = vec![0; CHUNK];
    let mut tail = [0; READY.len()];
    let mut bytes = 0;
    while tail != READY {
        let length = stream.read(&mut chunk).await.expect("a connection");
        assert!(length > 0, "the stream was cut");
        bytes += length as u64;
        let kept = length.min(READY.len());
        tail.rotate_left(kept);
        if let (Some(to), Some(from)) = (
            tail.get_mut(READY.len() - kept..),
            chunk.get(length - kept..length),
        ) {
            to.copy_from_slice(from);
        }
    }
    bytes
}
