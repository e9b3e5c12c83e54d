//! The development CA: one directory, made on first start, reused afterwards.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phigate_types::{GatewayId, Secret, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
};
use rustls_pki_types::CertificateDer;

use crate::file::{self, DirectoryLock};
use crate::inspect::{self, GATEWAY_UNIT};
use crate::{Identity, PkiError};

/// How long the CA's own certificate lasts.
pub const CA_VALIDITY: Duration = Duration::from_secs(3650 * DAY);

/// How long the certificates that it issues last.
pub const LEAF_VALIDITY: Duration = Duration::from_secs(397 * DAY);

/// How far certificates begin in the past, for peers whose clock is behind.
pub const CLOCK_SKEW: Duration = Duration::from_mins(5);

const DAY: u64 = 86_400;

/// The development CA. Production brings certificates of its own CA instead.
#[derive(Debug)]
pub struct DevCa {
    directory: PathBuf,
    certificate_pem: String,
    key_pem: Secret<String>,
    now: Timestamp,
}

impl DevCa {
    /// Opens the CA in `directory` (`ca.pem`, `ca.key`), or makes it when neither file is there.
    pub fn load_or_create(directory: &Path) -> Result<Self, PkiError> {
        Self::load_or_create_at(directory, wall_clock())
    }

    /// As [`DevCa::load_or_create`], at a given time.
    pub fn load_or_create_at(directory: &Path, now: Timestamp) -> Result<Self, PkiError> {
        file::ensure_directory(directory)?;
        let _lock = DirectoryLock::acquire(directory)?;
        let identity = load_or_issue(&directory.join("ca"), now, || make_ca(now))?;
        Ok(Self {
            directory: directory.to_owned(),
            certificate_pem: identity.cert_chain_pem,
            key_pem: identity.key_pem,
            now,
        })
    }

    /// The CA's certificate in PEM: what peers trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The file that holds it.
    pub fn certificate_path(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// A server certificate in `stem.pem` and `stem.key`, for host names and IP addresses;
    /// issued when it is not there. The names of an existing one must include all of these.
    pub fn server(&self, stem: &str, names: &[&str]) -> Result<Identity, PkiError> {
        self.identity(stem, names, || {
            let mut params = CertificateParams::new(
                names
                    .iter()
                    .map(|name| (*name).to_owned())
                    .collect::<Vec<_>>(),
            )?;
            params.distinguished_name.push(DnType::CommonName, stem);
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            Ok(params)
        })
    }

    /// A gateway's client certificate in `stem.pem` and `stem.key`: common name and DNS name are
    /// the gateway's id, the organisational unit is [`GATEWAY_UNIT`].
    pub fn gateway(&self, stem: &str, id: &GatewayId) -> Result<Identity, PkiError> {
        let identity = self.identity(stem, &[], || {
            let mut params = CertificateParams::new(vec![id.as_str().to_owned()])?;
            params
                .distinguished_name
                .push(DnType::OrganizationalUnitName, GATEWAY_UNIT);
            params
                .distinguished_name
                .push(DnType::CommonName, id.as_str());
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            Ok(params)
        })?;
        let found = identity
            .chain()
            .first()
            .map(inspect::gateway_id)
            .transpose()?;
        match found {
            Some(found) if found == *id => Ok(identity),
            found => Err(PkiError::OtherSubject {
                path: self.path(stem, "pem"),
                found: found
                    .map_or_else(|| "nobody".to_owned(), |found| format!("gateway {found}")),
                expected: format!("gateway {id}"),
            }),
        }
    }

    fn identity(
        &self,
        stem: &str,
        names: &[&str],
        params: impl FnOnce() -> Result<CertificateParams, rcgen::Error>,
    ) -> Result<Identity, PkiError> {
        let _lock = DirectoryLock::acquire(&self.directory)?;
        let identity = load_or_issue(&self.directory.join(stem), self.now, || {
            let mut params = params()?;
            valid_for(&mut params, self.now, LEAF_VALIDITY);
            params.is_ca = IsCa::ExplicitNoCa;
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.use_authority_key_identifier_extension = true;
            let ca_key = KeyPair::from_pem(self.key_pem.expose())?;
            let issuer = Issuer::from_ca_cert_pem(&self.certificate_pem, ca_key)?;
            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
            let certificate = params.signed_by(&key, &issuer)?;
            Ok((certificate.pem(), Secret::new(key.serialize_pem())))
        })?;
        self.check_issued(&self.path(stem, "pem"), &identity, names)?;
        Ok(identity)
    }

    /// A file from an earlier start may be of another CA or for other names.
    fn check_issued(
        &self,
        path: &Path,
        identity: &Identity,
        names: &[&str],
    ) -> Result<(), PkiError> {
        use rustls_pki_types::pem::PemObject as _;
        let malformed = |what, why| PkiError::Malformed {
            path: path.to_owned(),
            what,
            why,
        };
        let ca = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .map_err(|error| malformed("certificate", error.to_string()))?;
        let ca = inspect::parse(&ca).map_err(|why| malformed("certificate", why))?;
        let Some(leaf) = identity.chain().first() else {
            return Err(malformed("certificate", "the chain is empty".to_owned()));
        };
        let parsed = inspect::parse(leaf).map_err(|why| malformed("certificate", why))?;
        if parsed.verify_signature(Some(ca.public_key())).is_err() {
            let ca = self.certificate_path();
            return Err(PkiError::OtherIssuer {
                certificate: path.to_owned(),
                ca,
            });
        }
        let end_entity = rustls::server::ParsedCertificate::try_from(leaf)
            .map_err(|error| malformed("certificate", error.to_string()))?;
        for name in names {
            let covered = rustls_pki_types::ServerName::try_from(*name)
                .is_ok_and(|name| rustls::client::verify_server_name(&end_entity, &name).is_ok());
            if !covered {
                return Err(PkiError::OtherSubject {
                    path: path.to_owned(),
                    found: "other names".to_owned(),
                    expected: (*name).to_owned(),
                });
            }
        }
        Ok(())
    }

    fn path(&self, stem: &str, extension: &str) -> PathBuf {
        self.directory.join(format!("{stem}.{extension}"))
    }
}

type Issued = (String, Secret<String>);

/// Reads `stem.pem` and `stem.key`; makes both when neither is there. The key goes first: a
/// crash between the two leaves a key without a certificate, which the next start replaces.
fn load_or_issue(
    stem: &Path,
    now: Timestamp,
    issue: impl FnOnce() -> Result<Issued, rcgen::Error>,
) -> Result<Identity, PkiError> {
    let with = |extension: &str| {
        let mut path = stem.as_os_str().to_owned();
        path.push(extension);
        PathBuf::from(path)
    };
    let (certificate_path, key_path) = (with(".pem"), with(".key"));
    if certificate_path.exists() {
        if !key_path.exists() {
            return Err(PkiError::HalfMissing {
                present: certificate_path,
                missing: key_path,
            });
        }
        return Identity::load(&certificate_path, &key_path, now);
    }
    if key_path.exists() {
        std::fs::remove_file(&key_path).map_err(file::failed("remove", &key_path))?;
    }
    let (certificate, key) = issue().map_err(|error| PkiError::Generate(error.to_string()))?;
    file::write_new_secret_file(&key_path, key.expose())?;
    file::write_public(&certificate_path, &certificate)?;
    Identity::check(certificate, key, &certificate_path, &key_path, now)
}

fn make_ca(now: Timestamp) -> Result<Issued, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "phigate development CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    valid_for(&mut params, now, CA_VALIDITY);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), Secret::new(key.serialize_pem())))
}

fn valid_for(params: &mut CertificateParams, now: Timestamp, span: Duration) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let now = Duration::from_micros(u64::try_from(now.as_micros()).unwrap_or(0));
    params.not_before = epoch + now.saturating_sub(CLOCK_SKEW);
    params.not_after = epoch + now + span;
}

fn wall_clock() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
