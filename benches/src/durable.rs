//! The recording level `local`, where a result waits for a sync of the disk, beside `process`, where it
//! does not, and beside the disk itself.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::contender::{self, Contender};
use crate::pgbench::{self, Mode};
use crate::report::{Report, Series, Target};

/// What is done, and how often.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) clients: Vec<u16>,
    pub(crate) turn: Duration,
    pub(crate) rounds: usize,
    pub(crate) accounts: u32,
}

/// A record and its outcome, about: what one sync carries for a lone client, in bytes.
const RECORD: usize = 1024;

/// Syncs of one round; they take their turn like everybody else.
const SYNCS: usize = 200;

/// Measures.
pub(crate) async fn run(plan: &Plan) -> Report {
    eprintln!("starting PostgreSQL and two gateways");
    let directory = tempfile::tempdir().expect("a temporary directory");
    phigate_pki::DevCa::load_or_create(directory.path())
        .and_then(|ca| ca.server("server", &["127.0.0.1"]))
        .expect("a certificate");
    let cluster = contender::cluster(directory.path(), plan.accounts, 1).await;
    let mut phigates = Vec::new();
    let mut gateways = Vec::new();
    for recording in ["process", "local"] {
        let phigate = contender::gateway(cluster.url("clinic"), recording, false).await;
        gateways.push(contender::masked(&phigate, recording).await);
        phigates.push(phigate);
    }
    let mut report = Report::new("durable", "process and local");
    let disk = Disk::open(&phigates);
    for &clients in &plan.clients {
        measure(&mut report, &gateways, &disk, clients, plan).await;
    }
    for phigate in &mut phigates {
        phigate.stop().await;
    }
    report
}

async fn measure(
    report: &mut Report,
    gateways: &[Contender],
    disk: &Disk,
    clients: u16,
    plan: &Plan,
) {
    let mut syncs = Series::new(format!("one sync, before {clients} clients"), "us");
    let mut rates = Series::new(format!("prepared, {clients} clients"), "tps");
    let mut added = Series::new("added to a lone client's latency", "us");
    for _ in 0..plan.rounds {
        let sync = disk.sync();
        syncs.turn("disk", sync * 1e6);
        let mut tps = Vec::new();
        for gateway in gateways {
            let turn = pgbench::turn(gateway, Mode::Prepared, clients, plan.turn).await;
            rates.turn(&gateway.name, turn.tps);
            tps.push(turn.tps);
        }
        let [process, local] = tps[..] else { continue };
        // What the disk and the gateway let through at best, by the design.
        rates.turn("bound", process.min(f64::from(clients) / (1.5 * sync)));
        added.turn("disk", sync * 1e6);
        added.turn("local", (1.0 / local - 1.0 / process) * 1e6);
    }
    report.add(&syncs, &[], "", &[]);
    let least = Target::at_least(0.85).of("bound");
    report.add(&rates, &["process", "bound"], "local", &[least]);
    if clients == 1 {
        let most = Target::at_most(1.2).of("disk");
        report.add(&added, &["disk"], "local", &[most]);
    }
}

/// A file beside the gateways' records, as their segments are: full of zeros from the beginning.
struct Disk(File);

impl Disk {
    fn open(phigates: &[phigate_tests::Phigate]) -> Self {
        let beside = phigates.first().expect("a gateway").log_dir();
        let mut file = tempfile::tempfile_in(beside).expect("a file");
        file.write_all(&vec![0; RECORD * SYNCS]).expect("room");
        file.sync_all().expect("a sync");
        Self(file)
    }

    /// The median of a round's syncs, in seconds.
    fn sync(&self) -> f64 {
        use std::os::unix::fs::FileExt as _;
        let one = |n: usize| {
            let start = Instant::now();
            let at = (n * RECORD) as u64;
            self.0.write_all_at(&[1; RECORD], at).expect("room");
            self.0.sync_data().expect("a sync");
            start.elapsed().as_secs_f64()
        };
        crate::report::median(&(0..SYNCS).map(one).collect::<Vec<_>>())
    }
}
