//! What a crash leaves behind is repaired; what is damaged is left alone, and said.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use phigate_audit::Log;
use phigate_audit::record::Record;
use phigate_audit::replay::{events, sessions};
use phigate_audit::verify::{Options, Outcome, verify};

use crate::fixture::{config, log_dir, open, play, session, wait};
use crate::reader;

fn write(dir: &Path, sessions: std::ops::Range<u8>) {
    let log = open(dir);
    for number in sessions {
        wait(&log, play(&log, session(number), 3));
    }
    log.close().unwrap();
}

#[test]
fn a_batch_cut_anywhere_is_cut_off_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..1);
    let path = reader::segments(&log_dir(dir.path())).remove(0);
    let whole = std::fs::read(&path).unwrap();
    let last = *reader::batches(&whole).last().unwrap();
    for cut in (last.at + 1..last.end()).step_by(37) {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        // As long as the cut bytes are zeros already, nothing is torn.
        let torn_bytes = torn.iter().rposition(|byte| *byte != 0).unwrap() + 1 - last.at;
        std::fs::write(&path, &torn).unwrap();
        let (log, report) = Log::open(config(dir.path())).unwrap();
        assert_eq!(report.torn_bytes, torn_bytes as u64);
        assert!(!report.clean && report.quarantined.is_none());
        log.clone().close().unwrap();
        let head = Some(log.head());
        let outcome = verify(&log_dir(dir.path()), &Options { head })
            .unwrap()
            .outcome;
        assert_eq!(outcome, Outcome::Sound);
        std::fs::write(&path, &whole).unwrap();
    }
}

#[test]
fn damage_in_the_middle_is_never_cut() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..3);
    let path = reader::segments(&log_dir(dir.path())).pop().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let batches = reader::batches(&bytes);
    let hit = batches[batches.len() - 2];
    let at = (hit.at + 200) as u64;
    let damaged = bytes[at as usize] ^ 0x10;
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .write_all_at(&[damaged], at)
        .unwrap();
    let before = verify(&log_dir(dir.path()), &Options::default()).unwrap();
    assert_eq!(before.outcome.exit_code(), 1);

    let (log, report) = Log::open(config(dir.path())).unwrap();
    let quarantine = report.quarantined.unwrap();
    assert_eq!((report.epoch, report.leaves), (2, 0));
    assert_eq!((quarantine.epoch, &quarantine.file), (1, &path));
    assert_eq!(quarantine.offset, hit.at as u64);
    assert_eq!(Some(quarantine.sound), before.head);
    // Not a byte of the damaged epoch was touched.
    let mut expected = bytes.clone();
    expected[at as usize] = damaged;
    assert_eq!(std::fs::read(&path).unwrap(), expected);
    play(&log, session(9), 1);
    log.clone().close().unwrap();

    // The damage is reported for ever, and what came after it is sound.
    let report = verify(
        &log_dir(dir.path()),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    assert_eq!(report.damages.len(), 1, "{:?}", report.damages);
    assert!(matches!(&report.outcome, Outcome::Tampered(damage)
        if damage.file == path && damage.offset == hit.at as u64 && damage.epoch == 1));
    assert_eq!(report.epochs.len(), 2);
    assert!(report.head_met && report.epochs[1].closed);
    let steps = events(&log_dir(dir.path()), None).unwrap().steps;
    let opened = steps.iter().rev().find_map(|step| match &step.record {
        Record::LogOpened(opened) => Some(opened.clone()),
        _ => None,
    });
    assert_eq!(
        opened.unwrap().quarantined.unwrap().leaves,
        quarantine.sound.leaves
    );
    let list = sessions(&log_dir(dir.path())).unwrap().sessions;
    assert_eq!(list.last().unwrap().session, session(9));

    // Opened once more, the new epoch goes on.
    let (log, report) = Log::open(config(dir.path())).unwrap();
    assert!(report.epoch == 2 && report.quarantined.is_none() && report.clean);
    log.close().unwrap();
    // Repairing the old epoch afterwards does not make the story fit again.
    std::fs::write(&path, &bytes).unwrap();
    let report = verify(&log_dir(dir.path()), &Options::default()).unwrap();
    assert_eq!(report.outcome.exit_code(), 1, "{}", report.outcome);
}

#[test]
fn a_missing_or_broken_segment_is_damage() {
    for harm in [
        (|path: &Path| std::fs::remove_file(path).unwrap()) as fn(&Path),
        |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.write_all_at(b"x", 40).unwrap();
        },
        |path| {
            let file = File::options().write(true).open(path).unwrap();
            file.set_len(8192).unwrap();
        },
    ] {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), 0..20);
        let segments = reader::segments(&log_dir(dir.path()));
        assert!(segments.len() > 4);
        harm(&segments[2]);
        let (log, report) = Log::open(config(dir.path())).unwrap();
        assert!(report.quarantined.is_some());
        log.clone().close().unwrap();
        let report = verify(
            &log_dir(dir.path()),
            &Options {
                head: Some(log.head()),
            },
        )
        .unwrap();
        assert_eq!(report.damages.len(), 1, "{:?}", report.damages);
        assert_eq!(report.outcome.exit_code(), 1);
    }
}

#[test]
fn a_crash_between_two_segments_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..6);
    let segments = reader::segments(&log_dir(dir.path()));
    // The last segment had its name but no batch yet; then not even its name.
    let last = segments.last().unwrap();
    let mut bytes = std::fs::read(last).unwrap();
    bytes[reader::HEADER..].fill(0);
    std::fs::write(last, bytes).unwrap();
    let (log, report) = Log::open(config(dir.path())).unwrap();
    assert!(!report.clean && report.quarantined.is_none());
    log.close().unwrap();
    std::fs::remove_file(last).unwrap();
    let (log, report) = Log::open(config(dir.path())).unwrap();
    assert!(report.quarantined.is_none());
    log.clone().close().unwrap();
    assert_eq!(reader::segments(&log_dir(dir.path())).len(), segments.len());
    let outcome = verify(
        &log_dir(dir.path()),
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap()
    .outcome;
    assert_eq!(outcome, Outcome::Sound);
}

#[test]
fn a_flipped_bit_in_the_last_batch_is_not_taken_for_a_torn_write() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0..1);
    let path = reader::segments(&log_dir(dir.path())).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = *reader::batches(&bytes).last().unwrap();
    bytes[last.at + 60] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    let (log, report) = Log::open(config(dir.path())).unwrap();
    assert_eq!((report.epoch, report.torn_bytes), (2, 0));
    assert_eq!(report.quarantined.unwrap().offset, last.at as u64);
    log.close().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
