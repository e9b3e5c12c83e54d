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
use super::transcript::{Comparison, compare, normalised};
use super::worlds::{Hospital, Place, Release};
use crate::House;
use crate::attack;
use crate::canary::World;

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

/// What to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many statements.
    pub statements: usize,
    /// Where to begin.
    pub seed: u64,
    /// Under which grant.
    pub release: Release,
    /// How everything is set up.
    pub house: House,
    /// Whether the attack list is played first.
    pub attacks: bool,
    /// Ends a run before its number is reached.
    pub limit: Duration,
    /// How long a finding is minimised.
    pub shrink: Duration,
    /// Says something each so many statements; 0 never.
    pub progress: usize,
}

struct Runner<'a> {
    grammar: Grammar,
    tables: Vec<Table>,
    judge: Judge,
    one: Side<'a>,
    two: Side<'a>,
    shuffled: Side<'a>,
    report: Report,
    shrink: Duration,
}

/// Runs a plan.
///
/// # Panics
/// When the worlds do not start.
pub async fn run(plan: &Plan) -> Report {
    let start = |place| Hospital::start(place, plan.release, plan.house.clone());
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
        shrink: plan.shrink,
    };
    if plan.attacks {
        runner.attacks().await;
    }
    let started = Instant::now();
    let (mut number, mut said) = (0, 0);
    while runner.report.statements < plan.statements
        && runner.report.divergences.len() < FINDINGS
        && started.elapsed() < plan.limit
    {
        let seeds = (number..number + SCRIPTS as u64)
            .map(|n| plan.seed.wrapping_mul(1 << 32).wrapping_add(n));
        runner.round(&seeds.collect::<Vec<_>>()).await;
        number += SCRIPTS as u64;
        if plan.progress > 0 && runner.report.statements / plan.progress > said {
            said = runner.report.statements / plan.progress;
            let report = &runner.report;
            eprintln!(
                "{:>7} statements, {} refused, {} open, {} divergences, {} s",
                report.statements,
                report.refused,
                report.open,
                report.divergences.len(),
                started.elapsed().as_secs()
            );
        }
    }
    runner.report
}

impl Runner<'_> {
    async fn round(&mut self, seeds: &[u64]) {
        let mut scripts = Vec::new();
        for seed in seeds {
            scripts.push(self.generate(Choices::seeded(*seed)));
        }
        let items: Vec<Item> = scripts
            .iter()
            .flat_map(|(script, _)| script.items.clone())
            .collect();
        let (one, two) = tokio::join!(self.one.play(&items), self.two.play(&items));
        let mut at = 0;
        for (number, (script, made)) in scripts.into_iter().enumerate() {
            let here = at..at + script.items.len();
            at = here.end;
            let (Some(one), Some(two)) = (one.get(here.clone()), two.get(here)) else {
                // A session ended within this script or before.
                let first = script
                    .items
                    .iter()
                    .map(|item| item.message.sql())
                    .collect::<Vec<_>>();
                self.report.divergences.push(format!(
                    "a session ended at or before script {} of seed {}: {first:#?}",
                    number, seeds[number]
                ));
                self.one.renew();
                self.two.renew();
                return;
            };
            let verdict = differs(&script, one, two);
            for ((item, one), _) in script.items.iter().zip(one).zip(two) {
                self.report.count(&item.message, one, &self.judge);
            }
            match verdict {
                Ok(comparisons) => comparisons
                    .into_iter()
                    .for_each(|c| self.report.compared(c)),
                Err(_) => self.look_closer(seeds[number], script, made).await,
            }
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
                match differs(&script, &one, &two) {
                    Ok(comparisons) => comparisons
                        .into_iter()
                        .for_each(|c| self.report.compared(c)),
                    Err(why) if why.starts_with(LEAK) || !self.is_open(&script, &one).await => {
                        let text = format!("DIVERGENCE, attack {}: {why}", attack.name);
                        eprintln!("{text}");
                        self.report.divergences.push(text);
                    }
                    Err(_) => self.report.open += 1,
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
        Generator::new(&self.grammar, &self.tables, choices).script()
    }

    /// Whether a difference is one: not if SQL leaves it open. Then makes it small.
    async fn look_closer(&mut self, seed: u64, script: Script, made: Vec<u32>) {
        let Some(why) = self.diverges(&script).await else {
            self.report.open += 1;
            return;
        };
        let (mut script, mut made, mut why) = (script, made, why);
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
                if let Some(found) = self.diverges(&next).await {
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

    /// Plays a script alone in both worlds; what differs, unless it does so in one world alone.
    async fn diverges(&mut self, script: &Script) -> Option<String> {
        let (one, two) = self.alone(script).await;
        let why = differs(script, &one, &two).err()?;
        if !why.starts_with(LEAK) && self.is_open(script, &one).await {
            return None;
        }
        Some(why)
    }

    /// Whether the first world answers otherwise when its rows are stored in another order, or read by
    /// another plan.
    async fn is_open(&mut self, script: &Script, one: &[Answer]) -> bool {
        for salt in 0..ORDERS {
            if salt > 0 {
                self.shuffled.hospital().shuffle(salt).await;
            }
            for settings in OTHER_PLANS {
                self.shuffled.renew();
                self.shuffled.play(&[Item::simple(settings)]).await;
                let other = self.shuffled.play(&script.items).await;
                if differs(script, one, &other).is_err() {
                    return true;
                }
            }
        }
        false
    }
}

const LEAK: &str = "a canary left: ";

/// The comparisons of a script's answers, or what differs.
fn differs(script: &Script, one: &[Answer], two: &[Answer]) -> Result<Vec<Comparison>, String> {
    let mut comparisons = Vec::new();
    for (world, answers) in [(World::One, one), (World::Two, two)] {
        for (item, answer) in script.items.iter().zip(answers) {
            // A plan repeats the statement, and statements guess at what is masked.
            let own = item.message.sql();
            if item.plan || world.find(own.as_bytes()).is_some() {
                continue;
            }
            for frame in answer.frames() {
                if let Some(around) = world.find(frame.bytes()) {
                    return Err(format!("{LEAK}{around}"));
                }
            }
        }
    }
    if one.len() != two.len() {
        return Err(format!("{} answers and {}", one.len(), two.len()));
    }
    for ((item, one), two) in script.items.iter().zip(one).zip(two) {
        let comparison = compare(item, one, two);
        if comparison == Comparison::Different {
            return Err(first_difference(item, one, two));
        }
        comparisons.push(comparison);
        if comparison == Comparison::Exhausted {
            // What follows in the same transaction follows from it.
            break;
        }
    }
    Ok(comparisons)
}

fn first_difference(item: &Item, one: &Answer, two: &Answer) -> String {
    let (left, right) = (normalised(item, one), normalised(item, two));
    let show = |frames: &[Vec<u8>], at: usize| {
        frames.get(at).map_or("nothing".to_owned(), |frame| {
            String::from_utf8_lossy(frame).chars().take(300).collect()
        })
    };
    let at = (0..left.len().max(right.len()))
        .find(|at| left.get(*at) != right.get(*at))
        .unwrap_or(0);
    format!(
        "{:?}\n  1 {:?}\n  2 {:?}",
        item.message.sql(),
        show(&left, at),
        show(&right, at)
    )
}
