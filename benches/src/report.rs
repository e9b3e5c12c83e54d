//! Medians, and what they are beside PostgreSQL itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use crate::Plan;
use crate::contender::{Contender, Contenders};
use crate::stream::Drained;

/// What was measured.
pub(crate) struct Report {
    recording: &'static str,
    rounds: usize,
    order: Vec<&'static str>,
    /// By workload, then contender: every turn's value.
    values: BTreeMap<Workload, BTreeMap<&'static str, Turns>>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Workload {
    Pgbench { mode: &'static str, clients: u16 },
    Stream,
}

#[derive(Default)]
struct Turns {
    /// Transactions or megabytes a second.
    rates: Vec<f64>,
    /// CPU seconds of this process for a million transactions or a gigabyte.
    cpu: Vec<f64>,
}

/// One line of the result.
#[derive(Serialize)]
struct Line {
    workload: String,
    contender: &'static str,
    unit: &'static str,
    rate: f64,
    of_direct: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_seconds: Option<f64>,
    turns: Vec<f64>,
}

/// The whole result.
#[derive(Serialize)]
struct Result<'a> {
    recording: &'a str,
    rounds: usize,
    cores: usize,
    lines: Vec<Line>,
}

impl Report {
    pub(crate) fn new(plan: &Plan, contenders: &Contenders) -> Self {
        Self {
            recording: plan.recording,
            rounds: plan.rounds,
            order: contenders
                .all()
                .iter()
                .map(|contender| contender.name)
                .collect(),
            values: BTreeMap::new(),
        }
    }

    /// One turn of pgbench.
    pub(crate) fn pgbench(
        &mut self,
        mode: &'static str,
        clients: u16,
        contender: &Contender,
        tps: f64,
        cpu: Duration,
        turn: Duration,
    ) {
        let transactions = tps * turn.as_secs_f64();
        let turns = self.turns(Workload::Pgbench { mode, clients }, contender);
        turns.rates.push(tps);
        if contender.in_process {
            turns.cpu.push(cpu.as_secs_f64() / transactions * 1e6);
        }
    }

    /// One stream. Its reader is this process too, so its CPU time counts for everybody.
    pub(crate) fn stream(&mut self, contender: &Contender, drained: &Drained) {
        let turns = self.turns(Workload::Stream, contender);
        turns
            .rates
            .push(drained.bytes as f64 / 1e6 / drained.took.as_secs_f64());
        turns
            .cpu
            .push(drained.cpu.as_secs_f64() / (drained.bytes as f64 / 1e9));
    }

    fn turns(&mut self, workload: Workload, contender: &Contender) -> &mut Turns {
        self.values
            .entry(workload)
            .or_default()
            .entry(contender.name)
            .or_default()
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        for (workload, contenders) in &self.values {
            let direct = contenders
                .get("direct")
                .map_or(f64::NAN, |turns| median(&turns.rates));
            for name in &self.order {
                let Some(turns) = contenders.get(name) else {
                    continue;
                };
                let rate = median(&turns.rates);
                lines.push(Line {
                    workload: workload.name(),
                    contender: name,
                    unit: workload.unit(),
                    rate,
                    of_direct: rate / direct,
                    cpu_seconds: (!turns.cpu.is_empty()).then(|| median(&turns.cpu)),
                    turns: turns.rates.clone(),
                });
            }
        }
        lines
    }

    /// One JSON object.
    pub(crate) fn json(&self) -> String {
        let result = Result {
            recording: self.recording,
            rounds: self.rounds,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            lines: self.lines(),
        };
        serde_json::to_string_pretty(&result).expect("numbers and words")
    }

    /// A table for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "recording = {}, median of {}\n{:<28} {:<16} {:>12} {:>9} {:>10}\n",
            self.recording, self.rounds, "workload", "contender", "rate", "x direct", "CPU s"
        );
        for line in self.lines() {
            let cpu = line
                .cpu_seconds
                .map_or_else(String::new, |cpu| format!("{cpu:.2}"));
            let _ = writeln!(
                text,
                "{:<28} {:<16} {:>8.0} {} {:>9.2} {cpu:>10}",
                line.workload, line.contender, line.rate, line.unit, line.of_direct
            );
        }
        text + "CPU s: of this process, for a million transactions or a gigabyte; the stream's reader included\n"
    }
}

impl Workload {
    fn name(&self) -> String {
        match self {
            Self::Pgbench { mode, clients } => format!("pgbench -S {mode} {clients}"),
            Self::Stream => "stream 200 B rows".to_owned(),
        }
    }

    fn unit(&self) -> &'static str {
        match self {
            Self::Pgbench { .. } => "tps",
            Self::Stream => "MB/s",
        }
    }
}

/// The middle value; NaN of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
