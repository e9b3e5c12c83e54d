//! tokio-postgres: the extended protocol, binary throughout.

use std::net::IpAddr;
use std::time::SystemTime;

use futures_util::{TryStreamExt, future, pin_mut};
use phigate_testkit::within;
use phigate_tests::{Phigate, Refused};

#[tokio::test]
async fn prepared_statements_are_reused_with_other_parameters() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    let sql = "SELECT patient_id, ssn, last_name, zip FROM patients WHERE patient_id = $1";
    let statement = alice.client.prepare(sql).await.unwrap();
    for id in [1_i32, 7, 300] {
        let row = alice.client.query_one(&statement, &[&id]).await.unwrap();
        assert_eq!(row.get::<_, i32>(0), id);
        assert_eq!(row.get::<_, Option<String>>(1), None);
        assert_eq!(row.get::<_, String>(2), "[redacted]");
        assert!(row.get::<_, String>(3).len() >= 5);
    }
    assert!(
        alice
            .client
            .query_opt(&statement, &[&301_i32])
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn every_type_of_the_hospital_arrives_in_binary() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").profile("identified").connect().await;
    let sql = "SELECT patient_id, account_number, last_login_ip, photo, registered_at FROM patients
               WHERE photo IS NOT NULL ORDER BY patient_id LIMIT 1";
    let row = alice.client.query_one(sql, &[]).await.unwrap();
    assert!(row.get::<_, i64>(1) >= 4_000_000_000);
    assert!(matches!(row.get::<_, IpAddr>(2), IpAddr::V4(_)));
    assert!(row.get::<_, Vec<u8>>(3).starts_with(&[0xff, 0xd8]));
    assert!(row.get::<_, SystemTime>(4) < SystemTime::now());
    let masked = phigate.grant("alice").connect().await;
    let row = masked.client.query_one(sql, &[]).await;
    assert!(row.is_err(), "photo is masked: no row has one");
}

#[tokio::test]
async fn requests_in_a_pipeline_are_answered_in_order() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    let client = &alice.client;
    let ask = |number: i32| async move {
        client
            .query_one("SELECT $1::int4 * 2, count(*) FROM patients", &[&number])
            .await
    };
    let answers = within("the pipeline", future::join_all((0..50).map(ask))).await;
    for (number, answer) in (0..).zip(answers) {
        let row = answer.unwrap();
        assert_eq!(
            (row.get::<_, i32>(0), row.get::<_, i64>(1)),
            (number * 2, 300)
        );
    }
}

#[tokio::test]
async fn a_refusal_in_a_pipeline_hits_its_own_request_alone() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    let client = &alice.client;
    let (before, refused, after) = within("the pipeline", async {
        tokio::join!(
            client.query_one("SELECT 1::int4", &[]),
            client.query_one("SELECT pg_read_file('x')", &[]),
            client.query_one("SELECT 3::int4", &[]),
        )
    })
    .await;
    assert_eq!(before.unwrap().get::<_, i32>(0), 1);
    let refused = Refused::from(&refused.unwrap_err());
    assert_eq!(refused.code, "42501", "{refused}");
    assert_eq!(after.unwrap().get::<_, i32>(0), 3);
}

#[tokio::test]
async fn a_refusal_fails_the_transaction_as_any_error_does() {
    let phigate = Phigate::start().await;
    let mut alice = phigate.grant("alice").connect().await;
    let transaction = alice.client.transaction().await.unwrap();
    transaction
        .query("SELECT count(*) FROM patients", &[])
        .await
        .unwrap();
    let refused = transaction
        .query("SELECT lo_get(1)", &[])
        .await
        .unwrap_err();
    assert_eq!(Refused::from(&refused).code, "42501");
    let failed = transaction.query("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(Refused::from(&failed).code, "25P02");
    transaction.rollback().await.unwrap();
    assert_eq!(alice.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn a_portal_gives_its_rows_in_parts() {
    let phigate = Phigate::start().await;
    let mut alice = phigate.grant("alice").connect().await;
    let transaction = alice.client.transaction().await.unwrap();
    let portal = transaction
        .bind("SELECT patient_id FROM patients ORDER BY 1", &[])
        .await
        .unwrap();
    let mut seen = 0;
    loop {
        let rows = transaction.query_portal(&portal, 70).await.unwrap();
        if rows.is_empty() {
            break;
        }
        seen += rows.len();
    }
    assert_eq!(seen, 300);
}

#[tokio::test]
async fn copy_out_streams_masked_rows() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    let copy = alice
        .client
        .copy_out("COPY patients (patient_id, ssn, email) TO STDOUT")
        .await
        .unwrap();
    pin_mut!(copy);
    let mut text = Vec::new();
    while let Some(chunk) = within("a chunk", copy.try_next()).await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 300);
    assert!(
        text.lines().all(|line| line.ends_with("\t\\N\t\\N")),
        "{text}"
    );
}

#[tokio::test]
async fn a_cancel_request_stops_the_statement_and_not_the_session() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    let token = alice.client.cancel_token();
    let slow = "SELECT count(*) FROM observations a, observations b, observations c";
    let (outcome, ()) = within("the cancelled statement", async {
        tokio::join!(alice.client.simple_query(slow), async {
            // Repeated, because a cancel request that comes before the statement cancels nothing.
            let mut pause = tokio::time::interval(std::time::Duration::from_millis(100));
            for _ in 0..20 {
                pause.tick().await;
                token.cancel_query(::tokio_postgres::NoTls).await.unwrap();
            }
        })
    })
    .await;
    assert_eq!(Refused::from(&outcome.unwrap_err()).code, "57014");
    assert_eq!(alice.value("SELECT 1").await, "1");
}

#[tokio::test]
async fn an_error_of_the_servers_own_keeps_its_code_and_its_place() {
    let phigate = Phigate::start().await;
    let alice = phigate.grant("alice").connect().await;
    assert_eq!(alice.refused("SELECT 1 / 0").await.code, "22012");
    let unknown = alice
        .refused("SELECT patient_id, nothing FROM patients")
        .await;
    assert_eq!(
        (unknown.code.as_str(), unknown.position),
        ("42703", Some(20)),
        "{unknown:?}"
    );
    let syntax = alice.refused("SELEC 1").await;
    assert_eq!(syntax.code, "42601", "{syntax:?}");
}
