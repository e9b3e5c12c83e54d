use std::time::Duration;

use phigate_audit::verify::{Options, Outcome, verify};
use phigate_audit::{AuditError, Level, Log, LogConfig, Position};

use crate::fixture::{
    closed, config, intent, log_dir, open, opened, outcome, play, runtime, session, wait,
};
use crate::reader;

#[test]
fn a_log_is_sound_against_its_own_head_and_against_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let position = play(&log, session(1), 3);
    wait(&log, position);
    let middle = log.head();
    assert_eq!(middle.leaves, position.0);
    play(&log, session(2), 1);
    log.clone().close().unwrap();
    let end = log.head();
    assert_eq!(end.leaves, position.0 + 4 + 1);

    let check = |head| verify(&log_dir(dir.path()), &Options { head }).unwrap();
    let report = check(Some(end));
    assert_eq!(report.outcome, Outcome::Sound);
    assert_eq!(
        (report.records, report.sessions, report.payloads),
        (end.leaves, 2, 2 + 4)
    );
    assert!(report.closed && report.head == Some(end));
    // A head from before proves the log to there; it makes nothing worse than none at all does.
    for (head, proven) in [
        (Some(end), Some(end.leaves)),
        (Some(middle), Some(middle.leaves)),
        (None, None),
    ] {
        let report = check(head);
        assert_eq!(report.outcome, Outcome::Sound, "{head:?}");
        assert_eq!(report.proven, proven);
        assert_eq!(report.end_proven, head == Some(end));
        let said = report.explanation();
        assert!(said.contains("closed in order"), "{said}");
        let unproven = said.contains("kept elsewhere proves that nothing");
        assert_eq!(unproven, head != Some(end), "{said}");
    }
    // A head of another log, or of this one before it was cut, is not met.
    for wrong in [
        phigate_audit::Head {
            leaves: end.leaves + 1,
            ..end
        },
        phigate_audit::Head {
            hash: middle.hash,
            ..end
        },
        phigate_audit::Head { epoch: 2, ..end },
    ] {
        assert_eq!(check(Some(wrong)).outcome.exit_code(), 1, "{wrong}");
    }
}

#[test]
fn segments_roll_and_leaves_are_numbered_through() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    for number in 0..20 {
        let position = play(&log, session(number), 10);
        wait(&log, position);
    }
    log.clone().close().unwrap();
    let segments = reader::segments(&log_dir(dir.path()));
    assert!(segments.len() > 10, "{}", segments.len());
    let mut next = 0;
    for path in &segments {
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len(), 16 << 10);
        for batch in reader::batches(&bytes) {
            for leaf in reader::leaves(&bytes, &batch) {
                assert_eq!(leaf.bytes(&bytes)[..8], u64::to_be_bytes(next));
                next += 1;
            }
        }
    }
    assert_eq!(next, log.head().leaves);
    let options = Options {
        head: Some(log.head()),
    };
    assert_eq!(
        verify(&log_dir(dir.path()), &options).unwrap().outcome,
        Outcome::Sound
    );
}

#[test]
fn a_batch_longer_than_a_segment_gets_a_longer_one() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.append(opened(session(1))).unwrap();
    let mut long = intent(session(1), 1);
    long.payload.as_mut().unwrap().sent = Some("x".repeat(100_000).into());
    wait(&log, log.append(long).unwrap());
    wait(&log, log.append(outcome(session(1), 1)).unwrap());
    log.clone().close().unwrap();
    let options = Options {
        head: Some(log.head()),
    };
    assert_eq!(
        verify(&log_dir(dir.path()), &options).unwrap().outcome,
        Outcome::Sound
    );
}

#[test]
fn a_second_writer_and_another_name_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    assert!(matches!(
        Log::open(config(dir.path())),
        Err(AuditError::Locked(_))
    ));
    log.close().unwrap();
    let other = LogConfig {
        origin: "clinic/gateway-2".into(),
        ..config(dir.path())
    };
    let error = Log::open(other).err().unwrap();
    assert!(matches!(&error, AuditError::OtherOrigin { found, .. } if found == "clinic/gateway-1"));
    open(dir.path()).close().unwrap();
}

#[test]
fn records_that_would_not_verify_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let one = session(1);
    assert_eq!(
        log.append(intent(one, 1)),
        Err(AuditError::UnknownSession(one))
    );
    log.append(opened(one)).unwrap();
    assert_eq!(log.append(opened(one)), Err(AuditError::SessionExists(one)));
    let mut stray = outcome(one, 1);
    stray.session = None;
    assert!(matches!(
        log.append(stray),
        Err(AuditError::Misplaced("outcome", _))
    ));
    log.append(closed(one)).unwrap();
    assert_eq!(
        log.append(outcome(one, 1)),
        Err(AuditError::UnknownSession(one))
    );
    let other = log.clone();
    log.close().unwrap();
    assert_eq!(other.append(opened(one)), Err(AuditError::Closed));
    assert_eq!(other.head().leaves, 4);
}

#[test]
fn many_sessions_share_a_sync_and_each_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        level: Level::Local,
        ..config(dir.path())
    };
    let (log, report) = Log::open(config).unwrap();
    assert!(report.clean && report.leaves == 0 && report.torn_bytes == 0);
    runtime().block_on(async {
        let sessions: Vec<_> = (0..64)
            .map(|number| {
                let log = log.clone();
                tokio::spawn(async move {
                    let id = session(number);
                    let mut last = log.append(opened(id)).unwrap();
                    for statement in 1..=10 {
                        last = log.append(intent(id, statement)).unwrap();
                        log.wait_durable(last).await.unwrap();
                        assert!(log.durable() >= last);
                    }
                    last
                })
            })
            .collect();
        for session in sessions {
            session.await.unwrap();
        }
    });
    assert_eq!(log.durable(), Position(1 + 64 * 11));
    // 704 waits, and far fewer batches: at most one a sync.
    let dir = log_dir(dir.path());
    log.close().unwrap();
    let batches: usize = reader::segments(&dir)
        .iter()
        .map(|path| reader::batches(&std::fs::read(path).unwrap()).len())
        .sum();
    assert!(batches < 300, "{batches}");
}

#[test]
fn an_idle_log_says_that_it_is_alive() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig {
        heartbeat: Duration::from_millis(5),
        ..config(dir.path())
    };
    let log = Log::open(config).unwrap().0;
    // Nothing is appended: the third and fourth leaves can only be heartbeats.
    wait(&log, Position(4));
    drop(log);
    let steps = phigate_audit::replay::events(&log_dir(dir.path()), None)
        .unwrap()
        .steps;
    let phigate_audit::record::Record::Heartbeat(heartbeat) = &steps[2].record else {
        panic!("{:?}", steps[2])
    };
    assert_eq!(heartbeat.leaves, 2);
}

#[test]
fn settings_that_cannot_work_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = config(dir.path());
    for wrong in [
        LogConfig {
            origin: String::new(),
            ..good.clone()
        },
        LogConfig {
            origin: "two words".into(),
            ..good.clone()
        },
        LogConfig {
            segment_bytes: 1,
            ..good.clone()
        },
        LogConfig {
            reserve_bytes: 1 << 40,
            ..good.clone()
        },
        LogConfig {
            heartbeat: Duration::ZERO,
            ..good
        },
    ] {
        assert!(matches!(Log::open(wrong), Err(AuditError::Config(_))));
    }
}
