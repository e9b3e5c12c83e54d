//! What reading a statement for the first time costs. Prints, asserts nothing about time:
//! `cargo test --release -p phigate-sql timings -- --ignored --nocapture`.

use std::time::Instant;

use crate::testing::World;

/// Analyses of each text.
const ROUNDS: u32 = 2_000;

#[test]
#[ignore = "a measurement"]
fn timings() {
    let lookup = "select diagnosis from patients where id = 4711";
    let arm = "select p.zip, count(*) filter (where v.admitted > date '2020-01-01' - interval '30 days') as n, \
               avg(case when v.ward in ('a', 'b', 'c') then p.id * 2 + 1 else coalesce(p.id, 0) end) as mean \
               from patients p join visits v on v.patient_id = p.id left join wards w using (ward) \
               where lower(p.diagnosis) like '%heart%' and v.admitted between '2019-01-01' and '2020-01-01' \
               and exists (select 1 from measurements m where m.patient_id = p.id and m.value > 1.5) \
               group by p.zip having count(*) > 10";
    let long = vec![arm; 4_096_usize.div_ceil(arm.len())].join(" union all ");
    let constants: Vec<_> = (0..100_000).map(|n| n.to_string()).collect();
    let list = format!(
        "select id from visits where id in ({})",
        constants.join(",")
    );
    let world = World::limited();
    for (what, text, rounds) in [
        ("lookup", lookup, ROUNDS),
        ("cohort query", &long, ROUNDS / 10),
        ("list of 100,000", &list, 3),
    ] {
        for _ in 0..rounds.div_ceil(10) {
            world.admit(text);
        }
        let mut times: Vec<_> = (0..rounds)
            .map(|_| {
                let start = Instant::now();
                let _permit = world.admit(text);
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        let median = times.get(times.len() / 2).copied().unwrap_or_default();
        println!(
            "{what}, {} bytes: median {median:?}, least {:?}",
            text.len(),
            times[0]
        );
    }
}
