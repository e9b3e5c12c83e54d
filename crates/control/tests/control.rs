//! The control plane over real gRPC, TLS and files.

mod control {
    mod access;
    mod barrier;
    mod granting;
    mod restarting;
    mod rig;
}
