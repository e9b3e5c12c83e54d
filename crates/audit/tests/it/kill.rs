//! kill -9 of a writing process, at no particular moment: what it had reported durable is there.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use phigate_audit::verify::{Options, verify};
use phigate_audit::{Level, Log, LogConfig};

use crate::fixture::{closed, config, intent, log_dir, opened, outcome, runtime, session};
use crate::reader;

const DIRECTORY: &str = "PHIGATE_AUDIT_KILL_DIR";
const LEVEL: &str = "PHIGATE_AUDIT_KILL_LEVEL";
/// Tasks that append at once in the child.
const TASKS: u8 = 4;

/// Not a test of its own: the process that is killed.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIRECTORY) else {
        return;
    };
    let level = std::env::var(LEVEL).unwrap().parse().unwrap();
    let (log, report) = Log::open(LogConfig {
        level,
        ..config(Path::new(&dir))
    })
    .unwrap();
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "opened {} {} {}",
        report.epoch, report.leaves, report.torn_bytes
    )
    .unwrap();
    runtime().block_on(async {
        let tasks: Vec<_> = (0..TASKS)
            .map(|number| {
                let log = log.clone();
                tokio::spawn(async move {
                    let id = session(number);
                    loop {
                        log.append(opened(id)).unwrap();
                        for statement in 1..=20 {
                            let position = log.append(intent(id, statement)).unwrap();
                            log.wait_durable(position).await.unwrap();
                            let mut line = format!("durable {}\n", position.0);
                            if statement == 20 {
                                line.clear();
                            }
                            std::io::stdout().write_all(line.as_bytes()).unwrap();
                            log.append(outcome(id, statement)).unwrap();
                        }
                        log.append(closed(id)).unwrap();
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        // They go on until the process is killed.
        drop(tasks);
        std::future::pending::<()>().await;
    });
}

#[test]
fn what_was_durable_survives_a_kill_and_the_torn_tail_is_cut() {
    for level in [Level::Process, Level::Local] {
        let dir = tempfile::tempdir().unwrap();
        let mut leaves = 0;
        // Each round goes on in the log that the one before left behind.
        for lines in [1, 30, 400, 90, 1500, 7, 233, 800] {
            let durable = run_and_kill(dir.path(), level, lines);
            let before = verify(&log_dir(dir.path()), &Options::default()).unwrap();
            assert_eq!(before.outcome.exit_code(), 2, "{}", before.outcome);
            assert!(before.records >= durable, "{} < {durable}", before.records);

            let (log, report) = Log::open(config(dir.path())).unwrap();
            assert_eq!((report.epoch, report.leaves), (1, before.records));
            assert!(!report.clean && report.quarantined.is_none());
            assert_eq!(report.torn_bytes, before.tail.map_or(0, |tail| tail.bytes));
            log.clone().close().unwrap();
            let head = Some(log.head());
            let after = verify(&log_dir(dir.path()), &Options { head }).unwrap();
            assert_eq!(after.outcome.exit_code(), 0, "{}", after.outcome);
            assert!(after.records > leaves);
            leaves = after.records;
        }
        assert!(reader::segments(&log_dir(dir.path())).len() > 20);
    }
}

/// Kills the child when it has reported this many positions; gives the highest that it reported.
fn run_and_kill(dir: &Path, level: Level, lines: usize) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, dir)
        .env(LEVEL, level.as_str())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut positions = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| {
            line.strip_prefix("durable ")
                .and_then(|text| text.parse().ok())
        });
    let mut durable = 0u64;
    for _ in 0..lines {
        durable = durable.max(positions.next().expect("the child ended by itself"));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it managed to say before it died counts, too; a line cut short does not parse in full.
    for position in positions {
        if position < durable + 10_000 {
            durable = durable.max(position);
        }
    }
    durable
}
