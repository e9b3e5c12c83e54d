//! A second reader of segments, written from `docs/audit-format.md` alone: finds batches and leaves, and
//! can repair checksums, as somebody who tampers would.

use std::path::{Path, PathBuf};

pub(crate) const HEADER: usize = 512;

/// A batch in a segment's bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch {
    pub(crate) at: usize,
    /// Bytes of entries.
    pub(crate) len: usize,
    pub(crate) count: u32,
}

/// A leaf in a segment's bytes: where its length field is, its length, its ciphertext's length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Leaf {
    pub(crate) at: usize,
    pub(crate) len: usize,
    pub(crate) ciphertext: usize,
}

impl Batch {
    pub(crate) fn end(&self) -> usize {
        self.at + 32 + self.len + 16
    }
}

impl Leaf {
    pub(crate) fn bytes<'a>(&self, segment: &'a [u8]) -> &'a [u8] {
        &segment[self.at + 5..self.at + 5 + self.len]
    }
}

pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    paths.sort();
    paths
}

pub(crate) fn batches(segment: &[u8]) -> Vec<Batch> {
    let mut found = Vec::new();
    let mut at = HEADER;
    while at + 48 <= segment.len() && &segment[at..at + 4] == b"PGB1" {
        let batch = Batch {
            at,
            len: word(segment, at + 4) as usize,
            count: word(segment, at + 16),
        };
        found.push(batch);
        at = batch.end();
    }
    found
}

pub(crate) fn leaves(segment: &[u8], batch: &Batch) -> Vec<Leaf> {
    let mut found = Vec::new();
    let mut at = batch.at + 32;
    while at < batch.at + 32 + batch.len {
        let len = word(segment, at) as usize;
        assert_eq!(segment[at + 4], 0);
        let ciphertext = word(segment, at + 5 + 108) as usize;
        found.push(Leaf {
            at,
            len,
            ciphertext,
        });
        at += 5 + len + ciphertext;
    }
    found
}

/// Makes a batch's checksums right again after its bytes were changed.
pub(crate) fn repair(segment: &mut [u8], batch: &Batch) {
    let header = crc32c::crc32c(&segment[batch.at..batch.at + 24]);
    segment[batch.at + 24..batch.at + 28].copy_from_slice(&header.to_be_bytes());
    let mark = batch.at + 32 + batch.len;
    let whole = crc32c::crc32c(&segment[batch.at..mark]);
    segment[mark..mark + 4].copy_from_slice(&whole.to_be_bytes());
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}
