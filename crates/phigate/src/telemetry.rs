//! Logs go to stderr: plain on a terminal, JSON otherwise or as `PHIGATE_LOG_FORMAT` says (`text`, `json`);
//! `PHIGATE_LOG` sets the filter.
use std::io::{IsTerminal, Write as _};

use tracing_subscriber::EnvFilter;

/// The filter's environment variable.
const VARIABLE: &str = "PHIGATE_LOG";

/// The format's.
const FORMAT: &str = "PHIGATE_LOG_FORMAT";

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
    let mut stderr = std::io::stderr();
    // A disk that takes no words is not worth a panic.
    let _ = writeln!(stderr, "phigate: {error}");
    for cause in error.chain().skip(1) {
        let _ = writeln!(stderr, "  because: {cause}");
    }
}

fn with_default(level: &str) {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        // Or it would panic where stderr takes nothing: sessions go on without words.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second subscriber is refused; the first one stays.
    let is_text = match std::env::var(FORMAT).as_deref() {
        Ok("text") => true,
        Ok("json") => false,
        _ => std::io::stderr().is_terminal(),
    };
    let _ = if is_text {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
