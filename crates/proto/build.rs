//! Compiles `proto/` without protoc: protox reads the files, tonic and prost write the Rust.

use std::path::PathBuf;

use prost::Message as _;

/// The files of the API, relative to `proto/`.
const FILES: [&str; 5] = [
    "phigate/v1/catalog.proto",
    "phigate/v1/database.proto",
    "phigate/v1/grant.proto",
    "phigate/v1/session.proto",
    "phigate/v1/gateway.proto",
];

/// Messages that carry a secret or a person's own words: their `Debug` is written by hand.
const NO_DEBUG: [&str; 10] = [
    ".phigate.v1.CreateGrantRequest",
    ".phigate.v1.CreateGrantResponse",
    ".phigate.v1.Credential",
    ".phigate.v1.DrawBudgetRequest",
    ".phigate.v1.HardenDatabaseRequest",
    ".phigate.v1.LookUpCredentialsResponse",
    ".phigate.v1.OpenSessionRequest",
    ".phigate.v1.OpenSessionResponse",
    ".phigate.v1.UnhardenDatabaseRequest",
    ".phigate.v1.PatientList",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("phigate.v1.descriptors.bin"),
        descriptors.encode_to_vec(),
    )?;
    tonic_prost_build::configure()
        .skip_debug(NO_DEBUG)
        .compile_fds(descriptors)?;
    Ok(())
}
