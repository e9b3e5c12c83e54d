//! Under an identified grant with `--write` on a passthrough database, PostgreSQL is the judge.

use phigate_wire::frontend;

use crate::house::{Plan, with};

#[test]
fn statements_are_relayed_unread_and_errors_whole() {
    with(
        Plan {
            passthrough: true,
            ..Plan::default()
        },
        async |house| {
            let grant = house
                .grant("identified", |request| request.write = true)
                .await;
            let mut client = house.client(&grant).await;
            assert!(client.session().notices.is_empty());
            client
                .query("CREATE TEMP TABLE t (i int CHECK (i > 0)); DO $$BEGIN END$$")
                .await
                .ok();
            let answer = client.query("INSERT INTO t VALUES (0)").await;
            let error = answer.error();
            assert_eq!(error.code().as_str(), "23514");
            assert!(
                error.get(b'D').is_some() && error.get(b't').is_some(),
                "nothing is dropped"
            );
            let answer = client.query("SELECT oops FROM t").await;
            assert_eq!(answer.error().position(), Some(8));
            client.query("LISTEN x; NOTIFY x, 'hello'").await.ok();
            // abs(int4) is function 1397: the fast path.
            let mut call =
                b"F\0\0\0\x20\0\0\x05\x75\0\x01\0\x01\0\x01\0\0\0\x04\xff\xff\xff\xfb\0\x01"
                    .to_vec();
            let len = u32::try_from(call.len() - 1).unwrap();
            call[1..5].copy_from_slice(&len.to_be_bytes());
            client.send(&call).await;
            let answer = client.answer().await.ok();
            assert_eq!(answer.tags(), "VZ");
            client.query("SET client_encoding TO 'LATIN1'").await.ok();
            client.send(b"Q\0\0\0\x0fSELECT '\xe9'\0").await;
            assert!(
                client.answer().await.ok().contains(b"\xe9"),
                "its encoding is its own"
            );
        },
    );
}

#[test]
fn other_grants_on_the_same_database_are_enforced() {
    with(
        Plan {
            passthrough: true,
            ..Plan::default()
        },
        async |house| {
            let grant = house.grant("identified", |_| {}).await;
            let mut client = house.client(&grant).await;
            client
                .say(|out| frontend::query("CREATE TABLE t (i int)", out))
                .await;
            assert_eq!(client.answer().await.tags(), "EZ");
        },
    );
}
