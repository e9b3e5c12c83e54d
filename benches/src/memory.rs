//! What a session costs in memory of the gateway, its side towards PostgreSQL included: one that says
//! nothing, one that reads a large result, one whose client does not read what it asked for.

use std::time::Duration;

use bytes::BytesMut;
use phigate_wire::frontend;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::child::{self, Holding};
use crate::contender::{self, Contender};
use crate::login::{log_in, log_in_tls};
use crate::process::{forget_peak, own_memory, peak_memory};
use crate::report::{Report, Series, Target};
use crate::stream;

/// What is done, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Sessions of one turn: that say nothing, and that have a result under way.
    idle: usize,
    busy: usize,
    rounds: usize,
    /// Rows of a large result.
    rows: u32,
}

/// What held sessions do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Doing {
    /// Nothing more, after one answer.
    Nothing,
    /// Read one answer after the other.
    Read,
    /// Leave the answer unread.
    Stall,
}

/// What the child is to do.
#[derive(Debug, Serialize, Deserialize)]
struct Errand {
    contender: Contender,
    sessions: usize,
    doing: Doing,
    sql: String,
}

/// Either kind of connection.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// How long the gateway is left alone before it is measured: logins leave things to be freed.
const SETTLE: Duration = Duration::from_secs(2);

const LOOKUP: &str = "SELECT abalance FROM pgbench_accounts WHERE aid = 1";

/// Rows of 200 bytes.
const NARROW: &str = "SELECT id, body FROM wide";

/// Rows of 4 MiB: `body` has 192 bytes.
const BROAD: &str = "SELECT repeat(body, 21846) FROM wide";

const KIB: f64 = 1024.0;

impl Plan {
    pub(crate) fn new(smoke: bool, rounds: usize) -> Self {
        if smoke {
            return Self {
                idle: 5,
                busy: 2,
                rounds: 1,
                rows: 20_000,
            };
        }
        Self {
            idle: 200,
            busy: 20,
            rounds: rounds.min(3),
            rows: 200_000,
        }
    }
}

/// Measures.
pub(crate) async fn run(plan: &Plan) -> Report {
    eprintln!("starting PostgreSQL and a gateway");
    let directory = tempfile::tempdir().expect("a temporary directory");
    phigate_pki::DevCa::load_or_create(directory.path())
        .and_then(|ca| ca.server("server", &["127.0.0.1"]))
        .expect("a certificate");
    let cluster = contender::cluster(directory.path(), 1, plan.rows).await;
    let mut report = Report::new("memory", "process");
    for (kind, tls, most) in [("plain", false, 12.0), ("TLS", true, 40.0)] {
        let mut phigate = contender::gateway(cluster.url("clinic"), "process", tls).await;
        let gateway = contender::masked(&phigate, "gateway").await;
        // The first sessions warm caches and the allocator; they stay.
        let first = hold(&gateway, plan.idle, Doing::Nothing, LOOKUP).await;
        let mut memory = Series::new(format!("idle session, {kind}"), "KiB");
        for _ in 0..plan.rounds {
            let grown = kept(&gateway, plan.idle, Doing::Nothing, LOOKUP).await;
            memory.turn("gateway", grown);
        }
        report.add(&memory, &[], "gateway", &[Target::at_most(most)]);
        for (rows, sql) in [("200 B", NARROW), ("4 MiB", BROAD)] {
            let mut reading = Series::new(format!("reads rows of {rows}, {kind}: peak"), "KiB");
            let mut stalled = Series::new(format!("does not read rows of {rows}, {kind}"), "KiB");
            for _ in 0..plan.rounds {
                reading.turn("gateway", most_of(&gateway, plan.busy, sql).await);
                stalled.turn(
                    "gateway",
                    kept(&gateway, plan.busy, Doing::Stall, sql).await,
                );
            }
            report.add(&reading, &[], "gateway", &[]);
            report.add(&stalled, &[], "gateway", &[]);
        }
        first.release().await;
        phigate.stop().await;
    }
    report
}

/// What each of some sessions keeps, in KiB.
async fn kept(gateway: &Contender, sessions: usize, doing: Doing, sql: &str) -> f64 {
    let before = settled().await;
    let holding = hold(gateway, sessions, doing, sql).await;
    let grown = settled().await.saturating_sub(before);
    holding.release().await;
    grown as f64 / KIB / sessions as f64
}

/// What each of some sessions that read needs at most, in KiB.
async fn most_of(gateway: &Contender, sessions: usize, sql: &str) -> f64 {
    sleep(SETTLE).await;
    forget_peak();
    let before = peak_memory();
    let holding = hold(gateway, sessions, Doing::Read, sql).await;
    sleep(SETTLE).await;
    let grown = peak_memory().saturating_sub(before);
    holding.release().await;
    grown as f64 / KIB / sessions as f64
}

async fn settled() -> u64 {
    sleep(SETTLE).await;
    own_memory()
}

async fn hold(gateway: &Contender, sessions: usize, doing: Doing, sql: &str) -> Holding {
    eprintln!("{sessions} sessions, {doing:?}: {sql}");
    let errand = Errand {
        contender: gateway.clone(),
        sessions,
        doing,
        sql: sql.to_owned(),
    };
    child::hold("hold", &errand).await.0
}

/// The child: opens sessions, asks on each, says so, and keeps them.
pub(crate) async fn keep() {
    let errand: Errand = child::told();
    let mut kept = Vec::new();
    for _ in 0..errand.sessions {
        let mut session = connect(&errand.contender).await;
        ask(&mut session, &errand.sql).await;
        match errand.doing {
            Doing::Nothing => {
                stream::to_end(&mut session).await;
                kept.push(session);
            }
            Doing::Stall => {
                session.read_u8().await.expect("an answer");
                kept.push(session);
            }
            Doing::Read => {
                session.read_u8().await.expect("an answer");
                tokio::spawn(read_on(session, errand.sql.clone()));
            }
        }
    }
    child::until_released("there");
}

async fn connect(contender: &Contender) -> Box<dyn Connection> {
    let login = contender.login();
    match &contender.ca {
        None => Box::new(log_in(&login).await),
        Some(ca) => Box::new(log_in_tls(&login, ca).await),
    }
}

async fn ask(session: &mut Box<dyn Connection>, sql: &str) {
    let mut out = BytesMut::new();
    frontend::query(sql, &mut out);
    session.write_all(&out).await.expect("a connection");
    session.flush().await.expect("a connection");
}

/// Until this process ends.
async fn read_on(mut session: Box<dyn Connection>, sql: String) {
    loop {
        stream::to_end(&mut session).await;
        ask(&mut session, &sql).await;
    }
}
