//! What a mask costs: the same statements through the same gateway under a grant that masks nothing
//! (`identified`) and under one that masks (`limited_dataset`), in both modes of enforcement. The grants
//! take turns; only their ratio counts.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use phigate_testkit::{Options, postgres_with};
use phigate_tests::{Analyst, Enforcement, House};
use serde::Serialize;

use crate::report::median;

const CLASSIFICATION: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
people,id,integer,person_key,pseudonym,keep
people,name,text,name,redact,redact
people,ssn,char(11),ssn,null,null
people,zip,varchar(10),zip,zip3,keep
people,score,integer,clinical,keep,keep
facts,id,integer,none,keep,keep
facts,ward,integer,none,keep,keep
facts,value,integer,clinical,keep,keep
facts,note,text,free_text,text_block,text_block
";

const LOOKUP: &str = "SELECT name, ssn, zip, score FROM people WHERE id = $1";

const AGGREGATE: &str =
    "SELECT ward, count(*), sum(value), min(value), max(value) FROM facts GROUP BY ward";

/// How much is done.
pub(crate) struct Plan {
    people: u32,
    facts: u32,
    rounds: usize,
    /// Lookups of one turn.
    lookups: u32,
    /// Aggregates of one turn.
    aggregates: u32,
}

/// One workload in one mode.
#[derive(Serialize)]
struct Line {
    enforcement: &'static str,
    workload: &'static str,
    unmasked_us: f64,
    masked_us: f64,
    ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
}

#[derive(Clone, Copy)]
enum Workload {
    /// By primary key, prepared.
    Lookup,
    /// Over all rows; touches no masked column.
    Aggregate,
    /// By primary key, the very same text each time: a hit in the plan cache.
    SameText,
    /// By primary key, another text each time: analysed.
    NewText,
}

impl Plan {
    pub(crate) fn new(smoke: bool, rounds: usize) -> Self {
        if smoke {
            return Self {
                people: 1_000,
                facts: 1_000,
                rounds: 1,
                lookups: 20,
                aggregates: 2,
            };
        }
        Self {
            people: 100_000,
            facts: 1_000_000,
            rounds,
            lookups: 2_000,
            aggregates: 5,
        }
    }
}

/// Measures and prints.
pub(crate) async fn run(plan: &Plan) -> Vec<impl Serialize> {
    let mut lines = Vec::new();
    for (enforcement, name) in [
        (Enforcement::Inline, "inline"),
        (Enforcement::Views, "views"),
    ] {
        eprintln!("starting PostgreSQL and phigate, enforcement = {name}");
        let cluster = postgres_with(Options::default().with("shared_buffers", "256MB"));
        fill(&cluster, plan).await;
        let mut phigate = House::default()
            .classification(CLASSIFICATION)
            .enforcement(enforcement)
            .start_on(cluster)
            .await;
        let open = phigate.grant("bench").profile("identified").connect().await;
        let masked = phigate.grant("bench").connect().await;
        for workload in Workload::ALL {
            eprintln!("{}", workload.name());
            let (mut without, mut with) = (Vec::new(), Vec::new());
            for round in 0..plan.rounds {
                without.push(workload.turn(&open, plan, round * 2).await);
                with.push(workload.turn(&masked, plan, round * 2 + 1).await);
            }
            let (unmasked_us, masked_us) = (median(&without), median(&with));
            lines.push(Line {
                enforcement: name,
                workload: workload.name(),
                unmasked_us,
                masked_us,
                ratio: masked_us / unmasked_us,
                at_most: workload.at_most(),
            });
        }
        drop((open, masked));
        phigate.stop().await;
    }
    lines
}

/// A table for people.
pub(crate) fn text(lines: &[impl Serialize]) -> String {
    let lines: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::to_value(line).expect("numbers and words"))
        .collect();
    let mut text = format!(
        "{:<8} {:<32} {:>13} {:>13} {:>7} {:>8}\n",
        "mode", "workload", "unmasked us", "masked us", "ratio", "at most"
    );
    for line in lines {
        let number = |key: &str| line.get(key).and_then(serde_json::Value::as_f64);
        let word = |key: &str| line.get(key).and_then(|word| word.as_str()).unwrap_or("");
        let _ = writeln!(
            text,
            "{:<8} {:<32} {:>13.1} {:>13.1} {:>7.3} {:>8}",
            word("enforcement"),
            word("workload"),
            number("unmasked_us").unwrap_or(f64::NAN),
            number("masked_us").unwrap_or(f64::NAN),
            number("ratio").unwrap_or(f64::NAN),
            number("at_most").map_or_else(String::new, |most| format!("{most:.2}")),
        );
    }
    text
}

async fn fill(cluster: &phigate_testkit::Cluster, plan: &Plan) {
    let (people, facts) = (plan.people, plan.facts);
    cluster.make_role_password("broker").expect("a file");
    let password = cluster.role_password("broker").expect("a password");
    let sql = format!(
        "CREATE ROLE broker LOGIN PASSWORD '{password}';
         CREATE TABLE people (id int PRIMARY KEY, name text, ssn char(11), zip varchar(10), score int);
         INSERT INTO people SELECT n, 'name ' || n, '900-00-0000', '02139', n % 100
           FROM generate_series(1, {people}) AS n;
         CREATE TABLE facts AS SELECT n AS id, n % 20 AS ward, n % 1000 AS value, md5(n::text) AS note
           FROM generate_series(1, {facts}) AS n;
         GRANT SELECT ON people, facts TO broker;"
    );
    cluster
        .execute("postgres", "CREATE DATABASE clinic")
        .await
        .expect("a database");
    cluster.execute("clinic", &sql).await.expect("tables");
    cluster
        .execute("clinic", "VACUUM ANALYZE")
        .await
        .expect("statistics");
}

impl Workload {
    const ALL: [Self; 4] = [Self::Lookup, Self::Aggregate, Self::SameText, Self::NewText];

    fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup by key, prepared",
            Self::Aggregate => "aggregate, nothing masked in it",
            Self::SameText => "lookup, same text: cache hit",
            Self::NewText => "lookup, new text: analysed",
        }
    }

    /// What issue and design ask for.
    fn at_most(self) -> Option<f64> {
        match self {
            Self::Lookup => Some(1.25),
            Self::Aggregate => Some(1.2),
            Self::SameText | Self::NewText => None,
        }
    }

    /// Microseconds a statement, over one turn; `turn` is another number each time.
    async fn turn(self, analyst: &Analyst, plan: &Plan, turn: usize) -> f64 {
        let client = &analyst.client;
        let people = i32::try_from(plan.people).expect("a number of rows");
        let count = match self {
            Self::Aggregate => plan.aggregates,
            Self::Lookup | Self::SameText | Self::NewText => plan.lookups,
        };
        let spent = match self {
            Self::Lookup => {
                let statement = client.prepare(LOOKUP).await.expect("it is admitted");
                let start = Instant::now();
                for n in 0..count {
                    let id = n.cast_signed() * 7919 % people + 1;
                    client.query_one(&statement, &[&id]).await.expect("a row");
                }
                start.elapsed()
            }
            Self::Aggregate => {
                let statement = client.prepare(AGGREGATE).await.expect("it is admitted");
                let start = Instant::now();
                for _ in 0..count {
                    client.query(&statement, &[]).await.expect("rows");
                }
                start.elapsed()
            }
            Self::SameText | Self::NewText => {
                let start = Instant::now();
                for n in 0..count {
                    // A literal that is never the same; the row is.
                    let other = match self {
                        Self::NewText => turn * 1_000_000 + n as usize,
                        Self::Lookup | Self::Aggregate | Self::SameText => 0,
                    };
                    let text = format!(
                        "SELECT name, ssn, zip, score FROM people WHERE id = 17 AND {other} >= 0"
                    );
                    client.simple_query(&text).await.expect("a row");
                }
                start.elapsed()
            }
        };
        per_statement(spent, count)
    }
}

fn per_statement(spent: Duration, count: u32) -> f64 {
    spent.as_secs_f64() * 1e6 / f64::from(count)
}
