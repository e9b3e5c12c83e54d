//! Payloads: JSON, padded with spaces, under AES-256-GCM with a key used for nothing else.
//!
//! The nonce is the leaf's number in its session, which the log hands out once and in order; a leaf
//! without a session has a key of its own. So no pair of key and nonce is used twice, also when the
//! process is killed: a new process never continues an old session.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::keys::{Key, Subject};
use crate::record::Payload;

/// What a tag adds to a plaintext, in bytes.
pub(crate) const TAG: usize = 16;
/// Plaintexts are padded to a multiple of this, in bytes, so that their length says little.
pub(crate) const PADDING: usize = 64;

const PURPOSE: &[u8] = b"phigate-audit payload 1";

/// A key, ready to seal the payloads of one subject.
pub(crate) struct Sealer {
    key: LessSafeKey,
    subject: Subject,
}

impl Sealer {
    /// Prepares a key.
    pub(crate) fn new(key: &Key, subject: Subject) -> Option<Self> {
        let key = UnboundKey::new(&AES_256_GCM, key.expose()).ok()?;
        Some(Self {
            key: LessSafeKey::new(key),
            subject,
        })
    }

    /// Encrypts the end of `out`, from `start`, in place and adds the tag.
    pub(crate) fn seal(&self, sequence: u64, out: &mut Vec<u8>, start: usize) -> Option<()> {
        let nonce = nonce(sequence);
        let aad = Aad::from(associated(&self.subject));
        let plaintext = out.get_mut(start..)?;
        let tag = self
            .key
            .seal_in_place_separate_tag(nonce, aad, plaintext)
            .ok()?;
        out.extend_from_slice(tag.as_ref());
        Some(())
    }

    /// Decrypts a ciphertext and reads the payload.
    pub(crate) fn open(&self, sequence: u64, ciphertext: &[u8]) -> Option<Payload> {
        let mut buffer = zeroize::Zeroizing::new(ciphertext.to_vec());
        let aad = Aad::from(associated(&self.subject));
        let plaintext = self
            .key
            .open_in_place(nonce(sequence), aad, &mut buffer)
            .ok()?;
        serde_json::from_slice(plaintext).ok()
    }
}

/// Pads a plaintext with spaces, which JSON allows after its value.
pub(crate) fn pad(plaintext: &mut Vec<u8>, start: usize) {
    let len = plaintext
        .len()
        .saturating_sub(start)
        .next_multiple_of(PADDING);
    plaintext.resize(start + len, b' ');
}

fn nonce(sequence: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (to, from) in bytes
        .iter_mut()
        .skip(NONCE_LEN - 8)
        .zip(sequence.to_be_bytes())
    {
        *to = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

fn associated(subject: &Subject) -> [u8; PURPOSE.len() + Subject::LEN] {
    let mut bytes = [0; PURPOSE.len() + Subject::LEN];
    let (purpose, about) = bytes.split_at_mut(PURPOSE.len());
    purpose.copy_from_slice(PURPOSE);
    about.copy_from_slice(&subject.encode());
    bytes
}

#[cfg(test)]
mod tests {
    use phigate_types::SessionId;

    use super::*;

    #[test]
    fn a_payload_opens_only_with_its_key_number_and_subject() {
        let subject = Subject::Session(SessionId::from_random([1; 8]));
        let payload = Payload {
            reason: Some("chart review".into()),
            ..Payload::default()
        };
        let sealer = |byte: u8, subject| Sealer::new(&Key::new([byte; 32]), subject).unwrap();
        let mut out = b"before".to_vec();
        out.extend(serde_json::to_vec(&payload).unwrap());
        pad(&mut out, 6);
        assert_eq!(out.len(), 6 + PADDING);
        sealer(1, subject).seal(3, &mut out, 6).unwrap();
        let sealed = &out[6..];
        assert_eq!(sealed.len(), PADDING + TAG);
        assert_eq!(sealer(1, subject).open(3, sealed), Some(payload));
        assert_eq!(sealer(2, subject).open(3, sealed), None);
        assert_eq!(sealer(1, subject).open(4, sealed), None);
        let other = Subject::Leaf { epoch: 1, index: 3 };
        assert_eq!(sealer(1, other).open(3, sealed), None);
    }
}
