//! `phigate check`: everything that can be known before serving.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use phigate::assemble;
use phigate_catalog::Upstream;
use phigate_config::{Config, Database};

/// Checks the file and what it points at; says all that is wrong, not just the first thing.
pub(crate) async fn run(path: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(path)?;
    let mut findings = Findings::default();
    findings.take("certificates", assemble::certificates(&config));
    findings.take("gateway.listen", can_listen(config.gateway.listen));
    findings.take("control.listen", can_listen(config.control.listen));
    if let Some(address) = config.monitoring {
        findings.take("monitoring.listen", can_listen(address));
    }
    for database in &config.databases {
        let outcome = check_database(database, &mut findings).await;
        findings.take(database.name.as_str(), outcome);
    }
    let Findings { problems, remarks } = findings;
    if problems == 0 {
        phigate_cli::outln!("{}: fit to serve, {remarks} remark(s)", path.display());
        return Ok(ExitCode::SUCCESS);
    }
    phigate_cli::outln!(
        "{}: {problems} problem(s), {remarks} remark(s)",
        path.display()
    );
    Ok(ExitCode::FAILURE)
}

/// Connects as the gateway will, and holds the classification against what is there.
async fn check_database(database: &Database, findings: &mut Findings) -> anyhow::Result<()> {
    let classification = assemble::classification(database)?;
    let upstream = Upstream::parse(database.upstream.expose())?;
    let mut connection = upstream.connect().await?;
    let snapshot = phigate_catalog::read(&mut connection).await?;
    let rules = assemble::row_rules(database)?;
    for finding in phigate_catalog::check_rows(&classification, &rules, &snapshot) {
        let file = database.rows.as_ref().unwrap_or(&database.catalog);
        findings.remark(&format!("{}: {finding}", file.display()));
    }
    for finding in phigate_catalog::check(&classification, &snapshot) {
        findings.remark(&format!("{}: {finding}", database.catalog.display()));
    }
    Ok(())
}

fn can_listen(address: SocketAddr) -> anyhow::Result<()> {
    TcpListener::bind(address)
        .map(drop)
        .with_context(|| format!("cannot listen on {address}"))
}

/// What was found so far.
#[derive(Default)]
struct Findings {
    problems: usize,
    remarks: usize,
}

impl Findings {
    fn take(&mut self, what: &str, outcome: anyhow::Result<()>) {
        if let Err(error) = outcome {
            self.problems += 1;
            eprintln!("problem: {what}: {error:#}");
        }
    }

    fn remark(&mut self, text: &str) {
        self.remarks += 1;
        eprintln!("remark: {text}");
    }
}
