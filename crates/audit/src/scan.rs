//! Reads a segment batch by batch, whole batches only, in memory bounded by the longest batch.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::batch::{self, Header};
use crate::error::AuditError;
use crate::log::MAX_SEGMENT_BYTES;
use crate::segment;

/// How much is read at once, in bytes.
const CHUNK: usize = 1 << 20;

/// A segment being read.
pub(crate) struct Scan {
    file: File,
    path: PathBuf,
    size: u64,
    window: Vec<u8>,
    /// Where the window begins in the file.
    start: u64,
    /// Where in the window the next batch begins.
    at: usize,
}

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A whole batch.
    Batch {
        /// Where it begins in the file.
        offset: u64,
        header: Header,
        entries: &'a [u8],
    },
    /// The batch that closes the segment.
    Seal { offset: u64, header: Header },
    /// Zeros to the end of the file.
    End { offset: u64 },
    /// Bytes that are not a batch.
    Broken(Broken),
}

/// Bytes that are not a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Where they begin.
    pub(crate) offset: u64,
    /// What is wrong with them.
    pub(crate) why: &'static str,
    /// Where the next whole batch begins, when there is one.
    pub(crate) later: Option<u64>,
    /// Whether they can be a write that a crash cut short, or one that is going on.
    pub(crate) torn: bool,
    /// Where the last byte that is not zero ends.
    pub(crate) end: u64,
}

impl Scan {
    /// Opens a segment, reads its header and goes to its first batch.
    pub(crate) fn open(
        path: &Path,
    ) -> Result<(Self, Result<segment::Header, &'static str>), AuditError> {
        let wrong = |error: io::Error| AuditError::io("read", path, &error);
        let file = File::open(path).map_err(wrong)?;
        let size = file.metadata().map_err(wrong)?.len();
        let header = segment::Header::read(&file).map_err(wrong)?;
        let header = header.and_then(|header| {
            if header.size != size {
                Err("the segment's size has changed")
            } else if size > MAX_SEGMENT_BYTES {
                Err("the segment is longer than any writer makes it")
            } else {
                Ok(header)
            }
        });
        Ok((Self::at(file, path, size, segment::HEADER as u64), header))
    }

    /// Reads on from a batch whose place is known.
    pub(crate) fn at(file: File, path: &Path, size: u64, offset: u64) -> Self {
        Self {
            file,
            path: path.to_owned(),
            size,
            window: Vec::new(),
            start: offset,
            at: 0,
        }
    }

    /// Goes to a batch whose place is known.
    pub(crate) fn seek(&mut self, offset: u64) {
        self.window.clear();
        (self.start, self.at) = (offset, 0);
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The size of the file, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The next batch. `expected` is the number of the leaf that must come next.
    pub(crate) fn next(&mut self, expected: u64) -> Result<Step<'_>, AuditError> {
        let offset = self.start + self.at as u64;
        self.fill(batch::HEADER)?;
        let rest = &self.window[self.at..];
        let head = rest.get(..batch::HEADER).unwrap_or(rest);
        if head.iter().all(|byte| *byte == 0) {
            return match self.last_byte(offset)? {
                None => Ok(Step::End { offset }),
                Some(_) => self.broken(offset, expected, "bytes stand after the end"),
            };
        }
        let header = match Header::decode(head) {
            Ok(header) => header,
            Err(why) => return self.broken(offset, expected, why),
        };
        if header.whole() as u64 > self.size - offset {
            return self.broken(offset, expected, "a batch is longer than its segment");
        }
        self.fill(header.whole())?;
        let (at, whole) = (self.at, header.whole());
        if let Err(why) = batch::open(&header, &self.window[at..]) {
            return self.broken(offset, expected, why);
        }
        self.at += whole;
        if header.seal {
            return Ok(Step::Seal { offset, header });
        }
        let entries = &self.window[at + batch::HEADER..at + whole - batch::MARK];
        Ok(Step::Batch {
            offset,
            header,
            entries,
        })
    }

    /// Where the last byte that is not zero ends, from `offset` on.
    pub(crate) fn last_byte(&self, offset: u64) -> Result<Option<u64>, AuditError> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; left.min(CHUNK)];
        let (mut from, mut end) = (offset, None);
        while from < self.size {
            let len = self.read(&mut buffer, from)?;
            if len == 0 {
                break;
            }
            if let Some(last) = last_nonzero(&buffer[..len]) {
                end = Some(from + last as u64 + 1);
            }
            from += len as u64;
        }
        Ok(end)
    }

    /// Judges bytes that are not a batch. Reads the rest of the segment: segments are bounded.
    fn broken<'a>(
        &self,
        offset: u64,
        expected: u64,
        why: &'static str,
    ) -> Result<Step<'a>, AuditError> {
        let end = self.last_byte(offset)?.unwrap_or(offset);
        let mut region = vec![0; usize::try_from(end - offset).unwrap_or(usize::MAX)];
        let mut filled = 0;
        while filled < region.len() {
            let len = self.read(&mut region[filled..], offset + filled as u64)?;
            if len == 0 {
                break;
            }
            filled += len;
        }
        let later = batch::find_committed(region.get(1..).unwrap_or_default(), expected);
        let later = later.map(|at| offset + 1 + at as u64);
        // Zeros up to the end of the file belong to what is judged, but need not be read.
        let room = (self.size - offset).min(batch::MAX_ENTRIES as u64 + batch::SEAL as u64);
        region.resize(
            region
                .len()
                .max(usize::try_from(room).unwrap_or(usize::MAX)),
            0,
        );
        let torn = later.is_none() && batch::looks_torn(&region, offset);
        Ok(Step::Broken(Broken {
            offset,
            why,
            later,
            torn,
            end,
        }))
    }

    /// Has at least `need` bytes from `self.at` on in the window, or all there are.
    fn fill(&mut self, need: usize) -> Result<(), AuditError> {
        if self.window.len() - self.at >= need {
            return Ok(());
        }
        self.window.drain(..self.at);
        self.start += self.at as u64;
        self.at = 0;
        let mut filled = self.window.len();
        let left = self.size.saturating_sub(self.start);
        let want = need
            .max(CHUNK)
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        self.window.resize(want.max(filled), 0);
        while filled < want {
            let from = self.start + filled as u64;
            let len = self
                .file
                .read_at(&mut self.window[filled..want], from)
                .map_err(|error| AuditError::io("read", &self.path, &error))?;
            if len == 0 {
                break;
            }
            filled += len;
        }
        self.window.truncate(filled);
        Ok(())
    }

    fn read(&self, buffer: &mut [u8], from: u64) -> Result<usize, AuditError> {
        self.file
            .read_at(buffer, from)
            .map_err(|error| AuditError::io("read", &self.path, &error))
    }
}

/// The place of the last byte that is not zero. By blocks, which the compiler turns into wide loads:
/// most of what is searched is zeros.
fn last_nonzero(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 4096;
    let blocks = bytes.len().div_ceil(BLOCK);
    (0..blocks).rev().find_map(|block| {
        let part = bytes.get(block * BLOCK..bytes.len().min((block + 1) * BLOCK))?;
        if part.iter().fold(0, |any, byte| any | byte) == 0 {
            return None;
        }
        part.iter()
            .rposition(|byte| *byte != 0)
            .map(|at| block * BLOCK + at)
    })
}
