//! The forms that a query can have: what is sent for a statement gives the columns, types and rows
//! that the statement itself gives, whatever it is written like.

mod compare;
mod script;

use compare::{Clinic, Outcome};
use phigate_testkit::{hospital, postgres};

/// Statements over the synthetic hospital: cohorts, eras, percentiles, quality checks, and what BI
/// tools generate.
const ANALYSTS: &str = include_str!("../forms/analysts.sql");
/// Every form of PostgreSQL's grammar for queries, over a schema of its own.
const GRAMMAR: &str = include_str!("../forms/grammar.sql");
/// That schema.
const GRAMMAR_SCHEMA: &str = include_str!("../forms/grammar-schema.sql");

#[tokio::test]
async fn what_analysts_write_runs_unchanged() {
    let cluster = hospital().await;
    let clinic = Clinic::open(&cluster, "clinic").await;
    all_alike(&clinic, ANALYSTS).await;
    all_alike(&clinic.classified().await, ANALYSTS).await;
}

#[tokio::test]
async fn every_form_of_the_grammar_runs_unchanged() {
    let cluster = postgres();
    cluster.execute("postgres", GRAMMAR_SCHEMA).await.unwrap();
    let clinic = Clinic::open(&cluster, "postgres").await;
    all_alike(&clinic, GRAMMAR).await;
    all_alike(&clinic.classified().await, GRAMMAR).await;
}

/// Each statement of a script gives what it gives without the gateway. One that follows a comment
/// `-- refused` is refused, one that follows `-- fails` fails in both with one SQLSTATE.
async fn all_alike(clinic: &Clinic, script: &str) {
    let mut wrong = Vec::new();
    let mut count = 0;
    for statement in script::statements(script) {
        let expected = script::expected(&statement);
        let outcome = clinic.compare(&statement.text).await;
        count += 1;
        let word = match (outcome.word(), expected) {
            ("both-reject", "refused") => "refused",
            (word, _) => word,
        };
        if word != expected {
            wrong.push(format!(
                "line {}: expected {expected}, found {outcome:?}\n{}",
                statement.line, statement.text
            ));
        }
    }
    assert!(count > 0, "only {count} statements were found");
    assert!(
        wrong.is_empty(),
        "{} of {count} statements:\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

/// PostgreSQL's own regression tests, or any directory of SQL files: `PHIGATE_SQL` names a database
/// URL, a directory and the files' names in order; prints what came of each statement.
#[tokio::test]
#[ignore = "needs PostgreSQL's sources"]
async fn a_directory_of_scripts() {
    let Ok(named) = std::env::var("PHIGATE_SQL") else {
        panic!("PHIGATE_SQL=URL,DIRECTORY,FILE,FILE...");
    };
    let mut words = named.split(',');
    let (Some(url), Some(directory)) = (words.next(), words.next()) else {
        panic!("PHIGATE_SQL=URL,DIRECTORY,FILE,FILE...");
    };
    let mut clinic = Clinic::at(url).await;
    for file in words {
        clinic.restart().await;
        let text = std::fs::read(format!("{directory}/{file}.sql")).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        for statement in script::statements(&text) {
            let outcome = clinic.follow(&statement).await;
            if !matches!(outcome, Outcome::Skipped) {
                println!(
                    "#{}\t{file}:{}\t{outcome:?}\t{:?}",
                    outcome.word(),
                    statement.line,
                    statement.text
                );
            }
        }
    }
}
