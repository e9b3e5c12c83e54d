//! Sessions end when their grant does, in whatever state they are.

use std::time::{Duration, Instant};

use futures_util::{TryStreamExt, pin_mut};
use phigate_testkit::client::Client;
use phigate_testkit::{eventually, within};
use phigate_tests::{Login, Phigate, Refused};

/// Rows without end, as far as a test is concerned: about 100 million.
const ENDLESS: &str =
    "SELECT e.*, n FROM encounters AS e CROSS JOIN generate_series(1, 100000) AS n";

async fn session_of(phigate: &Phigate, login: &Login) -> String {
    phigate.admin.sessions(&login.grant_id).await[0]
        .session_id
        .clone()
}

async fn backend_is_gone(phigate: &Phigate, session: &str) {
    eventually("the end of the backend", async || {
        (phigate.backends_of(session).await == 0).then_some(())
    })
    .await;
}

fn assert_revoked(ended: &Refused, login: &Login) {
    assert_eq!(
        (ended.severity.as_str(), ended.code.as_str()),
        ("FATAL", "57P01"),
        "{ended}"
    );
    assert!(ended.message.contains(&login.grant_id), "{ended}");
    assert!(ended.detail.contains("the study is over"), "{ended:?}");
}

async fn revoke(phigate: &Phigate, login: &Login) {
    let report = phigate
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    let [gateway] = report.gateways.as_slice() else {
        panic!("{report:?}")
    };
    assert!(!gateway.lease_over, "{report:?}");
    assert_eq!(gateway.sessions_ended, 1, "{report:?}");
}

#[tokio::test]
async fn an_idle_session_ends_with_the_reason_and_its_backend_goes() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let analyst = login.connect().await;
    let session = session_of(&phigate, &login).await;
    assert_eq!(phigate.backends_of(&session).await, 1);
    revoke(&phigate, &login).await;
    assert_revoked(&analyst.ended().await, &login);
    backend_is_gone(&phigate, &session).await;
}

#[tokio::test]
async fn a_second_login_after_revocation_is_refused_with_the_way_out() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let _analyst = login.connect().await;
    revoke(&phigate, &login).await;
    let refused = login.try_connect().await.unwrap_err();
    assert_eq!(refused.code, "28000", "{refused}");
    assert!(refused.hint.contains("phictl"), "{refused}");
}

#[tokio::test]
async fn a_session_in_a_transaction_ends_and_the_transaction_with_it() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let analyst = login.connect().await;
    analyst.rows("BEGIN").await;
    analyst
        .rows("DECLARE c CURSOR FOR SELECT * FROM patients")
        .await;
    analyst.rows("FETCH 10 FROM c").await;
    let session = session_of(&phigate, &login).await;
    revoke(&phigate, &login).await;
    assert_revoked(&analyst.ended().await, &login);
    backend_is_gone(&phigate, &session).await;
}

#[tokio::test]
async fn a_streaming_result_is_cut() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let analyst = login.connect().await;
    let none: [&str; 0] = [];
    let rows = analyst.client.query_raw(ENDLESS, none).await.unwrap();
    pin_mut!(rows);
    for _ in 0..100 {
        within("a row", rows.try_next())
            .await
            .unwrap()
            .expect("there are more");
    }
    let session = session_of(&phigate, &login).await;
    revoke(&phigate, &login).await;
    let mut cut = within("the cut", async {
        loop {
            match rows.try_next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("the result was complete"),
                Err(error) => return Refused::from(&error),
            }
        }
    })
    .await;
    // FATAL is best effort, silence is not: either the words or a closed connection.
    if cut.code.is_empty() {
        cut = analyst.ended().await;
    }
    assert!(cut.code.is_empty() || cut.code == "57P01", "{cut}");
    backend_is_gone(&phigate, &session).await;
}

#[tokio::test]
async fn a_client_that_does_not_read_cannot_hold_the_barrier_up() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let mut client = Client::connect_narrow(login.address()).await;
    client
        .login(&login.user, &login.password, "clinic")
        .await
        .unwrap();
    let session = session_of(&phigate, &login).await;
    client
        .say(|out| phigate_wire::frontend::query(ENDLESS, out))
        .await;
    // It sends until every buffer on the way is full.
    let url = phigate.cluster.url("postgres");
    let stuck = format!(
        "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '{session}%'
         AND wait_event = 'ClientWrite'"
    );
    eventually("a full road", async || {
        (!phigate_tests::analyst::direct(&url, &stuck)
            .await
            .is_empty())
        .then_some(())
    })
    .await;
    let start = Instant::now();
    revoke(&phigate, &login).await;
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "the lease was waited out"
    );
    backend_is_gone(&phigate, &session).await;
    assert!(client.rest().await.closed());
}

#[tokio::test]
async fn a_statement_that_waits_for_a_lock_ends() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let analyst = login.connect().await;
    let session = session_of(&phigate, &login).await;
    let url = phigate.cluster.url("clinic");
    let (owner, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    owner
        .simple_query("BEGIN; LOCK TABLE departments")
        .await
        .unwrap();
    let client = analyst.client;
    let waiting =
        tokio::spawn(async move { client.simple_query("SELECT * FROM departments").await });
    let blocked = format!(
        "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE '{session}%'
         AND wait_event_type = 'Lock'"
    );
    eventually("a blocked statement", async || {
        (!phigate_tests::analyst::direct(&url, &blocked)
            .await
            .is_empty())
        .then_some(())
    })
    .await;
    revoke(&phigate, &login).await;
    assert!(within("the statement", waiting).await.unwrap().is_err());
    backend_is_gone(&phigate, &session).await;
}

#[tokio::test]
async fn expiry_ends_the_session_and_bars_the_next() {
    let phigate = Phigate::start().await;
    let login = phigate
        .grant("alice")
        .lasting(Duration::from_secs(2))
        .create()
        .await;
    let analyst = login.connect().await;
    let session = session_of(&phigate, &login).await;
    assert_eq!(analyst.value("SELECT 1").await, "1");
    let ended = analyst.ended().await;
    assert_eq!(ended.code, "57P01", "{ended}");
    assert!(ended.message.contains("expired"), "{ended}");
    backend_is_gone(&phigate, &session).await;
    let refused = login.try_connect().await.unwrap_err();
    assert_eq!(refused.code, "28000", "{refused}");
}

#[tokio::test]
async fn killing_one_session_leaves_the_grant_and_the_others() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let doomed = login.connect().await;
    let session = session_of(&phigate, &login).await;
    let spared = login.connect().await;
    phigate.admin.kill(&session, "a mistake").await;
    assert_eq!(doomed.ended().await.code, "57P01");
    assert_eq!(spared.value("SELECT 1").await, "1");
    login.connect().await;
}

#[tokio::test]
async fn revoking_one_grant_leaves_the_others() {
    let phigate = Phigate::start().await;
    let (one, other) = (
        phigate.grant("alice").create().await,
        phigate.grant("alice").create().await,
    );
    let (ends, lives) = (one.connect().await, other.connect().await);
    revoke(&phigate, &one).await;
    assert_revoked(&ends.ended().await, &one);
    assert_eq!(lives.value("SELECT count(*) FROM patients").await, "300");
}

#[tokio::test]
async fn a_revocation_reaches_every_session_of_the_grant() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let mut analysts = Vec::new();
    for _ in 0..8 {
        analysts.push(login.connect().await);
    }
    let report = phigate
        .admin
        .revoke(&login.grant_id, "the study is over")
        .await;
    assert_eq!(report.gateways[0].sessions_ended, 8, "{report:?}");
    for analyst in analysts {
        assert_revoked(&analyst.ended().await, &login);
    }
}
