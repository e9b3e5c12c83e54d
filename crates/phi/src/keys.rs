//! The project's keys, as the settings that released expressions read.
//!
//! In the inline mode they travel in the startup packet of the upstream connection and lie in
//! settings of the class `phigate`, which no admitted statement can read: `current_setting`, `SHOW`
//! and `pg_settings` of them are refused by `phigate-sql`. SQL text, plans, `pg_stat_activity` and
//! logs only ever show the settings' names.

use aws_lc_rs::{digest, hmac};

/// HMAC's inner pad, ready to hash (RFC 2104): 64 bytes in hex. Pseudonyms of text and uuid.
pub const CODE_INNER: &str = "phigate.k_code_inner";
/// HMAC's outer pad: 64 bytes in hex.
pub const CODE_OUTER: &str = "phigate.k_code_outer";
/// The key of the integer permutation: 32 bytes in hex.
pub const INTEGER: &str = "phigate.k_integer";
/// The key of the patients' date offsets: 32 bytes in hex.
pub const DAYS: &str = "phigate.k_days";

/// Every setting that holds a key.
pub const ALL: [&str; 4] = [CODE_INNER, CODE_OUTER, INTEGER, DAYS];

/// SHA-256's block, in bytes (FIPS 180-4).
const BLOCK: usize = 64;

/// The settings to start a connection with, from a project's key. Names and values are ASCII
/// without blanks; about 600 bytes in all. Equal keys give equal pseudonyms and offsets in every
/// database of the project; different keys give unrelated ones.
pub fn settings(project_key: &[u8; 32]) -> Vec<(String, String)> {
    let names = ALL.into_iter().map(str::to_owned);
    names
        .zip(slot(project_key).iter().map(hex::encode))
        .collect()
}

/// The same keys as bytes, in the order of [`ALL`]: what a slot is assigned in the views mode
/// (the columns `k_code_inner`, `k_code_outer`, `k_integer`, `k_days` of `phigate.slot`).
pub fn slot(project_key: &[u8; 32]) -> [Vec<u8>; 4] {
    let code = derive(project_key, b"phigate pseudonym code 1");
    [
        pad(&code, 0x36).to_vec(),
        pad(&code, 0x5c).to_vec(),
        derive(project_key, b"phigate pseudonym integer 1").to_vec(),
        derive(project_key, b"phigate date shift 1").to_vec(),
    ]
}

/// What names a project where codes are assigned (`phigate.slot.project`): the first eight bytes, big
/// endian, of the SHA-256 of a key that is derived for another purpose, of which they tell nothing.
pub fn project_number(project_key: &[u8; 32]) -> i64 {
    let [_, _, integer, _] = slot(project_key);
    let digest = digest::digest(&digest::SHA256, &integer);
    let first = digest.as_ref().first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(first)
}

/// The key of one database's slot logins (`enforcement = "views"`), from the control plane's own.
/// `database` is the name clients connect to.
pub fn login_key(upstream_key: &[u8; 32], database: &str) -> [u8; 32] {
    let label = [b"phigate slot logins 1 ", database.as_bytes()].concat();
    derive(upstream_key, &label)
}

/// The password of one slot login: 64 lower-case hexadecimal digits. PostgreSQL keeps a SCRAM
/// verifier of it; the password itself is kept nowhere.
pub fn login_password(login_key: &[u8; 32], login: &str) -> String {
    let label = [b"phigate slot password 1 ", login.as_bytes()].concat();
    hex::encode(derive(login_key, &label))
}

/// The salt of that login's verifier: the same each time, so that making it again changes nothing.
pub fn login_salt(login_key: &[u8; 32], login: &str) -> [u8; 16] {
    let label = [b"phigate slot salt 1 ", login.as_bytes()].concat();
    let mut salt = [0; 16];
    let derived = derive(login_key, &label);
    salt.iter_mut()
        .zip(derived)
        .for_each(|(to, from)| *to = from);
    salt
}

/// HMAC-SHA-256 of a label under a key: a key for one purpose.
fn derive(key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), label);
    let mut key = [0; 32];
    key.iter_mut()
        .zip(tag.as_ref())
        .for_each(|(to, from)| *to = *from);
    key
}

/// The key, filled up to a block, against HMAC's constant.
fn pad(key: &[u8; 32], constant: u8) -> [u8; BLOCK] {
    let mut block = [constant; BLOCK];
    block
        .iter_mut()
        .zip(key)
        .for_each(|(to, from)| *to ^= *from);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_pads_are_hmac() {
        use aws_lc_rs::digest::{SHA256, digest};
        let settings = settings(&[7; 32]);
        let block = |index: usize| hex::decode(&settings[index].1).unwrap();
        let inner = digest(&SHA256, &[block(0), b"message".to_vec()].concat());
        let outer = digest(&SHA256, &[block(1), inner.as_ref().to_vec()].concat());
        let code = derive(&[7; 32], b"phigate pseudonym code 1");
        let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &code), b"message");
        assert_eq!(outer.as_ref(), expected.as_ref());
    }

    #[test]
    fn each_setting_has_a_key_of_its_own() {
        let settings = settings(&[0; 32]);
        let names: Vec<&str> = settings.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ALL);
        let mut values: Vec<&str> = settings.iter().map(|(_, value)| value.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), ALL.len());
    }

    #[test]
    fn each_login_of_each_database_has_a_password_of_its_own() {
        let (one, other) = (login_key(&[1; 32], "clinic"), login_key(&[1; 32], "lab"));
        let password = login_password(&one, "phigate_s_1");
        assert_eq!(password.len(), 64);
        assert_ne!(password, login_password(&one, "phigate_s_2"));
        assert_ne!(password, login_password(&other, "phigate_s_1"));
        assert_ne!(
            login_salt(&one, "phigate_s_1"),
            login_salt(&one, "phigate_s_2")
        );
    }
}
