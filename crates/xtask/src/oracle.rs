//! `cargo xtask oracle`: PostgreSQL's own parser reads what the gateway sends; a finding is an error.
//!
//! The reader is a workspace of its own (`tests/oracle`), with its own lock file and target directory: it
//! compiles PostgreSQL's parser, and nothing of the gateway.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::run;

/// The program that says what the gateway sends.
const RENDERED: &str = "rendered";

/// What to read, from the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many generated statements, and as many made of the attack list, over all policies, beside the
    /// attack list itself.
    #[arg(long, default_value_t = 30_000)]
    statements: u32,
    /// Where the generator begins; the same seed makes the same statements.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// A directory of captured statements, as for `corpora`.
    #[arg(long)]
    captures: Option<PathBuf>,
}

/// Builds the reader, then lets it read; a finding is an error.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let directory = run::root().join("tests").join("oracle");
    let manifest = directory.join("Cargo.toml").to_string_lossy().into_owned();
    let target = directory.join("target");
    let build = ["build", "--quiet", "--locked", "--manifest-path", &manifest];
    run::cargo_with(&build, &[("CARGO_TARGET_DIR", &target.to_string_lossy())])
        .context("the reader needs a C compiler and libclang (LIBCLANG_PATH says where)")?;
    run::cargo(&["build", "--quiet", "--workspace", "--bin", RENDERED])?;
    let mut words = vec![arguments.statements.to_string(), arguments.seed.to_string()];
    if let Some(captures) = &arguments.captures {
        words.push(
            std::path::absolute(captures)?
                .to_string_lossy()
                .into_owned(),
        );
    }
    let mut rendered = Command::new(run::executable(RENDERED, false))
        .args(words)
        .current_dir(run::root())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start what renders")?;
    let lines = rendered.stdout.take().context("no output")?;
    let read = Command::new(target.join("debug").join("phigate-oracle"))
        .arg(
            run::root()
                .join("crates")
                .join("sql")
                .join("src")
                .join("allow"),
        )
        .stdin(lines)
        .status();
    let rendered = rendered.wait()?;
    if !(read.context("cannot start the reader")?.success() && rendered.success()) {
        bail!("PostgreSQL's parser and the gateway disagree, or one of them failed");
    }
    Ok(())
}
