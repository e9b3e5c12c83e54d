//! What can fail is made to fail, with real processes: each is a section of docs/operations.md, which says
//! what operators and analysts see. Those that are killed, stopped and cut off are in `processes.rs`; drains
//! and reloads in `stopping.rs` and `reloading.rs`.

use std::net::SocketAddr;

use phigate_pki::DevCa;
use phigate_testkit::client::Client;
use phigate_testkit::{Cluster, clinic, eventually, hospital, within};
use phigate_tests::Login;
use phigate_tests::fleet::{Daemon, Fleet, Plan};
use rustix::process::{Resource, Rlimit, Signal, prlimit};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tonic::transport::{Identity, Server, ServerTlsConfig};

fn plan() -> Plan {
    Plan::new(vec![env!("CARGO_BIN_EXE_daemon").into()], 1)
}

async fn fleet() -> Fleet {
    plan().start(hospital().await).await
}

async fn answers(client: &mut Client) {
    assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
}

/// How a login fails; `None` when it does not.
async fn refused(login: &Login) -> Option<String> {
    let mut client = Client::connect(login.address()).await;
    let refused = client.login(&login.user, &login.password, "clinic").await;
    refused.err().map(|error| error.code().as_str().to_owned())
}

/// `/readyz` of a daemon.
async fn ready(daemon: &Daemon) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    within("/readyz", async {
        let mut socket = TcpStream::connect(daemon.monitoring).await.unwrap();
        let request = b"GET /readyz HTTP/1.1\r\nHost: phigate\r\n\r\n";
        socket.write_all(request).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    })
    .await
}

async fn becomes(daemon: &Daemon, line: &str) {
    eventually(line, async || {
        ready(daemon).await.contains(line).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_control_plane_that_is_slow_delays_logins_and_nothing_else() {
    let fleet = fleet().await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    fleet.control.signal(Signal::STOP);
    let later = login.clone();
    let waiting = tokio::spawn(async move { refused(&later).await });
    answers(&mut session).await;
    assert!(!waiting.is_finished(), "nobody could say who may come in");
    fleet.control.signal(Signal::CONT);
    assert_eq!(within("a login", waiting).await.unwrap(), None);
    answers(&mut session).await;
}

#[tokio::test]
async fn a_gateway_with_a_wrong_certificate_serves_nobody_and_both_sides_say_why() {
    let mut fleet = fleet().await;
    let login = fleet.grant("alice", |_| {}).await;
    let gateway = &mut fleet.gateways[0];
    gateway.kill();
    let elsewhere = tempfile::tempdir().unwrap();
    let strange = DevCa::load_or_create(elsewhere.path()).unwrap();
    let id = "gateway-1".parse().unwrap();
    let identity = strange.gateway("gateway", &id).unwrap();
    let file = |suffix: &str| gateway.file(&format!("state/pki/gateway.{suffix}"));
    let kept = (
        std::fs::read(file("pem")).unwrap(),
        std::fs::read(file("key")).unwrap(),
    );
    std::fs::write(file("pem"), &identity.cert_chain_pem).unwrap();
    std::fs::write(file("key"), identity.key_pem.expose()).unwrap();
    gateway.start();
    gateway.says("detached from the control plane", 1).await;
    fleet.control.says("a TLS handshake failed", 1).await;
    let gateway = &mut fleet.gateways[0];
    gateway.answers().await;
    assert_eq!(refused(&login).await.as_deref(), Some("57P03"));
    becomes(gateway, "not ok: lease").await;
    let file = |suffix: &str| gateway.file(&format!("state/pki/gateway.{suffix}"));
    std::fs::write(file("pem"), kept.0).unwrap();
    std::fs::write(file("key"), kept.1).unwrap();
    gateway.kill();
    gateway.start();
    gateway.answers().await;
    answers(&mut login.connect_raw().await).await;
}

#[tokio::test]
async fn a_control_plane_of_another_version_is_no_control_plane() {
    let mut fleet = fleet().await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    fleet.control.kill();
    let pki = fleet.control.file("state/pki");
    let read = |name: &str| std::fs::read_to_string(pki.join(name)).unwrap();
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(read("control.pem"), read("control.key")));
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let old = Server::builder()
        .tls_config(tls)
        .unwrap()
        .add_routes(tonic::service::Routes::default())
        .serve_with_shutdown(fleet.control.address, async {
            // Its connections end with it.
            let _ = gone.await;
        });
    let old = tokio::spawn(old);
    let words = session.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    assert_eq!(refused(&login).await.as_deref(), Some("57P03"));
    fleet.gateways[0].says("not implemented", 1).await;
    drop(go);
    let ended = within("the end of the old version", old).await;
    ended.unwrap().unwrap();
    fleet.control.start();
    answers(&mut login.connect_raw().await).await;
}

/// Programs that go on when a file may not grow: as on a disk that is full, without filling one.
fn on_a_small_disk() -> Plan {
    let mut plan = plan();
    plan.before = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
        .map(Into::into)
        .into();
    plan
}

/// How many bytes a file of a process may have from now on.
fn room(daemon: &Daemon, bytes: Option<u64>) {
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(daemon.pid()), Resource::Fsize, limit).expect("it is ours");
}

#[tokio::test]
async fn a_gateway_whose_disk_is_full_releases_nothing_and_begins_nothing() {
    let mut fleet = on_a_small_disk().start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    answers(&mut session).await;
    let gateway = &mut fleet.gateways[0];
    room(gateway, Some(1));
    let answer = session.query("SELECT patient_id FROM patients").await;
    assert_eq!(answer.error().code().as_str(), "58030", "{answer:?}");
    assert!(answer.rows().is_empty(), "{answer:?}");
    assert_eq!(refused(&login).await.as_deref(), Some("58030"));
    assert!(ready(gateway).await.contains("not ok: log"));
    // It does not get well by itself: what was not recorded is not known.
    room(gateway, None);
    assert_eq!(refused(&login).await.as_deref(), Some("58030"));
    gateway.kill();
    gateway.start();
    gateway.answers().await;
    answers(&mut login.connect_raw().await).await;
    let log = gateway.file("state/audit/gateway-1");
    let report =
        phigate_audit::verify::verify(&log, &phigate_audit::verify::Options::default()).unwrap();
    let outcome = report.outcome;
    assert!(
        !matches!(outcome, phigate_audit::verify::Outcome::Tampered(_)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_control_plane_whose_disk_is_full_changes_nothing_and_says_so() {
    let mut fleet = on_a_small_disk().start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    let other = fleet.grant("bob", |_| {}).await;
    let mut others = other.connect_raw().await;
    room(&fleet.control, Some(1));
    let request = phigate_tests::admin::request("carol");
    let made = fleet.admin.create(request).await;
    assert!(made.is_err(), "{made:?}");
    // Whoever revokes is told that nothing is revoked. The sessions have ended all the same: they were told
    // beside the commit, not after it.
    let revoked = fleet
        .admin
        .try_revoke(&login.grant_id, "the study is over")
        .await;
    assert!(revoked.is_err(), "{revoked:?}");
    let words = session.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    answers(&mut others).await;
    assert!(
        refused(&login).await.is_some(),
        "a session that nobody wrote down"
    );
    room(&fleet.control, None);
    fleet.control.kill();
    fleet.control.start();
    let report = eventually("a control plane that answers", async || {
        let again = fleet.admin.try_revoke(&login.grant_id, "the study is over");
        again.await.ok()
    })
    .await;
    assert!(report.grant.is_some(), "{report:?}");
    assert_eq!(refused(&login).await.as_deref(), Some("28000"));
}

#[tokio::test]
async fn a_postgresql_that_restarts_ends_its_sessions_and_serves_again() {
    let mut fleet = fleet().await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    answers(&mut session).await;
    fleet.cluster.restart().unwrap();
    let words = session.rest().await;
    // PostgreSQL's own words where it said any, the gateway's where it did not.
    let code = words.error().code();
    assert!(["57P01", "08006"].contains(&code.as_str()), "{words:?}");
    let mut again = eventually("a session", async || {
        let mut client = Client::connect(login.address()).await;
        let done = client.login(&login.user, &login.password, "clinic").await;
        done.is_ok().then_some(client)
    })
    .await;
    answers(&mut again).await;
    becomes(&fleet.gateways[0], "ok: database clinic").await;
}

/// A name for a server that may be another one tomorrow.
struct Road {
    at: SocketAddr,
    to: watch::Sender<String>,
}

impl Road {
    async fn to(cluster: &Cluster) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (to, target) = watch::channel(host(cluster));
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut target = target.clone();
                tokio::spawn(async move {
                    let here = target.borrow_and_update().clone();
                    let mut server = TcpStream::connect(here).await?;
                    tokio::select! {
                        done = copy_bidirectional(&mut socket, &mut server) => done.map(drop),
                        _ = target.changed() => Ok(()),
                    }
                });
            }
        });
        Self { at, to }
    }
}

fn host(cluster: &Cluster) -> String {
    format!("{}:{}", cluster.host(), cluster.port())
}

#[tokio::test]
async fn a_failover_ends_sessions_and_leads_to_the_new_primary() {
    let first = hospital().await;
    let second = hospital().await;
    let road = Road::to(&first).await;
    // The broker has the same password on both, as replicas have.
    let url = clinic::broker_url(&first);
    let password = first.role_password("broker").expect("a password");
    let sql = format!("ALTER ROLE broker PASSWORD '{password}'; DELETE FROM claims");
    second.execute(clinic::DATABASE, &sql).await.unwrap();
    let mut plan = plan();
    plan.upstream = Some(url.replacen(&host(&first), &road.at.to_string(), 1));
    let fleet = plan.start(first).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    let claims = "SELECT count(*) FROM claims";
    assert_ne!(session.query(claims).await.ok().value().unwrap(), "0");
    road.to.send_replace(host(&second));
    let words = session.rest().await;
    assert_eq!(words.error().code().as_str(), "08006", "{words:?}");
    let mut again = login.connect_raw().await;
    assert_eq!(again.query(claims).await.ok().value().unwrap(), "0");
}

#[tokio::test]
async fn of_two_gateways_with_one_identity_the_older_is_fenced() {
    let plan = plan();
    let mut fleet = plan.clone().start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut older = login.connect_raw().await;
    let mut twin = plan.twin(&fleet, 1);
    twin.start();
    let words = older.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    assert_eq!(refused(&login).await.as_deref(), Some("57P03"));
    fleet.gateways[0].says("another process", 1).await;
    becomes(&fleet.gateways[0], "not ok: lease").await;
    let mut login = login;
    login.port = twin.address.port();
    answers(&mut login.connect_raw().await).await;
    // It stays so until somebody ends one of them.
    assert!(ready(&fleet.gateways[0]).await.contains("not ok: lease"));
    twin.signal(Signal::TERM);
    assert!(twin.ended().await.success());
    fleet.gateways[0].kill();
    fleet.gateways[0].start();
    fleet.gateways[0].answers().await;
    login.port = fleet.gateways[0].address.port();
    answers(&mut login.connect_raw().await).await;
}
