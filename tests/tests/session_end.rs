//! Sessions end when their grant does, in whatever state they are.

use std::time::{Duration, Instant};

use futures_util::{TryStreamExt, pin_mut};
use phigate_testkit::client::{Answer, Client};
use phigate_testkit::{clinic, eventually, hospital, within};
use phigate_tests::{House, Login, Phigate, Refused};
use phigate_wire::backend::{self, Authentication, tag};
use phigate_wire::{frontend, scram};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

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
    client.say(|out| frontend::query(ENDLESS, out)).await;
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

/// The session's last words, after whatever else was on its way.
fn last_words(rest: &Answer) -> String {
    assert!(rest.closed());
    let error = rest.errors().pop().expect("last words");
    error.code().as_str().to_owned()
}

#[tokio::test]
async fn a_login_that_is_half_done_comes_to_nothing() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let mut client = Client::connect(login.address()).await;
    let names = [("user", login.user.as_str()), ("database", "clinic")];
    client.say(|out| frontend::startup(&names, out)).await;
    client.frame().await.expect("the mechanisms");
    let mut exchange = scram::Client::new(&login.password, [7; scram::NONCE_LEN]);
    client
        .say(|out| frontend::sasl_initial(scram::SHA_256, &exchange.first(), out))
        .await;
    let challenge = client.frame().await.expect("a challenge");
    let challenge = match backend::decode_authentication(challenge.body()) {
        Ok(Authentication::SaslContinue(challenge)) => challenge,
        other => panic!("not a challenge: {other:?}"),
    };
    // With the right password, for a grant that was live when the exchange began.
    let report = phigate.admin.revoke(&login.grant_id, "too late").await;
    assert_eq!(report.gateways[0].sessions_ended, 0, "{report:?}");
    let proof = exchange.respond(&challenge).expect("a challenge for us");
    client.say(|out| frontend::sasl_response(&proof, out)).await;
    assert_eq!(last_words(&client.rest().await), "28000");
    assert!(phigate.admin.sessions(&login.grant_id).await.is_empty());
}

/// A server that lets the catalog's reader in and keeps everybody else waiting; says when it does.
async fn slow_upstream(real: String) -> (u16, mpsc::Receiver<()>) {
    const CATALOG: &[u8] = b"application_name\0phigate catalog\0";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (waits, waiting) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let (real, waits) = (real.clone(), waits.clone());
            tokio::spawn(async move {
                let length = socket.read_u32().await?;
                let mut startup = vec![0; length as usize - 4];
                socket.read_exact(&mut startup).await?;
                if startup.windows(CATALOG.len()).any(|part| part == CATALOG) {
                    let mut server = TcpStream::connect(real).await?;
                    server.write_u32(length).await?;
                    server.write_all(&startup).await?;
                    copy_bidirectional(&mut socket, &mut server).await?;
                } else {
                    let _ = waits.send(()).await;
                    let _ = socket.read(&mut [0]).await;
                }
                std::io::Result::Ok(())
            });
        }
    });
    (port, waiting)
}

#[tokio::test]
async fn a_session_whose_database_does_not_answer_yet_ends() {
    let cluster = hospital().await;
    let real = format!("{}:{}", cluster.host(), cluster.port());
    let (port, mut waiting) = slow_upstream(real).await;
    let ports = [cluster.port(), port].map(|port| format!(":{port}/"));
    let url = clinic::broker_url(&cluster).replacen(&ports[0], &ports[1], 1);
    let url = format!("{url}?sslmode=disable");
    let house = House::default().enforcement("inline").upstream(url);
    let phigate = house.start_on(cluster).await;
    let login = phigate.grant("alice").create().await;
    let connecting = {
        let login = login.clone();
        tokio::spawn(async move { login.try_connect().await.err() })
    };
    within("a session that waits", waiting.recv()).await;
    revoke(&phigate, &login).await;
    let refused = within("its end", connecting).await.unwrap();
    assert_revoked(&refused.expect("it is not let in"), &login);
}

#[tokio::test]
async fn a_copy_out_is_cut() {
    let phigate = Phigate::start().await;
    let login = phigate.grant("alice").create().await;
    let mut client = login.connect_raw().await;
    let session = session_of(&phigate, &login).await;
    let copy = format!("COPY ({ENDLESS}) TO STDOUT");
    client.say(|out| frontend::query(&copy, out)).await;
    client.until(tag::COPY_DATA).await;
    revoke(&phigate, &login).await;
    let rest = client.rest().await;
    assert!(!rest.tags().contains('c'), "it was not complete");
    backend_is_gone(&phigate, &session).await;
}

#[tokio::test]
async fn a_copy_in_is_cut_and_leaves_nothing() {
    let phigate = House::default()
        .enforcement("inline")
        .passthrough()
        .sql("CREATE TABLE landing (n int); GRANT INSERT, SELECT ON landing TO broker")
        .start()
        .await;
    let grant = phigate.grant("alice").profile("identified").write();
    let login = grant.create().await;
    let mut client = login.connect_raw().await;
    let session = session_of(&phigate, &login).await;
    client
        .say(|out| frontend::query("COPY landing FROM STDIN", out))
        .await;
    client.until(tag::COPY_IN_RESPONSE).await;
    client.say(|out| frontend::copy_data(b"1\n2\n", out)).await;
    revoke(&phigate, &login).await;
    assert_eq!(last_words(&client.rest().await), "57P01");
    backend_is_gone(&phigate, &session).await;
    let url = phigate.cluster.url("clinic");
    let landed = phigate_tests::analyst::direct(&url, "SELECT * FROM landing").await;
    assert!(landed.is_empty(), "{landed:?}");
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
        .lasting(Duration::from_secs(5))
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
