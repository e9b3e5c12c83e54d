//! What a mask costs: the same statements through the same gateway under a grant that masks nothing
//! (`identified`) and under one that masks (`limited_dataset`), in both modes of enforcement. The grants
//! take turns; only their ratio counts.

use std::time::{Duration, Instant};

use crate::report::{Report, Series, Target};
use phigate_testkit::{Options, postgres_with};
use phigate_tests::{Analyst, Enforcement, House};
use tokio_postgres::Statement;

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

    /// Statements of one turn.
    fn count(&self, workload: Workload) -> u32 {
        match workload {
            Workload::Aggregate => self.aggregates,
            Workload::Lookup | Workload::SameText | Workload::NewText => self.lookups,
        }
    }
}

/// Measures.
pub(crate) async fn run(plan: &Plan) -> Report {
    let mut report = Report::new("masking", "process");
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
        let (mut open, mut masked) = (Side::new(open).await, Side::new(masked).await);
        for workload in Workload::ALL {
            eprintln!("{}", workload.name());
            let mut series = Series::new(format!("{name}: {}", workload.name()), "us");
            for _ in 0..plan.rounds {
                let (mut without, mut with) = (Duration::ZERO, Duration::ZERO);
                let slices = plan.count(workload).div_ceil(workload.slice());
                for _ in 0..slices {
                    without += open.slice(workload, plan.people).await;
                    with += masked.slice(workload, plan.people).await;
                }
                let count = slices * workload.slice();
                series.turn("unmasked", per_statement(without, count));
                series.turn("masked", per_statement(with, count));
            }
            let most = workload
                .at_most()
                .map(|most| Target::at_most(most).of("unmasked"));
            report.add(&series, &["unmasked"], "masked", most.as_slice());
        }
        drop((open, masked));
        phigate.stop().await;
    }
    report
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

    /// Statements of one slice: few, so that both grants see the same machine.
    fn slice(self) -> u32 {
        match self {
            Self::Aggregate => 1,
            Self::Lookup | Self::SameText | Self::NewText => 50,
        }
    }
}

/// One session, with what it has prepared.
struct Side {
    analyst: Analyst,
    lookup: Statement,
    aggregate: Statement,
    /// Statements so far: a literal that is never the same.
    said: u32,
}

impl Side {
    async fn new(analyst: Analyst) -> Self {
        let client = &analyst.client;
        let lookup = client.prepare(LOOKUP).await.expect("it is admitted");
        let aggregate = client.prepare(AGGREGATE).await.expect("it is admitted");
        Self {
            analyst,
            lookup,
            aggregate,
            said: 0,
        }
    }

    /// Runs a slice.
    async fn slice(&mut self, workload: Workload, people: u32) -> Duration {
        let client = &self.analyst.client;
        let start = Instant::now();
        for _ in 0..workload.slice() {
            self.said += 1;
            match workload {
                Workload::Lookup => {
                    let id = (self.said.wrapping_mul(7919) % people + 1).cast_signed();
                    client.query_one(&self.lookup, &[&id]).await.expect("a row");
                }
                Workload::Aggregate => {
                    client.query(&self.aggregate, &[]).await.expect("rows");
                }
                Workload::SameText => {
                    client.simple_query(&text(0)).await.expect("a row");
                }
                Workload::NewText => {
                    client.simple_query(&text(self.said)).await.expect("a row");
                }
            }
        }
        start.elapsed()
    }
}

/// A lookup that finds the same row whatever the number.
fn text(number: u32) -> String {
    format!("SELECT name, ssn, zip, score FROM people WHERE id = 17 AND {number} >= 0")
}

fn per_statement(spent: Duration, count: u32) -> f64 {
    spent.as_secs_f64() * 1e6 / f64::from(count)
}
