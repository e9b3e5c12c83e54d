//! `cargo xtask ci`: what must pass on a clean checkout, cheapest first.

use crate::{check_deps, fuzz, run, test, two_world};

/// How long each fuzz target runs, in seconds: enough to see that it still does.
const FUZZ_SMOKE: u32 = 5;

/// Runs every step; the first failure ends it.
pub(crate) fn run() -> anyhow::Result<()> {
    run::cargo(&["fmt", "--all", "--check"])?;
    check_deps::run()?;
    run::cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ])?;
    run::cargo_with(
        &["doc", "--workspace", "--no-deps", "--quiet"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    fuzz::run(FUZZ_SMOKE)?;
    // Debug: the figures mean nothing, and the tests need the same build.
    for bench in [
        "road",
        "connections",
        "streams",
        "durable",
        "memory",
        "masking",
        "reading",
    ] {
        run::cargo(&[
            "run",
            "--quiet",
            "--package",
            "phigate-benches",
            "--",
            bench,
            "--smoke",
        ])?;
    }
    for enforcement in ["inline", "views"] {
        two_world::smoke(enforcement)?;
    }
    test::run(&[])?;
    // Once more, the whole of phigate, with masks in the database.
    run::cargo_with(
        &["test", "--quiet", "--package", "phigate-tests"],
        &[("PHIGATE_TEST_ENFORCEMENT", "views")],
    )
}
