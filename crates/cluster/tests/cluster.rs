//! A private PostgreSQL, for real: it starts, serves, and leaves nothing behind.
#![allow(missing_docs, clippy::expect_used, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use phigate_cluster::{Binaries, Cluster, ClusterError, Options};
use sqlx::{Connection, PgConnection};

fn binaries() -> Binaries {
    Binaries::find(None).expect("these tests need PostgreSQL 14 or newer")
}

async fn one(connection: &mut PgConnection, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn it_serves_on_the_socket_and_with_a_password_over_tcp() {
    let cluster = Cluster::temporary(&binaries(), Options::default()).unwrap();
    let mut local = cluster.connect("postgres").await.unwrap();
    assert_eq!(
        one(&mut local, "SELECT current_user::text").await,
        "postgres"
    );
    let mut remote = PgConnection::connect(&cluster.url("postgres"))
        .await
        .unwrap();
    assert_eq!(
        one(&mut remote, "SHOW password_encryption").await,
        "scram-sha-256"
    );
    let wrong = cluster.url_as("postgres", "wrong", "postgres");
    let refused = PgConnection::connect(&wrong).await.unwrap_err().to_string();
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
}

#[tokio::test]
async fn dropping_it_ends_the_server_and_removes_its_files() {
    let cluster = Cluster::temporary(&binaries(), Options::default()).unwrap();
    let (directory, postmaster) = (
        cluster.directory().to_owned(),
        cluster.postmaster().unwrap(),
    );
    assert!(directory.is_dir() && is_alive(postmaster));
    drop(cluster);
    assert!(!directory.exists());
    assert!(!is_alive(postmaster));
}

#[tokio::test]
async fn what_is_kept_is_there_at_the_next_start() {
    let place = tempfile::tempdir().unwrap();
    let options = Options {
        durable: true,
        ..Options::default()
    };
    let cluster = Cluster::start(&binaries(), place.path(), options.clone()).unwrap();
    cluster
        .execute(
            "postgres",
            "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)",
        )
        .await
        .unwrap();
    let busy = Cluster::start(&binaries(), place.path(), options.clone()).unwrap_err();
    assert!(
        busy.to_string()
            .contains("another process runs a cluster here"),
        "{busy}"
    );
    cluster.stop().unwrap();
    let cluster = Cluster::start(&binaries(), place.path(), options).unwrap();
    let mut connection = cluster.connect("postgres").await.unwrap();
    assert_eq!(one(&mut connection, "SELECT n::text FROM kept").await, "7");
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_the_data() {
    let mut cluster = Cluster::temporary(&binaries(), Options::default()).unwrap();
    cluster
        .execute("postgres", "CREATE TABLE kept AS SELECT 1 AS n")
        .await
        .unwrap();
    let port = cluster.port();
    cluster.halt().unwrap();
    assert!(cluster.connect("postgres").await.is_err());
    cluster.resume().unwrap();
    assert_eq!(cluster.port(), port);
    let mut connection = cluster.connect("postgres").await.unwrap();
    assert_eq!(one(&mut connection, "SELECT n::text FROM kept").await, "1");
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let options = Options::default().with("shared_buffers", "nonsense");
    let Err(ClusterError::Start { directory, log, .. }) = Cluster::temporary(&binaries(), options)
    else {
        panic!("it started with a setting that is nonsense");
    };
    assert!(log.contains("shared_buffers"), "{log}");
    assert!(!directory.exists());
}

#[tokio::test]
async fn a_taken_port_that_was_asked_for_is_an_error() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = Some(taken.local_addr().unwrap().port());
    let refused = Cluster::temporary(
        &binaries(),
        Options {
            port,
            ..Options::default()
        },
    )
    .unwrap_err();
    assert!(refused.to_string().contains("could not bind"), "{refused}");
}

// The owner is this test binary once more, in the role that `owner_for_the_kill_test` plays.
const OWNER: &str = "PHIGATE_TEST_OWNER";

#[tokio::test]
async fn killing_the_owner_ends_the_server_and_removes_its_files() {
    let place = tempfile::tempdir().unwrap();
    let note = place.path().join("note");
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner_for_the_kill_test", "--nocapture"])
        .env(OWNER, &note)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (directory, postmaster) = eventually(|| read_note(&note));
    assert!(is_alive(postmaster));
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually(|| (!is_alive(postmaster) && !directory.exists()).then_some(()));
}

#[test]
fn owner_for_the_kill_test() {
    let Some(note) = std::env::var_os(OWNER) else {
        return;
    };
    let cluster = Cluster::temporary(&binaries(), Options::default()).unwrap();
    let text = format!(
        "{}\n{}\n",
        cluster.directory().display(),
        cluster.postmaster().unwrap()
    );
    fs::write(note, text).unwrap();
    std::thread::park();
}

fn read_note(note: &Path) -> Option<(PathBuf, i32)> {
    let text = fs::read_to_string(note)
        .ok()
        .filter(|text| text.ends_with('\n'))?;
    let mut lines = text.lines();
    Some((lines.next()?.into(), lines.next()?.parse().ok()?))
}

fn is_alive(process: i32) -> bool {
    let process = rustix::process::Pid::from_raw(process).unwrap();
    rustix::process::test_kill_process(process).is_ok()
}

#[allow(clippy::disallowed_methods)] // Another process's end is not announced to us.
fn eventually<T>(mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "it did not happen within a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
}
