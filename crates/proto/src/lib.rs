//! The control API on the wire: generated messages and services, and their conversions to the
//! domain's types. Whatever arrives is checked once, here; errors name the field.

mod change;
mod error;
mod grant;
mod policy;
mod secrecy;
mod time;

pub use error::{Malformed, parse};
pub use time::{from_duration, from_timestamp, to_duration, to_timestamp};

/// Version 1 of the API, generated from `proto/phigate/v1`.
#[allow(
    missing_docs,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used
)]
pub mod v1 {
    tonic::include_proto!("phigate.v1");
}

/// The encoded `FileDescriptorSet` of the API, for gRPC server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/phigate.v1.descriptors.bin"));
