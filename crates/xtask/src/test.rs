//! `cargo xtask test`: every test of the workspace, with nextest where it is installed.

use crate::run;

/// Builds and runs all tests. Documentation examples run too: nextest leaves those out.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let extra: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if run::has_cargo("nextest") {
        run::cargo(&["test", "--workspace", "--doc", "--quiet"])?;
        run::cargo(
            &[
                &[
                    "nextest",
                    "run",
                    "--workspace",
                    "--bins",
                    "--lib",
                    "--tests",
                ],
                &extra[..],
            ]
            .concat(),
        )
    } else {
        run::cargo(&[&["test", "--workspace"], &extra[..]].concat())
    }
}
