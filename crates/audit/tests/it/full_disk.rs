//! No room for the next segment: what was begun is ended on the disk reserve, nothing new begins.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use phigate_audit::verify::{Options, Outcome, verify};
use phigate_audit::{AuditError, Log, Position};
use phigate_types::{PgError, SqlState};

use crate::fixture::{
    closed, config, intent, log_dir, open, opened, outcome, runtime, session, wait,
};

const MOUNTED: &str = "PHIGATE_AUDIT_TINY_DIR";
const LIMITED: &str = "PHIGATE_AUDIT_LIMITED_DIR";
/// How long a condition may take to come true.
const DEADLINE: Duration = Duration::from_secs(30);

#[test]
fn closing_records_live_on_the_reserve_until_there_is_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    until("the spare is there", || {
        log_dir(dir.path()).join("spare").exists()
    });
    // A directory where the spare is made: it cannot be made, whoever runs the test.
    block_spare(dir.path());
    let id = session(1);
    log.append(opened(id)).unwrap();
    let last = fill(&log, id);
    until("the disk is known to be low", || log.is_disk_low());
    assert_eq!(log.append(intent(id, 9999)), Err(AuditError::DiskFull));
    assert_eq!(log.append(opened(session(2))), Err(AuditError::DiskFull));
    let told = PgError::from(&AuditError::DiskFull);
    assert_eq!(told.code, SqlState::IO_ERROR);
    // What was begun can be ended.
    wait(&log, log.append(outcome(id, last)).unwrap());
    wait(&log, log.append(closed(id)).unwrap());

    // Room again: records are taken again, and there is a reserve again.
    std::fs::remove_dir_all(log_dir(dir.path()).join("spare")).unwrap();
    until("records are taken again", || {
        log.append(opened(session(2))).is_ok()
    });
    assert!(!log.is_disk_low());
    wait(&log, log.append(closed(session(2))).unwrap());
    until("the reserve is back", || {
        log_dir(dir.path()).join("reserve").exists()
    });
    log.clone().close().unwrap();
    let report = verify(
        &log_dir(dir.path()),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    assert_eq!(report.outcome, Outcome::Sound);
}

#[test]
fn when_the_reserve_is_full_too_the_log_has_failed_and_what_it_holds_is_sound() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    block_spare(dir.path());
    // Nor can a new reserve be made.
    std::fs::create_dir(log_dir(dir.path()).join("reserve.new")).unwrap();
    let id = session(1);
    log.append(opened(id)).unwrap();
    let last = fill(&log, id);
    let mut number = last;
    let failed = loop {
        number += 1;
        match log.append(outcome(id, number)) {
            Ok(position) => {
                if let Err(error) = runtime().block_on(log.wait_durable(position)) {
                    break error;
                }
            }
            Err(error) => break error,
        }
    };
    assert_eq!(failed, AuditError::DiskFull);
    // Sticky: appends and waits fail, for good.
    let durable = log.durable();
    assert_eq!(log.append(closed(id)), Err(AuditError::DiskFull));
    let next = Position(durable.0 + 1);
    assert_eq!(
        runtime().block_on(log.wait_durable(next)),
        Err(AuditError::DiskFull)
    );
    assert_eq!(log.failed(), Some(AuditError::DiskFull));
    assert_eq!(log.clone().close(), Err(AuditError::DiskFull));
    let report = verify(
        &log_dir(dir.path()),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    // It was not closed: what it was to hold after this is not accounted for.
    assert_eq!(report.outcome.exit_code(), 2, "{}", report.outcome);
    assert!(report.head_met && !report.end_proven);
    assert_eq!(report.records, durable.0);
}

/// Not a test of its own: runs where a file may not grow beyond 8 KiB.
#[test]
fn limited_child() {
    let Ok(dir) = std::env::var(LIMITED) else {
        return;
    };
    let log = open(Path::new(&dir));
    // Writing beyond this place fails from now on, in files that are there, too.
    let limit = rustix::process::Rlimit {
        current: Some(8 << 10),
        maximum: None,
    };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
    let id = session(1);
    log.append(opened(id)).unwrap();
    let mut failed = None;
    for number in 1..1000 {
        let done = log
            .append(intent(id, number))
            .and_then(|position| runtime().block_on(log.wait_durable(position)));
        if let Err(error) = done {
            failed = Some(error);
            break;
        }
    }
    let failed = failed.expect("a write must have failed");
    assert!(
        failed.is_full() && matches!(failed, AuditError::Io { what: "write", .. }),
        "{failed}"
    );
    assert_eq!(log.append(closed(id)), Err(failed.clone()));
    assert_eq!(log.failed(), Some(failed));
}

#[test]
fn a_write_that_fails_is_the_end_of_the_log() {
    let dir = tempfile::tempdir().unwrap();
    // The signal that comes with the limit is ignored by the shell, hence by what it runs.
    let status = Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; exec \"$0\" --exact full_disk::limited_child",
        ])
        .arg(std::env::current_exe().unwrap())
        .env(LIMITED, dir.path())
        .status()
        .unwrap();
    assert!(status.success());
    let (log, report) = Log::open(config(dir.path())).unwrap();
    assert!(report.quarantined.is_none() && report.leaves > 2);
    log.clone().close().unwrap();
    let report = verify(
        &log_dir(dir.path()),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    assert_eq!(report.outcome, Outcome::Sound);
}

/// Not a test of its own: runs on a file system of 512 KiB.
#[test]
fn mounted_child() {
    let Ok(dir) = std::env::var(MOUNTED) else {
        return;
    };
    let dir = Path::new(&dir);
    let log = open(dir);
    until("the spare is there", || log_dir(dir).join("spare").exists());
    // Somebody else takes the rest of the disk.
    let mut other = std::fs::File::create(dir.join("other")).unwrap();
    while std::io::Write::write_all(&mut other, &[1; 4096]).is_ok() {}
    let id = session(1);
    log.append(opened(id)).unwrap();
    let last = fill(&log, id);
    assert_eq!(log.append(intent(id, 9999)), Err(AuditError::DiskFull));
    wait(&log, log.append(outcome(id, last)).unwrap());
    wait(&log, log.append(closed(id)).unwrap());
    log.clone().close().unwrap();
    let report = verify(
        &log_dir(dir),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    assert_eq!(report.outcome, Outcome::Sound);
}

#[test]
fn a_disk_that_is_really_full_ends_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=512k tmpfs \"$1\" && \
                  exec \"$0\" --exact full_disk::mounted_child";
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script]);
    command
        .arg(std::env::current_exe().unwrap())
        .arg(dir.path())
        .env(MOUNTED, dir.path());
    let possible = Command::new("unshare").args(["-rm", "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        // Containers often forbid it; the two tests above cover the same path with other means.
        println!("not run: this system does not let a test mount a file system");
        return;
    }
    assert!(command.status().unwrap().success());
}

/// Appends until nothing new is taken; gives the number of the last statement that was.
fn fill(log: &Log, id: phigate_types::SessionId) -> u64 {
    let deadline = Instant::now() + DEADLINE;
    for number in 1.. {
        assert!(Instant::now() < deadline, "the disk never gets full");
        match log.append(intent(id, number)) {
            Ok(position) => wait(log, position),
            Err(AuditError::DiskFull) => return number - 1,
            Err(error) => panic!("{error}"),
        }
    }
    0
}

fn block_spare(dir: &Path) {
    let spare = log_dir(dir).join("spare");
    until("the spare is there", || spare.exists());
    // The spare that is ready is used up by the time the obstacle is met; so is the one after.
    until("an obstacle stands where the spare is made", || {
        let _ = std::fs::remove_file(&spare);
        std::fs::create_dir(&spare).is_ok()
    });
    std::fs::write(spare.join("x"), b"x").unwrap();
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}
