//! Batches: what one write puts into a segment. A header of 32 bytes, entries, a commit mark of 16.
//! A batch counts when its header, its mark and the checksum over both and what is between are right.
//!
//! Segments are filled with zeros before they are written, and header and mark end in a byte that is
//! not zero. So a write that a crash cut short leaves zeros where bytes should be, and damage does not:
//! [`looks_torn`] tells them apart.

use crate::leaf::{Digest, FIXED, Fixed, MAX_CIPHERTEXT, MAX_LEAF, PREFIX};

/// The length of a batch's header, in bytes.
pub(crate) const HEADER: usize = 32;
/// The length of a commit mark, in bytes.
pub(crate) const MARK: usize = 16;
/// The length of the batch without entries that closes a segment.
pub(crate) const SEAL: usize = HEADER + MARK;
/// The most bytes the entries of one batch may take.
pub(crate) const MAX_ENTRIES: usize = MAX_LEAF + MAX_CIPHERTEXT + ENTRY_OVERHEAD;
/// What an entry takes beside its leaf and ciphertext: length and prefix.
pub(crate) const ENTRY_OVERHEAD: usize = 5;

/// The unit a disk writes whole or not at all, in bytes; the smallest one in use.
const SECTOR: u64 = 512;
const HEADER_MAGIC: [u8; 4] = *b"PGB1";
const HEADER_END: [u8; 4] = *b"\r\n\x1a\n";
const MARK_END: [u8; 4] = *b"PGC1";
const FLAG_SEAL: u32 = 1;
/// How many times over a damaged region may be read in search of a later batch.
const SEARCH_PASSES: usize = 4;

/// The header of a batch, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of entries.
    pub(crate) len: usize,
    /// The number of its first leaf.
    pub(crate) first: u64,
    /// How many leaves it has.
    pub(crate) count: u32,
    /// Whether it closes its segment.
    pub(crate) seal: bool,
}

/// One leaf and its ciphertext, where they lie in a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    /// The prefix and the leaf: what its hash is taken over.
    pub(crate) hashed: &'a [u8],
    /// What the leaf commits to; empty when it commits to nothing.
    pub(crate) ciphertext: &'a [u8],
}

impl Header {
    /// The batch's length in the file.
    pub(crate) fn whole(&self) -> usize {
        HEADER + self.len + MARK
    }

    /// Reads a header.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let header: &[u8; HEADER] = bytes.first_chunk().ok_or("a batch header is cut short")?;
        let word = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        if header[..4] != HEADER_MAGIC || header[28..] != HEADER_END {
            return Err("a batch does not begin as one");
        }
        if crc32c::crc32c(&header[..24]) != word(24) {
            return Err("a batch header's checksum is wrong");
        }
        let (len, count, flags) = (word(4) as usize, word(16), word(20));
        if len > MAX_ENTRIES || flags & !FLAG_SEAL != 0 {
            return Err("a batch header holds values that no writer writes");
        }
        let seal = flags & FLAG_SEAL != 0;
        if seal != (count == 0) || seal != (len == 0) {
            return Err("a batch header holds values that no writer writes");
        }
        Ok(Self {
            len,
            first: u64::from(word(8)) << 32 | u64::from(word(12)),
            count,
            seal,
        })
    }

    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&HEADER_MAGIC);
        bytes[4..8].copy_from_slice(&(self.len as u32).to_be_bytes());
        bytes[8..16].copy_from_slice(&self.first.to_be_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_be_bytes());
        bytes[20..24].copy_from_slice(&u32::from(self.seal).to_be_bytes());
        let checksum = crc32c::crc32c(&bytes[..24]);
        bytes[24..28].copy_from_slice(&checksum.to_be_bytes());
        bytes[28..].copy_from_slice(&HEADER_END);
        bytes
    }
}

/// Makes room for the header at the start of an empty buffer.
pub(crate) fn begin(out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&[0; HEADER]);
}

/// Fills in the header and adds the commit mark. No entries make a seal.
pub(crate) fn finish(out: &mut Vec<u8>, first: u64, count: u32) {
    let len = out.len().saturating_sub(HEADER);
    let header = Header {
        len,
        first,
        count,
        seal: count == 0,
    };
    if let Some(slot) = out.first_chunk_mut::<HEADER>() {
        *slot = header.encode();
    }
    let checksum = crc32c::crc32c(out);
    out.extend_from_slice(&checksum.to_be_bytes());
    out.extend_from_slice(&(first + u64::from(count)).to_be_bytes());
    out.extend_from_slice(&MARK_END);
}

/// Checks a whole batch and gives the bytes of its entries.
pub(crate) fn open<'a>(header: &Header, batch: &'a [u8]) -> Result<&'a [u8], &'static str> {
    let covered = HEADER + header.len;
    let (Some(entries), Some(mark)) = (
        batch.get(HEADER..covered),
        batch.get(covered..covered + MARK),
    ) else {
        return Err("a batch is cut short");
    };
    if mark[12..] != MARK_END
        || mark[4..12] != (header.first + u64::from(header.count)).to_be_bytes()
    {
        return Err("a batch has no commit mark");
    }
    if crc32c::crc32c(&batch[..covered]).to_be_bytes() != mark[..4] {
        return Err("a batch's checksum is wrong");
    }
    Ok(entries)
}

/// Splits the first entry off. The ciphertext's length is in the leaf.
pub(crate) fn split_entry<'a>(rest: &mut &'a [u8]) -> Result<(Entry<'a>, Fixed), &'static str> {
    const SHORT: &str = "an entry is cut short";
    let (length, tail) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let length = u32::from_be_bytes(*length) as usize;
    if !(FIXED..=MAX_LEAF).contains(&length) {
        return Err("a leaf's length is not possible");
    }
    let (hashed, tail) = tail.split_at_checked(length + 1).ok_or(SHORT)?;
    let (prefix, leaf) = hashed.split_first().ok_or(SHORT)?;
    if *prefix != PREFIX {
        return Err("a leaf does not begin with its prefix");
    }
    let fixed = Fixed::decode(leaf).map_err(|why| why.0)?;
    let len = fixed.payload.map_or(0, |payload| payload.len as usize);
    let (ciphertext, tail) = tail.split_at_checked(len).ok_or(SHORT)?;
    if let Some(payload) = &fixed.payload
        && Digest::of(ciphertext) != payload.hash
    {
        return Err("a payload is not the one its leaf commits to");
    }
    *rest = tail;
    Ok((Entry { hashed, ciphertext }, fixed))
}

/// Whether bytes that are not a batch can be a write that a crash cut short, in a file of zeros.
/// `region` reaches from where the batch should begin, `offset`, to the end of the file.
pub(crate) fn looks_torn(region: &[u8], offset: u64) -> bool {
    let missing = |at: usize| region.get(at).is_none_or(|byte| *byte == 0);
    let Ok(header) = Header::decode(region) else {
        // The header lies in at most two sectors: one of them is missing, or the write ended in it.
        return missing(0) || missing(HEADER - 1);
    };
    let Some(extent) = region.get(..header.whole()) else {
        return false;
    };
    if missing(extent.len() - 1) {
        return true;
    }
    let first = (SECTOR - offset % SECTOR) as usize;
    let (first, rest) = extent.split_at(first.min(extent.len()));
    std::iter::once(first)
        .chain(rest.chunks(SECTOR as usize))
        .any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// Where in `region` the next whole batch begins that is not before leaf `from`.
pub(crate) fn find_committed(region: &[u8], from: u64) -> Option<usize> {
    // A region made to hold many headers of long batches must not cost quadratic time.
    let mut budget = region.len().saturating_mul(SEARCH_PASSES);
    let mut at = 0;
    while let Some(rest) = region.get(at..) {
        at += rest.windows(4).position(|window| window == HEADER_MAGIC)?;
        let candidate = &region[at..];
        if let Ok(header) = Header::decode(candidate)
            && header.first >= from
            && header.whole() <= candidate.len()
        {
            // No crash leaves that many: out of budget means damage, not a torn write.
            if budget < header.whole() || open(&header, candidate).is_ok() {
                return Some(at);
            }
            budget -= header.whole();
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: u64, entries: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        begin(&mut out);
        out.extend_from_slice(entries);
        finish(&mut out, first, u32::from(!entries.is_empty()));
        out
    }

    #[test]
    fn no_bit_of_a_batch_may_flip_and_none_makes_it_look_torn() {
        for bytes in [batch(9, &[0x55; 1200]), batch(9, b"")] {
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let read = Header::decode(&flipped).and_then(|header| {
                    open(&header, &flipped).map(|entries| (header, entries.to_vec()))
                });
                assert!(read.is_err(), "bit {bit}");
                flipped.resize(8192, 0);
                assert!(!looks_torn(&flipped, 700), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_write_cut_anywhere_looks_torn() {
        let offset = 700;
        let whole = batch(9, &[0x55; 3000]);
        for cut in 0..whole.len() {
            let mut region = whole[..cut].to_vec();
            region.resize(8192, 0);
            assert!(looks_torn(&region, offset), "cut at {cut}");
        }
        // And a write of which one sector never arrived.
        let mut sectors = 0;
        for sector in 1..=(offset as usize + whole.len()) / 512 {
            let mut region = whole.clone();
            let from = (sector * 512).saturating_sub(offset as usize);
            let to = ((sector + 1) * 512 - offset as usize).min(region.len());
            region[from..to].fill(0);
            region.resize(8192, 0);
            assert!(looks_torn(&region, offset), "sector {sector}");
            sectors += 1;
        }
        assert!(sectors > 5);
    }

    #[test]
    fn a_later_batch_is_found() {
        let mut region = b"PGB1 garbage PGB1".to_vec();
        let at = region.len();
        region.extend(batch(4, b"x"));
        assert_eq!(find_committed(&region, 3), Some(at));
        assert_eq!(find_committed(&region, 5), None);
    }
}
