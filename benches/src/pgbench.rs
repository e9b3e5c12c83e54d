//! `pgbench -S`: one primary-key lookup a transaction.

use std::path::Path;
use std::time::Duration;

use phigate_testkit::{binaries, run};
use tokio::process::Command;

use crate::contender::Contender;
use crate::process::Cpu;

/// Statements of one transaction of [`Mode::Pipelined`].
const PIPELINE: usize = 20;

/// What the names of its logs begin with.
const LOG: &str = "log";

/// pgbench's own select-only script, without its setting of the random range from the tables, which
/// would need tables that are not there.
const SCRIPT: &str = "\\set aid random(1, :accounts)\n\
                      SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n";

/// How statements travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Simple,
    Prepared,
    /// Prepared, [`PIPELINE`] at a time before one Sync.
    Pipelined,
}

/// What one turn did.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    /// Transactions a second, without the time to connect.
    pub(crate) tps: f64,
    /// How long each took, in microseconds.
    pub(crate) took: Vec<f64>,
    /// CPU time of the contender for a million transactions, in seconds: what connecting the clients
    /// cost is in it.
    pub(crate) user_seconds: Option<f64>,
    pub(crate) cpu_seconds: Option<f64>,
}

impl Mode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Prepared => "prepared",
            Self::Pipelined => "pipelined",
        }
    }

    /// Of transactions in this mode.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Simple | Self::Prepared => "tps",
            Self::Pipelined => "20/s",
        }
    }

    fn script(self) -> String {
        match self {
            Self::Simple | Self::Prepared => SCRIPT.to_owned(),
            Self::Pipelined => format!(
                "\\startpipeline\n{}\\endpipeline\n",
                SCRIPT.repeat(PIPELINE)
            ),
        }
    }
}

/// Lets some clients work for a while.
pub(crate) async fn turn(
    contender: &Contender,
    mode: Mode,
    clients: u16,
    length: Duration,
) -> Turn {
    eprintln!(
        "pgbench -S, {}, {clients} clients: {}",
        mode.as_str(),
        contender.name
    );
    let found = binaries()
        .program("pgbench")
        .or_else(|| which::which("pgbench").ok());
    let mut pgbench = Command::new(found.expect("pgbench is needed"));
    let directory = tempfile::tempdir().expect("a temporary directory");
    let script = directory.path().join("script.sql");
    std::fs::write(&script, mode.script()).expect("a script");
    let protocol = match mode {
        Mode::Simple => "simple",
        Mode::Prepared | Mode::Pipelined => "prepared",
    };
    let tls = if contender.ca.is_some() {
        "require"
    } else {
        "disable"
    };
    pgbench
        .args(["--no-vacuum", "--define=accounts=10000"])
        .args(["--protocol", protocol])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={}", length.as_secs().max(1)))
        .arg("--log")
        .arg("--log-prefix")
        .arg(directory.path().join(LOG))
        .arg("--file")
        .arg(&script)
        .args(["--host", &contender.host])
        .args(["--port", &contender.port.to_string()])
        .args(["--username", &contender.user, "clinic"])
        .env("PGPASSWORD", &contender.password)
        .env("PGSSLMODE", tls);
    let before = contender.process.cpu();
    let output = run(pgbench, "").await.ok();
    let spent: Option<Cpu> = contender
        .process
        .cpu()
        .zip(before)
        .map(|(after, before)| after - before);
    let after = |start: &str| -> f64 {
        let line = output.lines().find_map(|line| line.strip_prefix(start));
        let word = line.and_then(|rest| rest.split_whitespace().next());
        let word = word.and_then(|word| word.split('/').next());
        word.and_then(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("no {start:?} in pgbench's {output}"))
    };
    let count = after("number of transactions actually processed: ");
    let millions = count / 1e6;
    Turn {
        // Of none it says no rate.
        tps: if count == 0.0 { 0.0 } else { after("tps = ") },
        took: logged(directory.path()),
        user_seconds: spent.map(|cpu| cpu.user.as_secs_f64() / millions),
        cpu_seconds: spent.map(|cpu| cpu.total().as_secs_f64() / millions),
    }
}

/// What pgbench's threads wrote down of each transaction: its client, its number, its microseconds.
fn logged(directory: &Path) -> Vec<f64> {
    let files = std::fs::read_dir(directory).expect("a directory").flatten();
    let logs = files.filter(|file| file.file_name().to_string_lossy().starts_with(LOG));
    logs.flat_map(|log| {
        let text = std::fs::read_to_string(log.path()).expect("a log");
        let time = |line: &str| line.split_whitespace().nth(2)?.parse().ok();
        text.lines().filter_map(time).collect::<Vec<f64>>()
    })
    .collect()
}
