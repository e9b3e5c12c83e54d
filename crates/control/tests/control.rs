//! The control plane over real gRPC, TLS and files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod control {
    mod access;
    mod barrier;
    mod granting;
    mod restarting;
    mod rig;
}
