//! `phictl audit`: from the files alone, no control plane asked.

use std::path::{Path, PathBuf};

use std::collections::BTreeMap;

use phigate_audit::Head;
use phigate_audit::replay::noted_heads;
use phigate_audit::verify::{self, CHECKED, Options, Outcome, Report};
use phigate_types::GatewayId;
use serde::Serialize;

use crate::arguments::{AuditCommand, Connection};
use crate::exit::{Exit, Failure};
use crate::{connect, output};

/// The directory of the keys, beside the logs.
const KEYS: &str = "keys";

/// The directory of the control plane's log, which notes the heads of the gateways'.
const CONTROL: &str = "control";

pub(crate) fn run(
    command: &AuditCommand,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let AuditCommand::Verify { log, head } = command;
    let head: Option<Head> = head
        .as_deref()
        .map(|text| {
            text.parse()
                .map_err(|error| wrong_call(format!("--head {text}: {error}")))
        })
        .transpose()?;
    let logs = match log {
        Some(log) => vec![log.clone()],
        None => logs(connection).map_err(|failure| Failure {
            exit: Exit::VERIFY_USAGE,
            ..failure
        })?,
    };
    if head.is_some() && logs.len() > 1 {
        return Err(wrong_call(
            "--head belongs to one log; name it with --log DIR".to_owned(),
        ));
    }
    let mut reports = Vec::with_capacity(logs.len());
    // First: what is noted now is in the gateways' logs by the time that they are read.
    let noted = noted(&logs)?;
    for log in &logs {
        let noted = name(log).and_then(|gateway| noted.get(&gateway).copied());
        let report = verify::verify_noted(log, &Options { head }, noted)
            .map_err(|error| unverified(log, &error))?;
        reports.push((log.as_path(), report));
    }
    print(&reports, json)?;
    Ok(worst(reports.iter().map(|(_, report)| &report.outcome)))
}

/// Every log under the configuration's data directory.
pub(crate) fn logs(connection: &Connection) -> Result<Vec<PathBuf>, Failure> {
    let directory = connect::config(connection)?.audit_dir();
    let unreadable = |error| {
        Failure::new(
            Exit::NOT_FOUND,
            format!("cannot read {}: {error}", directory.display()),
        )
    };
    let mut logs: Vec<PathBuf> = std::fs::read_dir(&directory)
        .map_err(unreadable)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && path.file_name() != Some(KEYS.as_ref()))
        .collect();
    logs.sort();
    if logs.is_empty() {
        let message = format!("there is no log under {}", directory.display());
        return Err(Failure::new(Exit::NOT_FOUND, message));
    }
    Ok(logs)
}

/// What the control plane's log, when it is among these, notes of the others.
fn noted(logs: &[PathBuf]) -> Result<BTreeMap<GatewayId, Head>, Failure> {
    let control = logs
        .iter()
        .find(|log| logs.len() > 1 && log.file_name() == Some(CONTROL.as_ref()));
    match control {
        Some(log) => noted_heads(log).map_err(|error| unverified(log, &error)),
        None => Ok(BTreeMap::new()),
    }
}

/// The gateway whose log this is: directories are named after it.
fn name(log: &Path) -> Option<GatewayId> {
    log.file_name()?.to_str()?.parse().ok()
}

fn unverified(log: &Path, error: &phigate_audit::AuditError) -> Failure {
    wrong_call(format!("cannot verify {}: {error}", log.display()))
}

/// The directory of the keys that open a log's payloads.
pub(crate) fn keys(log: &Path) -> PathBuf {
    log.parent().unwrap_or(Path::new(".")).join(KEYS)
}

fn wrong_call(message: String) -> Failure {
    Failure::new(Exit::VERIFY_USAGE, message)
}

/// Tampered before unproven before sound.
fn worst<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Exit {
    let rank = |outcome: &Outcome| match outcome {
        Outcome::Tampered(_) => 2,
        Outcome::SoundUpTo { .. } => 1,
        Outcome::Sound => 0,
    };
    match outcomes.map(rank).max() {
        Some(2) => Exit::TAMPERED,
        Some(1) => Exit::SOUND_UP_TO,
        _ => Exit::OK,
    }
}

/// A report as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    log: String,
    origin: &'a str,
    outcome: &'static str,
    explanation: String,
    head: Option<String>,
    /// Whether the head given is the end.
    end_proven: bool,
    /// How many leaves the head given proves.
    proven_leaves: Option<u64>,
    /// How many leaves the control plane's log notes.
    noted_leaves: Option<u64>,
    closed: bool,
    live: bool,
    records: u64,
    sessions: u64,
    lost_sessions: u64,
    payloads: u64,
    segments: u64,
    bytes: u64,
    first_at: Option<String>,
    last_at: Option<String>,
    damages: Vec<Damaged<'a>>,
}

/// One place where a log is not what was written.
#[derive(Serialize)]
struct Damaged<'a> {
    file: String,
    offset: u64,
    leaf: u64,
    why: &'a str,
}

fn shown<'a>(log: &Path, report: &'a Report) -> Shown<'a> {
    Shown {
        log: log.display().to_string(),
        origin: &report.origin,
        outcome: report.outcome.as_str(),
        explanation: report.explanation(),
        head: report.head.map(|head| head.to_string()),
        end_proven: report.end_proven,
        proven_leaves: report.proven,
        noted_leaves: report.noted,
        closed: report.closed,
        live: report.live,
        records: report.records,
        sessions: report.sessions,
        lost_sessions: report.lost_sessions,
        payloads: report.payloads,
        segments: report.segments,
        bytes: report.bytes,
        first_at: report.first_at.map(|at| at.to_string()),
        last_at: report.last_at.map(|at| at.to_string()),
        damages: report
            .damages
            .iter()
            .map(|damage| Damaged {
                file: damage.file.display().to_string(),
                offset: damage.offset,
                leaf: damage.leaf,
                why: &damage.why,
            })
            .collect(),
    }
}

fn print(reports: &[(&Path, Report)], json: bool) -> Result<(), Failure> {
    let mut all: Vec<Shown<'_>> = reports
        .iter()
        .map(|(log, report)| shown(log, report))
        .collect();
    if json {
        return match all.pop() {
            // One log, one object; several, a list.
            Some(only) if all.is_empty() => output::json(&only),
            last => {
                all.extend(last);
                output::json(&all)
            }
        };
    }
    for report in &all {
        let Shown {
            log,
            records,
            sessions,
            payloads,
            segments,
            ..
        } = report;
        outln!("{log}: {}", report.explanation);
        outln!(
            "  {records} records, {sessions} sessions, {payloads} payloads, {segments} segments"
        );
        if let (Some(first), Some(last)) = (&report.first_at, &report.last_at) {
            outln!("  from {first} to {last}");
        }
        if let Some(head) = &report.head {
            outln!("  head {head}");
        }
        for Damaged {
            file,
            offset,
            leaf,
            why,
        } in &report.damages
        {
            outln!("  DAMAGE at leaf {leaf}, {file}, byte {offset}: {why}");
        }
    }
    eprintln!("checked: {}", CHECKED.join("; "));
    eprintln!(
        "note a head where the people who run the gateway cannot change it; --head proves later that nothing before it is gone"
    );
    Ok(())
}
