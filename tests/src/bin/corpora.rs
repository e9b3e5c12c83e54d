//! What real clients send, held against a list of what is refused that may only shrink:
//! `cargo xtask corpora DIR`. The captured statements are not in the repository; files of them are
//! `-- @stmt NUMBER TAG`, the statement, and a line with a semicolon alone.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks on stdout"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use phigate_phi::{Classification, EffectivePolicy, Unclassified};
use phigate_testkit::postgres;
use phigate_tests::two_world::judge::Judge;
use phigate_types::Profile;

/// The stack that analysis needs.
const STACK_BYTES: usize = 64 << 20;

/// What is refused, one a line: file, number, reason.
const LIST: &str = include_str!("../../corpora/refused.txt");

/// The relations that the captures name, and how a policy releases them.
const SCHEMA: &str = include_str!("../../corpora/schema.sql");
const CLASSIFICATION: &str = include_str!("../../corpora/classification.csv");

fn main() -> ExitCode {
    let Some(directory) = std::env::args().nth(1) else {
        eprintln!("which directory?");
        return ExitCode::from(64);
    };
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || compare(Path::new(&directory)));
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Whether what is refused is what the list says.
fn compare(directory: &Path) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap_or_else(|error| panic!("no runtime: {error}"));
    let judge = runtime.block_on(async {
        let cluster = postgres();
        for (database, sql) in [("postgres", "CREATE DATABASE clinic"), ("clinic", SCHEMA)] {
            let done = cluster.execute(database, sql).await;
            done.unwrap_or_else(|error| panic!("{error}"));
        }
        Judge::of(&cluster, &policy()).await
    });
    let listed: BTreeSet<&str> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
    let (mut read, mut refused) = (0, BTreeSet::new());
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{error}"));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}"));
        for part in text.split("-- @stmt ").skip(1) {
            let (head, sql) = part.split_once('\n').unwrap_or((part, ""));
            let number = head.split_whitespace().next().unwrap_or_default();
            let sql = sql.trim_end().trim_end_matches(';');
            read += 1;
            if let Err(refusal) = judge.permits(sql) {
                refused.insert(format!("{name} {number} {}", refusal.reason().as_str()));
            }
        }
    }
    println!("{read} statements, {} refused", refused.len());
    let refused: BTreeSet<&str> = refused.iter().map(String::as_str).collect();
    for new in refused.difference(&listed) {
        println!("newly refused: {new}");
    }
    for gone in listed.difference(&refused) {
        println!("no longer refused, take it off the list: {gone}");
    }
    read > 0 && refused == listed
}

fn policy() -> EffectivePolicy {
    let classification = Classification::parse(CLASSIFICATION, "classification.csv")
        .unwrap_or_else(|error| panic!("{error}"));
    let profile = Profile::LimitedDataset;
    EffectivePolicy::derive(&classification, profile, &[], &[], Unclassified::Refuse)
        .unwrap_or_else(|error| panic!("{error}"))
}
