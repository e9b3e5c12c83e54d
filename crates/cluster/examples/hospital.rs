//! Starts a private PostgreSQL with the synthetic hospital and serves it until standard input ends:
//! `cargo run -p phigate-cluster --example hospital -- [PATIENTS]`.

use std::io::{Read, Write};
use std::time::Instant;

use phigate_cluster::hospital::{self, Size};
use phigate_cluster::{Binaries, Cluster, Options};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let patients = std::env::args()
        .nth(1)
        .map_or(Ok(10_000), |text| text.parse())?;
    let cluster = Cluster::temporary(&Binaries::find(None)?, Options::default())?;
    let start = Instant::now();
    hospital::fill(&cluster, Size::Patients(patients)).await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{patients} patients in {:.1} s",
        start.elapsed().as_secs_f64()
    )?;
    writeln!(out, "superuser: {}", cluster.url(hospital::DATABASE))?;
    writeln!(out, "gateway:   {}", hospital::broker_url(&cluster))?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
