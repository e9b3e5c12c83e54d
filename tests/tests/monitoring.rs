//! What operators look at: metrics, health, readiness and the log; and that no protected value is in any of
//! them.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use phigate_testkit::client::Client;
use phigate_testkit::{clinic, eventually, hospital, within};
use phigate_tests::Login;
use phigate_tests::canary::World;
use phigate_tests::fleet::{Daemon, Fleet, Plan};
use phigate_wire::frontend;
use rustix::process::Signal;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Every line of our own there is.
const EVERYTHING: &str = "PHIGATE_LOG=info,phigate=trace,phigate_gateway=trace,phigate_control=trace,phigate_catalog=trace";

async fn fleet() -> Fleet {
    let mut plan = Plan::new(vec![env!("CARGO_BIN_EXE_daemon").into()], 1);
    plan.before = vec!["env".into(), EVERYTHING.into()];
    let cluster = hospital().await;
    let filled = cluster.execute(clinic::DATABASE, &World::One.sql()).await;
    filled.expect("the canaries are in");
    plan.start(cluster).await
}

/// The status and everything else that is answered to these bytes.
async fn say(address: SocketAddr, bytes: &[u8]) -> (u16, String) {
    within("an answer", async {
        let mut socket = TcpStream::connect(address).await.expect("it listens");
        // It may have answered before it has read all.
        let _ = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).expect("text");
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        (status.unwrap_or(0), answer)
    })
    .await
}

async fn get(daemon: &Daemon, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: phigate\r\n\r\n");
    say(daemon.monitoring, request.as_bytes()).await
}

async fn metrics(daemon: &Daemon) -> String {
    let (status, body) = get(daemon, "/metrics").await;
    assert_eq!(status, 200, "{body}");
    assert!(body.ends_with("# EOF\n"), "{body}");
    body
}

/// The value of a series.
fn value(metrics: &str, series: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(series));
    let value = line.and_then(|rest| rest.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("{series} is not in\n{metrics}"));
    value.parse().expect("a number")
}

/// The words of a text that begin with `phigate_`.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'))
        .filter(|word| word.starts_with("phigate_"))
        .collect()
}

/// A day in the life of a gateway: with masked values asked for, named, bound, misused and mistyped.
async fn a_day(fleet: &Fleet) -> Login {
    let login = fleet.grant("alice", |_| {}).await;
    let mut client = login.connect_raw().await;
    for sql in [
        "SELECT * FROM patients",
        "SELECT first_name, ssn FROM patients WHERE last_name = 'Qzxlast1'",
        "SELECT last_name::integer FROM patients",
        "SELECT 'Qzx'::integer",
        "SELECT \"Qzx\" FROM patients",
        "SELECT Qzx FROM Qzx",
        "SELECT pg_read_file('Qzx')",
        "SELECT 'Qzx",
        "SELECT 1 / 0 FROM notes WHERE body LIKE '%Qzx%'",
        "COPY patients TO STDOUT",
        "SET application_name = 'Qzx'",
        "PREPARE qzx AS SELECT 'Qzx'",
        "BEGIN; SAVEPOINT qzx; ROLLBACK TO Qzx; COMMIT",
    ] {
        client.query(sql).await;
    }
    for sql in [
        "SELECT $1::text",
        "SELECT $1::integer",
        "SELECT count(*) FROM patients WHERE ssn = $1",
    ] {
        client.extended(sql, &[Some("Qzx-0000001")]).await;
    }
    for (user, password, database) in [
        (login.user.as_str(), "Qzx", "clinic"),
        ("Qzx", "Qzx", "clinic"),
        (login.user.as_str(), login.password.as_str(), "Qzx"),
    ] {
        let mut stranger = Client::connect(login.address()).await;
        let refused = stranger.login(user, password, database).await;
        assert!(refused.is_err());
    }
    let mut mad = login.connect_raw().await;
    mad.send(b"Qzx Qzx Qzx").await;
    mad.rest().await;
    client.say(|out| frontend::query("BEGIN", out)).await;
    client.answer().await;
    let report = fleet
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    assert_eq!(report.gateways.len(), 1, "{report:?}");
    client.rest().await;
    login
}

#[tokio::test]
async fn no_protected_value_is_in_logs_metrics_or_health() {
    let fleet = fleet().await;
    a_day(&fleet).await;
    let gateway = &fleet.gateways[0];
    gateway.says("session ended", 2).await;
    for daemon in [gateway, &fleet.control] {
        let mut shown = daemon.said();
        for path in ["/metrics", "/healthz", "/readyz", "/Qzy"] {
            shown.push_str(&get(daemon, path).await.1);
        }
        assert!(shown.contains("phigate"), "{shown}");
        // Three small letters may stand in an id: as a word they do not.
        let mut words = shown.split(|c: char| !c.is_ascii_alphanumeric());
        assert!(!words.any(|word| word == "qzx"), "{shown}");
        let canaries = World::One.canaries();
        let leaks = canaries.iter().filter(|canary| canary.as_slice() != b"qzx");
        for canary in leaks {
            let found = shown
                .as_bytes()
                .windows(canary.len())
                .any(|window| window == canary);
            assert!(!found, "{} in {shown}", String::from_utf8_lossy(canary));
        }
    }
    // The log is lines of JSON, each with a level and a message.
    for line in gateway.said().lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(
            line["level"].is_string() && line["message"].is_string(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn what_happens_is_counted_and_what_dashboard_and_alerts_name_is_there() {
    let fleet = fleet().await;
    let login = fleet.grant("bob", |_| {}).await;
    let mut idle = login.connect_raw().await;
    let mut transaction = login.connect_raw().await;
    transaction.query("BEGIN").await.ok();
    a_day(&fleet).await;
    // What is counted when a session is gone comes after its end.
    let gateway = eventually("the count of what was revoked", async || {
        let shown = metrics(&fleet.gateways[0]).await;
        let revoked = value(&shown, "phigate_sessions_ended_total{reason=\"revoked\"}");
        (revoked > 0.5).then_some(shown)
    })
    .await;
    let control = metrics(&fleet.control).await;
    for (series, expected) in [
        ("phigate_sessions{state=\"idle\"}", 1.0),
        ("phigate_sessions{state=\"in_transaction\"}", 1.0),
        ("phigate_sessions{state=\"busy\"}", 0.0),
        ("phigate_sessions_opened_total", 4.0),
        ("phigate_sessions_ended_total{reason=\"revoked\"}", 1.0),
        ("phigate_sessions_ended_total{reason=\"protocol\"}", 1.0),
        ("phigate_changes_total{kind=\"grant\"}", 1.0),
        (
            "phigate_logins_refused_total{reason=\"wrong_password\"}",
            1.0,
        ),
        ("phigate_lease_held", 1.0),
        ("phigate_draining", 0.0),
        ("phigate_log_failed", 0.0),
        ("phigate_database_ready{database=\"clinic\"}", 1.0),
    ] {
        assert!(
            (value(&gateway, series) - expected).abs() < 0.5,
            "{series}\n{gateway}"
        );
    }
    assert!(
        value(&gateway, "phigate_lease_age_seconds") < 5.0,
        "{gateway}"
    );
    assert!(
        value(&gateway, "phigate_kill_seconds_count") > 0.0,
        "{gateway}"
    );
    assert!(
        value(&gateway, "phigate_released_rows_total") > 0.0,
        "{gateway}"
    );
    assert!(
        value(&gateway, "phigate_released_bytes_total") > 0.0,
        "{gateway}"
    );
    assert!(value(&gateway, "phigate_log_leaves") > 0.0, "{gateway}");
    for (series, expected) in [
        ("phigate_control_barrier_seconds_count", 1.0),
        ("phigate_control_leases_waited_out_total", 0.0),
        ("phigate_control_gateways", 1.0),
        ("phigate_control_store_answers", 1.0),
    ] {
        assert!(
            (value(&control, series) - expected).abs() < 0.5,
            "{series}\n{control}"
        );
    }
    let shown: BTreeSet<&str> = named(&gateway).union(&named(&control)).copied().collect();
    for (file, text) in [
        (
            "the dashboard",
            include_str!("../../deploy/grafana/phigate.json"),
        ),
        (
            "the alerts",
            include_str!("../../deploy/prometheus/phigate.rules.yml"),
        ),
        (
            "docs/operations.md",
            include_str!("../../docs/operations.md"),
        ),
    ] {
        let missing: Vec<_> = named(text).difference(&shown).copied().collect();
        assert!(missing.is_empty(), "{file} names {missing:?}");
    }
    // And the other way round: nothing is counted that nobody is shown.
    let drawn = named(include_str!("../../deploy/grafana/phigate.json"));
    let families = gateway.lines().chain(control.lines());
    for family in families.filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = family.split(' ').next().expect("a name");
        let is_drawn = drawn.iter().any(|drawn| drawn.starts_with(name));
        assert!(is_drawn, "{name} is on no panel");
    }
    answers(&mut idle).await;
}

async fn answers(client: &mut Client) {
    assert_eq!(client.query("SELECT 1").await.ok().value().unwrap(), "1");
}

#[tokio::test]
async fn ready_is_who_may_serve_and_healthy_who_moves() {
    let fleet = fleet().await;
    let gateway = &fleet.gateways[0];
    let ready = async |status: u16, line: &str| {
        eventually(line, async || {
            let (answered, body) = get(gateway, "/readyz").await;
            (answered == status && body.contains(line)).then_some(())
        })
        .await;
    };
    ready(200, "ok: lease").await;
    ready(200, "ok: database clinic").await;
    assert_eq!(get(&fleet.control, "/readyz").await.0, 200);
    fleet.control.signal(Signal::STOP);
    ready(503, "not ok: lease").await;
    assert_eq!(get(gateway, "/healthz").await.0, 200);
    assert!(value(&metrics(gateway).await, "phigate_lease_held") < 0.5);
    fleet.control.signal(Signal::CONT);
    ready(200, "ok: lease").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut busy = login.connect_raw().await;
    busy.query("BEGIN").await.ok();
    gateway.signal(Signal::TERM);
    ready(503, "not ok: not stopping").await;
}

#[tokio::test]
async fn the_monitoring_listener_takes_little() {
    let fleet = fleet().await;
    let gateway = &fleet.gateways[0];
    assert_eq!(get(gateway, "/").await.0, 404);
    assert_eq!(get(gateway, "/metrics/../readyz").await.0, 404);
    let post = b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    assert_eq!(say(gateway.monitoring, post).await.0, 405);
    let mut long = b"GET /metrics HTTP/1.1\r\nX: ".to_vec();
    long.resize(1 << 20, b'x');
    assert_ne!(say(gateway.monitoring, &long).await.0, 200);
    assert_ne!(
        say(gateway.monitoring, b"\x16\x03\x01\r\n\r\n").await.0,
        200
    );
    // Those who say nothing take every place; who comes next is not heard, and nobody is harmed.
    let mut silent = Vec::new();
    for _ in 0..16 {
        silent.push(TcpStream::connect(gateway.monitoring).await.unwrap());
    }
    eventually("no place", async || {
        (get(gateway, "/healthz").await.0 == 0).then_some(())
    })
    .await;
    let login = fleet.grant("alice", |_| {}).await;
    answers(&mut login.connect_raw().await).await;
    drop(silent);
    eventually("a place", async || {
        (get(gateway, "/healthz").await.0 == 200).then_some(())
    })
    .await;
}
