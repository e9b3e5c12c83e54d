//! `cargo xtask test`: every test of the workspace, with nextest where it is installed.

use crate::run;

/// Builds and runs all tests. Documentation examples run too: nextest leaves those out.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let extra: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if run::has_cargo("nextest") {
        run::cargo(&["test", "--workspace", "--doc", "--quiet"])?;
        let all = [
            "nextest",
            "run",
            "--workspace",
            "--bins",
            "--lib",
            "--tests",
        ];
        run::cargo(&[&all, &extra[..]].concat())
    } else {
        run::cargo(&[&["test", "--workspace"], &extra[..]].concat())
    }
}

/// The tests of the whole of phigate once more, with masks in the database.
pub(crate) fn views() -> anyhow::Result<()> {
    let runner: &[&str] = if run::has_cargo("nextest") {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    run::cargo_with(
        &[runner, &["--workspace", "--test", "all"]].concat(),
        &[("PHIGATE_TEST_ENFORCEMENT", "views")],
    )
}
