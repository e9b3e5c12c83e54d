//! `pgbench -S`: one primary-key lookup a transaction.

use std::time::Duration;

use phigate_testkit::{binaries, run};
use tokio::process::Command;

use crate::contender::Contender;

/// pgbench's own select-only script, without its setting of the random range from the tables, which
/// would need tables that are not there.
const SCRIPT: &str = "\\set aid random(1, :accounts)\n\
                      SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n";

/// Transactions a second, connections not counted.
pub(crate) async fn tps(contender: &Contender, mode: &str, clients: u16, turn: Duration) -> f64 {
    let found = binaries()
        .program("pgbench")
        .or_else(|| which::which("pgbench").ok());
    let mut pgbench = Command::new(found.expect("pgbench is needed"));
    let script = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(script.path(), SCRIPT).expect("a script");
    pgbench
        .args(["--no-vacuum", "--define=accounts=10000", "--protocol", mode])
        .arg(format!("--client={clients}"))
        .arg(format!("--jobs={}", clients.min(2)))
        .arg(format!("--time={}", turn.as_secs().max(1)))
        .arg("--file")
        .arg(script.path())
        .args([
            "--host",
            &contender.host,
            "--port",
            &contender.port.to_string(),
        ])
        .args(["--username", &contender.user, "clinic"])
        .env("PGPASSWORD", &contender.password)
        .env("PGSSLMODE", "disable");
    let output = run(pgbench, "").await.ok();
    let line = output
        .lines()
        .find(|line| line.starts_with("tps = "))
        .expect("a line with tps");
    let number = line
        .split_whitespace()
        .nth(2)
        .and_then(|word| word.parse().ok());
    number.expect("a number of transactions")
}
