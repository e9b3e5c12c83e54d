//! The admin's bearer token: made on first start, kept as a hash.

use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use phigate_pki::{read_secret_file, write_new_secret_file};
use phigate_store::Store;
use phigate_types::Secret;
use subtle::ConstantTimeEq as _;

use crate::{ControlError, clock};

/// Random bytes in a token.
const TOKEN_BYTES: usize = 32;

/// The shortest token that an operator may put into the file, in characters.
const TOKEN_MIN: usize = 32;

/// What a call's token is compared with.
#[derive(Clone)]
pub(crate) struct AdminToken {
    sha256: [u8; 32],
}

impl AdminToken {
    /// The token in the file, made when there is neither a file nor a known hash. A file that
    /// was taken elsewhere is not needed; a file with another token replaces the known one,
    /// which is recorded.
    pub(crate) async fn load_or_create(path: &Path, store: &Store) -> Result<Self, ControlError> {
        let known = store.admin_token_hash().await?;
        let known = known.and_then(|hash| <[u8; 32]>::try_from(hash).ok());
        let sha256 = match (path.exists(), known) {
            (false, Some(sha256)) => return Ok(Self { sha256 }),
            (false, None) => {
                let token = Secret::new(URL_SAFE_NO_PAD.encode(random::<TOKEN_BYTES>()?));
                write_new_secret_file(path, token.expose())?;
                sha256(token.expose())
            }
            (true, _) => {
                let token = read_secret_file(path)?;
                let token = token.expose().trim();
                if token.chars().count() < TOKEN_MIN {
                    let path = path.display().to_string();
                    return Err(ControlError::Token { path });
                }
                sha256(token)
            }
        };
        if known != Some(sha256) {
            store.set_admin_token_hash(&sha256, clock::now()).await?;
        }
        Ok(Self { sha256 })
    }

    /// Whether this is the token. Takes the same time whatever is sent.
    pub(crate) fn is(&self, token: &str) -> bool {
        self.sha256.ct_eq(&sha256(token)).into()
    }
}

/// Random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ControlError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| ControlError::Stopped("the system has no random bytes"))?;
    Ok(bytes)
}

fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}
