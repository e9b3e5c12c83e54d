//! A private PostgreSQL for the demo and for tests: found on this machine or fetched, started in a
//! directory of its own, filled with a synthetic hospital, and stopped with the process that owns it.
//!
//! Nothing here is on the path of a production gateway.

mod account;
mod binaries;
mod cluster;
mod error;
mod fetch;
pub mod hospital;
mod options;
mod poll;
mod supervise;
mod template;

pub use binaries::{Binaries, OLDEST_MAJOR, PgVersion};
pub use cluster::Cluster;
pub use error::ClusterError;
pub use fetch::fetch;
pub use options::{Options, ServerTls};
pub use template::Template;
