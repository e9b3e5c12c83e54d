//! Fetches PostgreSQL as the demo does where none is installed, and starts it once:
//! `cargo run -p phigate-cluster --example fetch -- DIRECTORY`.

use std::io::Write;
use std::path::PathBuf;

use phigate_cluster::{Cluster, Options, fetch};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = PathBuf::from(std::env::args().nth(1).ok_or("name a directory")?);
    let mut out = std::io::stdout();
    let binaries = fetch(&directory, &mut |line| {
        let _ = writeln!(std::io::stderr(), "{line}");
    })?;
    writeln!(out, "{binaries}")?;
    let cluster = Cluster::temporary(&binaries, Options::default())?;
    writeln!(out, "it serves on port {}", cluster.port())?;
    Ok(())
}
