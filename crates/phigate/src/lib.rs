//! Assembling the daemon from a checked configuration; the programs `phigate` and `phictl`, and the
//! tests, are built on this.

pub mod assemble;
mod monitor;
mod reload;
pub mod runtime;
pub mod serve;
mod systemd;
pub mod telemetry;
