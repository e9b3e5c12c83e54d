//! What the gateway costs, always as ratios within one run: contenders take turns, so that whatever
//! else the machine does hits all of them. `docs/performance.md` says what was measured.
//!
//! `cargo xtask bench -- [road|connections|streams|durable|memory|masking|reading|hostile|revoke] [--smoke] [--json]`
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]
#![allow(
    clippy::expect_used,
    reason = "a measurement that cannot be made ends the run"
)]

mod child;
mod connect;
mod contender;
mod durable;
mod hostile;
mod login;
mod masking;
mod memory;
mod pgbench;
mod pgbouncer;
mod process;
mod pump;
mod reading;
mod report;
mod revoke;
mod road;
mod stream;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use phigate_tests::fleet;

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures what the gateway costs, as ratios within one run.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured.
    #[arg(value_enum, default_value = "road")]
    what: What,
    /// A few seconds, to see that everything still runs; the figures mean nothing.
    #[arg(long)]
    smoke: bool,
    /// Prints one line of JSON after each table.
    #[arg(long)]
    json: bool,
    /// The recording level: process, local or strict. The benchmarks of memory, masks and hostile sizes
    /// run at process.
    #[arg(long, default_value = "process")]
    recording: String,
    /// Numbers of clients.
    #[arg(long, value_delimiter = ',', default_values_t = [8, 64])]
    clients: Vec<u16>,
    /// Seconds of each turn of pgbench.
    #[arg(long, default_value_t = 2)]
    seconds: u64,
    /// Turns of each contender; the median counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum What {
    /// Lookups through the gateway, beside PostgreSQL itself, a pump and pgbouncer.
    Road,
    /// Logins, beside the same.
    Connections,
    /// Large results, beside the same.
    Streams,
    /// Waiting for the disk, beside not waiting for it.
    Durable,
    /// Memory of sessions that say nothing, that stream, and whose clients do not read.
    Memory,
    /// Masking, beside the same statements unmasked, in both modes of enforcement.
    Masking,
    /// Reading a statement for the first time, and finding it again.
    Reading,
    /// Sizes and shapes that break readers.
    Hostile,
    /// From a revocation's call to the last byte of each session, on one gateway and on three.
    Revoke,
    /// Clients that log in.
    #[value(hide = true)]
    Connect,
    /// A client that drains one large result.
    #[value(hide = true)]
    Drain,
    /// A client that holds sessions.
    #[value(hide = true)]
    Hold,
}

fn main() -> ExitCode {
    // The processes that `revoke` measures are this program, as `phigate serve`.
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(run(Arguments::parse()));
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

async fn run(arguments: Arguments) {
    let rounds = if arguments.smoke { 1 } else { arguments.rounds };
    let report = match arguments.what {
        What::Road => road::lookups(&arguments.road(rounds)).await,
        What::Connections => road::connections(&arguments.road(rounds)).await,
        What::Streams => road::streams(&arguments.road(rounds)).await,
        What::Durable => durable::run(&arguments.durable(rounds)).await,
        What::Memory => memory::run(&memory::Plan::new(arguments.smoke, rounds)).await,
        What::Masking => masking::run(&masking::Plan::new(arguments.smoke, rounds)).await,
        What::Reading => reading::run(arguments.smoke, rounds).await,
        What::Hostile => hostile::run(rounds.min(hostile::MOST_ROUNDS)).await,
        What::Revoke => return arguments.revoke(rounds).await,
        What::Connect => return connect::go_on().await,
        What::Drain => return stream::drain().await,
        What::Hold => return memory::keep().await,
    };
    report.print(arguments.json);
}

impl Arguments {
    fn turn(&self) -> Duration {
        Duration::from_secs(if self.smoke { 1 } else { self.seconds })
    }

    fn accounts(&self) -> u32 {
        if self.smoke { 10_000 } else { 100_000 }
    }

    fn road(&self, rounds: usize) -> road::Plan {
        road::Plan {
            clients: if self.smoke {
                vec![2]
            } else {
                self.clients.clone()
            },
            some: if self.smoke { 2 } else { 8 },
            turn: self.turn(),
            rounds,
            accounts: self.accounts(),
            stream_rows: if self.smoke { 10_000 } else { 1_000_000 },
            recording: self.recording(),
        }
    }

    fn durable(&self, rounds: usize) -> durable::Plan {
        let mut clients = vec![1];
        if !self.smoke {
            clients.extend(&self.clients);
        }
        durable::Plan {
            clients,
            turn: self.turn(),
            rounds,
            accounts: self.accounts(),
        }
    }

    async fn revoke(&self, rounds: usize) {
        let plan = revoke::Plan::new(self.smoke, rounds, self.recording());
        let tell = |line: &_| {
            if self.json {
                let line = serde_json::to_string(line);
                println!("{}", line.expect("numbers and words"));
            } else {
                println!("{}", revoke::text(line));
            }
        };
        let verdict = revoke::run(&plan, tell).await;
        println!("{}", serde_json::to_string(&verdict).expect("numbers"));
    }

    fn recording(&self) -> &'static str {
        match self.recording.as_str() {
            "local" => "local",
            "strict" => "strict",
            _ => "process",
        }
    }
}
