//! Two databases that differ in nothing but what the grant hides must give the same bytes for the
//! same messages: the attack list, and a few generated statements. `cargo xtask two-world` runs as
//! many as asked, under every profile.

use std::time::Duration;

use phigate_testkit::DEADLINE;
use phigate_tests::House;
use phigate_tests::attack;
use phigate_tests::two_world::{Plan, Release, Report, run};

/// On a thread with the stack that analysis needs.
fn play(statements: usize, release: Release, attacks: bool) -> Report {
    const STACK_BYTES: usize = 64 << 20;
    let plan = Plan {
        statements,
        seed: 1847,
        release,
        house: House::default(),
        attacks,
        limit: DEADLINE,
        shrink: Duration::ZERO,
        progress: 0,
    };
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(run(&plan))
    };
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(work);
    thread.unwrap().join().unwrap()
}

/// The threat model's table of known holes: each names its attacks as `FILE/NAME`.
#[test]
fn every_attack_that_the_threat_model_names_is_there() {
    let text = include_str!("../../docs/threat-model.md");
    let table = text.split("## Known holes").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let known: Vec<String> = attack::corpus()
        .into_iter()
        .map(|attack| attack.name)
        .collect();
    let mut named = 0;
    for name in table.split('`').filter_map(|word| word.split_once('/')) {
        let (file, name) = name;
        // Attacks by way of an administrator's objects are not in the corpus.
        if file.contains(['.', ' ', '\n']) || ["upstream", "FILE", "tests"].contains(&file) {
            continue;
        }
        if name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            named += 1;
            assert!(known.iter().any(|known| known == name), "{file}/{name}");
        }
    }
    assert!(named > 80, "{named}");
}

#[test]
fn attacks_give_the_same_bytes() {
    let report = play(0, Release::Limited, true);
    assert!(report.divergences.is_empty(), "{report}");
    assert!(report.statements > 1_000, "{report}");
}

#[test]
fn generated_statements_give_the_same_bytes() {
    let report = play(200, Release::SafeHarbor, false);
    assert!(report.divergences.is_empty(), "{report}");
    assert!(report.admitted > 50, "{report}");
}

#[test]
fn generated_statements_find_what_is_not_hidden() {
    let report = play(100, Release::Identified, false);
    assert!(!report.divergences.is_empty(), "{report}");
}
