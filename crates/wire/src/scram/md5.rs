//! The md5 password, for upstream servers that still ask for it.

use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// What answers AuthenticationMD5Password: `md5` and the hash of salt and stored hash, in hex
/// (PostgreSQL: common/md5_common.c, `pg_md5_encrypt`).
pub fn md5_password(user: &str, password: &str, salt: [u8; 4]) -> Zeroizing<String> {
    let stored = Zeroizing::new(hex(&[password.as_bytes(), user.as_bytes()]));
    Zeroizing::new(format!("md5{}", hex(&[stored.as_bytes(), &salt])))
}

fn hex(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .fold(String::with_capacity(32), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(digit), 16));
            }
            text
        })
}
