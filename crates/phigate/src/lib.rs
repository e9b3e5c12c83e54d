//! Assembling the daemon from a checked configuration; the programs `phigate` and `phictl`, and the
//! tests, are built on this.

pub mod assemble;
pub mod runtime;
pub mod serve;
pub mod telemetry;
