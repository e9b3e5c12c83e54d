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

fn patients(most: u64) -> Budget {
    Budget {
        patients: Some(most),
        ..Budget::default()
    }
}

/// Each patient counts once, whatever table, session, protocol or form the key comes in.
#[test]
fn distinct_patients_are_counted_over_every_way_that_shows_a_key() {
    run(async |house| {
        let grant = limited(house, "limited_dataset", patients(40)).await;
        let mut client = house.client(&grant).await;
        let five = "SELECT patient_id FROM patients WHERE patient_id <= 5";
        for _ in 0..2 {
            assert_eq!(ask(&mut client, five).await.ok().rows().len(), 5);
            assert_eq!(left(&mut client).await, "patients 35 of 40");
        }
        // Many rows of few patients; the key from another table, renamed, in a subquery, beside others.
        for sql in [
            "SELECT e.patient_id, e.started_at, o.loinc FROM encounters e JOIN observations o USING (patient_id, encounter_id) WHERE e.patient_id <= 5",
            "SELECT x, n FROM (SELECT patient_id AS x, count(*) AS n FROM encounters GROUP BY 1) s WHERE x <= 5",
            "SELECT city, p.* FROM patients p WHERE patient_id <= 5",
            "SELECT patient_id FROM patients WHERE patient_id <= 3 UNION ALL SELECT patient_id FROM encounters WHERE patient_id <= 5",
        ] {
            let answer = ask(&mut client, sql).await.ok();
            assert!(answer.rows().len() >= 5, "{sql}");
            assert_eq!(left(&mut client).await, "patients 35 of 40", "{sql}");
        }
        // A bound statement, in text and in binary.
        for format in [0, 1] {
            client
                .say(|out| {
                    frontend::parse("", five, &[], out);
                    let bound = Bind {
                        result_formats: vec![format],
                        ..Bind::default()
                    };
                    frontend::bind(&bound, out);
                    frontend::execute("", 3, out);
                    frontend::execute("", 0, out);
                    frontend::sync(out);
                })
                .await;
            assert_eq!(client.answer().await.ok().rows().len(), 5);
            assert_eq!(left(&mut client).await, "patients 35 of 40");
        }
        // Another session of the grant.
        let mut another = house.client(&grant).await;
        assert_eq!(ask(&mut another, five).await.ok().rows().len(), 5);
        assert_eq!(left(&mut another).await, "patients 35 of 40");
        let ten = "SELECT patient_id, birth_date FROM patients WHERE patient_id <= 10";
        assert_eq!(ask(&mut another, ten).await.ok().rows().len(), 10);
        assert_eq!(left(&mut another).await, "patients 30 of 40");
        // The rows before the first patient that there is no room for have left.
        let all = "SELECT patient_id, started_at FROM encounters ORDER BY patient_id";
        let answer = ask(&mut client, all).await;
        let seen: std::collections::BTreeSet<_> =
            answer.rows().iter().map(|row| row[0].clone()).collect();
        assert_eq!(seen.len(), 40);
        cut(&answer, "patients");
        // Who was seen may be seen again.
        let mut again = house.client(&grant).await;
        assert_eq!(ask(&mut again, ten).await.ok().rows().len(), 10);
        let eleventh = "SELECT patient_id FROM patients WHERE patient_id = 41";
        cut(&ask(&mut again, eleventh).await, "patients");
    });
}

/// A row without its patient's key is one patient more each time; what a value cannot be told of is
/// refused before it runs.
#[test]
fn patients_without_a_key_are_never_nobody() {
    run(async |house| {
        for (sql, cost) in [
            ("SELECT birth_date FROM patients WHERE patient_id <= 5", 5),
            (
                "SELECT patient_id::text FROM patients WHERE patient_id <= 5",
                5,
            ),
            (
                "SELECT patient_id + 0 FROM patients WHERE patient_id <= 5",
                5,
            ),
            ("SELECT p FROM patients AS p WHERE patient_id <= 5", 5),
            ("SELECT count(*) FROM patients", 1),
            (
                "SELECT sex, count(*) FROM patients GROUP BY sex HAVING count(*) > 100000",
                0,
            ),
            (
                "SELECT a.patient_id, b.city FROM patients a, patients b WHERE a.patient_id = 1 AND b.patient_id <= 5",
                6,
            ),
            (
                "SELECT a.patient_id, b.patient_id FROM patients a, patients b WHERE a.patient_id = 1 AND b.patient_id <= 5",
                5,
            ),
            (
                "SELECT e.patient_id FROM patients p LEFT JOIN encounters e ON e.patient_id = p.patient_id AND false WHERE p.patient_id <= 5",
                5,
            ),
            (
                "COPY (SELECT patient_id FROM patients WHERE patient_id <= 5) TO STDOUT",
                5,
            ),
            (
                "COPY (SELECT patient_id FROM patients WHERE patient_id <= 5) TO STDOUT (FORMAT binary)",
                6,
            ),
            (
                "BEGIN; DECLARE c CURSOR FOR SELECT patient_id FROM patients WHERE patient_id <= 5; FETCH ALL FROM c; COMMIT",
                5,
            ),
            (
                "PREPARE p AS SELECT patient_id FROM patients WHERE patient_id <= 5; EXECUTE p",
                5,
            ),
            (
                "CREATE TEMP TABLE t AS SELECT patient_id FROM patients WHERE patient_id <= 5",
                0,
            ),
            ("EXPLAIN SELECT patient_id FROM patients", 0),
            ("SELECT * FROM departments", 0),
        ] {
            let grant = limited(house, "limited_dataset", patients(30)).await;
            let mut client = house.client(&grant).await;
            ask(&mut client, sql).await.ok();
            let now = left(&mut client).await;
            assert_eq!(now, format!("patients {} of 30", 30 - cost), "{sql}");
            house.revoke(&grant).await;
        }
        let grant = limited(house, "limited_dataset", patients(30)).await;
        let mut client = house.client(&grant).await;
        for sql in [
            "SELECT array_agg(patient_id) FROM patients",
            "SELECT string_agg(city, ',') FROM patients",
            "SELECT ARRAY(SELECT patient_id FROM patients)",
            "COPY (SELECT json_agg(p) FROM patients p) TO STDOUT",
            "DECLARE c CURSOR FOR SELECT a.patient_id, b.city FROM patients a, patients b",
            "CREATE TEMP TABLE t AS SELECT string_agg(city, ',') AS all FROM patients",
        ] {
            let refused = ask(&mut client, sql).await;
            let error = refused.errors().pop().expect(sql);
            assert_eq!(error.code().as_str(), "53400", "{sql}");
            assert!(!error.is_fatal() && refused.rows().is_empty(), "{sql}");
        }
        let answer = ask(
            &mut client,
            "CREATE TEMP TABLE t AS SELECT patient_id, city FROM patients",
        )
        .await;
        answer.ok();
        assert_eq!(left(&mut client).await, "patients 30 of 30");
        let refused = ask(&mut client, "SELECT string_agg(city, ',') FROM t").await;
        assert_eq!(refused.errors()[0].code().as_str(), "53400");
        let answer = ask(&mut client, "SELECT patient_id, city FROM t").await;
        assert_eq!(answer.rows().len(), 30);
        cut(&answer, "patients");
        // Without the budget nobody asks.
        let free = limited(house, "limited_dataset", Budget::default()).await;
        let mut client = house.client(&free).await;
        let all = ask(&mut client, "SELECT array_agg(patient_id) FROM patients").await;
        assert_eq!(all.ok().rows().len(), 1);
    });
}

/// Rows longer than what is read at once: their keys are found all the same, up to a limit.
#[test]
fn long_rows_are_waited_for() {
    run(async |house| {
        let grant = limited(house, "limited_dataset", patients(30)).await;
        let mut client = house.client(&grant).await;
        let wide = |bytes: u32| {
            format!(
                "SELECT repeat('x', {bytes}), patient_id FROM patients, generate_series(1, 3) WHERE patient_id <= 5"
            )
        };
        for bytes in [10, 5_000, 20_000, 100_000, 250_000] {
            assert_eq!(ask(&mut client, &wide(bytes)).await.ok().rows().len(), 15);
            assert_eq!(left(&mut client).await, "patients 25 of 30", "{bytes}");
        }
        let answer = ask(&mut client, &wide(300_000)).await.ok();
        assert_eq!(answer.rows().len(), 15);
        assert_eq!(left(&mut client).await, "patients 10 of 30");
    });
}

#[test]
fn bytes_have_a_budget_of_their_own() {
    run(async |house| {
        let bytes = Budget {
            bytes: Some(1_600),
            ..Budget::default()
        };
        let grant = limited(house, "limited_dataset", bytes).await;
        let mut client = house.client(&grant).await;
        let free = ask(&mut client, "SELECT repeat('x', 5000)").await;
        assert_eq!(free.ok().rows().len(), 1);
        assert_eq!(left(&mut client).await, "bytes 1600 of 1600");
        // Header, number of columns, length, 89 bytes: 100 a row.
        let hundred = "SELECT repeat('x', 89) FROM patients";
        let ten = ask(&mut client, &format!("{hundred} LIMIT 10")).await;
        assert_eq!(ten.ok().rows().len(), 10);
        assert_eq!(left(&mut client).await, "bytes 600 of 1600");
        // Whole rows: one that is longer than what is left does not leave in part.
        let long = "SELECT repeat('x', 601 - 11) FROM patients LIMIT 1";
        let mut another = house.client(&grant).await;
        let answer = ask(&mut another, long).await;
        assert_eq!(answer.rows().len(), 0);
        cut(&answer, "bytes");
        let answer = client.extended(hundred, &[]).await;
        assert!(answer.rows().len() <= 6, "{}", answer.rows().len());
        cut(&answer, "bytes");
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
