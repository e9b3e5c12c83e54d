//! What integration tests stand on: a private PostgreSQL with or without the synthetic hospital, and
//! the programs that people use against it.
//!
//! Everything here panics with a readable text when the machine lacks something: a test that cannot
//! run must not pass.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod client;
mod postgres;
mod program;
mod python;
mod wait;

pub use phigate_cluster::{
    Binaries, Cluster, ClusterError, Options, ServerTls, hospital as clinic,
};
pub use postgres::{binaries, hospital, hospital_with, postgres, postgres_with, template};
pub use program::{Finished, psql, run};
pub use python::python;
pub use wait::{DEADLINE, eventually, within};
