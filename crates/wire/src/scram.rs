//! SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, both sides, with PostgreSQL's rules: the user name in the
//! exchange is ignored, a password that SASLprep refuses is used as it is, no extensions.
//!
//! RFC 5802, RFC 7677, RFC 5929 (tls-server-end-point); PostgreSQL: libpq/auth-scram.c,
//! fe-auth-scram.c, common/scram-common.c.

mod client;
mod md5;
mod server;
mod syntax;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use phigate_types::{PgError, SqlState};
use zeroize::{Zeroize, Zeroizing};

pub use client::{Client, MAX_ITERATIONS};
pub use md5::md5_password;
pub use server::{MAX_CANDIDATES, Server};

/// The mechanism without channel binding.
pub const SHA_256: &str = "SCRAM-SHA-256";

/// The mechanism with channel binding.
pub const SHA_256_PLUS: &str = "SCRAM-SHA-256-PLUS";

/// Iterations of a verifier made here (PostgreSQL: SCRAM_SHA_256_DEFAULT_ITERATIONS).
pub const ITERATIONS: u32 = 4096;

/// Random bytes in a nonce (PostgreSQL: SCRAM_RAW_NONCE_LEN).
pub const NONCE_LEN: usize = 18;

/// Longest message of an exchange, in bytes; libpq's are below 300.
pub const MESSAGE_MAX: usize = 4096;

const KEY_LEN: usize = digest::SHA256_OUTPUT_LEN;

/// What a server keeps of a password: enough to check a proof, not enough to make one.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    /// The salt.
    pub salt: Vec<u8>,
    /// The iteration count.
    pub iterations: u32,
    /// H(ClientKey).
    pub stored_key: [u8; 32],
    /// HMAC(SaltedPassword, "Server Key").
    pub server_key: [u8; 32],
}

impl Verifier {
    /// Of a password. Takes milliseconds; 0 iterations count as 1.
    pub fn derive(password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = salted_password(password, salt, iterations);
        let client_key = Zeroizing::new(hmac_sha256(&*salted, &[b"Client Key"]));
        Self {
            salt: salt.to_vec(),
            iterations,
            stored_key: sha256(&*client_key),
            server_key: hmac_sha256(&*salted, &[b"Server Key"]),
        }
    }

    /// As `pg_authid.rolpassword` keeps it, and `ALTER ROLE ... PASSWORD` takes it (PostgreSQL
    /// `src/common/scram-common.c`, `scram_build_secret`).
    pub fn stored(&self) -> String {
        let encode = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
        format!(
            "{SHA_256}${}:{}${}:{}",
            self.iterations,
            encode(&self.salt),
            encode(&self.stored_key),
            encode(&self.server_key)
        )
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.stored_key.zeroize();
        self.server_key.zeroize();
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

/// A salt that is the same each time for one principal, known or not, and tells nothing about
/// another's.
pub fn derive_salt(server_key: &[u8], principal: &str) -> [u8; 16] {
    let mac = hmac_sha256(server_key, &[b"phigate scram salt\0", principal.as_bytes()]);
    let mut salt = [0; 16];
    salt.copy_from_slice(mac.first_chunk::<16>().unwrap_or(&[0; 16]));
    salt
}

/// Why an exchange fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramError {
    /// A message is not what RFC 5802 says; names the part.
    #[error("malformed SCRAM message: {0}")]
    Malformed(&'static str),
    /// The message arrives in the wrong step.
    #[error("SCRAM message out of order")]
    OutOfOrder,
    /// A mechanism that was not offered.
    #[error("the SASL mechanism was not offered")]
    Mechanism,
    /// The client believes that the server cannot bind the channel, but it offered to: somebody in
    /// between took the offer out.
    #[error("the offer of channel binding did not reach the client")]
    Downgrade,
    /// The exchange is bound to another TLS channel.
    #[error("SCRAM channel binding check failed")]
    ChannelBinding,
    /// Something the protocol has but this side does not; names it.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The final nonce is not the one agreed on.
    #[error("the nonce does not match")]
    Nonce,
    /// No candidate fits the proof, or there is none: the same for both.
    #[error("password authentication failed")]
    Proof,
    /// The server does not know the password either.
    #[error("the server's signature is wrong")]
    ServerSignature,
    /// The server says that it failed.
    #[error("the server ended the exchange")]
    Refused,
}

impl From<ScramError> for PgError {
    fn from(error: ScramError) -> Self {
        let code = match error {
            ScramError::Proof
            | ScramError::Nonce
            | ScramError::ServerSignature
            | ScramError::Refused => SqlState::INVALID_PASSWORD,
            ScramError::Downgrade | ScramError::ChannelBinding => SqlState::INVALID_AUTHORIZATION,
            ScramError::Unsupported(_) => SqlState::FEATURE_NOT_SUPPORTED,
            ScramError::Malformed(_) | ScramError::OutOfOrder | ScramError::Mechanism => {
                SqlState::PROTOCOL_VIOLATION
            }
        };
        match error {
            ScramError::Malformed(part) => {
                Self::fatal(code, "malformed SCRAM message").with_detail(part)
            }
            ScramError::Nonce => Self::from(ScramError::Proof),
            _ => Self::fatal(code, error.to_string()),
        }
    }
}

fn salted_password(password: &str, salt: &[u8], iterations: u32) -> Zeroizing<[u8; KEY_LEN]> {
    let password = Zeroizing::new(normalize(password).into_owned());
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let mut salted = Zeroizing::new([0; KEY_LEN]);
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(
        algorithm,
        iterations,
        salt,
        password.as_bytes(),
        &mut *salted,
    );
    salted
}

/// RFC 4013, but a password it prohibits or empties stays as it is (`pg_saslprep`'s callers).
fn normalize(password: &str) -> Cow<'_, str> {
    match stringprep::saslprep(password) {
        Ok(prepared) if !prepared.is_empty() => prepared,
        Ok(_) | Err(_) => Cow::Borrowed(password),
    }
}

fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in parts {
        context.update(part);
    }
    to_key(context.sign().as_ref())
}

fn sha256(bytes: &[u8]) -> [u8; KEY_LEN] {
    to_key(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// INVARIANT: SHA-256 is 32 bytes long.
fn to_key(bytes: &[u8]) -> [u8; KEY_LEN] {
    bytes.first_chunk().copied().unwrap_or_default()
}

fn xor(a: &[u8; KEY_LEN], b: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    let mut out = *a;
    for (out, b) in out.iter_mut().zip(b) {
        *out ^= b;
    }
    out
}
