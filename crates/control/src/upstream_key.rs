//! The key that the slot logins' passwords are derived from: made on first start, kept in a file.

use std::path::Path;

use phigate_pki::{read_secret_file, write_new_secret_file};
use phigate_types::Secret;

use crate::ControlError;
use crate::token::random;

/// Random bytes in the key.
const BYTES: usize = 32;

/// The key in the file, as hexadecimal digits; made when there is no file. Without the file the
/// logins are lost, and `phictl database harden` gives them new passwords.
pub(crate) fn load_or_create(path: &Path) -> Result<Secret<[u8; BYTES]>, ControlError> {
    if !path.exists() {
        let key: [u8; BYTES] = random()?;
        let text = Secret::new(hex::encode(key));
        write_new_secret_file(path, text.expose())?;
        return Ok(Secret::new(key));
    }
    let text = read_secret_file(path)?;
    let mut key = [0; BYTES];
    hex::decode_to_slice(text.expose().trim(), &mut key).map_err(|_| {
        ControlError::UpstreamKey {
            path: path.display().to_string(),
        }
    })?;
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_start_finds_the_first_ones_key() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("upstream.key");
        let made = load_or_create(&path).unwrap();
        let found = load_or_create(&path).unwrap();
        assert_eq!(made.expose(), found.expose());
        assert_ne!(made.expose(), &[0; BYTES]);
    }

    #[test]
    fn a_damaged_key_is_an_error_that_names_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("upstream.key");
        write_new_secret_file(&path, "abc").unwrap();
        let error = load_or_create(&path).unwrap_err().to_string();
        assert!(
            error.contains("upstream.key") && !error.contains("abc"),
            "{error}"
        );
    }
}
