//! Segment files: their names, their header, and the list of those in a directory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::error::AuditError;
use crate::leaf::Digest;

/// The length of a header, in bytes; the first batch follows it.
pub(crate) const HEADER: usize = 512;

const MAGIC: &[u8; 8] = b"phiaudit";
const FORMAT: u16 = 1;
/// Where the header's checksum is.
const CHECKSUM_AT: usize = HEADER - 4;
/// Where the length of the origin is; the origin follows.
const ORIGIN_AT: usize = 72;

/// What a segment says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// The epoch of the log, from 1.
    pub(crate) epoch: u32,
    /// The segment's number in the epoch, from 0.
    pub(crate) sequence: u64,
    /// The number of its first leaf.
    pub(crate) first: u64,
    /// The size of the file, in bytes.
    pub(crate) size: u64,
    /// The hash of the leaf before its first.
    pub(crate) previous: Digest,
    /// Whose log it is.
    pub(crate) origin: String,
}

/// A segment file in a directory, by its name alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) epoch: u32,
    pub(crate) sequence: u64,
}

impl Header {
    /// The bytes, in the order of `docs/audit-format.md`.
    pub(crate) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            if let Some(slot) = bytes.get_mut(at..at + part.len()) {
                slot.copy_from_slice(part);
            }
            at += part.len();
        };
        put(MAGIC);
        put(&FORMAT.to_be_bytes());
        put(&[0; 2]);
        put(&self.epoch.to_be_bytes());
        put(&self.sequence.to_be_bytes());
        put(&self.first.to_be_bytes());
        put(&self.size.to_be_bytes());
        put(&self.previous.0);
        put(&[u8::try_from(self.origin.len()).unwrap_or(u8::MAX)]);
        put(self.origin.as_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    /// Reads a header. Every bit of it means something or must be zero.
    pub(crate) fn decode(bytes: &[u8; HEADER]) -> Result<Self, &'static str> {
        let (body, checksum) = bytes.split_at(CHECKSUM_AT);
        if &bytes[..8] != MAGIC {
            return Err("the segment does not begin as one");
        }
        if crc32c::crc32c(body).to_be_bytes() != checksum {
            return Err("the segment header's checksum is wrong");
        }
        if bytes[8..10] != FORMAT.to_be_bytes() {
            return Err("the segment has a format unknown to this version");
        }
        let origin_end = ORIGIN_AT + 1 + usize::from(bytes[ORIGIN_AT]);
        let origin = body
            .get(ORIGIN_AT + 1..origin_end)
            .ok_or("the origin is too long")?;
        let padding = body.get(origin_end..).unwrap_or_default();
        if bytes[10..12] != [0; 2] || padding.iter().any(|byte| *byte != 0) {
            return Err("reserved bytes of the segment header are set");
        }
        let origin = std::str::from_utf8(origin).map_err(|_| "the origin is not text")?;
        Ok(Self {
            epoch: u32::from_be_bytes(part(bytes, 12)),
            sequence: u64::from_be_bytes(part(bytes, 16)),
            first: u64::from_be_bytes(part(bytes, 24)),
            size: u64::from_be_bytes(part(bytes, 32)),
            previous: Digest(part(bytes, 40)),
            origin: origin.to_owned(),
        })
    }

    /// Reads the header of a file. `Ok(Err)` says what is wrong with it.
    pub(crate) fn read(file: &File) -> io::Result<Result<Self, &'static str>> {
        let mut bytes = [0; HEADER];
        match file.read_exact_at(&mut bytes, 0) {
            Ok(()) => Ok(Self::decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Ok(Err("the segment is shorter than its header"))
            }
            Err(error) => Err(error),
        }
    }
}

impl Name {
    /// The file's name.
    pub(crate) fn file_name(&self) -> String {
        format!("{:04}-{:010}.seg", self.epoch, self.sequence)
    }

    /// Its path in a directory.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(self.file_name())
    }

    fn parse(name: &str) -> Option<Self> {
        let (epoch, sequence) = name.strip_suffix(".seg")?.split_once('-')?;
        let parsed = Self {
            epoch: epoch.parse().ok()?,
            sequence: sequence.parse().ok()?,
        };
        (parsed.file_name() == name).then_some(parsed)
    }
}

/// The segments of a directory, in order.
pub(crate) fn list(dir: &Path) -> Result<Vec<Name>, AuditError> {
    let wrong = |error: io::Error| AuditError::io("list", dir, &error);
    let mut names = Vec::new();
    for file in std::fs::read_dir(dir).map_err(wrong)? {
        let file = file.map_err(wrong)?;
        names.extend(file.file_name().to_str().and_then(Name::parse));
    }
    names.sort();
    Ok(names)
}

/// Whose log a directory holds, as its first readable segment says.
pub(crate) fn origin(dir: &Path) -> Result<String, AuditError> {
    for name in list(dir)? {
        let path = name.path(dir);
        let wrong = |error: io::Error| AuditError::io("read", &path, &error);
        if let Ok(header) = Header::read(&File::open(&path).map_err(wrong)?).map_err(wrong)? {
            return Ok(header.origin);
        }
    }
    Err(AuditError::Config(format!(
        "there is no audit log in {}",
        dir.display()
    )))
}

fn part<const N: usize>(bytes: &[u8; HEADER], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            epoch: 1,
            sequence: 2,
            first: 3,
            size: 1 << 16,
            previous: Digest([7; 32]),
            origin: "clinic/gateway-1".into(),
        }
    }

    #[test]
    fn a_header_reads_back_and_no_bit_may_flip() {
        let bytes = header().encode();
        assert_eq!(Header::decode(&bytes), Ok(header()));
        for bit in 0..HEADER * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn the_longest_origin_fits() {
        let header = Header {
            origin: "x".repeat(255),
            ..header()
        };
        assert_eq!(Header::decode(&header.encode()), Ok(header));
    }

    #[test]
    fn names_are_read_strictly() {
        let name = Name {
            epoch: 1,
            sequence: 12,
        };
        assert_eq!(name.file_name(), "0001-0000000012.seg");
        assert_eq!(Name::parse(&name.file_name()), Some(name));
        for text in [
            "1-12.seg",
            "0001-0000000012.seg.bak",
            "spare",
            "0001-000000001x.seg",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }
}
