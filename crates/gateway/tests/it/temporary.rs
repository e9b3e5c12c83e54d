//! Temporary tables: the session's own, under every grant, and known to the gateway as the
//! connection lists them.

use phigate_wire::frontend::{self, Bind};

use crate::house::run;

/// The values of the only column of an answer.
fn values(answer: &phigate_testkit::client::Answer) -> Vec<String> {
    let first = |row: Vec<Option<String>>| row.into_iter().next().flatten().unwrap_or_default();
    answer.rows().into_iter().map(first).collect()
}

#[test]
fn a_table_made_of_masked_columns_holds_masked_values() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let ssn = house
            .ask("SELECT ssn FROM patients WHERE ssn IS NOT NULL LIMIT 1")
            .await;
        let mut client = house.client(&grant).await;
        let made = client
            .query("CREATE TEMP TABLE t AS SELECT patient_id AS id, ssn FROM patients")
            .await
            .ok();
        assert!(made.tags().ends_with("CZ"));
        let all = client.query("SELECT * FROM t").await.ok();
        assert!(all.rows().len() > 10);
        assert!(!all.contains(ssn.as_bytes()));
        assert_eq!(all.columns(), ["id", "ssn"]);
        client.query("CREATE INDEX ON t (id)").await.ok();
        client.query("ANALYZE t").await.ok();
        client
            .query("ALTER TABLE t ADD COLUMN seen boolean DEFAULT true")
            .await
            .ok();
        let seen = client.query("SELECT count(seen) > 10 FROM t").await.ok();
        assert_eq!(values(&seen), ["t"]);
        client.query("TRUNCATE t").await.ok();
        let none = client.query("SELECT count(*) FROM t").await.ok();
        assert_eq!(values(&none), ["0"]);
        client.query("SELECT id INTO TEMP u FROM t").await.ok();
        client
            .query("CREATE TEMP VIEW v AS SELECT ssn FROM patients")
            .await
            .ok();
        let view = client.query("SELECT * FROM v").await.ok();
        assert!(!view.contains(ssn.as_bytes()));
        client.query("DROP TABLE t, u").await.ok();
        assert_eq!(client.query("SELECT * FROM t").await.sqlstate(), "42P01");
    });
}

#[test]
fn a_batch_makes_and_reads_a_table() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let text = "DROP TABLE IF EXISTS cohort; CREATE TEMP TABLE cohort AS SELECT patient_id AS id FROM patients LIMIT 3; \
                    SELECT count(*) FROM cohort; DROP TABLE cohort";
        for _ in 0..2 {
            let answer = client.query(text).await.ok();
            assert_eq!(values(&answer), ["3"]);
        }
    });
}

#[test]
fn what_is_rolled_back_is_gone_and_another_table_of_the_name_is_found_again() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        let patients = values(&client.query("SELECT count(*) FROM patients").await.ok());
        client.query("BEGIN").await.ok();
        client
            .query("CREATE TEMP TABLE patients AS SELECT 1 AS one")
            .await
            .ok();
        let own = values(&client.query("SELECT one FROM patients").await.ok());
        assert_eq!(own, ["1"]);
        client.query("SAVEPOINT s").await.ok();
        client.query("DROP TABLE patients").await.ok();
        assert_eq!(
            values(&client.query("SELECT count(*) FROM patients").await.ok()),
            patients
        );
        client.query("ROLLBACK TO s").await.ok();
        assert_eq!(
            values(&client.query("SELECT one FROM patients").await.ok()),
            ["1"]
        );
        client.query("SELECT 1/0").await;
        client.query("ROLLBACK").await.ok();
        assert_eq!(
            values(&client.query("SELECT count(*) FROM patients").await.ok()),
            patients
        );
        // A batch that fails takes with it what it has made.
        client
            .query("CREATE TEMP TABLE patients AS SELECT 1 AS one; SELECT 1/0")
            .await;
        assert_eq!(
            values(&client.query("SELECT count(*) FROM patients").await.ok()),
            patients
        );
        client
            .query("BEGIN; CREATE TEMP TABLE patients (one int) ON COMMIT DROP")
            .await
            .ok();
        assert_eq!(
            values(&client.query("SELECT count(one) FROM patients").await.ok()),
            ["0"]
        );
        client.query("COMMIT").await.ok();
        assert_eq!(
            values(&client.query("SELECT count(*) FROM patients").await.ok()),
            patients
        );
        client
            .query("CREATE TEMP TABLE patients (one int)")
            .await
            .ok();
        client.query("DISCARD TEMP").await.ok();
        assert_eq!(
            values(&client.query("SELECT count(*) FROM patients").await.ok()),
            patients
        );
    });
}

#[test]
fn a_pipeline_makes_and_reads_a_table() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .say(|out| {
                for text in [
                    "CREATE TEMP TABLE t AS SELECT patient_id AS id FROM patients LIMIT 2",
                    "SELECT id FROM t",
                    "DROP TABLE t",
                    "SELECT count(*) FROM encounters",
                ] {
                    frontend::parse("", text, &[], out);
                    frontend::bind(&Bind::default(), out);
                    frontend::execute("", 0, out);
                }
                frontend::sync(out);
            })
            .await;
        let answer = client.answer().await.ok();
        assert_eq!(answer.tags(), "12C12DDC12C12DCZ");
        // A failure that follows takes the table back.
        client
            .say(|out| {
                for text in [
                    "CREATE TEMP TABLE t (a int)",
                    "SELECT 1/0",
                    "SELECT a FROM t",
                ] {
                    frontend::parse("", text, &[], out);
                    frontend::bind(&Bind::default(), out);
                    frontend::execute("", 0, out);
                }
                frontend::sync(out);
            })
            .await;
        assert_eq!(client.answer().await.sqlstate(), "22012");
        assert_eq!(client.query("SELECT a FROM t").await.sqlstate(), "42P01");
    });
}

#[test]
fn a_question_that_is_cancelled_is_told_and_asked_again() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client.query("CREATE TEMP TABLE t (a int)").await.ok();
        // The client's own statement of the name is in the way of ours.
        client
            .query("PREPARE phigate_temporary AS SELECT 1")
            .await
            .ok();
        client.query("CREATE TEMP TABLE u (a int)").await.ok();
        assert_eq!(client.query("SELECT a FROM u").await.sqlstate(), "57014");
        client.query("DEALLOCATE phigate_temporary").await;
        client.query("DEALLOCATE phigate_temporary").await;
        let after = client.query("SELECT count(*) FROM u").await;
        assert!(after.tags().ends_with('Z'));
    });
}
