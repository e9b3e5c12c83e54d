//! One key in a file of keys: 128 bytes, overwritten in place when it is shredded.

use super::Subject;

/// The length of a slot, in bytes: no slot crosses a sector.
pub(super) const SLOT: usize = 128;

const MAGIC: &[u8; 4] = b"PGK1";
const LIVE: u8 = 1;
const SHREDDED: u8 = 2;
const CHECKSUM_AT: usize = SLOT - 4;

/// A key under the master key: nonce, ciphertext, tag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) nonce: [u8; 12],
    pub(super) sealed: [u8; 48],
}

/// One slot; without a key it was shredded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) subject: Subject,
    pub(super) wrapped: Option<Wrapped>,
}

impl Slot {
    pub(super) fn encode(&self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = if self.wrapped.is_some() {
            LIVE
        } else {
            SHREDDED
        };
        bytes[5..5 + Subject::LEN].copy_from_slice(&self.subject.encode());
        if let Some(wrapped) = &self.wrapped {
            bytes[20..32].copy_from_slice(&wrapped.nonce);
            bytes[32..80].copy_from_slice(&wrapped.sealed);
        }
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]);
        bytes[CHECKSUM_AT..].copy_from_slice(&checksum.to_be_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8; SLOT]) -> Option<Self> {
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM_AT]).to_be_bytes();
        if &bytes[..4] != MAGIC || bytes[CHECKSUM_AT..] != checksum {
            return None;
        }
        let subject = Subject::decode(*bytes[5..].first_chunk()?)?;
        let wrapped = match bytes[4] {
            LIVE => {
                let (nonce, sealed) = (bytes[20..].first_chunk()?, bytes[32..].first_chunk()?);
                Some(Wrapped {
                    nonce: *nonce,
                    sealed: *sealed,
                })
            }
            SHREDDED => None,
            _ => return None,
        };
        Some(Self { subject, wrapped })
    }
}
