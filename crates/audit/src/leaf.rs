//! A leaf: a fixed part of 144 bytes that chains it, then the record as JSON.
//!
//! The hash of a leaf is that of RFC 6962, section 2.1: `SHA-256(0x00 || leaf)`, so that a Merkle tree
//! can be built over a log that exists already.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest;
use phigate_types::{SHORT_ID_LEN, SessionId, Timestamp};

use crate::record::Kind;

/// The length of the fixed part, in bytes.
pub(crate) const FIXED: usize = 144;
/// The longest leaf, in bytes.
pub(crate) const MAX_LEAF: usize = 16 << 20;
/// The longest ciphertext, in bytes.
pub(crate) const MAX_CIPHERTEXT: usize = 48 << 20;
/// RFC 6962's prefix of a leaf; it is kept in the file in front of each leaf, so that what is hashed
/// is contiguous.
pub(crate) const PREFIX: u8 = 0;

/// The version of the fixed part.
const LAYOUT: u8 = 1;
const HAS_SESSION: u8 = 1;
const HAS_PAYLOAD: u8 = 2;

/// A SHA-256 hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The hash of these bytes.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 32];
        for (to, from) in hash
            .iter_mut()
            .zip(digest::digest(&digest::SHA256, bytes).as_ref())
        {
            *to = *from;
        }
        Self(hash)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How far a log goes: what to keep elsewhere, and to give to `verify` later. Written
/// `EPOCH/LEAVES:HASH`; a bare `LEAVES:HASH` means epoch 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The log's epoch, from 1; it rises only when damage was found.
    pub epoch: u32,
    /// How many leaves the epoch has.
    pub leaves: u64,
    /// The hash of the last of them.
    pub hash: Digest,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}:{}", self.epoch, self.leaves, self.hash)
    }
}

/// The text is not a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a head is EPOCH/LEAVES:HASH, the hash in 64 hexadecimal digits")]
pub struct NotAHead;

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let (size, hash) = text.trim().split_once(':').ok_or(NotAHead)?;
        let (epoch, leaves) = size.split_once('/').unwrap_or(("1", size));
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).map_err(|_| NotAHead)?;
        Ok(Self {
            epoch: epoch.parse().map_err(|_| NotAHead)?,
            leaves: leaves.parse().map_err(|_| NotAHead)?,
            hash: Digest(bytes),
        })
    }
}

/// The fixed part of a leaf, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    /// Its number in the epoch, from 0, without gaps.
    pub(crate) index: u64,
    /// When it was appended, on the writer's wall clock.
    pub(crate) time: Timestamp,
    /// What it is.
    pub(crate) kind: Kind,
    /// The epoch of the log.
    pub(crate) epoch: u32,
    /// The hash of the leaf before it.
    pub(crate) previous: Digest,
    /// Its place in its session.
    pub(crate) session: Option<Link>,
    /// What it commits to.
    pub(crate) payload: Option<Commitment>,
}

/// The place of a leaf in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// The session.
    pub(crate) session: SessionId,
    /// The leaf's number in it, from 0, without gaps; also the nonce of its payload.
    pub(crate) sequence: u64,
    /// The hash of the session's leaf before it; zeros for the first.
    pub(crate) previous: Digest,
}

/// The commitment of a leaf to the ciphertext that follows it in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commitment {
    /// The ciphertext's length in bytes, tag included.
    pub(crate) len: u32,
    /// Its SHA-256.
    pub(crate) hash: Digest,
}

/// Why bytes are not a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotALeaf(pub(crate) &'static str);

impl Fixed {
    /// The bytes, in the order of `docs/audit-format.md`.
    pub(crate) fn encode(&self) -> [u8; FIXED] {
        let mut bytes = [0; FIXED];
        let mut at = 0;
        let mut put = |part: &[u8]| {
            if let Some(slot) = bytes.get_mut(at..at + part.len()) {
                slot.copy_from_slice(part);
            }
            at += part.len();
        };
        let flags = if self.session.is_some() {
            HAS_SESSION
        } else {
            0
        } | if self.payload.is_some() {
            HAS_PAYLOAD
        } else {
            0
        };
        put(&self.index.to_be_bytes());
        put(&self.time.as_micros().to_be_bytes());
        put(&[LAYOUT, self.kind.code(), flags, 0]);
        put(&self.epoch.to_be_bytes());
        put(&self.previous.0);
        match &self.session {
            Some(link) => {
                put(link.session.as_str().as_bytes());
                put(&link.sequence.to_be_bytes());
                put(&link.previous.0);
            }
            None => put(&[0; SHORT_ID_LEN + 8 + 32]),
        }
        match &self.payload {
            Some(payload) => {
                put(&payload.len.to_be_bytes());
                put(&payload.hash.0);
            }
            None => put(&[0; 36]),
        }
        bytes
    }

    /// Reads the fixed part of a whole leaf. Every bit of it means something or must be zero.
    pub(crate) fn decode(leaf: &[u8]) -> Result<Self, NotALeaf> {
        let mut rest = leaf
            .get(..FIXED)
            .ok_or(NotALeaf("shorter than its fixed part"))?;
        let index = u64::from_be_bytes(take(&mut rest)?);
        let time = Timestamp::from_micros(i64::from_be_bytes(take(&mut rest)?));
        let [layout, kind, flags, zero] = take(&mut rest)?;
        if layout != LAYOUT {
            return Err(NotALeaf("of a layout unknown to this version"));
        }
        let kind = Kind::from_code(kind).ok_or(NotALeaf("of a kind unknown to this version"))?;
        if zero != 0 || flags & !(HAS_SESSION | HAS_PAYLOAD) != 0 {
            return Err(NotALeaf("reserved bits are set"));
        }
        let epoch = u32::from_be_bytes(take(&mut rest)?);
        let previous = Digest(take(&mut rest)?);
        let (id, sequence, before): ([u8; SHORT_ID_LEN], [u8; 8], [u8; 32]) =
            (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
        let session = if flags & HAS_SESSION == 0 {
            if id != [0; SHORT_ID_LEN] || sequence != [0; 8] || before != [0; 32] {
                return Err(NotALeaf("session fields are set without a session"));
            }
            None
        } else {
            let session = std::str::from_utf8(&id).ok().and_then(|id| id.parse().ok());
            let session = session.ok_or(NotALeaf("the session id is not one"))?;
            let sequence = u64::from_be_bytes(sequence);
            Some(Link {
                session,
                sequence,
                previous: Digest(before),
            })
        };
        let (len, hash) = (u32::from_be_bytes(take(&mut rest)?), take::<32>(&mut rest)?);
        let payload = if flags & HAS_PAYLOAD == 0 {
            if len != 0 || hash != [0; 32] {
                return Err(NotALeaf("payload fields are set without a payload"));
            }
            None
        } else {
            Some(Commitment {
                len,
                hash: Digest(hash),
            })
        };
        Ok(Self {
            index,
            time,
            kind,
            epoch,
            previous,
            session,
            payload,
        })
    }
}

/// Takes the next `N` bytes.
pub(crate) fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], NotALeaf> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(NotALeaf("too short"))?;
    *rest = tail;
    Ok(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Fixed {
        Fixed {
            index: 5,
            time: Timestamp::from_micros(1_700_000_000_000_001),
            kind: Kind::Statement,
            epoch: 2,
            previous: Digest([1; 32]),
            session: Some(Link {
                session: SessionId::from_random([3; 8]),
                sequence: 4,
                previous: Digest([2; 32]),
            }),
            payload: Some(Commitment {
                len: 77,
                hash: Digest([9; 32]),
            }),
        }
    }

    #[test]
    fn the_fixed_part_reads_back() {
        let bare = Fixed {
            session: None,
            payload: None,
            ..full()
        };
        for fixed in [full(), bare] {
            assert_eq!(Fixed::decode(&fixed.encode()), Ok(fixed));
        }
    }

    #[test]
    fn every_bit_means_something_or_is_refused() {
        for fixed in [
            full(),
            Fixed {
                session: None,
                payload: None,
                ..full()
            },
        ] {
            let bytes = fixed.encode();
            for bit in 0..FIXED * 8 {
                let mut flipped = bytes;
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert_ne!(Fixed::decode(&flipped), Ok(fixed.clone()), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_head_survives_its_text() {
        let head = Head {
            epoch: 3,
            leaves: 12,
            hash: Digest([0xa5; 32]),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        let bare = format!("12:{}", head.hash);
        assert_eq!(bare.parse(), Ok(Head { epoch: 1, ..head }));
        for text in ["", "12", "x:aa", "1/2/3:aa", &head.to_string()[..40]] {
            assert_eq!(text.parse::<Head>(), Err(NotAHead), "{text}");
        }
    }
}
