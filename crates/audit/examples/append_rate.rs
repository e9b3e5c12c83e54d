//! Measures the log: records a second appended and verified, at each level, and the latency of a
//! lone session. `cargo run --release -p phigate-audit --example append_rate -- [DIR]`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use phigate_audit::record::{
    Analysis, ColumnTouch, Decision, EndReason, Fingerprint, Intent, Outcome, Parameter, Payload,
    Record, SessionClosed, SessionOpened, Touch,
};
use phigate_audit::verify::{Options, verify};
use phigate_audit::{AuditError, Entry, Level, Log, LogConfig};
use phigate_types::{Epoch, GrantId, Profile, Purpose, SessionId, Timestamp};

type Failure = Box<dyn std::error::Error>;

/// Statements a session runs, each one intent and one outcome.
const STATEMENTS: u64 = 1000;
/// Statements a lone session runs, each waited for.
const LONE: u64 = 300;
/// How often a log is verified.
const RUNS: u32 = 5;

fn main() -> Result<(), Failure> {
    let dir = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = dir.join(format!("append-rate-{}", std::process::id()));
    let mut out = std::io::stdout();
    for level in [Level::Process, Level::Local] {
        let log_dir = dir.join(level.as_str());
        let config = LogConfig {
            level,
            ..LogConfig::new(&log_dir, format!("bench/{}", level.as_str()))
        };
        let (log, _) = Log::open(config)?;
        let (append, durable, records) = saturate(&log, 400)?;
        let lone = lone(&log)?;
        log.clone().close()?;
        writeln!(
            out,
            "{}: append {:.0} records/s a caller, durable {:.0} records/s, lone statement {lone:?}",
            level.as_str(),
            records as f64 / append.as_secs_f64(),
            records as f64 / durable.as_secs_f64(),
        )?;
        check(&log_dir, &log, &mut out)?;
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// One thread appends for many sessions as fast as the log takes it.
fn saturate(log: &Log, sessions: u64) -> Result<(Duration, Duration, u64), Failure> {
    let analysis = analysis();
    let started = Instant::now();
    let mut pushing = Duration::ZERO;
    let mut records = 0;
    let mut last = phigate_audit::Position(0);
    for number in 1..=sessions {
        let session = SessionId::from_random((number << 8).to_be_bytes());
        let mut entries = vec![opened(session)?];
        for statement in 1..=STATEMENTS {
            entries.push(intent(session, statement, &analysis));
            entries.push(outcome(session, statement));
        }
        entries.push(closed(session));
        for entry in entries {
            let begun = Instant::now();
            last = match log.append(entry.clone()) {
                Err(AuditError::Overloaded { .. }) => loop {
                    std::thread::yield_now();
                    if let Ok(position) = log.append(entry.clone()) {
                        break position;
                    }
                },
                other => other?,
            };
            pushing += begun.elapsed();
            records += 1;
        }
    }
    wait(log, last)?;
    Ok((pushing, started.elapsed(), records))
}

/// One session that waits for each record: the added latency of a statement.
fn lone(log: &Log) -> Result<Duration, Failure> {
    let session = SessionId::from_random([0xfe; 8]);
    let analysis = analysis();
    log.append(opened(session)?)?;
    let mut spans = Vec::new();
    for statement in 1..=LONE {
        let begun = Instant::now();
        wait(log, log.append(intent(session, statement, &analysis))?)?;
        spans.push(begun.elapsed());
    }
    wait(log, log.append(closed(session))?)?;
    spans.sort();
    Ok(spans.get(spans.len() / 2).copied().unwrap_or_default())
}

fn check(dir: &Path, log: &Log, out: &mut impl Write) -> Result<(), Failure> {
    // CPU time of this thread, the best of several runs: the figure wanted is that of a core, however
    // busy the machine is.
    let mut span = f64::INFINITY;
    let mut report = None;
    for _ in 0..RUNS {
        let begun = cpu_time();
        report = Some(verify(
            dir,
            &Options {
                head: Some(log.head()),
            },
        )?);
        span = span.min(cpu_time().saturating_sub(begun).as_secs_f64());
    }
    let Some(report) = report else { return Ok(()) };
    writeln!(
        out,
        "  verify: {} ({} records, {} MB in {} segments) in {span:.3} CPU s: {:.2} GB/s a core",
        report.outcome,
        report.records,
        report.bytes / 1_000_000,
        report.segments,
        report.bytes as f64 / span / 1e9,
    )?;
    Ok(())
}

fn cpu_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

fn wait(log: &Log, position: phigate_audit::Position) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(log.wait_durable(position))?)
}

fn opened(session: SessionId) -> Result<Entry, Failure> {
    let record = Record::SessionOpened(SessionOpened {
        principal: "alice".parse()?,
        grant: GrantId::from_random([7; 8]),
        epoch: Epoch(1),
        purpose: Purpose::Research,
        profile: Profile::LimitedDataset,
        policy: "ab".repeat(32),
        database: "clinic".parse()?,
        client: "192.0.2.7:50000".to_owned(),
        gateway: "gateway-1".parse()?,
        expires_at: Timestamp::from_micros(1_800_000_000_000_000),
        authentication: "scram-sha-256".to_owned(),
        tls: true,
        write: false,
        passthrough: false,
    });
    Ok(Entry {
        session: Some(session),
        record,
        payload: None,
    })
}

fn analysis() -> Arc<Analysis> {
    Arc::new(Analysis {
        kind: "select".to_owned(),
        skeleton: "SELECT t1.abalance FROM public.pgbench_accounts t1 WHERE t1.aid = $1".to_owned(),
        fingerprint: Fingerprint([0x5a; 16]),
        decision: Decision::Permit,
        masked: false,
        touches: vec![Touch {
            relation: "public.pgbench_accounts".to_owned(),
            columns: vec![
                ColumnTouch("abalance".to_owned(), "keep".to_owned()),
                ColumnTouch("aid".to_owned(), "keep".to_owned()),
            ],
            written: false,
        }],
    })
}

fn intent(session: SessionId, statement: u64, analysis: &Arc<Analysis>) -> Entry {
    let record = Intent {
        statement,
        prepared: None,
        analysis: Some(analysis.clone()),
    };
    let payload = Payload {
        sent: Some(Arc::from(
            "SELECT abalance FROM pgbench_accounts WHERE aid = $1",
        )),
        parameters: vec![Parameter::Text("4711".to_owned())],
        ..Payload::default()
    };
    Entry {
        session: Some(session),
        record: Record::Statement(record),
        payload: Some(payload),
    }
}

fn outcome(session: SessionId, statement: u64) -> Entry {
    let record = Record::Outcome(Outcome {
        statement,
        rows: 1,
        bytes: 42,
        duration: Duration::from_micros(90),
        tag: Some("SELECT 1".to_owned()),
        sqlstate: None,
        digest: None,
    });
    Entry {
        session: Some(session),
        record,
        payload: None,
    }
}

fn closed(session: SessionId) -> Entry {
    let record = Record::SessionClosed(SessionClosed {
        reason: EndReason::ClientLeft,
        statements: STATEMENTS,
        refused: 0,
        rows: STATEMENTS,
        bytes: 42 * STATEMENTS,
        duration: Duration::from_secs(1),
    });
    Entry {
        session: Some(session),
        record,
        payload: None,
    }
}
