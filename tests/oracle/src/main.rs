//! PostgreSQL's own parser (libpg_query) reads what the gateway sends, and what was typed: each relation
//! that a policy masks must stand inside its mask, each function on the list, and the two texts must
//! be the same statements. Anything else is a finding.
//!
//! It shares no code with the gateway: it reads the lines that `rendered` of `phigate-tests` prints, and
//! the committed allow-lists.

mod lists;
mod policy;
mod sent;
mod tree;
mod typed;

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::ExitCode;

use serde::Deserialize;

use lists::Lists;
use policy::Policy;

/// The most findings that are shown in full.
const SHOWN: usize = 20;

/// PostgreSQL parses what nests so deep with the usual stack; its parser recurses.
const STACK_BYTES: usize = 256 << 20;

/// A line of the input.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    /// What the statements after it are held to.
    Policy(policy::Header),
    /// One text that was admitted.
    Admitted(Admitted),
}

/// One text that was admitted.
#[derive(Deserialize)]
struct Admitted {
    name: String,
    typed: String,
    sent: Vec<Sent>,
}

/// One of its statements.
#[derive(Deserialize)]
struct Sent {
    kind: String,
    sql: String,
}

/// What was read so far.
#[derive(Default)]
struct Report {
    texts: usize,
    statements: usize,
    masks: usize,
    /// Nested deeper than the parser's tree can be handed over: nothing is known of them.
    too_deep: usize,
    /// Typed in a way that PostgreSQL rejects and the gateway understands: what is sent is all there is.
    lenient: Vec<String>,
    findings: BTreeMap<String, Vec<String>>,
}

fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("where are the allow-lists?");
        return ExitCode::from(64);
    };
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || work(&directory));
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(report))) if report.findings.is_empty() && report.statements > 0 => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Ok(Ok(Ok(report))) => {
            println!("{report}");
            ExitCode::FAILURE
        }
        Ok(Ok(Err(error))) => {
            eprintln!("{error:#}");
            ExitCode::from(74)
        }
        _ => ExitCode::from(70),
    }
}

fn work(directory: &std::path::Path) -> anyhow::Result<Report> {
    let lists = Lists::read(directory)?;
    let mut policy = None;
    let mut report = Report::default();
    for line in std::io::stdin().lock().lines() {
        match serde_json::from_str(&line?)? {
            Line::Policy(header) => policy = Some(Policy::new(header)?),
            Line::Admitted(admitted) => {
                let policy = policy.as_ref().ok_or(anyhow::anyhow!("no policy yet"))?;
                report.judge(&admitted, policy, &lists);
            }
        }
    }
    Ok(report)
}

impl Report {
    fn judge(&mut self, admitted: &Admitted, policy: &Policy, lists: &Lists) {
        self.texts += 1;
        let mut all = Vec::new();
        for sent in &admitted.sent {
            self.statements += 1;
            let parsed = match tree::parse(&sent.sql) {
                Ok(parsed) => parsed,
                Err(tree::Unread::TooDeep) => {
                    self.too_deep += 1;
                    return;
                }
                Err(tree::Unread::Rejected(error)) => {
                    self.finding(admitted, &format!("PostgreSQL does not read it: {error}"));
                    return;
                }
            };
            let [statement] = parsed.as_slice() else {
                self.finding(admitted, "it is not one statement");
                return;
            };
            let read = sent::read(statement, policy, lists);
            self.masks += read.masks;
            for finding in read.findings {
                self.finding(admitted, &finding);
            }
            all.extend(parsed);
        }
        let kinds: Vec<_> = admitted
            .sent
            .iter()
            .map(|sent| sent.kind.as_str())
            .collect();
        match typed::compare(&admitted.typed, &all, &kinds, lists) {
            Ok(findings) => {
                for finding in findings {
                    self.finding(admitted, &finding);
                }
            }
            Err(tree::Unread::TooDeep) => self.too_deep += 1,
            Err(tree::Unread::Rejected(error)) => {
                self.lenient.push(format!("{error}: {}", admitted.typed));
            }
        }
    }

    fn finding(&mut self, admitted: &Admitted, what: &str) {
        let sent: Vec<_> = admitted.sent.iter().map(|sent| sent.sql.as_str()).collect();
        let example = format!(
            "{}\n    typed: {}\n    sent:  {}",
            admitted.name,
            admitted.typed,
            sent.join("; ")
        );
        self.findings
            .entry(what.to_owned())
            .or_default()
            .push(example);
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count: usize = self.findings.values().map(Vec::len).sum();
        write!(
            f,
            "{} texts, {} statements, {} masks, {} too deep to be handed over, {} that PostgreSQL rejects as typed, {count} findings",
            self.texts,
            self.statements,
            self.masks,
            self.too_deep,
            self.lenient.len()
        )?;
        if let Some(shortest) = self.lenient.iter().min_by_key(|text| text.len()) {
            write!(f, "\nrejected as typed, such as: {shortest}")?;
        }
        for (what, examples) in self.findings.iter().take(SHOWN) {
            let shortest = examples.iter().min_by_key(|example| example.len());
            write!(
                f,
                "\n{} x {what}\n    {}",
                examples.len(),
                shortest.map_or("", String::as_str)
            )?;
        }
        Ok(())
    }
}
