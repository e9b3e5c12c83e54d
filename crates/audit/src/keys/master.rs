//! The master key: wraps the others, in a file of its own that only its owner may read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use super::{Key, Subject, Wrapped, random};
use crate::error::AuditError;

const FILE: &str = "master.key";
const PURPOSE: &[u8] = b"phigate-audit key 1";

/// The master key, ready for use.
pub(super) struct Master(LessSafeKey);

impl Master {
    /// Reads the file.
    pub(super) fn read(dir: &Path) -> Result<Self, AuditError> {
        let path = dir.join(FILE);
        let mut file = File::open(&path).map_err(|error| AuditError::io("open", &path, &error))?;
        let wrong = |error| AuditError::io("read", &path, &error);
        let about = file.metadata().map_err(wrong)?;
        if about.mode() & 0o077 != 0 {
            return Err(AuditError::Key(format!(
                "{} can be read by others than its owner; chmod 600 it",
                path.display()
            )));
        }
        if about.len() != 32 {
            return Err(AuditError::Key(format!(
                "{} is not 32 bytes long",
                path.display()
            )));
        }
        let mut key = Zeroizing::new([0; 32]);
        file.read_exact(key.as_mut()).map_err(wrong)?;
        Self::new(&key)
    }

    /// Reads the file, or makes it of random bytes. Two processes may try at once: one wins.
    pub(super) fn read_or_create(dir: &Path) -> Result<Self, AuditError> {
        let path = dir.join(FILE);
        if path.exists() {
            return Self::read(dir);
        }
        let draft = dir.join(format!(".{FILE}.{}", hex::encode(random::<8>()?)));
        let wrong = |error| AuditError::io("create", &path, &error);
        let mut bytes: [u8; 32] = random()?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(wrong)?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(wrong)?;
        bytes.zeroize();
        // A hard link never replaces a file that another process has made meanwhile.
        let linked = std::fs::hard_link(&draft, &path);
        std::fs::remove_file(&draft).map_err(wrong)?;
        match linked {
            Ok(()) => crate::log::sync_directory(dir)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(wrong(error)),
        }
        Self::read(dir)
    }

    pub(super) fn wrap(
        &self,
        origin: &str,
        subject: &Subject,
        key: &Key,
        nonce: [u8; 12],
    ) -> Option<Wrapped> {
        let mut sealed = [0; 48];
        let (secret, tag) = sealed.split_at_mut(32);
        secret.copy_from_slice(key.expose());
        let aad = Aad::from(associated(origin, subject));
        let unique = Nonce::assume_unique_for_key(nonce);
        let made = self
            .0
            .seal_in_place_separate_tag(unique, aad, secret)
            .ok()?;
        tag.copy_from_slice(made.as_ref());
        Some(Wrapped { nonce, sealed })
    }

    pub(super) fn unwrap(&self, origin: &str, subject: &Subject, wrapped: &Wrapped) -> Option<Key> {
        let mut sealed = Zeroizing::new(wrapped.sealed);
        let aad = Aad::from(associated(origin, subject));
        let nonce = Nonce::assume_unique_for_key(wrapped.nonce);
        let opened = self
            .0
            .open_in_place(nonce, aad, sealed.as_mut_slice())
            .ok()?;
        Some(Key::new(*opened.first_chunk()?))
    }

    fn new(key: &[u8; 32]) -> Result<Self, AuditError> {
        let key = UnboundKey::new(&AES_256_GCM, key)
            .map_err(|_| AuditError::Key("the master key cannot be used".to_owned()))?;
        Ok(Self(LessSafeKey::new(key)))
    }
}

fn associated(origin: &str, subject: &Subject) -> Vec<u8> {
    let mut bytes = PURPOSE.to_vec();
    bytes.extend_from_slice(&subject.encode());
    bytes.extend_from_slice(origin.as_bytes());
    bytes
}
