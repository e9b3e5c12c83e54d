//! TLS for the raw client.

use std::sync::Arc;

use aws_lc_rs::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::Client;
use crate::wait::within;

/// What the client trusts.
#[derive(Debug, Clone)]
pub enum Tls {
    /// Any certificate at all (libpq's `sslmode=require`).
    Unverified,
    /// Certificates of this authority, in PEM, for this name.
    Verified {
        /// The authority.
        ca_pem: String,
        /// The name the server has to have.
        name: String,
    },
}

impl Client {
    /// The handshake on a connection where the server expects one.
    pub(super) async fn handshake(self, tls: &Tls, protocols: &[&str]) -> std::io::Result<Self> {
        let mut config = tls.config();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        let name = match tls {
            Tls::Unverified => "localhost".to_owned(),
            Tls::Verified { name, .. } => name.clone(),
        };
        let name = ServerName::try_from(name).expect("a server name");
        let connector = TlsConnector::from(Arc::new(config));
        let stream = within("the TLS handshake", connector.connect(name, self.stream)).await?;
        let (_, connection) = stream.get_ref();
        let certificate = connection.peer_certificates().and_then(<[_]>::first);
        // RFC 5929: SHA-256, unless the certificate is signed with something stronger; those made
        // for tests are not.
        let endpoint =
            certificate.map(|der| digest::digest(&digest::SHA256, der).as_ref().to_vec());
        let mut client = Self::new(Box::new(stream), self.socket);
        client.endpoint = endpoint;
        Ok(client)
    }
}

impl Tls {
    fn config(&self) -> ClientConfig {
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has them");
        match self {
            Self::Unverified => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
                .with_no_client_auth(),
            Self::Verified { ca_pem, .. } => {
                let mut roots = RootCertStore::empty();
                for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
                    roots
                        .add(certificate.expect("PEM"))
                        .expect("a certificate authority");
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        }
    }
}

/// Accepts every certificate; the handshake's signature is still checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
