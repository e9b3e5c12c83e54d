//! What a run found, in words and numbers.

use std::collections::BTreeMap;
use std::fmt;

use phigate_testkit::client::Answer;

use super::generate::Message;
use super::judge::Judge;
use super::outcome::{Kind, Outcome, outcomes};
use super::transcript::{Comparison, Difference};

/// How many kinds of message are listed for a reason or SQLSTATE.
const LISTED: usize = 6;

/// Counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Statements sent to each world, and what became of them.
    pub shares: Shares,
    /// The same for each kind of statement.
    kinds: BTreeMap<Kind, Shares>,
    /// Not sent, because what they build on did not stand.
    pub left_out: usize,
    /// Out of time or memory: not compared.
    pub exhausted: usize,
    /// Scripts at or before which a session ended, and not when they were sent again.
    pub ended: usize,
    /// Plans that are not the same.
    pub other_plans: usize,
    /// Scripts with rows in another order, and so in one world too.
    pub reordered: usize,
    /// Scripts that differ in more, and so in one world too.
    pub open: usize,
    /// Findings, minimised.
    pub divergences: Vec<String>,
    reasons: Tally,
    codes: Tally,
}

/// What became of statements.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// All that were sent.
    pub statements: usize,
    /// Answered without an error.
    pub answered: usize,
    /// Let through by the gateway, and failed in PostgreSQL.
    pub rejected: usize,
    /// Behind an error in their transaction or pipeline, so that nobody ran them.
    pub skipped: usize,
    /// Refused by the gateway.
    pub refused: usize,
}

/// By reason or SQLSTATE, and then by what was said: how often, and the shortest statement.
type Tally = BTreeMap<String, BTreeMap<String, (usize, String)>>;

impl Report {
    /// Counts an item's answer.
    pub fn count(&mut self, message: &Message, answer: &Answer, judge: &Judge) {
        if answer.frames().is_empty() && !answer.closed() {
            self.left_out += message.statements().len();
            return;
        }
        for (sql, outcome) in outcomes(message, answer, judge) {
            self.shares.count(&outcome);
            self.kinds.entry(Kind::of(sql)).or_default().count(&outcome);
            match outcome {
                Outcome::Answered | Outcome::Skipped => {}
                Outcome::Rejected(code, said) => tally(&mut self.codes, code, said, 1, sql),
                Outcome::Refused(reason, said) => tally(&mut self.reasons, reason, said, 1, sql),
            }
        }
    }

    /// Counts a comparison that was not a finding.
    pub fn compared(&mut self, comparison: Comparison) {
        match comparison {
            Comparison::Same | Comparison::OtherOrder | Comparison::Different => {}
            Comparison::OtherPlan => self.other_plans += 1,
            Comparison::Exhausted => self.exhausted += 1,
        }
    }

    /// Counts a difference that SQL leaves open.
    pub fn left_open(&mut self, difference: &Difference) {
        match difference {
            Difference::Order(_) => self.reordered += 1,
            Difference::Content(_) | Difference::Leak(_) => self.open += 1,
        }
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: Self) {
        self.shares.add(other.shares);
        for (kind, shares) in other.kinds {
            self.kinds.entry(kind).or_default().add(shares);
        }
        self.left_out += other.left_out;
        self.exhausted += other.exhausted;
        self.ended += other.ended;
        self.other_plans += other.other_plans;
        self.reordered += other.reordered;
        self.open += other.open;
        self.divergences.extend(other.divergences);
        for (into, from) in [
            (&mut self.reasons, other.reasons),
            (&mut self.codes, other.codes),
        ] {
            for (key, said) in from {
                for (text, (count, shortest)) in said {
                    tally(into, key.clone(), text, count, &shortest);
                }
            }
        }
    }
}

fn tally(into: &mut Tally, key: String, said: String, count: usize, sql: &str) {
    let found = into.entry(key).or_default().entry(said).or_default();
    found.0 += count;
    if found.1.is_empty() || sql.len() < found.1.len() {
        sql.clone_into(&mut found.1);
    }
}

// === impl Shares ===

impl Shares {
    /// How many of a hundred were answered, or rejected by PostgreSQL itself.
    pub fn admitted(self) -> f64 {
        self.percent(self.answered + self.rejected)
    }

    fn percent(self, part: usize) -> f64 {
        100.0 * part as f64 / self.statements.max(1) as f64
    }

    fn count(&mut self, outcome: &Outcome) {
        self.statements += 1;
        *match outcome {
            Outcome::Answered => &mut self.answered,
            Outcome::Rejected(..) => &mut self.rejected,
            Outcome::Refused(..) => &mut self.refused,
            Outcome::Skipped => &mut self.skipped,
        } += 1;
    }

    fn add(&mut self, other: Self) {
        self.statements += other.statements;
        self.answered += other.answered;
        self.rejected += other.rejected;
        self.skipped += other.skipped;
        self.refused += other.refused;
    }

    /// Those of which something was to be judged.
    fn without(self, control: Self) -> Self {
        Self {
            statements: self.statements - control.statements,
            answered: self.answered - control.answered,
            rejected: self.rejected - control.rejected,
            skipped: self.skipped - control.skipped,
            refused: self.refused - control.refused,
        }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>8}", self.statements)?;
        for part in [self.answered, self.rejected, self.skipped, self.refused] {
            write!(f, "{:>9.1} %", self.percent(part))?;
        }
        write!(f, "{:>9.1} %", self.admitted())
    }
}

// === impl Display ===

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}",
            "statements", "sent", "answered", "rejected", "skipped", "refused", "admitted"
        )?;
        writeln!(f, "{:<24}{}", "all", self.shares)?;
        let control = self.kinds.get(&Kind::Control).copied();
        let judged = self.shares.without(control.unwrap_or_default());
        writeln!(f, "{:<24}{judged}", "but control")?;
        for (kind, shares) in &self.kinds {
            writeln!(f, "  {:<22}{shares}", kind.word())?;
        }
        for (word, count) in [
            ("left out", self.left_out),
            ("out of time, memory", self.exhausted),
            ("sent again", self.ended),
            ("plans not the same", self.other_plans),
            ("order left open by SQL", self.reordered),
            ("more left open by SQL", self.open),
        ] {
            writeln!(f, "{word:<24}{count:>8}")?;
        }
        writeln!(f, "{:<24}{:>8}", "divergences", self.divergences.len())?;
        listed(f, "refused, by reason", &self.reasons)?;
        listed(f, "rejected by PostgreSQL, by SQLSTATE", &self.codes)?;
        for divergence in &self.divergences {
            writeln!(f, "\n{divergence}")?;
        }
        Ok(())
    }
}

fn listed(f: &mut fmt::Formatter<'_>, title: &str, of: &Tally) -> fmt::Result {
    writeln!(f, "\n{title}")?;
    let sum = |said: &BTreeMap<_, (usize, String)>| said.values().map(|found| found.0).sum();
    let mut keys: Vec<(usize, _, _)> = of
        .iter()
        .map(|(key, said)| (sum(said), key, said))
        .collect();
    keys.sort_by_key(|(count, _, _)| std::cmp::Reverse(*count));
    for (count, key, said) in keys {
        writeln!(f, "  {key:<22}{count:>6}")?;
        let mut said: Vec<_> = said.iter().collect();
        said.sort_by_key(|(_, found)| std::cmp::Reverse(found.0));
        for (text, (count, shortest)) in said.into_iter().take(LISTED) {
            writeln!(f, "    {count:>6}  {text}")?;
            if f.alternate() {
                writeln!(f, "            {shortest}")?;
            }
        }
    }
    Ok(())
}
