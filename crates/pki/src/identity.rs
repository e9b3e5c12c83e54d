//! A certificate chain with its private key.

use std::path::Path;

use phigate_types::{Secret, Timestamp};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::{PkiError, file, inspect};

/// Who one end of a TLS connection is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificates in PEM, the end entity's first.
    pub cert_chain_pem: String,
    /// The private key in PEM.
    pub key_pem: Secret<String>,
    chain: Vec<CertificateDer<'static>>,
    key: Secret<Vec<u8>>,
}

impl Identity {
    /// Reads and checks an identity: the key must be private to its owner and belong to the
    /// certificate, and `now` must lie in the validity of every certificate of the chain.
    pub fn load(certificate: &Path, key: &Path, now: Timestamp) -> Result<Self, PkiError> {
        let cert_chain_pem = file::read_public(certificate)?;
        let key_pem = file::read_secret_file(key)?;
        Self::check(cert_chain_pem, key_pem, certificate, key, now)
    }

    /// The chain, the end entity's certificate first. Never empty.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }

    /// The private key, for rustls.
    pub fn key(&self) -> Result<PrivateKeyDer<'static>, PkiError> {
        PrivateKeyDer::try_from(self.key.expose().clone())
            .map_err(|why| PkiError::Generate(why.to_owned()))
    }

    /// The hash that SCRAM-SHA-256-PLUS binds to; see [`crate::tls_server_end_point`].
    pub fn server_end_point(&self) -> Option<Vec<u8>> {
        self.chain
            .first()
            .and_then(|leaf| crate::tls_server_end_point(leaf))
    }

    pub(crate) fn check(
        cert_chain_pem: String,
        key_pem: Secret<String>,
        certificate_path: &Path,
        key_path: &Path,
        now: Timestamp,
    ) -> Result<Self, PkiError> {
        let malformed = |path: &Path, what, why: String| PkiError::Malformed {
            path: path.to_owned(),
            what,
            why,
        };
        let chain = CertificateDer::pem_slice_iter(cert_chain_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| malformed(certificate_path, "certificate", error.to_string()))?;
        if chain.is_empty() {
            let why = "no certificate in PEM form".to_owned();
            return Err(malformed(certificate_path, "certificate", why));
        }
        for link in &chain {
            let parsed = inspect::parse(link)
                .map_err(|why| malformed(certificate_path, "certificate", why))?;
            inspect::check_time(certificate_path, &parsed, now)?;
        }
        let key = PrivateKeyDer::from_pem_slice(key_pem.expose().as_bytes())
            .map_err(|error| malformed(key_path, "private key", error.to_string()))?;
        let secret = Secret::new(key.secret_der().to_vec());
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        match rustls::sign::CertifiedKey::from_der(chain.clone(), key, &provider) {
            Ok(_) => Ok(Self {
                cert_chain_pem,
                key_pem,
                chain,
                key: secret,
            }),
            Err(rustls::Error::InconsistentKeys(_)) => Err(PkiError::Mismatch {
                certificate: certificate_path.to_owned(),
                key: key_path.to_owned(),
            }),
            Err(error) => Err(malformed(key_path, "private key", error.to_string())),
        }
    }
}
