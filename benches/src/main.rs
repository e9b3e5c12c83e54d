//! What the gateway costs, always as ratios within one run: the same work against PostgreSQL itself,
//! through the gateway with and without a mask, and through pgbouncer where that is installed. The
//! contenders take turns, so that whatever else the machine does hits all of them.
//!
//! `cargo run --release -p phigate-benches -- [road|masking] [--smoke] [--json]`
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
mod masking;
mod pgbench;
mod pgbouncer;
mod report;
mod stream;

use std::time::Duration;

use clap::Parser;

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

impl From<Arguments> for Plan {
    fn from(arguments: Arguments) -> Self {
        let recording = match arguments.recording.as_str() {
            "local" => "local",
            "strict" => "strict",
            _ => "process",
        };
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

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
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
