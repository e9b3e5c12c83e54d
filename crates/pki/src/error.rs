//! What can be wrong with keys and certificates on disk.

use std::io;
use std::path::PathBuf;

use phigate_types::Timestamp;

/// Why an identity or the development CA cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    /// The file cannot be read, written or locked.
    #[error("cannot {verb} {}: {source}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others than the owner may read a private file.
    #[error("{} can be read by others (mode {mode:04o}); run: chmod 600 {}", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Not PEM, not a certificate, not a key.
    #[error("{} does not hold a usable {what}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The certificate's time is over.
    #[error(
        "the certificate in {} expired at {at}; replace it, or for a development certificate delete it and its key and start again",
        path.display()
    )]
    Expired {
        /// The file.
        path: PathBuf,
        /// When it ended.
        at: Timestamp,
    },
    /// The certificate's time has not come, or the clock is wrong.
    #[error("the certificate in {} is not valid before {at}; is the clock right?", path.display())]
    NotYetValid {
        /// The file.
        path: PathBuf,
        /// When it begins.
        at: Timestamp,
    },
    /// The certificate and the key do not belong together.
    #[error("the key in {} does not belong to the certificate in {}", key.display(), certificate.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// Half of a pair is there.
    #[error("{} is there but {} is missing; restore it, or delete both and start again", present.display(), missing.display())]
    HalfMissing {
        /// What is there.
        present: PathBuf,
        /// What is not.
        missing: PathBuf,
    },
    /// The certificate was issued by another CA than the one beside it.
    #[error("the certificate in {} was not issued by the CA in {}", certificate.display(), ca.display())]
    OtherIssuer {
        /// The certificate's file.
        certificate: PathBuf,
        /// The CA's file.
        ca: PathBuf,
    },
    /// The certificate is somebody else's.
    #[error("the certificate in {} is for {found}, not for {expected}; delete it and its key and start again", path.display())]
    OtherSubject {
        /// The certificate's file.
        path: PathBuf,
        /// Whom it names.
        found: String,
        /// Whom it should name.
        expected: String,
    },
    /// A peer's certificate does not name a gateway.
    #[error("the client certificate is not a gateway's: {0}")]
    NotAGateway(String),
    /// A key or certificate could not be made.
    #[error("cannot make a certificate: {0}")]
    Generate(String),
}
