//! Certificates: a development CA that is made on first start, identities read from files and
//! checked, and what other parts need to know about a certificate.
//!
//! Everything that is wrong with a file is an error that names the file, and the date where a
//! date is what is wrong.

mod authority;
mod binding;
mod error;
mod file;
mod identity;
mod inspect;

pub use authority::{CA_VALIDITY, CLOCK_SKEW, DevCa, LEAF_VALIDITY};
pub use binding::tls_server_end_point;
pub use error::PkiError;
pub use file::{read_secret_file, write_new_secret_file};
pub use identity::Identity;
pub use inspect::{GATEWAY_UNIT, gateway_id};
