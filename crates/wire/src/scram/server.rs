//! The server's side: two messages in, two out.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::Zeroizing;

use super::syntax::{
    attribute, decode, encode, ignore_extensions, is_extension, message, nonce, split,
};
use super::{KEY_LEN, NONCE_LEN, SHA_256, SHA_256_PLUS, ScramError, hmac_sha256, sha256, xor};

/// The most verifiers a proof is tried against. So many are tried each time, whatever is given, so
/// that the time taken does not tell how many there are.
pub const MAX_CANDIDATES: usize = 16;

/// One exchange with one client.
pub struct Server {
    salt: Vec<u8>,
    iterations: u32,
    binding: Option<Vec<u8>>,
    /// Our half, as it is sent.
    nonce: String,
    state: State,
}

enum State {
    Start,
    Challenged(Challenge),
    Over,
}

/// What the proof is about.
struct Challenge {
    /// Base64 of the gs2 header and, where bound, the channel's hash.
    expected_binding: String,
    /// Whether it holds the channel's hash.
    bound: bool,
    /// Both halves.
    nonce: String,
    client_first_bare: String,
    server_first: String,
}

impl Server {
    /// `binding` is the tls-server-end-point hash of the certificate in use (RFC 5929); with it, the
    /// -PLUS mechanism is offered. `nonce` is fresh randomness.
    pub fn new(
        salt: impl Into<Vec<u8>>,
        iterations: u32,
        binding: Option<Vec<u8>>,
        nonce: [u8; NONCE_LEN],
    ) -> Self {
        Self {
            salt: salt.into(),
            iterations,
            binding,
            nonce: encode(&nonce),
            state: State::Start,
        }
    }

    /// With a published vector's nonce.
    #[cfg(test)]
    pub(super) fn with_nonce(mut self, nonce: &str) -> Self {
        nonce.clone_into(&mut self.nonce);
        self
    }

    /// The mechanisms to offer, best first.
    pub fn mechanisms(&self) -> &'static [&'static str] {
        if self.binding.is_some() {
            &[SHA_256_PLUS, SHA_256]
        } else {
            &[SHA_256]
        }
    }

    /// Takes the client's first message; answers with the server's.
    pub fn first(&mut self, mechanism: &str, client_first: &[u8]) -> Result<Vec<u8>, ScramError> {
        // Any error ends the exchange.
        let State::Start = std::mem::replace(&mut self.state, State::Over) else {
            return Err(ScramError::OutOfOrder);
        };
        let plus = match mechanism {
            SHA_256 => false,
            SHA_256_PLUS if self.binding.is_some() => true,
            _ => return Err(ScramError::Mechanism),
        };
        let client_first = message(client_first)?;
        let (binding_flag, rest) = split(client_first);
        let (authzid, bare) = split(rest.ok_or(ScramError::Malformed("no gs2 header"))?);
        self.check_binding_flag(binding_flag, plus)?;
        if !authzid.is_empty() {
            return Err(match authzid.strip_prefix("a=") {
                Some(_) => ScramError::Unsupported("an authorization identity"),
                None => ScramError::Malformed("authorization identity"),
            });
        }
        let bare = bare.ok_or(ScramError::Malformed("no user name"))?;
        if bare.starts_with("m=") {
            return Err(ScramError::Unsupported("a mandatory SCRAM extension"));
        }
        // The startup packet named the user; this name is ignored, as PostgreSQL does.
        let (_, after_name) = attribute(bare, 'n', "user name")?;
        let (client_nonce, extensions) =
            attribute(after_name.unwrap_or_default(), 'r', "client nonce")?;
        ignore_extensions(extensions)?;

        let both = format!("{}{}", nonce(client_nonce)?, self.nonce);
        let server_first = format!("r={both},s={},i={}", encode(&self.salt), self.iterations);
        let mut expected = format!("{binding_flag},,").into_bytes();
        if plus {
            expected.extend_from_slice(self.binding.as_deref().unwrap_or_default());
        }
        self.state = State::Challenged(Challenge {
            expected_binding: encode(&expected),
            bound: plus,
            nonce: both,
            client_first_bare: bare.to_owned(),
            server_first: server_first.clone(),
        });
        Ok(server_first.into_bytes())
    }

    /// Takes the client's final message; answers which of the candidates (StoredKey, ServerKey) it
    /// proves, the first of them, with the server's final message. Candidates after
    /// [`MAX_CANDIDATES`] are not tried.
    pub fn finish(
        &mut self,
        client_final: &[u8],
        candidates: &[([u8; 32], [u8; 32])],
    ) -> Result<(usize, Vec<u8>), ScramError> {
        let State::Challenged(challenge) = std::mem::replace(&mut self.state, State::Over) else {
            return Err(ScramError::OutOfOrder);
        };
        let client_final = message(client_final)?;
        let (without_proof, proof) = client_final
            .split_once(",p=")
            .ok_or(ScramError::Malformed("no proof"))?;
        let (binding, rest) = attribute(without_proof, 'c', "channel binding")?;
        let (final_nonce, extensions) =
            attribute(rest.ok_or(ScramError::Malformed("no nonce"))?, 'r', "nonce")?;
        if let Some(extensions) = extensions {
            extensions.split(',').try_for_each(is_extension)?;
        }
        let proof = Zeroizing::new(decode(proof, "proof")?);
        let proof: &[u8; KEY_LEN] = proof
            .as_slice()
            .try_into()
            .map_err(|_| ScramError::Malformed("proof of another length"))?;
        if binding != challenge.expected_binding {
            return Err(if challenge.bound {
                ScramError::ChannelBinding
            } else {
                ScramError::Malformed("unexpected channel binding")
            });
        }
        if verify_slices_are_equal(final_nonce.as_bytes(), challenge.nonce.as_bytes()).is_err() {
            return Err(ScramError::Nonce);
        }

        let auth_message: [&[u8]; 5] = [
            challenge.client_first_bare.as_bytes(),
            b",",
            challenge.server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let (which, server_key) =
            proved_by(proof, &auth_message, candidates).ok_or(ScramError::Proof)?;
        let signature = hmac_sha256(server_key, &auth_message);
        Ok((which, format!("v={}", encode(&signature)).into_bytes()))
    }

    fn check_binding_flag(&self, flag: &str, plus: bool) -> Result<(), ScramError> {
        match flag {
            "n" | "y" if plus => Err(ScramError::Malformed("-PLUS without channel binding")),
            "y" if self.binding.is_some() => Err(ScramError::Downgrade),
            "n" | "y" => Ok(()),
            "p=tls-server-end-point" if plus => Ok(()),
            flag if flag.starts_with("p=") && !plus => {
                Err(ScramError::Malformed("channel binding without -PLUS"))
            }
            flag if flag.starts_with("p=") => Err(ScramError::Unsupported(
                "a channel binding other than tls-server-end-point",
            )),
            _ => Err(ScramError::Malformed("channel binding flag")),
        }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("plus", &self.binding.is_some())
            .finish_non_exhaustive()
    }
}

/// The first candidate that the proof fits. Always [`MAX_CANDIDATES`] trials.
fn proved_by<'k>(
    proof: &[u8; KEY_LEN],
    auth_message: &[&[u8]],
    candidates: &'k [([u8; 32], [u8; 32])],
) -> Option<(usize, &'k [u8; 32])> {
    const NOBODY: [u8; KEY_LEN] = [0; KEY_LEN];
    let mut found = None;
    for which in 0..MAX_CANDIDATES {
        let candidate = candidates.get(which);
        let stored_key = candidate.map_or(&NOBODY, |(stored_key, _)| stored_key);
        let client_signature = hmac_sha256(stored_key, auth_message);
        let client_key = Zeroizing::new(xor(proof, &client_signature));
        let fits = verify_slices_are_equal(&sha256(&*client_key), stored_key).is_ok();
        if let (true, Some((_, server_key)), None) = (fits, candidate, found) {
            found = Some((which, server_key));
        }
    }
    found
}
