//! Ways to reach the same rows.

use std::net::{Ipv4Addr, SocketAddr};

use phigate_testkit::{Options, postgres_with};
use phigate_tests::{House, Phigate};

use crate::Plan;
use crate::login::Login;
use crate::pgbouncer::Pgbouncer;

/// Everything is open: the cost of the road alone.
const OPEN: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
pgbench_accounts,aid,integer,none,keep,keep
pgbench_accounts,bid,integer,none,keep,keep
pgbench_accounts,abalance,integer,financial,keep,keep
pgbench_accounts,filler,char(84),none,keep,keep
wide,id,integer,none,keep,keep
wide,body,text,none,keep,keep
";

/// A column that the queries do not touch and one that the stream reads are masked.
const MASKED: &str = "\
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
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) user: String,
    pub(crate) password: String,
    /// Whether this process does its work, so that this process's CPU time is its own.
    pub(crate) in_process: bool,
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

/// All of them, over one PostgreSQL each for the open and the masked gateway, so that the gateways
/// read different catalogs; direct and pgbouncer share the first.
pub(crate) struct Contenders {
    all: Vec<Contender>,
    phigates: Vec<Phigate>,
    _pgbouncer: Option<Pgbouncer>,
}

impl Contenders {
    /// Starts what there is.
    pub(crate) async fn start(plan: &Plan) -> Self {
        let mut all = Vec::new();
        let mut phigates = Vec::new();
        let mut pgbouncer = None;
        for (name, classification) in [("gateway", OPEN), ("gateway masked", MASKED)] {
            let cluster = postgres_with(Options::default().with("shared_buffers", "256MB"));
            fill(&cluster, plan, name == "gateway masked").await;
            if all.is_empty() {
                all.push(Contender {
                    name: "direct",
                    host: cluster.host().to_owned(),
                    port: cluster.port(),
                    user: "postgres".to_owned(),
                    password: cluster.superuser_password().to_owned(),
                    in_process: false,
                });
                pgbouncer = Pgbouncer::start(&cluster).await;
                all.extend(
                    pgbouncer
                        .as_ref()
                        .map(|pgbouncer| pgbouncer.contender(&cluster)),
                );
            }
            let upstream = cluster.url("clinic");
            let house = House::default()
                .recording(plan.recording)
                .classification(classification)
                .upstream(upstream);
            let phigate = house.start_on(cluster).await;
            let login = phigate.grant("bench").create().await;
            all.push(Contender {
                name,
                host: login.host,
                port: login.port,
                user: login.user,
                password: login.password,
                in_process: true,
            });
            phigates.push(phigate);
        }
        Self {
            all,
            phigates,
            _pgbouncer: pgbouncer,
        }
    }

    /// In the order of their turns.
    pub(crate) fn all(&self) -> &[Contender] {
        &self.all
    }

    /// Ends everything.
    pub(crate) async fn stop(mut self) {
        for phigate in &mut self.phigates {
            phigate.stop().await;
        }
    }
}

async fn fill(cluster: &phigate_testkit::Cluster, plan: &Plan, masked: bool) {
    let (accounts, rows) = (plan.accounts, plan.stream_rows);
    let ssn = if masked {
        ", '900-00-0000'::char(11) AS ssn"
    } else {
        ""
    };
    let sql = format!(
        "CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
         INSERT INTO pgbench_accounts SELECT n, 1, 0, '' FROM generate_series(1, {accounts}) AS n;
         CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int);
         INSERT INTO pgbench_branches VALUES (1, 0);
         CREATE TABLE wide AS SELECT n AS id, repeat(md5(n::text), 6) AS body{ssn}
           FROM generate_series(1, {rows}) AS n;"
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
}
