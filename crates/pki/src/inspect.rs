//! Reading certificates: their span of time, their subject.

use std::path::Path;

use phigate_types::{GatewayId, Timestamp};
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::PkiError;

/// The organisational unit in the subject of every gateway's client certificate. Other
/// certificates of the same CA cannot pass for a gateway.
pub const GATEWAY_UNIT: &str = "gateway";

/// The gateway that a client certificate names: the common name of a subject whose
/// organisational unit is [`GATEWAY_UNIT`]. The chain must have been verified already.
pub fn gateway_id(certificate: &CertificateDer<'_>) -> Result<GatewayId, PkiError> {
    let not_a_gateway = |why: &str| PkiError::NotAGateway(why.to_owned());
    let certificate = parse(certificate).map_err(PkiError::NotAGateway)?;
    let subject = certificate.subject();
    let mut units = subject
        .iter_organizational_unit()
        .map(x509_parser::x509::AttributeTypeAndValue::as_str);
    if !matches!((units.next(), units.next()), (Some(Ok(GATEWAY_UNIT)), None)) {
        return Err(not_a_gateway("its subject has no OU=gateway"));
    }
    let mut names = subject
        .iter_common_name()
        .map(x509_parser::x509::AttributeTypeAndValue::as_str);
    match (names.next(), names.next()) {
        (Some(Ok(name)), None) => name
            .parse()
            .map_err(|_| not_a_gateway("its common name is not a gateway id")),
        _ => Err(not_a_gateway("its subject has not exactly one common name")),
    }
}

/// Fails unless `now` lies within the certificate's validity.
pub(crate) fn check_time(
    path: &Path,
    certificate: &X509Certificate<'_>,
    now: Timestamp,
) -> Result<(), PkiError> {
    let validity = certificate.validity();
    let instant = |seconds: i64| Timestamp::from_micros(seconds.saturating_mul(1_000_000));
    let (begin, end) = (
        instant(validity.not_before.timestamp()),
        instant(validity.not_after.timestamp()),
    );
    if now < begin {
        Err(PkiError::NotYetValid {
            path: path.to_owned(),
            at: begin,
        })
    } else if now > end {
        Err(PkiError::Expired {
            path: path.to_owned(),
            at: end,
        })
    } else {
        Ok(())
    }
}

/// Parses one certificate; everything must be used up.
pub(crate) fn parse<'a>(
    certificate: &'a CertificateDer<'_>,
) -> Result<X509Certificate<'a>, String> {
    match X509Certificate::from_der(certificate) {
        Ok(([], parsed)) => Ok(parsed),
        Ok(_) => Err("bytes follow the certificate".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
