//! What the gateway costs, always as ratios within one run: the same work against PostgreSQL itself,
//! through the gateway with and without a mask, and through pgbouncer where that is installed. The
//! contenders take turns, so that whatever else the machine does hits all of them.
//!
//! `cargo run --release -p phigate-benches -- [road|masking|revoke] [--smoke] [--json]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]
#![allow(
    clippy::expect_used,
    reason = "a measurement that cannot be made ends the run"
)]

mod contender;
mod cpu;
mod login;
mod masking;
mod pgbench;
mod pgbouncer;
mod report;
mod revoke;
mod stream;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use phigate_tests::fleet;

use crate::contender::Contenders;
use crate::report::Report;

/// Measures what the gateway costs, as ratios within one run.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured.
    #[arg(value_enum, default_value = "road")]
    what: What,
    /// A few seconds, to see that everything still runs; the figures mean nothing.
    #[arg(long)]
    smoke: bool,
    /// Prints JSON, one object.
    #[arg(long)]
    json: bool,
    /// The recording level: process, local or strict.
    #[arg(long, default_value = "process")]
    recording: String,
    /// Numbers of clients.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 8, 32])]
    clients: Vec<u16>,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Turns of each contender; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// The way through the gateway, beside PostgreSQL itself and pgbouncer.
    Road,
    /// Masking, beside the same statements unmasked, in both modes of enforcement.
    Masking,
    /// From a revocation's call to the last byte of each session, on one gateway and on three.
    Revoke,
}

/// What is done, and how often.
struct Plan {
    clients: Vec<u16>,
    turn: Duration,
    rounds: usize,
    accounts: u32,
    stream_rows: u32,
    recording: &'static str,
}

fn recording(level: &str) -> &'static str {
    match level {
        "local" => "local",
        "strict" => "strict",
        _ => "process",
    }
}

impl From<Arguments> for Plan {
    fn from(arguments: Arguments) -> Self {
        let recording = recording(&arguments.recording);
        if arguments.smoke {
            return Self {
                clients: vec![1, 8],
                turn: Duration::from_secs(1),
                rounds: 1,
                accounts: 10_000,
                stream_rows: 10_000,
                recording,
            };
        }
        Self {
            clients: arguments.clients,
            turn: Duration::from_secs(arguments.seconds),
            rounds: arguments.rounds,
            accounts: 100_000,
            stream_rows: 1_000_000,
            recording,
        }
    }
}

fn main() -> ExitCode {
    // The processes that `revoke` measures are this program, as `phigate serve`.
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(measure(Arguments::parse()));
    ExitCode::SUCCESS
}

fn serve() -> ExitCode {
    phigate::telemetry::start();
    let serving = fleet::serve(std::env::args().skip(1)).expect("as the fleet calls it");
    phigate::runtime::block_on(serving).unwrap_or_else(|error| {
        phigate::telemetry::failure(&error);
        ExitCode::FAILURE
    })
}

async fn measure(arguments: Arguments) {
    let json = arguments.json;
    if arguments.what == What::Masking {
        let plan = masking::Plan::new(arguments.smoke, arguments.rounds);
        let lines = masking::run(&plan).await;
        if json {
            let lines = serde_json::to_string_pretty(&lines).expect("numbers and words");
            println!("{lines}");
        } else {
            println!("{}", masking::text(&lines));
        }
        return;
    }
    if arguments.what == What::Revoke {
        let plan = revoke::Plan::new(
            arguments.smoke,
            arguments.rounds,
            recording(&arguments.recording),
        );
        let tell = |line: &_| {
            if json {
                println!(
                    "{}",
                    serde_json::to_string(line).expect("numbers and words")
                );
            } else {
                println!("{}", revoke::text(line));
            }
        };
        let verdict = revoke::run(&plan, tell).await;
        println!("{}", serde_json::to_string(&verdict).expect("numbers"));
        return;
    }
    let plan = Plan::from(arguments);
    eprintln!("starting PostgreSQL and phigate");
    let contenders = Contenders::start(&plan).await;
    let mut report = Report::new(&plan, &contenders);
    for mode in ["simple", "prepared"] {
        for &clients in &plan.clients {
            for _ in 0..plan.rounds {
                for contender in contenders.all() {
                    eprintln!("pgbench -S, {mode}, {clients} clients: {}", contender.name);
                    let cpu = cpu::own();
                    let tps = pgbench::tps(contender, mode, clients, plan.turn).await;
                    let spent = cpu::own().saturating_sub(cpu);
                    report.pgbench(mode, clients, contender, tps, spent, plan.turn);
                }
            }
        }
    }
    for _ in 0..plan.rounds {
        for contender in contenders.all() {
            eprintln!("stream of {} rows: {}", plan.stream_rows, contender.name);
            report.stream(contender, &stream::drain(contender).await);
        }
    }
    contenders.stop().await;
    if json {
        println!("{}", report.json());
    } else {
        println!("{}", report.text());
    }
}
