//! The client's side, for the upstream connection.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::syntax::{attribute, decode, encode, ignore_extensions, message, nonce};
use super::{KEY_LEN, NONCE_LEN, SHA_256, SHA_256_PLUS, ScramError};
use super::{hmac_sha256, salted_password, sha256, xor};

/// The most iterations a server may ask for: a second or so of work.
pub const MAX_ITERATIONS: u32 = 2_000_000;

/// One exchange with one server.
pub struct Client {
    password: Zeroizing<String>,
    nonce: String,
    /// What the messages say before the first comma and comma.
    gs2_header: &'static str,
    binding: Vec<u8>,
    state: State,
}

enum State {
    Start,
    Responded { server_signature: [u8; KEY_LEN] },
    Over,
}

impl Client {
    /// Without channel binding (gs2 flag `n`). `nonce` is fresh randomness.
    pub fn new(password: &str, nonce: [u8; NONCE_LEN]) -> Self {
        Self {
            password: Zeroizing::new(password.to_owned()),
            nonce: encode(&nonce),
            gs2_header: "n,,",
            binding: Vec::new(),
            state: State::Start,
        }
    }

    /// Bound to the TLS channel by the tls-server-end-point hash of the server's certificate.
    #[must_use]
    pub fn bound_to(mut self, binding: &[u8]) -> Self {
        self.gs2_header = "p=tls-server-end-point,,";
        self.binding = binding.to_vec();
        self
    }

    /// The mechanism to ask for.
    pub fn mechanism(&self) -> &'static str {
        if self.binding.is_empty() {
            SHA_256
        } else {
            SHA_256_PLUS
        }
    }

    /// The client's first message.
    pub fn first(&self) -> Vec<u8> {
        format!("{}{}", self.gs2_header, self.first_bare()).into_bytes()
    }

    /// Takes the server's first message; answers with the client's final one. Takes as long as the
    /// server's iteration count asks for.
    pub fn respond(&mut self, server_first: &[u8]) -> Result<Vec<u8>, ScramError> {
        let State::Start = std::mem::replace(&mut self.state, State::Over) else {
            return Err(ScramError::OutOfOrder);
        };
        let server_first = message(server_first)?;
        if server_first.starts_with("m=") {
            return Err(ScramError::Unsupported("a mandatory SCRAM extension"));
        }
        let (both, rest) = attribute(server_first, 'r', "nonce")?;
        let (salt, rest) = attribute(rest.unwrap_or_default(), 's', "salt")?;
        let (iterations, rest) = attribute(rest.unwrap_or_default(), 'i', "iteration count")?;
        ignore_extensions(rest)?;
        // The server has to add to the nonce, or the exchange could be a replay.
        match nonce(both)?.strip_prefix(self.nonce.as_str()) {
            Some(added) if !added.is_empty() => {}
            Some(_) | None => return Err(ScramError::Nonce),
        }
        let salt = decode(salt, "salt")?;
        let iterations = iterations
            .parse::<u32>()
            .ok()
            .filter(|count| (1..=MAX_ITERATIONS).contains(count))
            .ok_or(ScramError::Malformed("iteration count"))?;
        if salt.is_empty() {
            return Err(ScramError::Malformed("salt"));
        }

        let salted = salted_password(&self.password, &salt, iterations);
        let client_key = Zeroizing::new(hmac_sha256(&*salted, &[b"Client Key"]));
        let server_key = Zeroizing::new(hmac_sha256(&*salted, &[b"Server Key"]));
        let bound = [self.gs2_header.as_bytes(), &self.binding].concat();
        let without_proof = format!("c={},r={both}", encode(&bound));
        let bare = self.first_bare();
        let auth_message: [&[u8]; 5] = [
            bare.as_bytes(),
            b",",
            server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let signature = hmac_sha256(&sha256(&*client_key), &auth_message);
        self.state = State::Responded {
            server_signature: hmac_sha256(&*server_key, &auth_message),
        };
        Ok(format!(
            "{without_proof},p={}",
            encode(&xor(&client_key, &signature))
        )
        .into_bytes())
    }

    /// Takes the server's final message: whether it knows the password too.
    pub fn verify(&mut self, server_final: &[u8]) -> Result<(), ScramError> {
        let State::Responded { server_signature } = std::mem::replace(&mut self.state, State::Over)
        else {
            return Err(ScramError::OutOfOrder);
        };
        let server_final = message(server_final)?;
        if server_final.starts_with("e=") {
            return Err(ScramError::Refused);
        }
        let (signature, extensions) = attribute(server_final, 'v', "server signature")?;
        ignore_extensions(extensions)?;
        let signature = decode(signature, "server signature")?;
        verify_slices_are_equal(&signature, &server_signature)
            .map_err(|_| ScramError::ServerSignature)
    }

    /// PostgreSQL takes the user from the startup packet; the name here stays empty, as libpq's does.
    fn first_bare(&self) -> String {
        format!("n=,r={}", self.nonce)
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("mechanism", &self.mechanism())
            .finish_non_exhaustive()
    }
}
