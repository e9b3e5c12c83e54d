//! What is written down about a session.

use phigate_audit::keys::KeyStore;
use phigate_audit::record::{EndReason, Record};
use phigate_audit::replay::{Content, sessions, timeline};
use phigate_audit::verify::{Options, Outcome, verify};
use phigate_audit::{Level, record};
use phigate_testkit::client::Client;
use phigate_wire::frontend;

use crate::house::{Plan, with};

#[test]
fn every_statement_leaves_an_intent_and_an_outcome() {
    with(
        Plan {
            level: Level::Strict,
            ..Plan::default()
        },
        async |house| {
            let grant = house.grant("limited_dataset", |_| {}).await;
            let mut client = house.client(&grant).await;
            client.query("SELECT 1; SELECT 'canary-simple'").await.ok();
            client
                .extended("SELECT $1::text", &[Some("canary-bound")])
                .await
                .ok();
            client.query("SELECT 1/0").await;
            client.query("CREATE TABLE canary_refused (i int)").await;
            client.say(frontend::terminate).await;
            client.rest().await;
            let mut stranger = Client::connect(house.gateway).await;
            stranger.login("stranger", "x", "clinic").await.unwrap_err();
            house.no_backend_left().await;
            house.close().await;

            let audit = house.dir.path().join("audit");
            let log = audit.join("gateway-1");
            let report = verify(&log, &Options::default()).unwrap();
            assert!(
                !matches!(report.outcome, Outcome::Tampered(_)),
                "{report:?}"
            );
            assert_eq!((report.sessions, report.lost_sessions), (1, 0));
            let all = sessions(&log).unwrap();
            let session = all.sessions.first().unwrap();
            let closed = session.closed.as_ref().unwrap();
            assert_eq!(closed.reason, EndReason::ClientLeft);
            assert_eq!((closed.statements, closed.refused, closed.rows), (4, 1, 3));
            assert_eq!(session.opened.authentication, "scram-sha-256");

            let keys = KeyStore::of_log(&audit.join("keys"), &log).unwrap();
            let steps = timeline(&log, session.session, Some(&keys)).unwrap().steps;
            let kinds: Vec<_> = steps
                .iter()
                .map(|step| step.record.kind().as_str())
                .collect();
            assert_eq!(
                kinds,
                [
                    "session_opened",
                    "statement",
                    "statement",
                    "outcome",
                    "outcome",
                    "prepared",
                    "statement",
                    "outcome",
                    "statement",
                    "outcome",
                    "refused",
                    "session_closed"
                ]
            );
            let clear = |at: usize| match &steps[at].content {
                Content::Clear(payload) => payload.clone(),
                other => panic!("{other:?}"),
            };
            assert_eq!(
                clear(1).sent.as_deref(),
                Some("SELECT 1; SELECT 'canary-simple'")
            );
            assert_eq!(
                clear(6).parameters,
                [record::Parameter::Text("canary-bound".to_owned())]
            );
            assert_eq!(
                clear(10).sent.as_deref(),
                Some("CREATE TABLE canary_refused (i int)")
            );
            let Record::Outcome(outcome) = &steps[4].record else {
                panic!("{kinds:?}")
            };
            assert_eq!(
                (outcome.rows, outcome.tag.as_deref()),
                (1, Some("SELECT 1"))
            );
            assert!(outcome.digest.is_some());
            let Record::Outcome(outcome) = &steps[9].record else {
                panic!("{kinds:?}")
            };
            assert_eq!(outcome.sqlstate.unwrap().as_str(), "22012");

            // Nothing a person typed or got stands in the log in clear.
            for file in std::fs::read_dir(&log).unwrap() {
                let path = file.unwrap().path();
                if path.is_file() {
                    let bytes = std::fs::read(&path).unwrap();
                    assert!(
                        !bytes.windows(6).any(|part| part == b"canary"),
                        "{}",
                        path.display()
                    );
                }
            }
        },
    );
}

#[test]
fn what_cannot_be_recorded_is_not_released() {
    with(Plan::default(), async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query("SELECT 1").await.ok();
        // No further segment can be made.
        std::fs::remove_dir_all(house.dir.path().join("audit").join("gateway-1")).unwrap();
        let long = format!("SELECT length('{}')", "x".repeat(64 << 10));
        let mut answer = client.query(&long).await;
        for _ in 0..200 {
            if answer.errors().is_empty() {
                answer = client.query(&long).await;
            }
        }
        assert_eq!(answer.errors()[0].code().as_str(), "58030", "{answer:?}");
        assert!(!answer.tags().contains('D'), "no row of it: {answer:?}");
        let mut late = Client::connect(house.gateway).await;
        let error = late
            .login("alice", &grant.password, "clinic")
            .await
            .unwrap_err();
        assert_eq!(error.code().as_str(), "58030");
        house.broken_log = true;
    });
}
