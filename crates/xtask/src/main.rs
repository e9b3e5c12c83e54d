//! Repository chores: `cargo xtask --help`.
#![allow(
    clippy::print_stdout,
    reason = "a command-line program speaks on stdout"
)]

mod allow_lists;
mod check_deps;
mod ci;
mod run;
mod test;

use clap::{Parser, Subcommand};

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
    /// Everything that must pass before a change lands.
    Ci,
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().chore {
        Chore::Test { arguments } => test::run(&arguments),
        Chore::CheckDeps => check_deps::run(),
        Chore::AllowLists(arguments) => allow_lists::run(&arguments),
        Chore::Ci => ci::run(),
    }
}
