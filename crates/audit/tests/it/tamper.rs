//! What G5 promises: each change of what was written is seen, also one made with care.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use phigate_audit::verify::{Options, Outcome, Report, verify};
use phigate_audit::{AuditError, Head};
use proptest::prelude::*;

use crate::fixture::{log_dir, open, play, session, wait};
use crate::reader;

/// A log of one segment, closed in order, its head, and its only file.
fn small(dir: &Path) -> (Head, PathBuf) {
    let log = open(dir);
    wait(&log, play(&log, session(1), 2));
    log.clone().close().unwrap();
    let segments = reader::segments(&log_dir(dir));
    assert_eq!(segments.len(), 1);
    (log.head(), segments[0].clone())
}

/// A log of several segments.
fn long(dir: &Path) -> (Head, Vec<PathBuf>) {
    let log = open(dir);
    for number in 0..6 {
        wait(&log, play(&log, session(number), 10));
    }
    log.clone().close().unwrap();
    let segments = reader::segments(&log_dir(dir));
    assert!(segments.len() >= 4);
    (log.head(), segments)
}

fn check(dir: &Path, head: Option<Head>) -> Report {
    verify(&log_dir(dir), &Options { head }).unwrap()
}

#[test]
fn every_flipped_bit_is_seen_without_any_head() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    wait(&log, play(&log, session(1), 0));
    log.clone().close().unwrap();
    let (head, path) = (log.head(), reader::segments(&log_dir(dir.path())).remove(0));
    let bytes = std::fs::read(&path).unwrap();
    let written = reader::batches(&bytes).last().unwrap().end();
    assert!(written > 1500);
    let file = File::options().write(true).open(&path).unwrap();
    for bit in 0..written * 8 {
        let at = bit / 8;
        file.write_all_at(&[bytes[at] ^ 1 << (bit % 8)], at as u64)
            .unwrap();
        let report = check(dir.path(), None);
        assert_eq!(
            report.outcome.exit_code(),
            1,
            "bit {bit}: {}",
            report.outcome
        );
        file.write_all_at(&bytes[at..=at], at as u64).unwrap();
    }
    // And in the zeros after the end: never sound, the place is named.
    for at in (written..bytes.len()).step_by(7) {
        file.write_all_at(&[1 << (at % 8)], at as u64).unwrap();
        let report = check(dir.path(), Some(head));
        assert_eq!(
            report.outcome.exit_code(),
            2,
            "byte {at}: {}",
            report.outcome
        );
        assert_eq!(report.tail.unwrap().offset, written as u64);
        file.write_all_at(&[0], at as u64).unwrap();
    }
    assert_eq!(check(dir.path(), Some(head)).outcome, Outcome::Sound);
}

#[test]
fn a_changed_leaf_with_right_checksums_breaks_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = small(dir.path());
    let original = std::fs::read(&path).unwrap();
    let mut leaves = 0;
    for batch in reader::batches(&original) {
        for leaf in reader::leaves(&original, &batch) {
            leaves += 1;
            // In the fixed part, in the record, in the ciphertext.
            for at in [
                leaf.at + 5 + 15,
                leaf.at + 5 + 150,
                leaf.at + 5 + leaf.len + 3,
            ] {
                if at >= leaf.at + 5 + leaf.len + leaf.ciphertext {
                    continue;
                }
                let mut bytes = original.clone();
                bytes[at] ^= 1;
                reader::repair(&mut bytes, &batch);
                std::fs::write(&path, &bytes).unwrap();
                let report = check(dir.path(), None);
                // The very last leaf is named by none after it: only a head knows its hash.
                let last = batch.end() == reader::batches(&original).last().unwrap().end();
                if last && report.damages.is_empty() {
                    continue;
                }
                assert_eq!(report.outcome.exit_code(), 1, "{at}: {}", report.outcome);
            }
        }
    }
    assert!(leaves > 5);
}

#[test]
fn the_last_leaf_changed_with_right_checksums_is_seen_against_the_head() {
    let dir = tempfile::tempdir().unwrap();
    let (head, path) = small(dir.path());
    let mut bytes = std::fs::read(&path).unwrap();
    let batch = *reader::batches(&bytes).last().unwrap();
    let leaf = *reader::leaves(&bytes, &batch).last().unwrap();
    bytes[leaf.at + 5 + 15] ^= 1; // its time
    reader::repair(&mut bytes, &batch);
    std::fs::write(&path, &bytes).unwrap();
    let report = check(dir.path(), None);
    assert!(!report.end_proven, "{}", report.explanation());
    assert_eq!(check(dir.path(), Some(head)).outcome.exit_code(), 1);
}

#[test]
fn a_closed_log_without_its_end_is_never_sound() {
    let dir = tempfile::tempdir().unwrap();
    let (head, path) = small(dir.path());
    let original = std::fs::read(&path).unwrap();
    let batches = reader::batches(&original);
    assert_eq!(check(dir.path(), None).outcome, Outcome::Sound);
    // Zeros from the begin of each batch on: as if it had never been written.
    let mut kept = 0;
    for gone in &batches {
        let mut bytes = original.clone();
        bytes[gone.at..].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let report = check(dir.path(), None);
        assert!(
            matches!(&report.outcome, Outcome::SoundUpTo { leaves, why }
                if *leaves == kept && why.contains("cut off")),
            "{}",
            report.outcome
        );
        kept += u64::from(gone.count);
        let report = check(dir.path(), Some(head));
        assert!(
            matches!(&report.outcome, Outcome::Tampered(damage) if damage.why.contains("missing")),
            "{}",
            report.outcome
        );
        // Nor against a head that was noted just there: more may have followed.
        let end = check(dir.path(), None).head;
        if end.is_some_and(|end| end.leaves > 0) {
            let report = check(dir.path(), end);
            assert_eq!(report.outcome.exit_code(), 2, "{}", report.outcome);
            assert!(!report.end_proven);
        }
    }
    assert_eq!(kept, head.leaves);
    // Zeros from the middle of a batch on, and the file itself cut.
    let written = batches.last().unwrap().end();
    for cut in (reader::HEADER..written).step_by(61) {
        let mut bytes = original.clone();
        bytes[cut..].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        let code = check(dir.path(), None).outcome.exit_code();
        assert!(matches!(code, 1 | 2), "zeros from {cut}: {code}");
        std::fs::write(&path, &original[..cut]).unwrap();
        let code = check(dir.path(), None).outcome.exit_code();
        assert_eq!(code, 1, "cut at {cut}");
    }
}

#[test]
fn a_removed_batch_in_the_middle_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (_, path) = small(dir.path());
    let bytes = std::fs::read(&path).unwrap();
    let batches = reader::batches(&bytes);
    assert!(batches.len() >= 2);
    for gone in &batches[..batches.len() - 1] {
        let mut cut = bytes[..gone.at].to_vec();
        cut.extend_from_slice(&bytes[gone.end()..]);
        cut.resize(bytes.len(), 0);
        std::fs::write(&path, &cut).unwrap();
        assert_eq!(check(dir.path(), None).outcome.exit_code(), 1);
    }
}

#[test]
fn segments_removed_swapped_renamed_or_shortened_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (head, segments) = long(dir.path());
    let kept: Vec<_> = segments
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let restore = || {
        for (path, bytes) in segments.iter().zip(&kept) {
            std::fs::write(path, bytes).unwrap();
        }
        assert_eq!(check(dir.path(), Some(head)).outcome, Outcome::Sound);
    };
    for gone in &segments[..segments.len() - 1] {
        std::fs::remove_file(gone).unwrap();
        let report = check(dir.path(), None);
        assert_eq!(
            report.outcome.exit_code(),
            1,
            "{}: {}",
            gone.display(),
            report.outcome
        );
        restore();
    }
    // The last one: an unproven end that says so, and tampering against the head.
    std::fs::remove_file(segments.last().unwrap()).unwrap();
    let report = check(dir.path(), None);
    assert!(
        report
            .outcome
            .to_string()
            .contains("the next one is missing"),
        "{}",
        report.outcome
    );
    assert_eq!(check(dir.path(), Some(head)).outcome.exit_code(), 1);
    restore();
    std::fs::write(&segments[1], &kept[2]).unwrap();
    std::fs::write(&segments[2], &kept[1]).unwrap();
    assert_eq!(check(dir.path(), None).outcome.exit_code(), 1);
    restore();
    std::fs::write(&segments[1], &kept[1][..kept[1].len() - 4096]).unwrap();
    assert_eq!(check(dir.path(), None).outcome.exit_code(), 1);
    restore();
    // All of it.
    for path in &segments {
        std::fs::remove_file(path).unwrap();
    }
    assert_eq!(check(dir.path(), Some(head)).outcome.exit_code(), 1);
    let nothing = verify(&log_dir(dir.path()), &Options::default());
    assert!(matches!(nothing, Err(AuditError::Config(_))));
}

#[test]
fn bytes_after_a_seal_are_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (head, segments) = long(dir.path());
    let bytes = std::fs::read(&segments[0]).unwrap();
    let end = reader::batches(&bytes).last().unwrap().end();
    let file = File::options().write(true).open(&segments[0]).unwrap();
    for at in [end, end + 100, bytes.len() - 1] {
        file.write_all_at(&[1], at as u64).unwrap();
        assert_eq!(
            check(dir.path(), Some(head)).outcome.exit_code(),
            1,
            "{at} of {end}"
        );
        file.write_all_at(&[0], at as u64).unwrap();
    }
}

#[test]
fn a_live_log_is_sound_and_says_what_is_not_proven() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    wait(&log, play(&log, session(1), 2));
    let report = check(dir.path(), None);
    assert_eq!(report.outcome, Outcome::Sound);
    assert!(report.live && !report.closed && !report.end_proven);
    let said = report.explanation();
    assert!(
        said.contains("being written") && said.contains("kept elsewhere"),
        "{said}"
    );
    let report = check(dir.path(), Some(log.head()));
    assert!(report.end_proven && report.outcome == Outcome::Sound);

    // The same bytes without a writer: a copy, or what a kill leaves behind.
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(log_dir(copy.path())).unwrap();
    for file in std::fs::read_dir(log_dir(dir.path())).unwrap() {
        let from = file.unwrap().path();
        let to = log_dir(copy.path()).join(from.file_name().unwrap());
        std::fs::copy(from, to).unwrap();
    }
    let report = check(copy.path(), None);
    assert!(!report.live);
    assert_eq!(report.outcome.exit_code(), 2, "{}", report.outcome);

    // A live log whose end was cut off: the text says that no end is proven, and what its writer
    // writes next gives it away.
    let path = reader::segments(&log_dir(dir.path())).remove(0);
    let bytes = std::fs::read(&path).unwrap();
    let last = *reader::batches(&bytes).last().unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(&vec![0; last.end() - last.at], last.at as u64)
        .unwrap();
    let report = check(dir.path(), None);
    assert!(!report.end_proven && report.records < log.head().leaves);
    wait(&log, play(&log, session(2), 1));
    let report = check(dir.path(), None);
    assert_eq!(report.outcome.exit_code(), 1, "{}", report.outcome);
}

#[test]
fn an_auditor_who_asks_for_the_lock_is_not_in_a_writers_way() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let lock = File::open(log_dir(dir.path()).join("lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockShared).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| open(dir.path()));
        drop(lock);
        writer.join().unwrap().close().unwrap();
    });
}

#[test]
fn a_log_is_verified_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    wait(&log, play(&log, session(200), 1));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..100 {
                play(&log, session(number), 30);
            }
        });
        let mut runs = 0;
        while !writer.is_finished() || runs < 3 {
            let head = log.head();
            let report = check(dir.path(), Some(head));
            assert_ne!(report.outcome.exit_code(), 1, "{}", report.outcome);
            assert!(report.head_met && report.records >= head.leaves);
            runs += 1;
        }
    });
    log.close().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn garbage_neither_panics_nor_passes(
        edits in prop::collection::vec((0usize..16384, any::<u8>()), 1..20),
        length in prop::option::of(0usize..20_000),
    ) {
        thread_local! {
            static LOG: (tempfile::TempDir, Head, PathBuf, Vec<u8>) = {
                let dir = tempfile::tempdir().unwrap();
                let (head, path) = small(dir.path());
                let bytes = std::fs::read(&path).unwrap();
                (dir, head, path, bytes)
            };
        }
        LOG.with(|(dir, head, path, original)| {
            let mut bytes = original.clone();
            for (at, byte) in edits {
                bytes[at] = byte;
            }
            bytes.resize(length.unwrap_or(bytes.len()), 0x41);
            std::fs::write(path, &bytes).unwrap();
            let report = check(dir.path(), Some(*head));
            assert_eq!(report.outcome == Outcome::Sound, bytes == *original);
            let _ = phigate_audit::replay::sessions(&log_dir(dir.path())).unwrap();
        });
    }
}
