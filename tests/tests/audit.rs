//! The record of what was asked: complete, readable, and not to be changed unnoticed.

use std::path::Path;

use phigate_audit::keys::KeyStore;
use phigate_audit::record::Record;
use phigate_audit::replay;
use phigate_audit::verify::{Options, Outcome, verify};
use phigate_tests::{House, Phigate};

async fn a_recorded_session() -> (Phigate, String) {
    let mut phigate = House::default().recording("local").start().await;
    let login = phigate.grant("alice").create().await;
    let alice = login.connect().await;
    alice
        .rows("SELECT last_name FROM patients WHERE ssn = '963-82-8227'")
        .await;
    alice.refused("SELECT pg_read_file('pg_hba.conf')").await;
    alice
        .client
        .query(
            "SELECT count(*) FROM encounters WHERE kind = $1",
            &[&"inpatient"],
        )
        .await
        .unwrap();
    drop(alice);
    phigate.stop().await;
    (phigate, login.grant_id)
}

fn outcome(log: &Path) -> Outcome {
    verify(log, &Options::default()).unwrap().outcome
}

#[tokio::test]
async fn a_session_can_be_replayed_with_its_keys_and_only_with_them() {
    let (phigate, grant) = a_recorded_session().await;
    let log = phigate.log_dir();
    let sessions = replay::sessions(&log).unwrap();
    assert!(sessions.damages.is_empty(), "{:?}", sessions.damages);
    let [session] = sessions.sessions.as_slice() else {
        panic!("{:?}", sessions.sessions)
    };
    assert_eq!(session.opened.grant.to_string(), grant);
    assert!(session.closed.is_some() && !session.lost);
    assert_eq!((session.statements, session.refused), (2, 1), "{session:?}");

    let keys = KeyStore::of_log(&phigate.config.audit_dir().join("keys"), &log).unwrap();
    let open = replay::timeline(&log, session.session, Some(&keys)).unwrap();
    let shown = contents(&open);
    // The driver binds in binary, which is kept in base 64.
    for sent in ["963-82-8227", "pg_read_file", "aW5wYXRpZW50"] {
        assert!(shown.contains(sent), "{sent} is not in {shown}");
    }
    let locked = replay::timeline(&log, session.session, None).unwrap();
    let shown = format!("{:?}", locked.steps);
    assert!(
        !shown.contains("963-82-8227") && !shown.contains("inpatient"),
        "{shown}"
    );
    assert!(
        open.steps
            .iter()
            .any(|step| matches!(step.record, Record::Refused(_)))
    );
}

#[tokio::test]
async fn no_literal_is_in_the_clear_in_any_file() {
    let (phigate, _) = a_recorded_session().await;
    let files = files(&phigate.log_dir());
    assert!(!files.is_empty());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for literal in [&b"963-82-8227"[..], b"inpatient", b"pg_hba.conf"] {
            let found = bytes.windows(literal.len()).any(|window| window == literal);
            assert!(
                !found,
                "{} holds {}",
                file.display(),
                String::from_utf8_lossy(literal)
            );
        }
    }
}

#[tokio::test]
async fn the_log_is_sound_as_far_as_it_can_be_proven() {
    let (phigate, _) = a_recorded_session().await;
    for log in [
        phigate.log_dir(),
        phigate.config.audit_dir().join("control"),
    ] {
        let report = verify(&log, &Options::default()).unwrap();
        assert!(report.damages.is_empty() && report.closed, "{report:?}");
        assert!(report.records > 0, "{report:?}");
        // With its own head at hand nothing is left unproven.
        let options = Options { head: report.head };
        assert_eq!(
            verify(&log, &options).unwrap().outcome,
            Outcome::Sound,
            "{}",
            log.display()
        );
    }
}

#[tokio::test]
async fn a_flipped_byte_is_found() {
    let (phigate, _) = a_recorded_session().await;
    let log = phigate.log_dir();
    assert!(!matches!(outcome(&log), Outcome::Tampered(_)));
    // Segments are made of zeros beforehand: the one that was written to most.
    let written = |file: &std::path::PathBuf| {
        std::fs::read(file)
            .unwrap()
            .iter()
            .rposition(|byte| *byte != 0)
            .unwrap_or(0)
    };
    let segment = files(&log).into_iter().max_by_key(written).unwrap();
    let (original, end) = (std::fs::read(&segment).unwrap(), written(&segment));
    // A byte at the start, in the middle, and near the end of what was written.
    for at in [end / 20, end / 2, end - end / 10] {
        let mut changed = original.clone();
        changed[at] ^= 0x01;
        std::fs::write(&segment, &changed).unwrap();
        let found = outcome(&log);
        assert!(
            matches!(found, Outcome::Tampered(_)),
            "byte {at} of {end}: {found:?}"
        );
    }
    std::fs::write(&segment, &original).unwrap();
    assert!(!matches!(outcome(&log), Outcome::Tampered(_)));
}

/// Everything confidential that can be read, as one text.
fn contents(timeline: &replay::Timeline) -> String {
    let mut text = String::new();
    for step in &timeline.steps {
        let replay::Content::Clear(payload) = &step.content else {
            continue;
        };
        text.extend(
            payload
                .sent
                .iter()
                .chain(&payload.run)
                .map(|sql| format!("{sql}\n")),
        );
        text.push_str(&serde_json::to_string(&payload.parameters).unwrap());
    }
    text
}

/// Every file of a log, in its directories too.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
