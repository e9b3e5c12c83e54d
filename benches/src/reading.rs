//! What it costs to read a statement for the first time, and to find it again: CPU time of one thread,
//! without sockets.

use std::time::Duration;

use phigate_catalog::Upstream;
use phigate_gateway::probe::Judge;
use phigate_phi::{Classification, EffectivePolicy, KeyAccess, ReleaseContext, Unclassified};
use phigate_sql::{BoundPolicy, Context, Session, Snapshot, Temporary, analyse_one};
use phigate_testkit::{clinic, hospital};
use phigate_types::Profile;
use rustix::time::{ClockId, clock_gettime};

use crate::report::{Report, Series, Target};

/// 50 bytes, as an application sends it.
const LOOKUP: &str = "SELECT kind FROM encounters WHERE encounter_id=$1";

/// One arm of a cohort query; several make 4 kB.
const ARM: &str = "\
    select p.zip, count(*) filter (where e.started_at > timestamptz '2020-01-01' - interval '30 days') as n, \
    avg(case when d.name in ('a', 'b', 'c') then e.encounter_id * 2 + 1 else coalesce(p.patient_id, 0) end) as mean \
    from patients p join encounters e on e.patient_id = p.patient_id left join departments d using (department_id) \
    where lower(p.language) like '%heart%' and e.started_at between '2019-01-01' and '2020-01-01' \
    and exists (select 1 from observations o where o.patient_id = p.patient_id and o.value > 1.5) \
    group by p.zip having count(*) > 10";

/// Bytes of the long statement, about.
const LONG: usize = 4_096;

/// Analyses, and hits, of one turn.
const FIRST: u32 = 2_000;
const HITS: u32 = 200_000;

/// Measures on the hospital under `limited_dataset`, inline.
pub(crate) async fn run(smoke: bool, rounds: usize) -> Report {
    let cluster = hospital().await;
    let upstream = Upstream::parse(&clinic::broker_url(&cluster)).expect("a URL");
    let classification = Classification::parse(clinic::CLASSIFICATION, "clinic.phi.csv");
    let policy = EffectivePolicy::derive(
        &classification.expect("it is checked"),
        Profile::LimitedDataset,
        &[],
        &[],
        Unclassified::Refuse,
    )
    .expect("a policy");
    let release = ReleaseContext::new(Profile::LimitedDataset, "2026-01-01", KeyAccess::Settings);
    let mut connection = upstream.connect().await.expect("PostgreSQL serves");
    let snapshot = phigate_catalog::read(&mut connection)
        .await
        .expect("a catalog");
    let bound = BoundPolicy::bind(&policy, &snapshot, &release);
    let long = vec![ARM; LONG.div_ceil(ARM.len())].join(" union all ");
    let (first, hits) = if smoke { (10, 100) } else { (FIRST, HITS) };
    let mut report = Report::new("reading", "none");
    for (text, count, most) in [(LOOKUP, first, 60.0), (long.as_str(), first / 10, 1_500.0)] {
        let what = format!("first analysis, {} bytes", text.len());
        let mut series = Series::new(what, "us");
        for _ in 0..rounds {
            series.turn("thread", analyses(text, count, &snapshot, &bound));
        }
        report.add(&series, &[], "thread", &[Target::at_most(most)]);
    }
    let state = tempfile::tempdir().expect("a temporary directory");
    let mut judge = Judge::new(upstream, state.path(), policy, release)
        .await
        .expect("the catalog is read");
    for text in [LOOKUP, long.as_str()] {
        let mut series = Series::new(format!("plan-cache hit, {} bytes", text.len()), "us");
        for _ in 0..rounds {
            series.turn("thread", found_again(&mut judge, text, hits).await);
        }
        report.add(&series, &[], "thread", &[Target::at_most(0.5)]);
    }
    report
}

/// Microseconds of one analysis, by a thread whose stack is as the gateway's.
fn analyses(text: &str, count: u32, snapshot: &Snapshot, policy: &BoundPolicy) -> f64 {
    let (path, temporary) = (["public".to_owned()], Temporary::default());
    let session = Session {
        user: "bench",
        database: "clinic",
        search_path: &path,
        id: "bench",
        grant: "bench",
        expires_at: "",
        write: false,
        budget: "",
    };
    let context = Context {
        snapshot,
        policy,
        session: &session,
        temporary: &temporary,
    };
    let work = || {
        let start = cpu();
        for _ in 0..count {
            let permit = analyse_one(std::hint::black_box(text), &context);
            std::hint::black_box(permit.expect("it is admitted"));
        }
        micros(cpu().saturating_sub(start), count)
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(phigate_sql::ANALYSIS_STACK_BYTES)
            .spawn_scoped(scope, work)
            .expect("a thread")
            .join()
            .expect("no panic")
    })
}

/// Microseconds of one hit. Nothing in it waits, so the task stays on its thread.
async fn found_again(judge: &mut Judge, text: &str, count: u32) -> f64 {
    judge.judge(text).await.expect("it is admitted");
    let start = cpu();
    for _ in 0..count {
        let plan = judge.judge(std::hint::black_box(text)).await;
        std::hint::black_box(plan.expect("it is admitted"));
    }
    micros(cpu().saturating_sub(start), count)
}

/// This thread's CPU time.
fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

fn micros(spent: Duration, count: u32) -> f64 {
    spent.as_secs_f64() * 1e6 / f64::from(count)
}
