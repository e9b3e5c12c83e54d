//! Repository chores: `cargo xtask --help`.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

mod allow_lists;
mod check_deps;
mod ci;
mod fuzz;
mod oracle;
mod run;
mod test;
mod two_world;

use clap::{Parser, Subcommand};

/// The program of the benchmarks.
const BENCH_PROGRAM: &str = "phigate-bench";

/// Repository chores.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run every test of the workspace; arguments after `--` go to the test runner.
    Test {
        /// For nextest or cargo test.
        #[arg(last = true)]
        arguments: Vec<String>,
    },
    /// Check that crates depend only on the layers below them.
    CheckDeps,
    /// Write or check the allow-lists of functions, operators, types, catalog relations, settings.
    AllowLists(allow_lists::Arguments),
    /// Run every fuzz target for a while.
    Fuzz {
        /// How long each, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u32,
    },
    /// Hold captured statements of stock clients against the list of those that are refused.
    Corpora {
        /// The directory of the captures.
        directory: std::path::PathBuf,
    },
    /// Compare generated statements in two databases that differ in what masks hide.
    TwoWorld(two_world::Arguments),
    /// Have PostgreSQL's own parser read what is sent for attacks, captures and generated statements.
    Oracle(oracle::Arguments),
    /// Attack the masked views with the gateway's SQL layer switched off.
    SqlOff,
    /// Simulate the lease and barrier protocol; a violation names the seed that reproduces it.
    Simulate {
        /// How many runs, each of its own seed.
        #[arg(long, default_value_t = 100_000)]
        seeds: u64,
    },
    /// Measure: what the gateway costs, as ratios within one run, or how long a revocation takes; see
    /// docs/performance.md.
    Bench {
        /// For the benchmark: road, masking, memory, revoke or another; --smoke, --json, --help, ...
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Everything that must pass before a change lands.
    Ci,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Test { arguments } => test::run(&arguments),
        Chore::CheckDeps => check_deps::run(),
        Chore::AllowLists(arguments) => allow_lists::run(&arguments),
        Chore::Fuzz { seconds } => fuzz::run(seconds),
        Chore::Corpora { directory } => two_world::corpora(&directory),
        Chore::TwoWorld(arguments) => two_world::run(&arguments),
        Chore::Oracle(arguments) => oracle::run(&arguments),
        Chore::SqlOff => sql_off(),
        Chore::Simulate { seeds } => simulate(seeds),
        Chore::Bench { arguments } => bench(&arguments),
        Chore::Ci => ci::run(),
    }
}

/// The variable is what the feature asks for before it compiles (`crates/gateway/src/sql_off.rs`).
fn sql_off() -> anyhow::Result<()> {
    run::cargo_with(
        &[
            "test",
            "--package",
            "phigate-tests",
            "--features",
            check_deps::TEST_FEATURE,
            "--test",
            "all",
            "--",
            "sql_off::",
            "--nocapture",
        ],
        &[("PHIGATE_SQL_OFF_FOR_TESTS", "1")],
    )
}

fn simulate(seeds: u64) -> anyhow::Result<()> {
    let test = "simulation::no_session_outlives_the_return_of_its_revocation";
    run::cargo_with(
        &[
            "test",
            "--release",
            "--package",
            "phigate-lease",
            "--lib",
            "--",
            "--exact",
            test,
            "--nocapture",
        ],
        &[("LEASE_SEEDS", &seeds.to_string())],
    )
}

fn bench(arguments: &[String]) -> anyhow::Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run::program(BENCH_PROGRAM, true, &words)
}
