//! The daemon's command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use phigate::serve::Part;

/// The gateway between people and protected health information in PostgreSQL.
#[derive(Parser)]
#[command(name = "phigate", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve until SIGTERM or Ctrl-C, then drain; a second one ends at once. SIGHUP reloads.
    Serve {
        /// What to serve.
        #[arg(value_enum)]
        part: Part,
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Validate everything that can be known before serving.
    Check {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// All in one, on a private PostgreSQL full of synthetic patients; Ctrl-C leaves nothing behind.
    Demo(DemoOptions),
}

#[derive(Args)]
pub(crate) struct DemoOptions {
    /// Play the whole story without a terminal; fails when any step is not as it should be.
    #[arg(long)]
    pub(crate) tour: bool,
    /// Keep everything here instead of in a directory that is removed at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The directory of PostgreSQL's programs (initdb, postgres, psql); found or fetched otherwise.
    #[arg(long, value_name = "DIR", env = "PHIGATE_PG_BIN")]
    pub(crate) postgres: Option<PathBuf>,
}
