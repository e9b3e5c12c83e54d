//! What a run found, in words and numbers.

use std::collections::BTreeMap;
use std::fmt;

use phigate_testkit::client::Answer;

use phigate_sql::Reason;

use super::generate::Message;
use super::judge::Judge;
use super::transcript::{Comparison, Difference};

/// How many kinds of message are listed for a reason or SQLSTATE.
const LISTED: usize = 6;

/// Counts of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Statements sent to each world.
    pub statements: usize,
    /// Answered without an error.
    pub admitted: usize,
    /// Let through by the gateway, and failed in PostgreSQL.
    pub rejected: usize,
    /// Behind an error in their transaction or pipeline, so that nobody ran them.
    pub skipped: usize,
    /// Refused by the gateway.
    pub refused: usize,
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

/// By reason or SQLSTATE, and then by what was said: how often, and the shortest statement.
type Tally = BTreeMap<String, BTreeMap<String, (usize, String)>>;

impl Report {
    /// Counts an item's answer.
    pub fn count(&mut self, message: &Message, answer: &Answer, judge: &Judge) {
        let sent = message.statements().len();
        self.statements += sent;
        let Some(error) = answer.errors().into_iter().next() else {
            self.admitted += sent;
            return;
        };
        if sent == 0 {
            // Of statements that were sent before.
            return;
        }
        // How much of a pipeline stands behind its error is not looked at.
        self.skipped += sent - 1;
        let code = error.code().as_str().to_owned();
        let said = skeleton(&error.message());
        if code == "25P02" {
            self.skipped += 1;
        } else if let Some(refusal) = judge
            .refusal(message)
            .filter(|refusal| refusal.reason().sqlstate().as_str() == code)
        {
            self.refused += 1;
            let reason = refusal.reason().as_str().to_owned();
            let said = match refusal.reason() {
                // The words quoted are what is not understood.
                Reason::Syntax | Reason::Construct => error.message().into_owned(),
                _ => said,
            };
            tally(&mut self.reasons, reason, said, 1, &message.sql());
        } else if code == "42501" {
            // What the judge does not know of, such as rows out of scope, or a privilege that
            // PostgreSQL misses; taken for ours.
            self.refused += 1;
            tally(
                &mut self.reasons,
                "privilege".to_owned(),
                said,
                1,
                &message.sql(),
            );
        } else {
            self.rejected += 1;
            tally(&mut self.codes, code, said, 1, &message.sql());
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
        self.statements += other.statements;
        self.admitted += other.admitted;
        self.rejected += other.rejected;
        self.skipped += other.skipped;
        self.refused += other.refused;
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |part: usize| 100.0 * part as f64 / self.statements.max(1) as f64;
        writeln!(f, "{:<24}{:>8}", "statements", self.statements)?;
        for (word, count) in [
            ("admitted", self.admitted),
            ("rejected by PostgreSQL", self.rejected),
            ("skipped after an error", self.skipped),
            ("refused", self.refused),
            ("out of time, memory", self.exhausted),
            ("sent again", self.ended),
            ("plans not the same", self.other_plans),
            ("order left open by SQL", self.reordered),
            ("more left open by SQL", self.open),
        ] {
            writeln!(f, "{word:<24}{count:>8}  {:>5.1} %", share(count))?;
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

/// A message without what stands in quotes.
fn skeleton(message: &str) -> String {
    let mut out = String::new();
    for (number, part) in message.split('"').enumerate() {
        if number % 2 == 0 {
            out.push_str(part);
        } else {
            out.push_str("\"…\"");
        }
    }
    out.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .take(110)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_reduced_to_its_kind() {
        assert_eq!(
            skeleton("column \"t1.x\" is 42 years old"),
            "column \"…\" is 00 years old"
        );
    }
}
