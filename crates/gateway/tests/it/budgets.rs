//! Budgets: what leaves under a grant is counted over all its sessions, and cut in the middle of a
//! result.

use phigate_proto::v1::{Budget, CreateGrantResponse};
use phigate_testkit::client::{Answer, Client};
use phigate_testkit::eventually;
use phigate_wire::frontend::{self, Bind};

use crate::house::{House, run};

async fn limited(house: &House, profile: &str, budget: Budget) -> CreateGrantResponse {
    house
        .grant(profile, |request| request.budget = Some(budget))
        .await
}

/// All that arrives for a query, also when the session ends in it.
async fn ask(client: &mut Client, sql: &str) -> Answer {
    client
        .say(|out| phigate_wire::frontend::query(sql, out))
        .await;
    client.answer().await
}

/// What `SHOW phigate.budget` says, which costs nothing.
async fn left(client: &mut Client) -> String {
    let shown = ask(client, "SHOW phigate.budget").await.ok();
    shown.rows()[0][0].clone().expect("a text")
}

fn cut(answer: &Answer, counted: &str) {
    let error = answer.errors().pop().expect("the budget is named");
    assert_eq!(error.code().as_str(), "53400");
    assert!(error.message().contains(counted), "{}", error.message());
    assert!(error.is_fatal() && answer.closed());
}

#[test]
fn a_result_is_cut_at_the_last_row_of_the_budget() {
    run(async |house| {
        let rows = Budget {
            rows: Some(20),
            ..Budget::default()
        };
        let grant = limited(house, "limited_dataset", rows).await;
        let mut client = house.client(&grant).await;
        // What reads nobody's rows costs nothing.
        let free = ask(&mut client, "SELECT g FROM generate_series(1, 100) g").await;
        assert_eq!(free.ok().rows().len(), 100);
        let catalog = ask(&mut client, "SELECT relname FROM pg_class LIMIT 30").await;
        assert_eq!(catalog.ok().rows().len(), 30);
        assert_eq!(left(&mut client).await, "rows 20 of 20");
        let some = ask(&mut client, "SELECT patient_id FROM patients LIMIT 12").await;
        assert_eq!(some.ok().rows().len(), 12);
        assert_eq!(left(&mut client).await, "rows 8 of 20");
        let all = ask(&mut client, "SELECT * FROM patients").await;
        assert_eq!(all.rows().len(), 8);
        cut(&all, "rows");
        let mut another = house.client(&grant).await;
        let none = ask(&mut another, "SELECT patient_id FROM patients LIMIT 1").await;
        assert_eq!(none.rows().len(), 0);
        cut(&none, "rows");
    });
}

/// A portal's name that a cursor takes over, one request at a time and in one pipeline: what runs under
/// it costs what it reads, not what was bound before. Of the name the server keeps 63 bytes.
#[test]
fn a_cursor_costs_what_it_reads_under_whatever_name() {
    run(async |house| {
        let rows = Budget {
            rows: Some(20),
            ..Budget::default()
        };
        let bound = |portal, statement| Bind {
            portal,
            statement,
            ..Bind::default()
        };
        let long = "c".repeat(63);
        let longer = format!("{long}d");
        for (kept, name, piped) in [
            ("c", "c", false),
            ("c", "c", true),
            (long.as_str(), longer.as_str(), false),
        ] {
            let close = format!("CLOSE {kept}");
            let declare = format!("DECLARE {kept} CURSOR FOR SELECT patient_id FROM patients");
            let grant = limited(house, "limited_dataset", rows).await;
            let mut client = house.client(&grant).await;
            client.query("BEGIN").await.ok();
            client
                .say(|out| {
                    frontend::parse("s", "SELECT 1", &[], out);
                    frontend::bind(&bound(name, "s"), out);
                    frontend::sync(out);
                })
                .await;
            client.answer().await.ok();
            if piped {
                client
                    .say(|out| {
                        for sql in [&close, &declare] {
                            frontend::parse("", sql, &[], out);
                            frontend::bind(&bound("", ""), out);
                            frontend::execute("", 0, out);
                        }
                        frontend::execute(name, 0, out);
                        frontend::sync(out);
                    })
                    .await;
            } else {
                client.query(&close).await.ok();
                client.query(&declare).await.ok();
                client
                    .say(|out| {
                        frontend::execute(name, 0, out);
                        frontend::sync(out);
                    })
                    .await;
            }
            let answer = client.answer().await;
            assert_eq!(answer.rows().len(), 20, "{name}, piped: {piped}");
            cut(&answer, "rows");
        }
    });
}

#[test]
fn what_a_session_did_not_use_is_there_for_the_next() {
    run(async |house| {
        let rows = Budget {
            rows: Some(160),
            ..Budget::default()
        };
        let grant = limited(house, "limited_dataset", rows).await;
        let mut client = house.client(&grant).await;
        // A part is ten rows: nine of it go back.
        let one = client
            .extended("SELECT patient_id FROM patients LIMIT 1", &[])
            .await;
        assert_eq!(one.ok().rows().len(), 1);
        drop(client);
        eventually(
            "the first session is closed at the control plane",
            async || house.live_sessions(&grant).await.is_empty().then_some(()),
        )
        .await;
        let mut client = house.client(&grant).await;
        assert_eq!(left(&mut client).await, "rows 159 of 160");
        let rest = client
            .extended("SELECT patient_id FROM patients", &[])
            .await;
        assert_eq!(rest.rows().len(), 159);
        cut(&rest, "rows");
    });
}

#[test]
fn identifier_cells_and_patients_have_budgets_of_their_own() {
    run(async |house| {
        let cells = Budget {
            identifiers: Some(14),
            ..Budget::default()
        };
        let grant = limited(house, "identified", cells).await;
        let mut client = house.client(&grant).await;
        let kept = ask(&mut client, "SELECT patient_id, birth_date FROM patients").await;
        assert_eq!(kept.ok().rows().len(), 300, "no direct identifiers");
        let two = "SELECT ssn, last_name FROM patients";
        assert_eq!(left(&mut client).await, "identifier cells 14 of 14");
        let answer = ask(&mut client, two).await;
        assert_eq!(answer.rows().len(), 7);
        cut(&answer, "identifier cells");

        let patients = Budget {
            patients: Some(5),
            ..Budget::default()
        };
        let grant = limited(house, "limited_dataset", patients).await;
        let mut client = house.client(&grant).await;
        let wards = ask(&mut client, "SELECT * FROM departments").await.ok();
        assert!(!wards.rows().is_empty());
        let answer = ask(&mut client, "SELECT started_at FROM encounters").await;
        assert_eq!(answer.rows().len(), 5);
        cut(&answer, "patients");
    });
}

/// COPY and cursors are no way round.
#[test]
fn every_way_out_is_counted() {
    run(async |house| {
        for sql in [
            "COPY (SELECT patient_id FROM patients) TO STDOUT",
            "BEGIN; DECLARE c CURSOR FOR SELECT patient_id FROM patients; FETCH ALL FROM c; COMMIT",
            "PREPARE p AS SELECT patient_id FROM patients; EXECUTE p",
            "SELECT 1; SELECT patient_id FROM patients; SELECT 2",
            "SELECT (SELECT p.patient_id) FROM patients p UNION ALL SELECT patient_id FROM patients",
        ] {
            let rows = Budget {
                rows: Some(4),
                ..Budget::default()
            };
            let grant = limited(house, "limited_dataset", rows).await;
            let mut client = house.client(&grant).await;
            let answer = ask(&mut client, sql).await;
            let out = answer
                .tags()
                .chars()
                .filter(|tag| "Dd".contains(*tag))
                .count();
            assert!((4..=5).contains(&out), "{sql}: {}", answer.tags());
            cut(&answer, "rows");
        }
    });
}
