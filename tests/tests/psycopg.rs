//! psycopg 3, in text and binary, with prepared statements, pipelines and COPY. The scripts are in
//! `tests/psycopg/`; each fails with a traceback.

use std::path::Path;

use phigate_testkit::{python, run};
use phigate_tests::{House, Phigate};

async fn script(phigate: &Phigate, name: &str) {
    let login = phigate.grant("alice").create().await;
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("psycopg")
        .join(name);
    let mut python = python().await;
    python.arg(file).arg(login.url());
    assert_eq!(run(python, "").await.ok().trim(), "done");
}

#[tokio::test]
async fn text_and_binary_formats_agree() {
    script(&House::default().tls().start().await, "formats.py").await;
}

#[tokio::test]
async fn statements_are_prepared_after_a_few_runs() {
    script(&Phigate::start().await, "prepared.py").await;
}

#[tokio::test]
async fn pipelines_stay_in_step_across_refusals() {
    script(&Phigate::start().await, "pipeline.py").await;
}

#[tokio::test]
async fn transactions_cursors_and_copy_work() {
    script(&Phigate::start().await, "transactions.py").await;
}
