//! `phictl session replay`: what happened in a session, from the log alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use phigate_audit::keys::KeyStore;
use phigate_audit::record::{Payload, Record, SessionOpened};
use phigate_audit::replay::{self, Content, Step, Summary, Timeline};
use phigate_types::SessionId;
use serde::Serialize;

use crate::arguments::{Connection, Replay};
use crate::exit::{Exit, Failure};
use crate::{audit, output};

/// The longest wait between two steps of a paced replay.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

pub(crate) async fn run(
    options: &Replay,
    connection: &Connection,
    json: bool,
) -> Result<Exit, Failure> {
    let session: SessionId = options
        .id
        .parse()
        .map_err(|error| Failure::new(Exit::USAGE, format!("{error}")))?;
    let logs = match &options.log {
        Some(log) => vec![log.clone()],
        None => audit::logs(connection)?,
    };
    let (log, summary) = find(&logs, session)?;
    let keys = KeyStore::open(&audit::keys(&log), &origin(&log)).ok();
    let timeline =
        replay::timeline(&log, session, keys.as_ref()).map_err(|error| unreadable(&log, &error))?;
    let shown = Shown::new(&summary, &timeline, options);
    if json {
        output::json(&shown)?;
    } else {
        shown.print(options.speed).await;
    }
    for damage in &timeline.damages {
        eprintln!(
            "the log is damaged at leaf {}: {}; what follows is missing",
            damage.leaf, damage.why
        );
    }
    Ok(if timeline.damages.is_empty() {
        Exit::OK
    } else {
        Exit::DATA
    })
}

/// The log that holds the session.
fn find(logs: &[PathBuf], session: SessionId) -> Result<(PathBuf, Summary), Failure> {
    for log in logs {
        let listed = replay::sessions(log).map_err(|error| unreadable(log, &error))?;
        if let Some(found) = listed.sessions.into_iter().find(|s| s.session == session) {
            return Ok((log.clone(), found));
        }
    }
    Err(Failure::new(
        Exit::NOT_FOUND,
        format!("no log here has session {session}"),
    )
    .with_hint("phictl session list --all lists the sessions"))
}

fn unreadable(log: &Path, error: &phigate_audit::AuditError) -> Failure {
    Failure::new(
        Exit::DATA,
        format!("cannot read the log {}: {error}", log.display()),
    )
}

/// Logs are named by the directory they are in.
fn origin(log: &Path) -> String {
    log.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A session as `--json` prints it.
#[derive(Serialize)]
struct Shown<'a> {
    session_id: SessionId,
    opened: &'a SessionOpened,
    opened_at: String,
    ended: Option<&'static str>,
    statements: u64,
    refused: u64,
    steps: Vec<Shot<'a>>,
    legend: Vec<Treated<'a>>,
}

/// What was done to one column.
#[derive(Serialize)]
struct Treated<'a> {
    relation: &'a str,
    column: &'a str,
    treatment: &'a str,
}

/// One step.
#[derive(Serialize)]
struct Shot<'a> {
    number: usize,
    leaf: u64,
    at: String,
    offset_ms: u64,
    what: &'static str,
    /// The SQL as sent, or its skeleton where the key is not at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<&'a phigate_audit::record::Parameter>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a phigate_audit::record::Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sqlstate: Option<String>,
    /// Whether the words are withheld: the key is not at hand, or was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'static str>,
}

// === impl Shown ===

impl<'a> Shown<'a> {
    fn new(summary: &'a Summary, timeline: &'a Timeline, options: &Replay) -> Self {
        let wanted = |shot: &Shot<'_>| {
            options
                .search
                .as_deref()
                .is_none_or(|text| shot.mentions(text))
                && shot.number >= options.from
        };
        Self {
            session_id: summary.session,
            opened: &summary.opened,
            opened_at: summary.opened_at.to_string(),
            ended: match &summary.closed {
                Some(closed) => Some(closed.reason.as_str()),
                None if summary.lost => Some("gateway_lost"),
                None => None,
            },
            statements: summary.statements,
            refused: summary.refused,
            steps: timeline
                .steps
                .iter()
                .enumerate()
                .map(|(index, step)| Shot::new(index, step, timeline))
                .filter(wanted)
                .collect(),
            legend: timeline
                .legend()
                .into_iter()
                .map(|(relation, column, treatment)| Treated {
                    relation,
                    column,
                    treatment,
                })
                .collect(),
        }
    }

    async fn print(&self, speed: Option<f64>) {
        let opened = self.opened;
        output::fields(&[
            ("session", self.session_id.to_string()),
            (
                "who",
                format!("{} from {}", opened.principal, opened.client),
            ),
            (
                "grant",
                format!("{} ({}, {})", opened.grant, opened.profile, opened.purpose),
            ),
            ("database", opened.database.to_string()),
            ("opened", self.opened_at.clone()),
            ("ended", self.ended.unwrap_or("it is open").to_owned()),
        ]);
        let mut before = 0;
        for shot in &self.steps {
            if let Some(speed) = speed.filter(|speed| *speed > 0.0) {
                let pause = Duration::from_millis(shot.offset_ms.saturating_sub(before));
                tokio::time::sleep(pause.div_f64(speed).min(LONGEST_PAUSE)).await;
            }
            before = shot.offset_ms;
            shot.print();
        }
        if !self.legend.is_empty() {
            outln!("\nwhat was done to the columns that were touched:");
            for Treated {
                relation,
                column,
                treatment,
            } in &self.legend
            {
                outln!("  {relation}.{column}: {treatment}");
            }
        }
    }
}

// === impl Shot ===

impl<'a> Shot<'a> {
    fn new(index: usize, step: &'a Step, timeline: &'a Timeline) -> Self {
        let mut shot = Self {
            number: index + 1,
            leaf: step.leaf,
            at: step.at.to_string(),
            offset_ms: u64::try_from(step.since_start.as_millis()).unwrap_or(u64::MAX),
            what: "",
            sent: None,
            run: None,
            parameters: Vec::new(),
            outcome: None,
            reason: None,
            sqlstate: None,
            withheld: match step.content {
                Content::None | Content::Clear(_) => None,
                Content::Locked => Some("the key is not at hand"),
                Content::Shredded => Some("the key was destroyed"),
                Content::Unreadable => Some("it does not open with its key"),
            },
        };
        let payload = match &step.content {
            Content::Clear(payload) => Some(payload),
            Content::None | Content::Locked | Content::Shredded | Content::Unreadable => None,
        };
        shot.tell(step, payload);
        if let Some(statement) = timeline.statement(index) {
            let skeleton = statement.analysis.map(|analysis| analysis.skeleton.clone());
            shot.sent = statement.sent.map(|sql| sql.to_string()).or(skeleton);
            shot.run = statement.run.map(|sql| sql.to_string());
        }
        shot
    }

    fn tell(&mut self, step: &'a Step, payload: Option<&'a Payload>) {
        self.reason = payload.and_then(|payload| payload.reason.clone());
        self.parameters = payload
            .map(|payload| payload.parameters.iter().collect())
            .unwrap_or_default();
        self.what = match &step.record {
            Record::SessionOpened(_) => "opened",
            Record::Prepared(_) => "prepared",
            Record::Statement(_) => "statement",
            Record::Outcome(outcome) => {
                self.outcome = Some(outcome);
                self.sqlstate = outcome.sqlstate.map(|code| code.to_string());
                "outcome"
            }
            Record::Refused(refused) => {
                self.reason = Some(refused.reason.clone());
                self.sqlstate = Some(refused.sqlstate.to_string());
                "refused"
            }
            Record::SessionClosed(closed) => {
                let word = closed.reason.as_str();
                self.reason = Some(match self.reason.take() {
                    Some(typed) => format!("{word}: {typed}"),
                    None => word.to_owned(),
                });
                "closed"
            }
            Record::LoginRefused(_)
            | Record::Control(_)
            | Record::LogOpened(_)
            | Record::LogClosed(_)
            | Record::Heartbeat(_) => "other",
        };
    }

    fn mentions(&self, text: &str) -> bool {
        [&self.sent, &self.run, &self.reason]
            .into_iter()
            .flatten()
            .any(|words| words.contains(text))
    }

    fn print(&self) {
        let seconds = Duration::from_millis(self.offset_ms).as_secs_f64();
        out!("\n{:>4}  {seconds:>9.3} s  {}", self.number, self.what);
        if let Some(reason) = &self.reason {
            out!(": {reason}");
        }
        if let Some(code) = &self.sqlstate {
            out!(" ({code})");
        }
        if let Some(outcome) = self.outcome {
            let tag = outcome.tag.as_deref().unwrap_or("failed");
            let ms = outcome.duration.as_secs_f64() * 1000.0;
            out!(
                " of statement {}: {tag}, {} rows, {ms:.1} ms",
                outcome.statement,
                outcome.rows
            );
        }
        outln!();
        for (label, words) in [("sent", &self.sent), ("run", &self.run)] {
            if let Some(words) = words {
                outln!("      {label:<5} {}", visible(words));
            }
        }
        if !self.parameters.is_empty() {
            let values = serde_json::to_string(&self.parameters).unwrap_or_default();
            outln!("      bound {values}");
        }
        if let Some(why) = self.withheld {
            outln!("      (words withheld: {why})");
        }
    }
}

/// Text for a terminal: control characters of what a client sent are shown, not obeyed.
fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let escape = c.is_control() && c != '\n' && c != '\t';
            let shown: Box<dyn Iterator<Item = char>> = if escape {
                Box::new(c.escape_unicode())
            } else {
                Box::new(std::iter::once(c))
            };
            shown
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_statement_cannot_drive_the_auditors_terminal() {
        assert_eq!(visible("select '\x1b[2J'\n"), "select '\\u{1b}[2J'\n");
    }
}
