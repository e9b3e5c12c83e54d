//! How sessions end: revoked, expired, killed, idle, cut off by either peer, in every state.

use std::time::{Duration, Instant};

use phigate_gateway::Timeouts;
use phigate_testkit::client::{Answer, Client};
use phigate_testkit::within;
use phigate_wire::backend::tag;
use phigate_wire::frontend;

use crate::house::{House, Plan, SHORT, run, with};

/// More rows than any buffer on the way holds.
const ENDLESS: &str = "SELECT repeat('x', 200) FROM generate_series(1, 100000000)";

fn last_words(answer: &Answer) -> (String, String) {
    assert!(answer.closed(), "the connection is closed");
    let error = answer.errors().pop().expect("last words");
    (
        error.code().as_str().to_owned(),
        error.message().into_owned(),
    )
}

async fn revoked(house: &House, state: impl AsyncFnOnce(&mut Client)) -> Answer {
    let grant = house.grant("limited_dataset", |_| {}).await;
    let mut client = house.client(&grant).await;
    state(&mut client).await;
    let answer = house.revoke(&grant).await;
    assert_eq!(answer.gateways.len(), 1);
    assert_eq!(answer.gateways[0].sessions_ended, 1);
    assert!(!answer.gateways[0].lease_over);
    let rest = client.rest().await;
    let id = &grant.grant.as_ref().unwrap().grant_id;
    let (code, message) = last_words(&rest);
    assert_eq!(code, "57P01");
    assert!(message.contains(id.as_str()), "{message}");
    house.no_backend_left().await;
    rest
}

#[test]
fn a_revocation_ends_an_idle_session() {
    run(async |house| {
        let rest = revoked(house, async |client| {
            client.query("SELECT 1").await.ok();
        })
        .await;
        let detail = rest.error().get(b'D').unwrap().to_vec();
        assert!(String::from_utf8_lossy(&detail).contains("left the study"));
    });
}

#[test]
fn a_revocation_ends_a_transaction_and_a_running_statement() {
    run(async |house| {
        revoked(house, async |client| {
            client.query("BEGIN").await.ok();
        })
        .await;
        revoked(house, async |client| {
            let sql = "SELECT count(*) FROM generate_series(1, 1000000000000)";
            client.say(|out| frontend::query(sql, out)).await;
        })
        .await;
        revoked(house, async |client| {
            client
                .say(|out| frontend::parse("half", "SELECT 1", &[], out))
                .await;
        })
        .await;
    });
}

#[test]
fn a_revocation_ends_a_stream() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.say(|out| frontend::query(ENDLESS, out)).await;
        client.until(tag::DATA_ROW).await;
        let reading = tokio::spawn(async move { client.rest().await });
        let answer = house.revoke(&grant).await;
        assert_eq!(answer.gateways[0].sessions_ended, 1);
        let returned = Instant::now();
        let rest = within("the end of the stream", reading).await.unwrap();
        assert!(rest.frames().len() > 1);
        assert!(returned.elapsed() < Duration::from_secs(20));
        house.no_backend_left().await;
    });
}

#[test]
fn a_client_that_does_not_read_cannot_delay_a_revocation() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.narrow_client(&grant).await;
        client.say(|out| frontend::query(ENDLESS, out)).await;
        client.until(tag::DATA_ROW).await;
        // Until everything between the server and this client is full, the server sends.
        phigate_testkit::eventually("the server is blocked", async || {
            let wait = house
                .ask(
                    "SELECT coalesce(wait_event, '') FROM pg_stat_activity WHERE usename = 'broker' \
                     AND query LIKE '%generate_series%'",
                )
                .await;
            (wait == "ClientWrite").then_some(())
        })
        .await;
        let answer = house.revoke(&grant).await;
        assert_eq!(answer.gateways[0].sessions_ended, 1);
        assert!(
            !answer.gateways[0].lease_over,
            "it did not wait for the lease"
        );
        house.no_backend_left().await;
    });
}

#[test]
fn a_killed_session_ends_and_its_grant_lives() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        house.kill(&grant).await;
        assert_eq!(last_words(&client.rest().await).0, "57P01");
        let mut again = house.client(&grant).await;
        assert_eq!(again.query("SELECT 1").await.ok().value().unwrap(), "1");
    });
}

#[test]
fn a_grant_expires_under_its_sessions() {
    run(async |house| {
        let grant = house
            .grant("limited_dataset", |request| {
                request.duration = Some(prost_types::Duration {
                    seconds: 2,
                    nanos: 0,
                });
            })
            .await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                frontend::query(
                    "SELECT count(*) FROM generate_series(1, 1000000000000)",
                    out,
                );
            })
            .await;
        let (code, message) = last_words(&client.rest().await);
        assert_eq!(code, "57P01");
        assert!(message.contains("expired"), "{message}");
        house.no_backend_left().await;
        let mut late = Client::connect(house.gateway).await;
        let error = late
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap_err();
        assert_eq!(error.code().as_str(), "28000");
    });
}

#[test]
fn an_idle_session_ends_and_a_busy_one_does_not() {
    let timeouts = Timeouts {
        idle: SHORT,
        ..Timeouts::default()
    };
    with(
        Plan {
            timeouts,
            ..Plan::default()
        },
        async |house| {
            let grant = house.grant("limited_dataset", |_| {}).await;
            let mut busy = house.client(&grant).await;
            // Runs for several times the limit, without a byte either way.
            let sql = "SELECT count(*) FROM generate_series(1, 10000000)";
            assert_eq!(busy.query(sql).await.ok().value().unwrap(), "10000000");
            let mut client = house.client(&grant).await;
            assert_eq!(last_words(&client.rest().await).0, "57P05");
        },
    );
}

#[test]
fn a_client_that_vanishes_takes_its_backend_along() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let sql = "SELECT count(*) FROM generate_series(1, 1000000000000)";
        client.say(|out| frontend::query(sql, out)).await;
        drop(client);
        house.no_backend_left().await;
    });
}

#[test]
fn a_terminated_backend_is_reported_once() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query("SELECT 1").await.ok();
        let killed = house
            .ask(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                 WHERE usename = 'broker' AND application_name <> 'phigate catalog'",
            )
            .await;
        assert_eq!(killed, "1");
        let rest = client.rest().await;
        assert_eq!(rest.errors().len(), 1, "{rest:?}");
        assert_eq!(last_words(&rest).0, "57P01");
    });
}

#[test]
fn without_its_control_plane_the_gateway_stops_within_the_lease() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let began = Instant::now();
        house.lose_control().await;
        let (code, message) = last_words(&client.rest().await);
        assert_eq!(code, "57P01");
        assert!(message.contains("control plane"), "{message}");
        assert!(began.elapsed() < phigate_lease::LEASE * 4);
        let mut late = Client::connect(house.gateway).await;
        let error = late
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap_err();
        assert_eq!(error.code().as_str(), "57P03");
    });
}

#[test]
fn a_gateway_that_stops_says_so() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        house.close().await;
        let (code, message) = last_words(&client.rest().await);
        assert_eq!(code, "57P01");
        assert!(message.contains("stopping"), "{message}");
        house.no_backend_left().await;
    });
}
