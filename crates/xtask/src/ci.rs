//! `cargo xtask ci`: what must pass on a clean checkout, cheapest first.

use crate::{check_deps, fuzz, run, test, two_world};

/// How long each fuzz target runs, in seconds: enough to see that it still does.
const FUZZ_SMOKE: u32 = 5;

/// The benchmarks that are run to see that they still do.
const BENCHES: [&str; 8] = [
    "road",
    "connections",
    "streams",
    "durable",
    "memory",
    "masking",
    "reading",
    "revoke",
];

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
    // One build for all that runs. Debug: the figures of the benchmarks mean nothing.
    run::cargo(&["build", "--workspace", "--all-targets", "--quiet"])?;
    for bench in BENCHES {
        run::built(crate::BENCH_PROGRAM, false, &[bench, "--smoke"])?;
    }
    for enforcement in ["inline", "views"] {
        two_world::smoke(enforcement)?;
    }
    test::run(&[])?;
    test::views()
}
