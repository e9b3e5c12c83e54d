//! How long a revocation takes: from the call to the last byte of each session in its client's kernel, and
//! to the return of the call. Gateways, control plane and PostgreSQL are processes of their own; the
//! client's kernel stamps what arrives, so that no client has to be quick.

mod figures;
mod socket;
mod upstream;

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use bytes::BytesMut;
use phigate_proto::v1::CreateGrantRequest;
use phigate_testkit::{Cluster, Options, postgres_with};
use phigate_tests::admin::span;
use phigate_tests::fleet::{Fleet, Plan as FleetPlan};
use phigate_wire::frontend;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::login::{Login, log_in};
use crate::process::Cpu;
use figures::{Line, Percentiles};
use socket::{Reader, Timer, Watched, first_byte, now};
use upstream::SilentUpstream;

const CLASSIFICATION: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
wide,id,integer,none,keep,keep
wide,body,text,none,keep,keep
wide,ssn,char(11),ssn,null,null
";

/// File descriptors: two for each of 10,000 sessions here, as many in the gateway, and room.
const FILES: u64 = 65_536;

/// Logins under way at a time.
const LOGINS: usize = 16;

/// Sessions that come from one address: the gateway limits them.
const PER_ADDRESS: usize = 1_000;

/// How long after the return it is watched that nothing more comes.
const AFTERWARDS: Duration = Duration::from_millis(500);

/// How long the streams run before the call.
const WARM: Duration = Duration::from_millis(1_500);

/// How much of all cores the paced streams may use.
const SHARE: f64 = 0.5;

/// How much is done.
pub(crate) struct Plan {
    sessions: usize,
    streaming: usize,
    idle: usize,
    rounds: usize,
    rows: u32,
    recording: &'static str,
}

/// What streams do between rows.
#[derive(Debug, Clone, Copy)]
enum Pace {
    Sleep(f64),
    Saturated,
}

/// How sessions are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Revoked,
    Expired,
}

/// The last line.
#[derive(Debug, Serialize)]
pub(crate) struct Verdict {
    call_to_last_byte_ms: Percentiles,
    after_return: usize,
}

impl Plan {
    pub(crate) fn new(smoke: bool, rounds: usize, recording: &'static str) -> Self {
        if smoke {
            return Self {
                sessions: 40,
                streaming: 4,
                idle: 40,
                rounds: 1,
                rows: 1_000,
                recording,
            };
        }
        Self {
            sessions: 1_000,
            streaming: 100,
            idle: 10_000,
            rounds,
            rows: 100_000,
            recording,
        }
    }
}

/// Measures, and gives each line as it is there.
pub(crate) async fn run(plan: &Plan, mut tell: impl FnMut(&Line)) -> Verdict {
    raise_files();
    let mut verdict = Verdict {
        call_to_last_byte_ms: Percentiles::default(),
        after_return: 0,
    };
    for gateways in [1, 3] {
        let fleet = start(plan, gateways).await;
        let pace = pace(plan, &fleet).await;
        // A grant that expires has to last until everybody is in.
        let mut entry = Duration::from_mins(1);
        let mut measure =
            async |pace, end, rounds| measure(plan, &fleet, pace, end, rounds, &mut entry).await;
        let paced = measure(pace, End::Revoked, plan.rounds).await;
        verdict.call_to_last_byte_ms = verdict.call_to_last_byte_ms.worse(paced.last_byte_ms);
        verdict.after_return += paced.after_return;
        tell(&paced);
        tell(&measure(pace, End::Expired, 1).await);
        tell(&measure(Pace::Saturated, End::Revoked, 1).await);
    }
    let idle = idle(plan).await;
    verdict.after_return += idle.after_return;
    tell(&idle);
    verdict
}

async fn start(plan: &Plan, gateways: usize) -> Fleet {
    eprintln!("starting PostgreSQL, a control plane and {gateways} gateway(s)");
    let most = (plan.sessions + 100).to_string();
    let options = Options::default()
        .with("shared_buffers", "128MB")
        .with("max_connections", &most);
    let cluster = postgres_with(options);
    fill(&cluster, plan).await;
    let upstream = cluster.url("clinic");
    fleet(plan, gateways, upstream).start(cluster).await
}

fn fleet(plan: &Plan, gateways: usize, upstream: String) -> FleetPlan {
    let program = std::env::current_exe().expect("this program");
    let mut fleet = FleetPlan::new(vec![OsString::from(program)], gateways);
    fleet.recording = plan.recording;
    CLASSIFICATION.clone_into(&mut fleet.classification);
    fleet.upstream = Some(upstream);
    fleet
}

async fn fill(cluster: &Cluster, plan: &Plan) {
    let sql = format!(
        "CREATE TABLE wide AS SELECT n AS id, repeat(md5(n::text), 6) AS body,
           '900-00-0000'::char(11) AS ssn FROM generate_series(1, {}) AS n",
        plan.rows
    );
    let database = cluster.execute("postgres", "CREATE DATABASE clinic");
    database.await.expect("a database");
    cluster.execute("clinic", &sql).await.expect("a table");
    let statistics = cluster.execute("clinic", "VACUUM ANALYZE");
    statistics.await.expect("statistics");
}

/// A pause between rows with which the streams use about half of the machine.
async fn pace(plan: &Plan, fleet: &Fleet) -> Pace {
    let mut pause = 0.02;
    for _ in 0..3 {
        let login = Grant::create(fleet, plan.streaming, Duration::from_hours(1)).await;
        let sessions = login.sessions(fleet, plan.streaming).await;
        let reader = stream(sessions, Pace::Sleep(pause));
        let share = share().await;
        fleet.admin.revoke(&login.id, "the pace").await;
        drop(reader.finish());
        eprintln!(
            "a row each {:.1} ms: {share:.2} of the machine",
            pause * 1e3
        );
        pause = (pause * share / SHARE).clamp(0.001, 0.5);
    }
    Pace::Sleep(pause)
}

/// So many times; `entry` is how long it may take until all sessions are open, as the last round knows.
async fn measure(
    plan: &Plan,
    fleet: &Fleet,
    pace: Pace,
    end: End,
    rounds: usize,
    entry: &mut Duration,
) -> Line {
    let mut all = Rounds::default();
    for round in 0..rounds {
        eprintln!(
            "{end:?}, {pace:?}, {} gateway(s): round {round}",
            fleet.gateways.len()
        );
        let lasting = match end {
            End::Revoked => Duration::from_hours(1),
            End::Expired => *entry + WARM * 2,
        };
        let grant = Grant::create(fleet, plan.sessions, lasting).await;
        let start = std::time::Instant::now();
        let mut idle = grant.sessions(fleet, plan.sessions).await;
        *entry = start.elapsed() * 2 + WARM;
        // From the end, so that every gateway has some.
        let streaming = idle.split_off(plan.sessions - plan.streaming);
        let reader = stream(streaming, pace);
        all.share.push(share().await);
        let timer = Timer::start();
        let (from, returned) = match end {
            End::Revoked => {
                let called = now();
                let report = fleet.admin.revoke(&grant.id, "the benchmark").await;
                let returned = now();
                let ended: u32 = report.gateways.iter().map(|ack| ack.sessions_ended).sum();
                assert_eq!(ended as usize, plan.sessions, "{:?}", report.gateways);
                (called, Some(returned))
            }
            End::Expired => {
                let until = grant.expires.saturating_sub(now()) + AFTERWARDS;
                tokio::time::sleep(until).await;
                (grant.expires, None)
            }
        };
        let unread: Vec<u64> = idle.iter().map(Watched::unread).collect();
        tokio::time::sleep(AFTERWARDS).await;
        let grown = std::iter::zip(&unread, &idle)
            .filter(|(before, socket)| socket.unread() > **before)
            .count();
        all.late.extend(timer.finish());
        all.count(from, returned, grown, idle, reader.finish());
    }
    let what = match (end, pace) {
        (End::Revoked, Pace::Sleep(_)) => "revoked, paced",
        (End::Revoked, Pace::Saturated) => "revoked, saturated",
        (End::Expired, _) => "expired, paced",
    };
    all.line(
        what,
        fleet.gateways.len(),
        (plan.sessions, plan.streaming),
        rounds,
    )
}

/// Ten grants of a thousand idle sessions each, revoked at once, over an upstream that has no backends.
async fn idle(plan: &Plan) -> Line {
    let grants = plan.idle.div_ceil(PER_ADDRESS);
    let cluster = postgres_with(Options::default());
    fill(&cluster, plan).await;
    let real = (
        cluster.host().parse::<IpAddr>().expect("an address"),
        cluster.port(),
    );
    let silent = SilentUpstream::start(real.into()).await;
    let url = cluster.url("clinic");
    let ports = [cluster.port(), silent.port].map(|port| format!(":{port}/"));
    let url = url.replacen(&ports[0], &ports[1], 1);
    let upstream = format!("{url}?sslmode=disable");
    let fleet = fleet(plan, 1, upstream).start(cluster).await;
    let mut granted = Vec::new();
    let mut sessions = Vec::new();
    for number in 0..grants {
        let most = PER_ADDRESS.min(plan.idle);
        let mut grant = Grant::create(&fleet, most, Duration::from_hours(1)).await;
        grant.from = Ipv4Addr::new(127, 0, 1, u8::try_from(number + 1).expect("few")).into();
        sessions.extend(grant.sessions(&fleet, most).await);
        granted.push(grant);
        eprintln!("{} sessions are idle", sessions.len());
    }
    let mut all = Rounds::default();
    all.share.push(share().await);
    let timer = Timer::start();
    let called = now();
    let mut calls = JoinSet::new();
    for grant in granted {
        let admin = fleet.admin.clone();
        calls.spawn(async move { admin.revoke(&grant.id, "the benchmark").await });
    }
    let reports = calls.join_all().await;
    let returned = now();
    let acks = reports.iter().flat_map(|report| &report.gateways);
    let ended: u32 = acks.map(|ack| ack.sessions_ended).sum();
    assert_eq!(ended as usize, sessions.len(), "{reports:?}");
    let unread: Vec<u64> = sessions.iter().map(Watched::unread).collect();
    tokio::time::sleep(AFTERWARDS).await;
    let grown = std::iter::zip(&unread, &sessions)
        .filter(|(before, socket)| socket.unread() > **before)
        .count();
    all.late.extend(timer.finish());
    let count = sessions.len();
    all.count(called, Some(returned), grown, sessions, Vec::new());
    all.line("revoked, all idle", 1, (count, 0), 1)
}

/// How much of all cores everything that was started here uses.
async fn share() -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (start, before) = (std::time::Instant::now(), Cpu::tree());
    tokio::time::sleep(WARM).await;
    let used = (Cpu::tree() - before).total();
    used.as_secs_f64() / start.elapsed().as_secs_f64() / cores as f64
}

/// Begins a long result on each and reads it as it comes.
fn stream(mut sessions: Vec<Watched>, pace: Pace) -> Reader {
    let sql = match pace {
        Pace::Sleep(pause) => {
            format!("SELECT id, repeat(body, 40), pg_sleep({pause}) FROM wide")
        }
        Pace::Saturated => "SELECT id, repeat(body, 40) FROM wide".to_owned(),
    };
    let mut out = BytesMut::new();
    frontend::query(&sql, &mut out);
    for session in &mut sessions {
        session.socket().write_all(&out).expect("a connection");
    }
    for session in &mut sessions {
        first_byte(session.socket());
    }
    Reader::start(sessions)
}

/// A grant and how to log in under it.
struct Grant {
    id: String,
    user: String,
    password: String,
    from: IpAddr,
    /// Since 1970.
    expires: Duration,
}

impl Grant {
    async fn create(fleet: &Fleet, sessions: usize, lasting: Duration) -> Self {
        let request = CreateGrantRequest {
            principal: "bench".to_owned(),
            database: "clinic".to_owned(),
            profile: "limited_dataset".to_owned(),
            purpose: "HRESCH".to_owned(),
            reason: "a benchmark".to_owned(),
            duration: Some(span(lasting)),
            max_sessions: u32::try_from(sessions).expect("a thousand at most"),
            ..CreateGrantRequest::default()
        };
        let made = fleet.admin.create(request).await.expect("a grant");
        let grant = made.grant.expect("the grant itself");
        let expires = grant.expires_at.expect("its end");
        Self {
            id: grant.grant_id,
            user: made.user,
            password: made.password,
            from: Ipv4Addr::UNSPECIFIED.into(),
            expires: Duration::new(
                u64::try_from(expires.seconds).expect("after 1970"),
                u32::try_from(expires.nanos).expect("a fraction"),
            ),
        }
    }

    /// Logs in so often, at each gateway in turn.
    async fn sessions(&self, fleet: &Fleet, count: usize) -> Vec<Watched> {
        let turns = std::sync::Arc::new(Semaphore::new(LOGINS));
        let mut logins = JoinSet::new();
        for number in 0..count {
            let login = Login {
                address: fleet.gateways[number % fleet.gateways.len()].address,
                from: self.from,
                user: self.user.clone(),
                password: self.password.clone(),
            };
            let turns = std::sync::Arc::clone(&turns);
            logins.spawn(async move {
                let _turn = turns.acquire().await;
                Watched::new(log_in(&login).await)
            });
        }
        logins.join_all().await
    }
}

/// What several rounds gave.
#[derive(Default)]
struct Rounds {
    last: Vec<f64>,
    streaming: Vec<f64>,
    returns: Vec<f64>,
    after_return: usize,
    told: usize,
    late: Vec<f64>,
    share: Vec<f64>,
}

impl Rounds {
    fn count(
        &mut self,
        from: Duration,
        returned: Option<Duration>,
        grown: usize,
        idle: Vec<Watched>,
        streaming: Vec<Watched>,
    ) {
        let mut chunk = vec![0; 1 << 16];
        let first_streaming = idle.len();
        for (at, mut session) in idle.into_iter().chain(streaming).enumerate() {
            session.drain(&mut chunk);
            self.told += usize::from(session.told());
            let last = session.last.unwrap_or(from);
            let after = (last.as_secs_f64() - from.as_secs_f64()) * 1e3;
            self.last.push(after);
            if at >= first_streaming {
                self.streaming.push(after);
            }
            self.after_return += usize::from(returned.is_some_and(|returned| last > returned));
        }
        self.after_return += grown;
        self.returns
            .extend(returned.map(|returned| returned.saturating_sub(from).as_secs_f64() * 1e3));
    }

    fn line(
        &self,
        what: &'static str,
        gateways: usize,
        (sessions, streaming): (usize, usize),
        rounds: usize,
    ) -> Line {
        Line {
            what,
            gateways,
            sessions,
            streaming,
            rounds,
            cpu_share: crate::report::median(&self.share),
            last_byte_ms: Percentiles::of(&self.last),
            streaming_last_byte_ms: Percentiles::of(&self.streaming),
            return_ms: Percentiles::of(&self.returns),
            after_return: self.after_return,
            told: self.told,
            timer_late_ms: Percentiles::of(&self.late),
        }
    }
}

/// As many files as ten thousand sessions need; what is started later inherits the limit.
fn raise_files() {
    let now = getrlimit(Resource::Nofile);
    let wanted = |maximum| Rlimit {
        current: Some(maximum),
        maximum: Some(maximum),
    };
    // Only root may raise the hard limit.
    if setrlimit(Resource::Nofile, wanted(FILES)).is_err()
        && let Some(maximum) = now.maximum
        && let Err(error) = setrlimit(Resource::Nofile, wanted(maximum))
    {
        eprintln!("the limit of open files stays: {error}");
    }
}

/// For people.
pub(crate) fn text(line: &Line) -> String {
    let Percentiles {
        p50,
        p99,
        p999,
        max,
    } = line.last_byte_ms;
    format!(
        "{:<20} {} gateway(s), {} sessions, {} streaming, {:.0} % CPU: last byte p50 {p50:.2} p99 {p99:.2} p99.9 {p999:.2} max {max:.2} ms \
         (streaming p99 {:.2}), returned after {:.1} ms at most, {} after the return, {} told 57P01; timer late p99 {:.2} ms",
        line.what,
        line.gateways,
        line.sessions,
        line.streaming,
        line.cpu_share * 100.0,
        line.streaming_last_byte_ms.p99,
        line.return_ms.max,
        line.after_return,
        line.told,
        line.timer_late_ms.p99,
    )
}
