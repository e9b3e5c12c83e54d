//! Reads a PostgreSQL catalog into the [`phigate_sql::Snapshot`] that statements are resolved
//! against, keeps it fresh, and checks a classification file against it; makes the masked views of
//! `enforcement = "views"`.

mod check;
mod crosswalk;
mod describe;
pub mod discover;
pub mod doctor;
mod error;
pub mod harden;
mod read;
mod slots;
mod upstream;
mod watcher;

pub use check::{Finding, RowFinding, check, check_rows};
pub use crosswalk::{ASSIGN_CODES_TIMEOUT, AssignedCodes, assign_codes};
pub use describe::{Described, describe};
pub use error::CatalogError;
pub use read::{OLDEST_MAJOR, read};
pub use slots::{Assignment, SlotError, Slots};
pub use upstream::{CONNECT_TIMEOUT, SslMode, Upstream, UpstreamError};
pub use watcher::{POLL_EVERY, STALE_AFTER, Stale, Watcher};
