//! `cargo xtask ci`: what must pass on a clean checkout, cheapest first.

use crate::{check_deps, run, test};

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
    test::run(&[])
}
