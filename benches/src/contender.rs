//! Ways to reach the same rows.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use phigate_pki::{DevCa, Identity};
use phigate_testkit::{Cluster, Options, ServerTls, postgres, postgres_with};
use phigate_tests::{House, Phigate};
use serde::{Deserialize, Serialize};

use crate::login::Login;
use crate::pgbouncer::Pgbouncer;
use crate::process::Cpu;
use crate::pump::Pump;

/// Sessions of one grant: the most there may be.
const MOST_SESSIONS: u32 = 1_000;

/// A column that the queries do not touch is masked, and one beside what the stream reads.
const CLASSIFICATION: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
pgbench_accounts,aid,integer,none,keep,keep
pgbench_accounts,bid,integer,none,keep,keep
pgbench_accounts,abalance,integer,financial,keep,keep
pgbench_accounts,filler,char(84),ssn,null,null
wide,id,integer,none,keep,keep
wide,body,text,clinical,keep,keep
wide,ssn,char(11),ssn,null,null
";

/// One way to the rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contender {
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Whose certificates it shows, where it speaks TLS.
    pub(crate) ca: Option<PathBuf>,
    pub(crate) process: Process,
}

impl Contender {
    /// How a client gets there.
    pub(crate) fn login(&self) -> Login {
        Login {
            address: SocketAddr::new(self.host.parse().expect("an address"), self.port),
            from: Ipv4Addr::UNSPECIFIED.into(),
            user: self.user.clone(),
            password: self.password.clone(),
        }
    }
}

/// Whose CPU time its work costs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Process {
    /// Nobody's but PostgreSQL's.
    None,
    /// This process's.
    Own,
    /// Another process's.
    Other(u32),
}

impl Process {
    /// Its CPU time so far.
    pub(crate) fn cpu(self) -> Option<Cpu> {
        match self {
            Self::None => None,
            Self::Own => Some(Cpu::own()),
            Self::Other(pid) => Some(Cpu::of(pid)),
        }
    }
}

/// One PostgreSQL and everything that stands in front of it. The gateways' grants mask.
pub(crate) struct Contenders {
    /// In the order of their turns; the gateway last.
    pub(crate) plain: Vec<Contender>,
    /// The same inside TLS.
    pub(crate) tls: Vec<Contender>,
    phigates: Vec<Phigate>,
    pumps: Vec<Pump>,
    pgbouncers: Vec<Pgbouncer>,
    cluster: Cluster,
    directory: tempfile::TempDir,
}

impl Contenders {
    /// Starts what there is.
    pub(crate) async fn start(recording: &'static str, accounts: u32, stream_rows: u32) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let ca = DevCa::load_or_create(directory.path()).expect("a certificate authority");
        let identity = ca
            .server("server", &["127.0.0.1", "localhost"])
            .expect("a certificate");
        let cluster = cluster(directory.path(), accounts, stream_rows).await;
        let server = SocketAddr::new(cluster.host().parse().expect("an address"), cluster.port());
        let mut contenders = Self {
            plain: Vec::new(),
            tls: Vec::new(),
            phigates: Vec::new(),
            pumps: Vec::new(),
            pgbouncers: Vec::new(),
            cluster,
            directory,
        };
        contenders.direct(server.port(), &ca);
        contenders.pump(server, &ca, &identity).await;
        contenders.pgbouncer(&ca).await;
        for tls in [false, true] {
            let phigate = gateway(contenders.cluster.url("clinic"), recording, tls).await;
            contenders.add_gateway(phigate, tls).await;
        }
        contenders
    }

    /// Ends everything.
    pub(crate) async fn stop(mut self) {
        for phigate in &mut self.phigates {
            phigate.stop().await;
        }
    }

    fn push(&mut self, name: &str, port: u16, ca: Option<PathBuf>, process: Process) {
        let contender = Contender {
            name: name.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            user: "postgres".to_owned(),
            password: self.cluster.superuser_password().to_owned(),
            ca,
            process,
        };
        match &contender.ca {
            None => self.plain.push(contender),
            Some(_) => self.tls.push(contender),
        }
    }

    fn direct(&mut self, port: u16, ca: &DevCa) {
        for ca in [None, Some(ca.certificate_path())] {
            self.push("direct", port, ca, Process::None);
        }
    }

    async fn pump(&mut self, server: SocketAddr, ca: &DevCa, identity: &Identity) {
        for ca in [None, Some(ca.certificate_path())] {
            let pump = Pump::start(server, ca.is_some().then_some(identity)).await;
            self.push("pump", pump.port, ca, Process::Own);
            self.pumps.push(pump);
        }
    }

    async fn pgbouncer(&mut self, ca: &DevCa) {
        let directory = self.directory.path().to_owned();
        for ca in [None, Some(ca.certificate_path())] {
            let identity = ca.as_ref().map(|_| directory.as_path());
            let Some(pgbouncer) = Pgbouncer::start(&self.cluster, identity).await else {
                return;
            };
            self.push(
                "pgbouncer",
                pgbouncer.port,
                ca,
                Process::Other(pgbouncer.pid),
            );
            self.pgbouncers.push(pgbouncer);
        }
    }

    async fn add_gateway(&mut self, phigate: Phigate, tls: bool) {
        let contender = masked(&phigate, "gateway").await;
        if tls {
            self.tls.push(contender);
        } else {
            self.plain.push(contender);
        }
        self.phigates.push(phigate);
    }
}

/// A phigate in front of somebody else's PostgreSQL.
pub(crate) async fn gateway(upstream: String, recording: &'static str, tls: bool) -> Phigate {
    let house = House::default()
        .enforcement("inline")
        .recording(recording)
        .classification(CLASSIFICATION)
        .upstream(upstream);
    let house = if tls { house.tls() } else { house };
    // It wants one of its own, which stays empty.
    house.start_on(postgres()).await
}

/// A phigate under a grant that masks.
pub(crate) async fn masked(phigate: &Phigate, name: &str) -> Contender {
    let grant = phigate.grant("bench").sessions(MOST_SESSIONS);
    let login = grant.create().await;
    Contender {
        name: name.to_owned(),
        host: login.host,
        port: login.port,
        user: login.user,
        password: login.password,
        ca: login.ca,
        process: Process::Own,
    }
}

/// PostgreSQL with both tables, which speaks TLS to those who ask.
pub(crate) async fn cluster(identity: &Path, accounts: u32, stream_rows: u32) -> Cluster {
    let read = |file: &str| std::fs::read_to_string(identity.join(file)).expect("PEM");
    let mut options = Options::default()
        .with("shared_buffers", "512MB")
        .with("max_connections", "500");
    options.tls = Some(ServerTls {
        certificate_pem: read("server.pem"),
        key_pem: read("server.key"),
    });
    let cluster = postgres_with(options);
    let sql = format!(
        "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
         INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, {accounts}) AS n;
         CREATE TABLE wide AS SELECT n AS id, repeat(md5(n::text), 6) AS body, '900-00-0000'::char(11) AS ssn
           FROM generate_series(1, {stream_rows}) AS n;"
    );
    cluster
        .execute("postgres", "CREATE DATABASE clinic")
        .await
        .expect("a database");
    cluster.execute("clinic", &sql).await.expect("tables");
    cluster
        .execute("clinic", "VACUUM ANALYZE")
        .await
        .expect("statistics");
    cluster
}
