//! `phictl`: grants and sessions over the control plane's gRPC API; replay and verification of the
//! log from its files alone; `explain` says what a grant makes of a statement.
//!
//! Data goes to stdout, words to stderr, `--json` makes the data JSON. Exit codes are those of
//! sysexits.h, but for `audit verify`: 0 sound, 1 tampered, 2 sound only up to a point, 3 usage.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]

// First, for its macros.
#[macro_use]
pub mod output;

mod arguments;
mod audit;
mod catalog;
mod connect;
mod database;
mod exit;
mod explain;
mod grant;
mod patients;
mod replay;
mod session;

use std::ffi::OsString;

use clap::Parser;

use arguments::{Arguments, Command};
pub use exit::Exit;

/// Runs one `phictl` command line, the program's name first, and says how it went.
pub async fn run(command_line: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments = match Arguments::try_parse_from(command_line) {
        Ok(arguments) => arguments,
        Err(error) => return Exit::from_usage(&error),
    };
    let outcome = match arguments.command {
        Command::Grant(command) => grant::run(command, &arguments.connection, arguments.json).await,
        Command::Session(command) => {
            session::run(command, &arguments.connection, arguments.json).await
        }
        Command::Audit(command) => audit::run(&command, &arguments.connection, arguments.json),
        Command::Database(command) => {
            database::run(command, &arguments.connection, arguments.json).await
        }
        Command::Catalog(command) => {
            catalog::run(command, &arguments.connection, arguments.json).await
        }
        Command::Explain(options) => {
            explain::run(options, &arguments.connection, arguments.json).await
        }
    };
    let exit = outcome.unwrap_or_else(|failure| {
        eprintln!("phictl: {}", failure.message);
        if let Some(hint) = &failure.hint {
            eprintln!("hint: {hint}");
        }
        failure.exit
    });
    if output::arrived() {
        return exit;
    }
    eprintln!("phictl: the output could not be written");
    Exit::IO
}
