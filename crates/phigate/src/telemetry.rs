//! Logs go to stderr: plain on a terminal, JSON otherwise; `PHIGATE_LOG` sets the filter.
#![allow(clippy::print_stderr, reason = "the last words of a failing program")]

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// The filter's environment variable.
const VARIABLE: &str = "PHIGATE_LOG";

/// For the daemon: information and above.
pub fn start() {
    with_default("info");
}

/// For the demo: only what is wrong, so that its own words stay readable.
pub fn start_quietly() {
    with_default("error");
}

/// The last words: the error and each cause below it.
pub fn failure(error: &anyhow::Error) {
    eprintln!("phigate: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because: {cause}");
    }
}

fn with_default(level: &str) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second subscriber is refused; the first one stays.
    let _ = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
