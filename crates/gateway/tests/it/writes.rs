//! Rows that are changed: of the session's own tables under any grant, of others under `--write`.

use phigate_testkit::client::Answer;
use phigate_wire::frontend::{self, Bind};

use crate::house::run;

/// The values of the only column of an answer.
fn values(answer: &Answer) -> Vec<String> {
    let first = |row: Vec<Option<String>>| row.into_iter().next().flatten().unwrap_or_default();
    answer.rows().into_iter().map(first).collect()
}

#[test]
fn a_reading_grant_fills_its_own_tables_and_no_other() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let ssn = house
            .ask("SELECT ssn FROM patients WHERE ssn IS NOT NULL LIMIT 1")
            .await;
        let mut client = house.client(&grant).await;
        client
            .query("CREATE TEMP TABLE t (id int PRIMARY KEY, ssn text, n serial)")
            .await
            .ok();
        for text in [
            "INSERT INTO t (id, ssn) SELECT patient_id, ssn FROM patients",
            "INSERT INTO t VALUES (1, 'x', default) ON CONFLICT (id) DO UPDATE SET ssn = excluded.ssn || t.n",
            "UPDATE t SET ssn = p.ssn FROM patients p WHERE p.patient_id = t.id",
            "MERGE INTO t USING patients p ON p.patient_id = t.id WHEN MATCHED AND t.n > 3 THEN UPDATE SET ssn = p.ssn WHEN NOT MATCHED THEN DO NOTHING",
            "WITH gone AS (DELETE FROM t USING patients p WHERE p.patient_id = t.id AND t.id > 5 RETURNING t.*) SELECT count(*) FROM gone",
        ] {
            client.query(text).await.ok();
        }
        client
            .say(|out| {
                frontend::query("COPY t (id, ssn) FROM STDIN", out);
                frontend::copy_data(b"900001\tmine\n", out);
                frontend::copy_done(out);
            })
            .await;
        client.answer().await.ok();
        let all = client.query("SELECT * FROM t").await.ok();
        assert!(all.contains(b"mine"));
        assert!(!all.contains(ssn.as_bytes()));
        for text in [
            "INSERT INTO departments (department_id, name) VALUES (900, 'x')",
            "UPDATE departments SET floor = 1",
            "DELETE FROM departments",
            "COPY departments FROM STDIN",
            "CREATE TABLE stolen AS SELECT 1 AS a",
        ] {
            assert_eq!(client.query(text).await.sqlstate(), "42501", "{text}");
        }
    });
}

#[test]
fn a_writing_grant_changes_what_is_not_masked() {
    run(async |house| {
        let grants = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO broker;
                      GRANT CREATE ON SCHEMA public TO broker";
        house.pg.execute("clinic", grants).await.unwrap();
        let grant = house
            .grant("limited_dataset", |request| request.write = true)
            .await;
        let mut client = house.client(&grant).await;
        let made = client
            .query("INSERT INTO departments (department_id, name, floor) VALUES (900, 'x', 1) RETURNING *")
            .await
            .ok();
        assert_eq!(values(&made), ["900"]);
        let moved = client
            .extended(
                "UPDATE departments SET floor = floor + 1 WHERE department_id = $1 RETURNING floor",
                &[Some("900")],
            )
            .await
            .ok();
        assert_eq!(values(&moved), ["2"]);
        assert_eq!(
            house
                .ask("SELECT floor FROM departments WHERE department_id = 900")
                .await,
            "2"
        );
        client
            .query("DELETE FROM departments WHERE department_id = 900")
            .await
            .ok();
        assert_eq!(
            house
                .ask("SELECT count(*) FROM departments WHERE department_id = 900")
                .await,
            "0"
        );
        client
            .query("CREATE TABLE made AS SELECT ssn, sex FROM patients")
            .await
            .ok();
        assert_eq!(house.ask("SELECT count(ssn) FROM made").await, "0");
        for text in [
            "UPDATE patients SET sex = 'F' WHERE ssn LIKE '9%'",
            "UPDATE patients SET sex = ssn",
            "DELETE FROM patients RETURNING *",
            "INSERT INTO patients (patient_id, ssn) VALUES (1, 'x')",
            "DROP TABLE departments",
            "TRUNCATE departments",
        ] {
            let answer = client.query(text).await;
            assert!(
                ["42501", "0A000"].contains(&answer.sqlstate().as_str()),
                "{text}"
            );
        }
    });
}

#[test]
fn a_prepared_write_does_not_outlive_the_table_it_was_read_by() {
    run(async |house| {
        let grant = house.grant("limited_dataset", |_| {}).await;
        let mut client = house.client(&grant).await;
        client
            .query("CREATE TEMP TABLE t (pg_typeof int, b int)")
            .await
            .ok();
        client
            .say(|out| {
                frontend::parse(
                    "s",
                    "UPDATE t SET b = t.pg_typeof RETURNING t.pg_typeof",
                    &[],
                    out,
                );
                frontend::sync(out);
            })
            .await;
        client.answer().await.ok();
        client
            .query("DROP TABLE t; CREATE TEMP TABLE t (b int); INSERT INTO t VALUES (1)")
            .await
            .ok();
        client.query("SELECT 1").await.ok();
        client
            .say(|out| {
                let bind = Bind {
                    statement: "s",
                    ..Bind::default()
                };
                frontend::bind(&bind, out);
                frontend::execute("", 0, out);
                frontend::sync(out);
            })
            .await;
        assert_eq!(client.answer().await.sqlstate(), "0A000");
    });
}
