//! SIGHUP: certificates, classification and principals are taken over by a daemon that serves; what is
//! wrong, or holds until a restart, is refused in whole and said.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

use phigate_pki::{DevCa, Identity};
use phigate_testkit::client::{Client, Tls};
use phigate_testkit::{clinic, eventually, hospital};
use phigate_tests::Login;
use phigate_tests::fleet::{Daemon, Fleet, Plan};
use rustix::process::Signal;

const RELOADED: &str = "\"reloaded\"";
const REFUSED: &str = "not reloaded";

fn plan() -> Plan {
    Plan::new(vec![env!("CARGO_BIN_EXE_daemon").into()], 1)
}

/// Logged in over TLS, where this authority has signed the gateway's certificate.
async fn trusting(ca: &DevCa, login: &Login) -> Option<Client> {
    let tls = Tls::Verified {
        ca_pem: ca.certificate_pem().to_owned(),
        name: "127.0.0.1".to_owned(),
    };
    // Direct TLS, because a handshake that fails is an answer.
    let client = Client::connect_direct_tls(login.address(), &tls, &["postgresql"]).await;
    let mut client = client.ok()?;
    let done = client.login(&login.user, &login.password, "clinic").await;
    done.expect("the grant is live");
    Some(client)
}

async fn answers(client: &mut Client) {
    assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
}

/// Puts another certificate and key in the place of a daemon's.
fn replace(daemon: &Daemon, stem: &str, identity: &Identity) {
    let file = |suffix: &str| daemon.file(&format!("state/pki/{stem}.{suffix}"));
    std::fs::remove_file(file("key")).unwrap();
    std::fs::write(file("pem"), &identity.cert_chain_pem).unwrap();
    phigate_pki::write_new_secret_file(&file("key"), identity.key_pem.expose()).unwrap();
}

fn authority(directory: &Path) -> DevCa {
    DevCa::load_or_create(directory).unwrap()
}

/// The authority of the fleet.
fn own(fleet: &Fleet) -> DevCa {
    authority(&fleet.control.file("state/pki"))
}

#[tokio::test]
async fn the_certificate_that_clients_see_is_replaced_and_sessions_go_on() {
    let mut plan = plan();
    plan.tls = true;
    let fleet = plan.start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let own = own(&fleet);
    let mut before = eventually("a session", async || trusting(&own, &login).await).await;
    let gateway = &fleet.gateways[0];

    // What is no key is refused, and nothing changes.
    let key = gateway.file("state/pki/server.key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::write(&key, "no key").unwrap();
    gateway.signal(Signal::HUP);
    gateway.says(REFUSED, 1).await;
    assert!(gateway.said().contains("server.key"), "{}", gateway.said());
    assert!(trusting(&own, &login).await.is_some());
    std::fs::write(&key, kept).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let other = authority(elsewhere.path());
    let identity = other.server("server", &["127.0.0.1"]).unwrap();
    replace(gateway, "server", &identity);
    gateway.signal(Signal::HUP);
    gateway.says(RELOADED, 1).await;
    assert!(
        trusting(&own, &login).await.is_none(),
        "the old certificate"
    );
    // Its login was bound to the new certificate.
    let mut after = trusting(&other, &login).await.expect("a session");
    answers(&mut before).await;
    answers(&mut after).await;
}

#[tokio::test]
async fn the_certificate_towards_the_control_plane_is_replaced_if_it_takes_it() {
    let fleet = plan().start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    let gateway = &fleet.gateways[0];
    let elsewhere = tempfile::tempdir().unwrap();
    let id = "gateway-1".parse().unwrap();

    let strange = authority(&elsewhere.path().join("strange"));
    replace(
        gateway,
        "gateway",
        &strange.gateway("gateway", &id).unwrap(),
    );
    gateway.signal(Signal::HUP);
    gateway.says(REFUSED, 1).await;

    // Another gateway's is not its own, whoever signed it.
    let own = own(&fleet);
    let other = own
        .gateway("another", &"gateway-9".parse().unwrap())
        .unwrap();
    replace(gateway, "gateway", &other);
    gateway.signal(Signal::HUP);
    gateway.says(REFUSED, 2).await;
    assert!(gateway.said().contains("gateway-9"), "{}", gateway.said());
    answers(&mut session).await;

    let renewed = own.gateway("renewed", &id).unwrap();
    replace(gateway, "gateway", &renewed);
    gateway.signal(Signal::HUP);
    gateway.says(RELOADED, 1).await;
    gateway.says("attaching with the new ones", 1).await;
    answers(&mut session).await;
    // The new stream carries revocations as the old one did.
    let report = eventually("a gateway that is attached", async || {
        let report = fleet
            .admin
            .revoke(&login.grant_id, "the study is over")
            .await;
        (!report.gateways.is_empty()).then_some(report)
    })
    .await;
    assert_eq!(report.gateways.len(), 1, "{report:?}");
    let words = session.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
}

#[tokio::test]
async fn the_control_planes_certificate_is_replaced() {
    let mut fleet = plan().start(hospital().await).await;
    let control = &fleet.control;
    let own = own(&fleet);
    let renewed = own
        .server("renewed", &["localhost", "127.0.0.1", "::1"])
        .unwrap();
    replace(control, "control", &renewed);
    control.signal(Signal::HUP);
    control.says(RELOADED, 1).await;
    // A gateway that starts now sees it, and is let in.
    fleet.gateways[0].kill();
    fleet.gateways[0].start();
    fleet.gateways[0].answers().await;
    let login = fleet.grant("alice", |_| {}).await;
    answers(&mut login.connect_raw().await).await;

    let elsewhere = tempfile::tempdir().unwrap();
    let strange = authority(elsewhere.path());
    let identity = strange
        .server("control", &["localhost", "127.0.0.1", "::1"])
        .unwrap();
    replace(&fleet.control, "control", &identity);
    fleet.control.signal(Signal::HUP);
    fleet.control.says(REFUSED, 1).await;
}

#[tokio::test]
async fn another_classification_ends_what_it_narrows() {
    let fleet = plan().start(hospital().await).await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut session = login.connect_raw().await;
    let city = "SELECT count(city) FROM patients";
    assert_ne!(session.query(city).await.ok().value().unwrap(), "0");
    let control = &fleet.control;
    let file = control.file("clinic.phi.csv");

    std::fs::write(&file, "table,column\nnonsense").unwrap();
    control.signal(Signal::HUP);
    control.says(REFUSED, 1).await;
    answers(&mut session).await;

    let row = "patients,city,text,city,null,";
    let narrowed = clinic::CLASSIFICATION.replace(&format!("{row}keep"), &format!("{row}null"));
    assert_ne!(narrowed, clinic::CLASSIFICATION);
    std::fs::write(&file, narrowed).unwrap();
    control.signal(Signal::HUP);
    let words = session.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    control.says(RELOADED, 1).await;
    let mut again = login.connect_raw().await;
    assert_eq!(again.query(city).await.ok().value().unwrap(), "0");

    // Back again it releases more than anybody approved: the grant is over.
    std::fs::write(&file, clinic::CLASSIFICATION).unwrap();
    control.signal(Signal::HUP);
    control.says(RELOADED, 2).await;
    let words = again.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
    let other = fleet.grant("bob", |_| {}).await;
    let mut other = other.connect_raw().await;
    assert_ne!(other.query(city).await.ok().value().unwrap(), "0");
}

#[tokio::test]
async fn what_holds_until_a_restart_is_refused_by_name() {
    let fleet = plan().start(hospital().await).await;
    let gateway = &fleet.gateways[0];
    gateway.reconfigure("recording = \"process\"", "recording = \"strict\"");
    gateway.signal(Signal::HUP);
    gateway.says(REFUSED, 1).await;
    assert!(
        gateway.said().contains("need a restart: audit.recording"),
        "{}",
        gateway.said()
    );
    gateway.reconfigure("recording = \"strict\"", "recoding = \"process\"");
    gateway.signal(Signal::HUP);
    gateway.says(REFUSED, 2).await;
    assert!(
        gateway.said().contains("unknown field"),
        "{}",
        gateway.said()
    );
    let login = fleet.grant("alice", |_| {}).await;
    answers(&mut login.connect_raw().await).await;
}

#[tokio::test]
async fn the_service_manager_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(phigate_testkit::DEADLINE))
        .unwrap();
    let hear = |wanted: &str| loop {
        let mut buffer = [0; 512];
        let len = socket.recv(&mut buffer).expect(wanted);
        let said = String::from_utf8_lossy(&buffer[..len]).into_owned();
        if said.contains(wanted) {
            return said;
        }
    };
    let mut plan = plan();
    plan.within = vec![
        "env".into(),
        format!("NOTIFY_SOCKET={}", path.display()).into(),
        "WATCHDOG_USEC=3000000".into(),
    ];
    let mut fleet = plan.start(hospital().await).await;
    let gateway = &mut fleet.gateways[0];
    hear("READY=1");
    hear("WATCHDOG=1");
    gateway.signal(Signal::HUP);
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    gateway.signal(Signal::TERM);
    hear("STOPPING=1");
    assert!(gateway.ended().await.success());
}
