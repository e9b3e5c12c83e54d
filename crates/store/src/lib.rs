//! What the control plane remembers: grants, credentials, sessions, the change log that gateways
//! follow, and the outbox of audit leaves. A state change, its change-log entry and its leaf are
//! one transaction.
//!
//! SQLite here, one process to a file, which a lock holds. A PostgreSQL store for several
//! replicas is to be a second backend behind the same [`Store`]: no caller sees SQL, a path or a
//! connection.
//!
//! Time is an argument everywhere. Each call has a deadline, [`DEADLINE`].

mod budget;
mod change;
mod cohort;
mod credential;
mod error;
mod event;
mod fence;
mod gateway;
mod grants;
mod outbox;
mod project;
mod rows;
mod session;
mod setting;
mod store;
mod write;

pub use budget::{DrawRefused, Drawn};
pub use change::Changes;
pub use credential::{Credential, MAX_CREDENTIALS};
pub use error::StoreError;
pub use event::{Confirmation, Event, SYSTEM};
pub use fence::Fence;
pub use gateway::KnownGateway;
pub use grants::{Created, End, GrantFilter, NewGrant, Page, Reclassified, Stored};
pub use outbox::Leaf;
pub use session::{Authorised, KillOutcome, OpenRefused, SessionFilter, SessionRequest};
pub use store::{DEADLINE, Notice, Store};

/// An event's number in the outbox. Numbers have no gaps and are never used twice; 0 is before
/// the first.
pub type Sequence = u64;

#[cfg(test)]
mod tests;
