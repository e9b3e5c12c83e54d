//! Channel binding: `tls-server-end-point` (RFC 5929 section 4.1).

use aws_lc_rs::digest;
use rustls_pki_types::CertificateDer;
use x509_parser::oid_registry::Oid;
use x509_parser::signature_algorithm::SignatureAlgorithm;

use crate::inspect;

/// The hash of the server's certificate that SCRAM-SHA-256-PLUS binds to.
///
/// The hash function is the one of the certificate's signature, SHA-256 in place of MD5 and
/// SHA-1. `None` when the certificate does not parse or its signature names no hash (Ed25519):
/// PLUS cannot be offered then, as PostgreSQL does not (`be-secure-openssl.c`).
pub fn tls_server_end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = inspect::parse(certificate).ok()?;
    let algorithm = match SignatureAlgorithm::try_from(&parsed.signature_algorithm).ok()? {
        SignatureAlgorithm::RSASSA_PSS(parameters) => hash_named(parameters.hash_algorithm_oid())?,
        _ => signature_hash(&parsed.signature_algorithm.algorithm)?,
    };
    Some(digest::digest(algorithm, certificate).as_ref().to_vec())
}

/// PKCS #1 v1.5 and ECDSA signatures (RFC 8017 appendix C, RFC 5758).
fn signature_hash(oid: &Oid<'_>) -> Option<&'static digest::Algorithm> {
    match oid.to_id_string().as_str() {
        // md5WithRSA, sha1WithRSA, ecdsa-with-SHA1, sha256WithRSA, ecdsa-with-SHA256
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.10045.4.1"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.3.2" => Some(&digest::SHA256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Some(&digest::SHA384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Some(&digest::SHA512),
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" => Some(&digest::SHA224),
        _ => None,
    }
}

/// A hash by its own identifier (RFC 8017 appendix B.1), as RSASSA-PSS parameters name it.
fn hash_named(oid: &Oid<'_>) -> Option<&'static digest::Algorithm> {
    match oid.to_id_string().as_str() {
        // sha1, sha256
        "1.3.14.3.2.26" | "2.16.840.1.101.3.4.2.1" => Some(&digest::SHA256),
        "2.16.840.1.101.3.4.2.2" => Some(&digest::SHA384),
        "2.16.840.1.101.3.4.2.3" => Some(&digest::SHA512),
        "2.16.840.1.101.3.4.2.4" => Some(&digest::SHA224),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SignatureAlgorithm};

    use super::*;

    fn bound(signature: &'static SignatureAlgorithm) -> (Vec<u8>, Option<Vec<u8>>) {
        let key = KeyPair::generate_for(signature).unwrap();
        let certificate = CertificateParams::new(vec!["db".to_owned()])
            .unwrap()
            .self_signed(&key)
            .unwrap();
        (
            certificate.der().to_vec(),
            tls_server_end_point(certificate.der()),
        )
    }

    #[test]
    fn the_hash_is_the_signatures() {
        let (der, hash) = bound(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(
            hash.unwrap(),
            digest::digest(&digest::SHA256, &der).as_ref()
        );
        let (der, hash) = bound(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(
            hash.unwrap(),
            digest::digest(&digest::SHA384, &der).as_ref()
        );
    }

    #[test]
    fn without_a_hash_there_is_no_binding() {
        assert_eq!(bound(&rcgen::PKCS_ED25519).1, None);
        assert_eq!(
            tls_server_end_point(&CertificateDer::from(vec![0x30, 0x03, 1, 2])),
            None
        );
    }

    #[test]
    fn sha1_becomes_sha256() {
        assert_eq!(
            signature_hash(&x509_parser::oid_registry::OID_PKCS1_SHA1WITHRSA),
            Some(&digest::SHA256)
        );
    }
}
