//! How long the gateway takes over what breaks readers, and how much memory.

use std::time::Instant;

use phigate_testkit::client::Client;
use phigate_tests::Phigate;
use phigate_tests::hostile::{Hostile, Too};

use crate::process::{forget_peak, peak_memory};
use crate::report::{Report, Series, Target};

/// More would say nothing new, and take minutes; of two the worse counts.
pub(crate) const MOST_ROUNDS: usize = 2;

/// What the issue allows, in milliseconds.
const AT_MOST: f64 = 2_000.0;

/// Answers or refuses everything; the memory is what the whole process, the client in it, had resident
/// at most above what it had before.
pub(crate) async fn run(rounds: usize) -> Report {
    eprintln!("starting PostgreSQL and phigate");
    let mut phigate = Phigate::start().await;
    let login = phigate.grant("mallory").create().await;
    let mut report = Report::new("hostile", "process");
    for too in Too::ALL {
        for hostile in too.much() {
            eprintln!("{}", hostile.name);
            let mut took = Series::new(hostile.name, "ms");
            let mut grown = Series::new(format!("{}: peak", hostile.name), "MiB");
            for _ in 0..rounds {
                let mut client = login.connect_raw().await;
                forget_peak();
                let before = peak_memory();
                let start = Instant::now();
                let outcome = say(&mut client, &hostile).await;
                took.turn(outcome, start.elapsed().as_secs_f64() * 1e3);
                let peak = peak_memory().saturating_sub(before);
                grown.turn("process", peak as f64 / f64::from(1 << 20));
            }
            for outcome in OUTCOMES {
                if took.has(outcome) {
                    report.add(&took, &[], outcome, &[Target::at_most(AT_MOST)]);
                }
            }
            report.add(&grown, &[], "", &[]);
        }
    }
    phigate.stop().await;
    report
}

const OUTCOMES: [&str; 3] = ["answered", "refused", "closed"];

async fn say(client: &mut Client, hostile: &Hostile) -> &'static str {
    let answer = client.converse(&hostile.messages, hostile.ends).await;
    match (answer.closed(), answer.errors().is_empty()) {
        (true, _) => "closed",
        (false, true) => "answered",
        (false, false) => "refused",
    }
}
