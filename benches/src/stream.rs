//! One large result, read as fast as it comes and thrown away.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use phigate_wire::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::contender::Contender;
use crate::cpu;
use crate::login::log_in;

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
    let mut stream = log_in(&contender.login()).await;
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
