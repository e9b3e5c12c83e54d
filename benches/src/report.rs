//! Medians of turns, what they are beside other contenders' in the same round, and whether that is
//! what the design asks for.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

/// What one benchmark found.
#[derive(Serialize)]
pub(crate) struct Report {
    bench: &'static str,
    /// The recording level of the gateways; more than one where they are compared.
    recording: &'static str,
    cores: usize,
    lines: Vec<Line>,
}

/// One workload of one contender.
#[derive(Serialize)]
struct Line {
    workload: String,
    contender: String,
    unit: &'static str,
    median: f64,
    least: f64,
    most: f64,
    /// The median of the ratios to another contender in the same round.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ratios: BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Judged>,
    turns: Vec<f64>,
}

/// What is asked of a contender.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Target {
    /// Beside whom; the value itself without.
    #[serde(skip_serializing_if = "Option::is_none")]
    of: Option<&'static str>,
    at_least: bool,
    bound: f64,
}

#[derive(Serialize)]
struct Judged {
    #[serde(flatten)]
    target: Target,
    met: bool,
}

/// The turns of all contenders at one workload, in order of their rounds.
pub(crate) struct Series {
    workload: String,
    unit: &'static str,
    turns: Vec<(String, Vec<f64>)>,
}

// === impl Target ===

impl Target {
    pub(crate) const fn at_most(bound: f64) -> Self {
        Self {
            of: None,
            at_least: false,
            bound,
        }
    }

    pub(crate) const fn at_least(bound: f64) -> Self {
        Self {
            at_least: true,
            ..Self::at_most(bound)
        }
    }

    /// Not of the value, but of its ratio to another contender's.
    pub(crate) const fn of(self, contender: &'static str) -> Self {
        Self {
            of: Some(contender),
            ..self
        }
    }

    fn judge(&self, line: &Line) -> Option<bool> {
        let value = match self.of {
            None => line.median,
            Some(other) => *line.ratios.get(other)?,
        };
        Some(if self.at_least {
            value >= self.bound
        } else {
            value <= self.bound
        })
    }

    fn words(&self) -> String {
        let sign = if self.at_least { ">=" } else { "<=" };
        match self.of {
            None => format!("{sign} {}", self.bound),
            Some(other) => format!("{sign} {} x {other}", self.bound),
        }
    }
}

// === impl Series ===

impl Series {
    pub(crate) fn new(workload: impl Into<String>, unit: &'static str) -> Self {
        Self {
            workload: workload.into(),
            unit,
            turns: Vec::new(),
        }
    }

    /// One turn of a contender.
    pub(crate) fn turn(&mut self, contender: &str, value: f64) {
        match self.turns.iter_mut().find(|(name, _)| name == contender) {
            Some((_, turns)) => turns.push(value),
            None => self.turns.push((contender.to_owned(), vec![value])),
        }
    }

    /// Whether this contender had a turn.
    pub(crate) fn has(&self, contender: &str) -> bool {
        self.of(contender).is_some()
    }

    fn of(&self, contender: &str) -> Option<&[f64]> {
        let found = self.turns.iter().find(|(name, _)| name == contender);
        found.map(|(_, turns)| turns.as_slice())
    }

    fn line(&self, contender: &str, turns: &[f64], beside: &[&str]) -> Line {
        let ratio = |other: &&str| {
            let others = self.of(other)?;
            let ratios: Vec<f64> = turns.iter().zip(others).map(|(a, b)| a / b).collect();
            Some(((*other).to_owned(), median(&ratios)))
        };
        Line {
            workload: self.workload.clone(),
            contender: contender.to_owned(),
            unit: self.unit,
            median: median(turns),
            least: turns.iter().copied().fold(f64::INFINITY, f64::min),
            most: turns.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            ratios: beside
                .iter()
                .filter(|other| **other != contender)
                .filter_map(ratio)
                .collect(),
            targets: Vec::new(),
            turns: turns.to_vec(),
        }
    }
}

// === impl Report ===

impl Report {
    pub(crate) fn new(bench: &'static str, recording: &'static str) -> Self {
        Self {
            bench,
            recording,
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            lines: Vec::new(),
        }
    }

    /// Adds every contender of a workload, beside some of them, with what is asked of one.
    pub(crate) fn add(
        &mut self,
        series: &Series,
        beside: &[&str],
        asked: &str,
        targets: &[Target],
    ) {
        for (contender, turns) in &series.turns {
            let mut line = series.line(contender, turns, beside);
            if contender == asked {
                let judged = |target: &Target| {
                    let met = target.judge(&line)?;
                    let target = target.clone();
                    Some(Judged { target, met })
                };
                line.targets = targets.iter().filter_map(judged).collect();
            }
            self.lines.push(line);
        }
    }

    /// A table for people, and with `json` one more line for programs.
    pub(crate) fn print(&self, json: bool) {
        println!("{}", self.text());
        if json {
            println!(
                "{}",
                serde_json::to_string(self).expect("numbers and words")
            );
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{}: recording = {}, {} cores; median of the turns [least, most], ratios within rounds\n",
            self.bench, self.recording, self.cores
        );
        for line in &self.lines {
            let spread = format!("[{}, {}]", number(line.least), number(line.most));
            let _ = write!(
                text,
                "{:<38} {:<16} {:>10} {:<8} {spread:<20}",
                line.workload,
                line.contender,
                number(line.median),
                line.unit,
            );
            for (other, ratio) in &line.ratios {
                let _ = write!(text, " {ratio:.3} x {other}");
            }
            for Judged { target, met } in &line.targets {
                let verdict = if *met { "met" } else { "MISSED" };
                let _ = write!(text, "  {}: {verdict}", target.words());
            }
            text.push('\n');
        }
        text
    }
}

/// Three digits or more.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The middle value; NaN of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

/// The value below which this share of them lies; NaN of none.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * share) as usize;
    let last = sorted.len().saturating_sub(1);
    sorted.get(rank.min(last)).copied().unwrap_or(f64::NAN)
}
