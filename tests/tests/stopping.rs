//! SIGTERM: nobody is let in any more, sessions end between transactions, and what is left when the time
//! is over is ended.

use phigate_testkit::client::{Answer, Client};
use phigate_testkit::{eventually, hospital};
use phigate_tests::Login;
use phigate_tests::fleet::{Fleet, Plan};
use phigate_wire::backend::{TransactionStatus, tag};
use phigate_wire::frontend;
use rustix::process::Signal;

/// A result that no buffer on the way holds, with an end.
const LONG: &str = "SELECT e.*, n FROM encounters AS e CROSS JOIN generate_series(1, 20) AS n";

async fn fleet(drain_timeout: &str) -> Fleet {
    let mut plan = Plan::new(vec![env!("CARGO_BIN_EXE_daemon").into()], 1);
    plan.gateway = format!("drain_timeout = \"{drain_timeout}\"");
    plan.start(hospital().await).await
}

/// How a login fails.
async fn refused(login: &Login) -> (String, String) {
    let mut client = Client::connect(login.address()).await;
    let refused = client.login(&login.user, &login.password, "clinic").await;
    let error = refused.expect_err("it is let in");
    (
        error.code().as_str().to_owned(),
        error.message().into_owned(),
    )
}

fn assert_stopping(words: &Answer) {
    let error = words.error();
    assert_eq!(error.code().as_str(), "57P01", "{words:?}");
    assert!(error.message().contains("stopping"), "{words:?}");
}

/// The gateway has ended well, and its log was closed in order.
async fn ended_well(fleet: &mut Fleet) {
    let gateway = &mut fleet.gateways[0];
    let status = gateway.ended().await;
    assert!(status.success(), "{status}");
    gateway.start();
    gateway.says("log opened", 2).await;
    assert!(!gateway.said().contains("clean: false"));
}

#[tokio::test]
async fn idle_sessions_end_at_once_and_transactions_when_they_are_over() {
    let mut fleet = fleet("1h").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut idle = login.connect_raw().await;
    let mut fresh = login.connect_raw().await;
    idle.query("SELECT 1").await.ok();
    let mut busy = login.connect_raw().await;
    busy.query("BEGIN").await.ok();
    fleet.gateways[0].signal(Signal::TERM);
    assert_stopping(&idle.rest().await);
    assert_stopping(&fresh.rest().await);
    let (code, message) = refused(&login).await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("57P03", "the gateway is stopping")
    );
    // As long as it likes, and with what it likes.
    let failed = busy.query("SELECT no_such_column FROM patients").await;
    assert_eq!(failed.status(), Some(TransactionStatus::Failed));
    busy.query("ROLLBACK AND CHAIN").await.ok();
    let count = busy.query("SELECT count(*) FROM patients").await.ok();
    assert!(count.value().is_some());
    busy.say(|out| frontend::query("COMMIT", out)).await;
    let last = busy.rest().await;
    assert_eq!(
        last.commands(),
        ["COMMIT"],
        "its answer came first: {last:?}"
    );
    assert_stopping(&last);
    ended_well(&mut fleet).await;
}

#[tokio::test]
async fn a_result_and_an_open_batch_are_finished() {
    let mut fleet = fleet("1h").await;
    let login = fleet.grant("alice", |_| {}).await;
    // It takes little at a time, so that most of the result is still to come.
    let mut streaming = Client::connect_narrow(login.address()).await;
    let done = streaming
        .login(&login.user, &login.password, "clinic")
        .await;
    done.expect("a session");
    let rows = streaming.query(LONG).await.ok().rows().len();
    streaming.say(|out| frontend::query(LONG, out)).await;
    streaming.until(tag::DATA_ROW).await;
    let mut batch = login.connect_raw().await;
    batch
        .say(|out| {
            frontend::parse("", "SELECT 1", &[], out);
            frontend::bind(&frontend::Bind::default(), out);
            frontend::execute("", 0, out);
            frontend::flush(out);
        })
        .await;
    batch.until(tag::COMMAND_COMPLETE).await;
    let mut witness = login.connect_raw().await;
    fleet.gateways[0].signal(Signal::TERM);
    assert_stopping(&witness.rest().await);
    let rest = streaming.rest().await;
    assert_eq!(rest.rows().len() + 1, rows);
    assert_stopping(&rest);
    batch.say(frontend::sync).await;
    let rest = batch.rest().await;
    assert_eq!(rest.status(), Some(TransactionStatus::Idle), "{rest:?}");
    assert_stopping(&rest);
    ended_well(&mut fleet).await;
}

#[tokio::test]
async fn a_transaction_that_takes_too_long_is_ended() {
    let mut fleet = fleet("0s").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut busy = login.connect_raw().await;
    busy.query("BEGIN").await.ok();
    fleet.gateways[0].signal(Signal::TERM);
    let words = busy.rest().await;
    assert_stopping(&words);
    assert!(words.contains(b"rolled back"), "{words:?}");
    ended_well(&mut fleet).await;
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let mut fleet = fleet("1h").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut busy = login.connect_raw().await;
    busy.query("BEGIN").await.ok();
    let mut silent = Client::connect(login.address()).await;
    let mut idle = login.connect_raw().await;
    fleet.gateways[0].signal(Signal::TERM);
    assert_stopping(&idle.rest().await);
    fleet.gateways[0].signal(Signal::TERM);
    assert_stopping(&busy.rest().await);
    // Who has not even said who he is holds nobody up.
    assert!(silent.rest().await.frames().is_empty());
    ended_well(&mut fleet).await;
}

#[tokio::test]
async fn a_revocation_does_not_wait_for_a_drain() {
    let mut fleet = fleet("1h").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut busy = login.connect_raw().await;
    busy.query("BEGIN").await.ok();
    let mut idle = login.connect_raw().await;
    fleet.gateways[0].signal(Signal::TERM);
    assert_stopping(&idle.rest().await);
    let report = fleet
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    assert!(!report.gateways[0].lease_over, "{report:?}");
    assert_ne!(report.gateways[0].sessions_ended, 0, "{report:?}");
    let words = busy.rest().await;
    assert!(words.error().message().contains("revoked"), "{words:?}");
    ended_well(&mut fleet).await;
}

#[tokio::test]
async fn the_control_plane_ends_well_and_starts_again() {
    let mut fleet = fleet("1h").await;
    let login = fleet.grant("alice", |_| {}).await;
    let mut idle = login.connect_raw().await;
    fleet.control.signal(Signal::TERM);
    let status = fleet.control.ended().await;
    assert!(status.success(), "{status}");
    fleet.control.start();
    eventually("a control plane that answers", async || {
        let again = fleet.admin.try_revoke(&login.grant_id, "the study is over");
        again.await.ok()
    })
    .await;
    let words = idle.rest().await;
    assert_eq!(words.error().code().as_str(), "57P01", "{words:?}");
}
