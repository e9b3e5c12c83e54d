//! `phigate`: the daemon. Called by the name `phictl`, it is the command line.

mod arguments;
mod check;
mod demo;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use phigate::{runtime, serve, telemetry};

use arguments::{Arguments, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    if called_as("phictl") {
        let words: Vec<OsString> = std::env::args_os().collect();
        return runtime::block_on(phigate_cli::run(words)).into();
    }
    let outcome = match Arguments::parse().command {
        Command::Serve { part, config } => {
            telemetry::start();
            runtime::block_on(async move { Box::pin(serve::run(part, &config)).await })
        }
        Command::Check { config } => runtime::block_on(async move { check::run(&config).await }),
        Command::Demo(options) => {
            telemetry::start_quietly();
            runtime::block_on(demo::run(options))
        }
    };
    outcome.unwrap_or_else(|error| {
        telemetry::failure(&error);
        ExitCode::FAILURE
    })
}

fn called_as(name: &str) -> bool {
    std::env::args_os()
        .next()
        .is_some_and(|program| Path::new(&program).file_stem() == Some(OsStr::new(name)))
}
