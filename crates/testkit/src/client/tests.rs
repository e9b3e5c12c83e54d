//! Against PostgreSQL itself: what the client shows here is what the gateway has to look like.

use std::net::{Ipv4Addr, SocketAddr};

use phigate_cluster::{Cluster, Options, ServerTls};
use phigate_wire::backend::TransactionStatus;
use phigate_wire::{frontend, scram};

use super::*;
use crate::postgres::{postgres, postgres_with};

fn address(cluster: &Cluster) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, cluster.port()).into()
}

async fn logged_in(cluster: &Cluster) -> Client {
    let mut client = Client::connect(address(cluster)).await;
    let password = cluster.superuser_password();
    client
        .login("postgres", password, "postgres")
        .await
        .expect("a login");
    client
}

#[tokio::test]
async fn a_login_and_a_query() {
    let cluster = postgres();
    let mut client = logged_in(&cluster).await;
    assert_eq!(client.session().mechanism, Some(scram::SHA_256));
    assert_eq!(client.session().parameters["client_encoding"], "UTF8");
    assert!(client.session().key.is_some());

    let answer = client
        .query("SELECT 1 AS one, NULL AS two; SELECT 'x' WHERE false")
        .await
        .ok();
    assert_eq!(answer.tags(), "TDCTCZ");
    assert_eq!(answer.rows(), [[Some("1".to_owned()), None]]);
    assert_eq!(answer.commands(), ["SELECT 1", "SELECT 0"]);
    assert_eq!(answer.status(), Some(TransactionStatus::Idle));

    let answer = client
        .extended("SELECT $1::text AS a", &[Some("é")])
        .await
        .ok();
    assert_eq!(
        (answer.tags(), answer.columns()),
        ("12TDCZ".to_owned(), vec!["a".to_owned()])
    );
    assert_eq!(answer.value().as_deref(), Some("é"));
}

#[tokio::test]
async fn errors_by_field() {
    let cluster = postgres();
    let mut client = logged_in(&cluster).await;
    client.query("BEGIN").await.ok();
    let answer = client.query("SELECT nothing").await;
    assert_eq!(answer.sqlstate(), "42703");
    assert_eq!(answer.error().position(), Some(8));
    assert_eq!(answer.status(), Some(TransactionStatus::Failed));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user() {
    let cluster = postgres();
    for user in ["postgres", "nobody"] {
        let mut client = Client::connect(address(&cluster)).await;
        let refused = client.login(user, "wrong", "postgres").await.unwrap_err();
        assert_eq!(refused.code().as_str(), "28P01");
        assert!(refused.is_fatal());
        assert!(client.rest().await.closed());
    }
}

#[tokio::test]
async fn the_end_of_a_session() {
    let cluster = postgres();
    let mut client = logged_in(&cluster).await;
    cluster
        .execute(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres' \
             AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
    let end = client.rest().await;
    assert_eq!((end.sqlstate(), end.closed()), ("57P01".to_owned(), true));
}

#[tokio::test]
async fn a_cancelled_query() {
    let cluster = postgres();
    let mut client = logged_in(&cluster).await;
    let key = client.session().key.clone().unwrap();
    client
        .say(|out| frontend::query("SELECT pg_sleep(600)", out))
        .await;
    let sleeps = "DO $$ BEGIN \
        PERFORM FROM pg_stat_activity WHERE wait_event = 'PgSleep'; \
        IF NOT FOUND THEN RAISE 'not yet'; END IF; END $$";
    crate::eventually("the query runs", async || {
        cluster.execute("postgres", sleeps).await.ok()
    })
    .await;
    cancel(address(&cluster), &key).await;
    assert_eq!(client.answer().await.sqlstate(), "57014");
}

#[tokio::test]
async fn copy_both_ways() {
    let cluster = postgres();
    let mut client = logged_in(&cluster).await;
    client.query("CREATE TEMP TABLE t (a int)").await.ok();
    client
        .say(|out| frontend::query("COPY t FROM STDIN", out))
        .await;
    assert_eq!(
        client
            .until(phigate_wire::backend::tag::COPY_IN_RESPONSE)
            .await
            .tags(),
        "G"
    );
    client
        .say(|out| {
            frontend::copy_data(b"1\n2\n", out);
            frontend::copy_done(out);
        })
        .await;
    assert_eq!(client.answer().await.ok().commands(), ["COPY 2"]);
    let answer = client.query("COPY t TO STDOUT").await.ok();
    assert_eq!(answer.tags(), "HddcCZ");
    assert!(answer.contains(b"2\n") && !answer.contains(b"3\n"));
}

#[tokio::test]
async fn md5_and_newer_protocols() {
    let cluster = postgres();
    let md5 = "SET password_encryption = md5; CREATE ROLE old LOGIN PASSWORD 'pencil'";
    cluster.execute("postgres", md5).await.unwrap();
    let hba = cluster.directory().join("data/pg_hba.conf");
    let old = std::fs::read_to_string(&hba).unwrap();
    std::fs::write(&hba, format!("host all old 127.0.0.1/32 md5\n{old}")).unwrap();
    cluster
        .execute("postgres", "SELECT pg_reload_conf()")
        .await
        .unwrap();
    crate::eventually("an md5 login", async || {
        let mut client = Client::connect(address(&cluster)).await;
        let login = client.login("old", "pencil", "postgres").await;
        (login.is_ok() && client.session().mechanism.is_none()).then_some(())
    })
    .await;

    let mut client = Client::connect(address(&cluster)).await;
    let params = [("user", "postgres"), ("_pq_.test_protocol_negotiation", "")];
    let password = cluster.superuser_password();
    client
        .login_with((3 << 16) + 9999, &params, password)
        .await
        .expect("a login");
    let (_, unknown) = client.session().negotiated.clone().unwrap();
    assert_eq!(unknown, ["_pq_.test_protocol_negotiation"]);
}

#[tokio::test]
async fn tls_binds_the_channel() {
    let key = rcgen::KeyPair::generate().unwrap();
    let made = rcgen::CertificateParams::new(vec!["db.example".to_owned()]).unwrap();
    let certificate = made.self_signed(&key).unwrap().pem();
    let tls = ServerTls {
        certificate_pem: certificate.clone(),
        key_pem: key.serialize_pem(),
    };
    let cluster = postgres_with(Options {
        tls: Some(tls),
        ..Options::default()
    });
    let verified = |name: &str| Tls::Verified {
        ca_pem: certificate.clone(),
        name: name.to_owned(),
    };
    for tls in [Tls::Unverified, verified("db.example")] {
        let mut client = Client::connect_tls(address(&cluster), &tls).await;
        let password = cluster.superuser_password();
        client
            .login("postgres", password, "postgres")
            .await
            .expect("a login");
        assert_eq!(client.session().mechanism, Some(scram::SHA_256_PLUS));
        client.query("SELECT 1").await.ok();
    }

    let mut stranger = Client::connect(address(&cluster)).await;
    stranger.say(frontend::ssl_request).await;
    assert_eq!(stranger.byte().await, Some(b'S'));
    assert!(
        stranger
            .handshake(&verified("other.example"), &[])
            .await
            .is_err()
    );
}
