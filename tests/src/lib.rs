//! The whole of phigate in one process, for tests and benchmarks: a private PostgreSQL with the
//! synthetic hospital, control plane and gateway from a configuration file as an operator would
//! write it, grants over the real gRPC API, and clients as analysts use them.
//!
//! Everything here panics with a readable text: a test that cannot run must not pass.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::missing_panics_doc)]

pub mod admin;
pub mod analyst;
pub mod attack;
pub mod canary;
pub mod fleet;
pub mod hostile;
mod house;
pub mod mutate;
pub mod two_world;

pub use admin::{Grant, Login};
pub use analyst::{Analyst, Refused};
pub use house::{Enforcement, House, Phigate};
