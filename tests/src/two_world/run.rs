//! A run: scripts to both worlds at once, answers compared, what differs minimised.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use phigate_testkit::client::Answer;

use super::choices::{Choices, smaller};
use super::generate::{Generator, Item, Script};
use super::grammar::Grammar;
use super::judge::Judge;
use super::report::Report;
use super::schema::{Table, tables};
use super::side::Side;
use super::transcript::{Comparison, Difference, differs};
use super::worlds::{Hospital, Place, Release};
use crate::House;
use crate::attack;

/// Scripts that are sent before any answer is waited for.
const SCRIPTS: usize = 16;

/// A finding is minimised within so many tries.
const SHRINKS: usize = 300;

/// A run ends after so many findings.
const FINDINGS: usize = 10;

/// Settings that change plans: an answer that follows them follows the order of rows.
const OTHER_PLANS: [&str; 4] = [
    "SET enable_hashjoin = on",
    "SET enable_hashjoin = off; SET enable_hashagg = off",
    "SET enable_nestloop = off; SET enable_sort = off; SET enable_indexscan = off; SET enable_bitmapscan = off",
    "SET enable_mergejoin = off; SET enable_seqscan = off; SET enable_material = off",
];

/// Orders of rows that are tried before a difference is a finding.
const ORDERS: usize = 5;

/// Attacks whose answers hold what differs between any two servers or sessions: process ids, counters,
/// the session's id, instants.
const VOLATILE: [&str; 4] = [
    "show-all",
    "terminate-backend",
    "stat-user-tables",
    "show-grant",
];

/// Where statements come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The grammar.
    Grammar,
    /// Scripts that somebody else made, such as sqlsmith.
    Scripts(Vec<Script>),
}

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many statements.
    pub statements: usize,
    /// Where they come from.
    pub source: Source,
    /// Where to begin.
    pub seed: u64,
    /// Under which grant.
    pub release: Release,
    /// How everything is set up.
    pub house: House,
    /// What makes the second world differ where it must not, for tests of the test.
    pub broken: String,
    /// Whether the attack list is played first.
    pub attacks: bool,
    /// Ends a run before its number is reached.
    pub limit: Duration,
    /// How long a finding is minimised.
    pub shrink: Duration,
    /// Says something each so many statements; 0 never.
    pub progress: usize,
}

/// A script, and what it was made of.
struct Made {
    seed: u64,
    script: Script,
    choices: Vec<u32>,
}

/// What playing a script alone shows.
enum Verdict {
    /// With the first world's answers.
    Same(Vec<Answer>),
    Open(Difference),
    Diverges(Difference),
}

struct Runner<'a> {
    grammar: Grammar,
    tables: Vec<Table>,
    judge: Judge,
    one: Side<'a>,
    two: Side<'a>,
    shuffled: Side<'a>,
    report: Report,
    writes: bool,
    shrink: Duration,
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Found {
    /// Of the attack list.
    pub attacks: Report,
    /// Of generated statements.
    pub generated: Report,
}

impl Found {
    /// Every finding.
    pub fn divergences(&self) -> impl Iterator<Item = &String> {
        let attacks = self.attacks.divergences.iter();
        attacks.chain(&self.generated.divergences)
    }
}

/// Runs a plan.
///
/// # Panics
/// When the worlds do not start.
pub async fn run(plan: &Plan) -> Found {
    let start = |place| {
        let broken = if place == Place::Two {
            plan.broken.as_str()
        } else {
            ""
        };
        Hospital::start(place, plan.release, plan.house.clone(), broken)
    };
    // One after another: the first makes the template that all are copies of.
    let one = start(Place::One).await;
    let (two, shuffled) = (start(Place::Two).await, start(Place::Shuffled).await);
    let policy = plan.release.policy();
    let tables = tables(|column| {
        let rule = policy
            .rules
            .iter()
            .find(|rule| rule.column.to_string() == column)?;
        match rule.treatment {
            phigate_phi::Treatment::Block => None,
            treatment @ phigate_phi::Treatment::Release(_) => Some(treatment.is_keep()),
        }
    });
    let mut runner = Runner {
        grammar: Grammar::new(),
        tables,
        judge: Judge::new(&one, plan.release).await,
        one: Side::new(&one),
        two: Side::new(&two),
        shuffled: Side::new(&shuffled),
        report: Report::default(),
        writes: plan.release.writes(),
        shrink: plan.shrink,
    };
    let mut found = Found::default();
    runner.greetings().await;
    if plan.attacks {
        runner.attacks().await;
        found.attacks = std::mem::take(&mut runner.report);
    }
    let mut listed = match &plan.source {
        Source::Grammar => [].iter(),
        Source::Scripts(scripts) => scripts.iter(),
    };
    let started = Instant::now();
    let (mut number, mut said) = (0, 0);
    while runner.report.shares.statements < plan.statements
        && runner.report.divergences.len() < FINDINGS
        && started.elapsed() < plan.limit
    {
        let numbers = number..number + SCRIPTS as u64;
        let scripts: Vec<Made> = match plan.source {
            Source::Grammar => numbers
                .map(|number| plan.seed.wrapping_mul(1 << 32).wrapping_add(number))
                .map(|seed| runner.made(seed))
                .collect(),
            Source::Scripts(_) => numbers.zip(&mut listed).map(Made::listed).collect(),
        };
        if scripts.is_empty() {
            break;
        }
        runner.round(scripts).await;
        number += SCRIPTS as u64;
        if plan.progress > 0 && runner.report.shares.statements / plan.progress > said {
            said = runner.report.shares.statements / plan.progress;
            let report = &runner.report;
            eprintln!(
                "{:>7} statements, {} refused, {} open, {} divergences, {} s",
                report.shares.statements,
                report.shares.refused,
                report.open,
                report.divergences.len(),
                started.elapsed().as_secs()
            );
        }
    }
    found.generated = runner.report;
    found
}

impl Runner<'_> {
    fn made(&self, seed: u64) -> Made {
        let (script, choices) = self.generate(Choices::seeded(seed));
        Made {
            seed,
            script,
            choices,
        }
    }

    async fn round(&mut self, scripts: Vec<Made>) {
        let items: Vec<Item> = scripts
            .iter()
            .flat_map(|made| made.script.items.clone())
            .collect();
        let (one, two) = tokio::join!(self.one.play(&items), self.two.play(&items));
        let mut at = 0;
        // What ran out of time in one world only may have left something in that session only; so has the
        // end of a session.
        let mut uneven = one.iter().chain(&two).any(Answer::closed);
        for made in scripts {
            let script = &made.script;
            let here = at..at + script.items.len();
            at = here.end;
            let (Some(one), Some(two)) = (one.get(here.clone()), two.get(here)) else {
                // A session ended within this script or before: of a lease that a busy machine did not
                // renew, if it does not again.
                let ended = Difference::Content("a session ended".to_owned());
                self.report.ended += 1;
                self.look_closer(made, &ended, true).await;
                self.one.renew();
                self.two.renew();
                continue;
            };
            let verdict = differs(&script.items, one, two);
            for ((item, one), _) in script.items.iter().zip(one).zip(two) {
                self.report.count(&item.message, one, &self.judge);
            }
            match verdict {
                Ok(comparisons) => {
                    uneven |= comparisons.contains(&Comparison::Exhausted);
                    for comparison in comparisons {
                        self.report.compared(comparison);
                    }
                }
                Err(difference) => self.look_closer(made, &difference, uneven).await,
            }
        }
        if uneven {
            self.one.renew();
            self.two.renew();
        }
    }

    /// Each attack in sessions of its own, in both protocols where it is one statement.
    async fn attacks(&mut self) {
        for attack in attack::corpus() {
            if VOLATILE.contains(&attack.name.as_str()) {
                continue;
            }
            let items = attack.statements.iter().map(Item::simple).collect();
            let mut scripts = vec![Script { items }];
            if let [sql] = attack.statements.as_slice() {
                let items = [false, true].map(|binary| Item::extended(sql, binary));
                scripts.push(Script {
                    items: items.to_vec(),
                });
            }
            for script in scripts {
                let (one, two) = self.alone(&script).await;
                for (item, answer) in script.items.iter().zip(&one) {
                    self.report.count(&item.message, answer, &self.judge);
                }
                match differs(&script.items, &one, &two) {
                    Ok(comparisons) => comparisons
                        .into_iter()
                        .for_each(|c| self.report.compared(c)),
                    Err(difference) if self.is_open(&script, &one, &difference).await => {
                        self.report.left_open(&difference);
                    }
                    Err(difference) => {
                        let text = format!("DIVERGENCE, attack {}: {difference}", attack.name);
                        eprintln!("{text}");
                        self.report.divergences.push(text);
                    }
                }
            }
        }
    }

    /// Plays a script in new sessions of both worlds.
    async fn alone(&mut self, script: &Script) -> (Vec<Answer>, Vec<Answer>) {
        self.one.renew();
        self.two.renew();
        tokio::join!(self.one.play(&script.items), self.two.play(&script.items))
    }

    fn generate(&self, choices: Choices) -> (Script, Vec<u32>) {
        Generator::new(&self.grammar, &self.tables, choices)
            .writing(self.writes)
            .script()
    }

    /// What the two worlds say at login, before any statement.
    async fn greetings(&mut self) {
        let (one, two) = (self.one.greeting().await, self.two.greeting().await);
        if one != two {
            let text = format!("DIVERGENCE, at login:\n  1 {one:?}\n  2 {two:?}");
            eprintln!("{text}");
            self.report.divergences.push(text);
        }
    }

    /// Whether a difference is one: not if SQL leaves it open, nor if it is not there in new sessions and
    /// the old ones were `uneven`. Then makes it small.
    async fn look_closer(&mut self, made: Made, first: &Difference, uneven: bool) {
        let mut why = match self.diverges(&made.script).await {
            Verdict::Same(_) if uneven => return,
            Verdict::Same(one) if self.is_open(&made.script, &one, first).await => {
                self.report.left_open(first);
                return;
            }
            Verdict::Same(_) => {
                let text = format!(
                    "DIVERGENCE, seed {}, not in new sessions: {first}",
                    made.seed
                );
                eprintln!("{text}");
                self.report.divergences.push(text);
                return;
            }
            Verdict::Open(difference) => {
                self.report.left_open(&difference);
                return;
            }
            Verdict::Diverges(difference) => difference,
        };
        let Made {
            seed,
            mut script,
            choices: mut made,
        } = made;
        let started = Instant::now();
        let mut tries = 0;
        'smaller: loop {
            let larger = made.clone();
            for candidate in smaller(&larger) {
                tries += 1;
                if tries > SHRINKS || started.elapsed() > self.shrink {
                    break 'smaller;
                }
                let (next, used) = self.generate(Choices::replay(candidate));
                if next == script {
                    continue;
                }
                if let Verdict::Diverges(found) = self.diverges(&next).await {
                    (script, made, why) = (next, used, found);
                    continue 'smaller;
                }
            }
            break;
        }
        let mut text = format!("DIVERGENCE, seed {seed}: {why}\n");
        for item in &script.items {
            let _ = writeln!(text, "  > {:?}", item.message);
            if let Some(sql) = self.judge.rendered(&item.message) {
                let _ = writeln!(text, "  = {sql}");
            }
        }
        eprintln!("{text}");
        self.report.divergences.push(text);
    }

    /// Plays a script alone in both worlds.
    async fn diverges(&mut self, script: &Script) -> Verdict {
        let (one, two) = self.alone(script).await;
        match differs(&script.items, &one, &two) {
            Ok(_) if one.len() < script.items.len() => {
                let text = format!("both sessions end: {:?}", one.last());
                Verdict::Diverges(Difference::Content(text))
            }
            Ok(_) => Verdict::Same(one),
            Err(difference) if self.is_open(script, &one, &difference).await => {
                Verdict::Open(difference)
            }
            Err(difference) => Verdict::Diverges(difference),
        }
    }

    /// Whether the first world answers otherwise, in the same way, when its rows are stored in another
    /// order or read by another plan.
    async fn is_open(&mut self, script: &Script, one: &[Answer], difference: &Difference) -> bool {
        if matches!(difference, Difference::Leak(_)) {
            return false;
        }
        for salt in 0..ORDERS {
            if salt > 0 {
                self.shuffled.renew();
                self.shuffled.hospital().shuffle(salt).await;
            }
            for settings in OTHER_PLANS {
                self.shuffled.renew();
                self.shuffled.play(&[Item::simple(settings)]).await;
                let other = self.shuffled.play(&script.items).await;
                if other.iter().any(Answer::closed) {
                    continue;
                }
                match (difference, differs(&script.items, one, &other)) {
                    (Difference::Content(_), Err(Difference::Content(_)))
                    | (Difference::Order(_), Err(Difference::Content(_) | Difference::Order(_))) => {
                        return true;
                    }
                    (_, Ok(_) | Err(_)) => {}
                }
            }
        }
        false
    }
}

// === impl Made ===

impl Made {
    /// A script that cannot be made smaller.
    fn listed((number, script): (u64, &Script)) -> Self {
        Self {
            seed: number,
            script: script.clone(),
            choices: Vec::new(),
        }
    }
}
