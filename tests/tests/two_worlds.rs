//! Two databases that differ in nothing but what the grant hides must give the same bytes for the
//! same messages: the attack list, and a few generated statements. `cargo xtask two-world` runs as
//! many as asked, under every profile.

use std::time::Duration;

use phigate_testkit::DEADLINE;
use phigate_tests::House;
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
