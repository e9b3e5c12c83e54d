//! The record of what was asked and what was answered: durable before anything is released, chained
//! so that a change is seen, readable by an auditor with another tool.
//!
//! - [`record`]: what is written down. Pure data; a leaf holds no PHI, a [`record::Payload`] does and
//!   is encrypted under a key that can be shredded.
//! - [`log`]: one single-writer log per instance, with group commit, recovery and a disk reserve.
//! - [`keys`]: the keys of the payloads, and how one is shredded.
//! - [`verify`]: what an auditor runs offline.
//! - [`replay`]: sessions and their timelines.
//!
//! The bytes are described in `docs/audit-format.md`, closely enough for a second implementation.

mod batch;
mod chain;
mod cipher;
mod error;
#[cfg(test)]
mod example;
pub mod keys;
mod leaf;
pub mod log;
pub mod record;
pub mod replay;
mod scan;
mod segment;
pub mod verify;
mod walk;

pub use error::AuditError;
pub use leaf::{Digest, Head};
pub use log::{Entry, Level, Log, LogConfig, Position, RecoveryReport};
