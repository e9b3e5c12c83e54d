//! The words every other crate speaks: identifiers, secrets, time, release profiles, purposes of
//! use, and errors in PostgreSQL's own form.
//!
//! No I/O, no clock, no randomness: callers pass those in.

mod error;
mod id;
mod profile;
mod purpose;
mod secret;
mod time;
mod version;

pub use error::{Blame, PgError, Severity, SqlState};
pub use id::{DatabaseName, GatewayId, GrantId, IdError, PrincipalName, SHORT_ID_LEN, SessionId};
pub use profile::{Profile, UnknownProfile};
pub use purpose::{Purpose, UnknownPurpose};
pub use secret::Secret;
pub use time::Timestamp;
pub use version::{Epoch, Version};
