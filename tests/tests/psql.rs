//! The real psql, over TLS, as people have it.

use phigate_testkit::{Finished, psql, run};
use phigate_tests::{House, Login, Phigate};

async fn tls() -> (Phigate, Login) {
    let phigate = House::default().tls().start().await;
    let login = phigate.grant("alice").create().await;
    (phigate, login)
}

async fn ask(login: &Login, command: &str) -> Finished {
    let mut psql = psql(&login.url());
    psql.args(["--command", command]);
    run(psql, "").await
}

/// psql's own commands; each sends one or more queries against the catalog.
const META: &[&str] = &[
    r"\d",
    r"\d+",
    r"\dt",
    r"\dt+",
    r"\dt *.*",
    r"\dv",
    r"\dm",
    r"\di",
    r"\di+",
    r"\ds",
    r"\dE",
    r"\d patients",
    r"\d+ patients",
    r"\d encounters",
    r"\d claims",
    r"\d patients_pkey",
    r"\dn",
    r"\dn+",
    r"\dT",
    r"\dT+",
    r"\df",
    r"\df lower",
    r"\da",
    r"\do",
    r"\dC",
    r"\dc",
    r"\dD",
    r"\du",
    r"\dg",
    r"\dp",
    r"\z patients",
    r"\ddp",
    r"\dx",
    r"\dL",
    r"\dO",
    r"\dF",
    r"\dFd",
    r"\dFp",
    r"\dFt",
    r"\des",
    r"\dew",
    r"\det",
    r"\dew+",
    r"\dy",
    r"\dA",
    r"\dAc",
    r"\dAf",
    r"\dAo",
    r"\dAp",
    r"\db",
    r"\dP",
    r"\dRp",
    r"\dRs",
    r"\drds",
    r"\dX",
    r"\l",
    r"\conninfo",
    r"\encoding",
];

#[tokio::test]
async fn its_describe_commands_work() {
    let (_phigate, login) = tls().await;
    let mut wrong = Vec::new();
    for command in META {
        let finished = ask(&login, command).await;
        if finished.status != Some(0) {
            wrong.push(format!("{command}: {}", finished.stderr.trim()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn it_describes_tables_as_without_a_gateway() {
    let (phigate, login) = tls().await;
    for command in [
        r"\d patients",
        r"\d encounters",
        r"\d claims",
        r"\dt",
        r"\dT",
    ] {
        let mut past = psql(&phigate.cluster.url("clinic"));
        past.args(["--command", command]);
        let past = run(past, "").await.ok();
        assert!(past.len() > 10, "{command}: {past}");
        assert_eq!(ask(&login, command).await.ok(), past, "{command}");
    }
}

#[tokio::test]
async fn a_blocked_column_is_not_hidden_from_describe_but_from_queries() {
    let phigate = House::default().tls().start().await;
    let login = phigate
        .grant("alice")
        .block("patients.birth_date")
        .create()
        .await;
    ask(&login, r"\d patients").await.ok();
    let refused = ask(&login, "SELECT birth_date FROM patients")
        .await
        .failed();
    assert!(refused.contains("birth_date"), "{refused}");
}

#[tokio::test]
async fn it_copies_out_what_is_released() {
    let (_phigate, login) = tls().await;
    let out = ask(&login, r"\copy (SELECT patient_id, ssn, last_name FROM patients ORDER BY 1 LIMIT 2) TO STDOUT (FORMAT csv)").await.ok();
    assert_eq!(out, "1,,[redacted]\n2,,[redacted]\n");
    let table = ask(&login, r"\copy patients TO STDOUT").await.ok();
    assert_eq!(table.lines().count(), 300);
    assert!(!table.contains("@example.org"));
}

#[tokio::test]
async fn several_statements_in_one_string_run_in_order_or_not_at_all() {
    let (_phigate, login) = tls().await;
    assert_eq!(ask(&login, "SELECT 1; SELECT 2").await.ok(), "1\n2\n");
    let refused = ask(&login, "SELECT 1; DROP TABLE notes").await;
    assert_eq!(refused.stdout, "");
    assert!(refused.failed().contains("ERROR"));
}

#[tokio::test]
async fn a_refusal_points_at_the_place_and_says_the_way_out() {
    let (_phigate, login) = tls().await;
    let refused = ask(&login, "SELECT patient_id, pg_read_file('x') FROM patients")
        .await
        .failed();
    assert!(
        refused.contains("pg_read_file") && refused.contains('^'),
        "{refused}"
    );
    assert!(
        refused.contains("HINT") || refused.contains("DETAIL"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_script_with_transactions_variables_and_cursors_runs() {
    let (_phigate, login) = tls().await;
    let script = r"
\set ON_ERROR_STOP on
\set who 5
BEGIN;
SELECT patient_id FROM patients WHERE patient_id = :who;
SAVEPOINT s;
\set ON_ERROR_STOP off
SELECT nonsense FROM patients;
\set ON_ERROR_STOP on
ROLLBACK TO s;
SELECT count(*) FROM patients;
COMMIT;
\set FETCH_COUNT 50
SELECT count(*) FROM (SELECT * FROM encounters) AS e WHERE false;
SELECT patient_id FROM patients ORDER BY 1 DESC LIMIT 1 \gset last_
\echo :last_patient_id
SELECT ssn, birth_date FROM patients \gdesc
";
    let finished = run(psql(&login.url()), script).await;
    assert!(finished.stderr.contains("nonsense"), "{}", finished.stderr);
    let out = finished.ok();
    let lines: Vec<&str> = out
        .lines()
        .filter(|line| !line.chars().all(char::is_uppercase))
        .collect();
    for expected in ["5", "300", "0", "ssn|character(11)", "birth_date|date"] {
        assert!(lines.contains(&expected), "{expected}: {out}");
    }
}
