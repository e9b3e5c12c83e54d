//! Running a program and failing when it fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Runs `cargo` with `arguments` at the root, output passed through.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<()> {
    cargo_with(arguments, &[])
}

/// As [`cargo`], with environment variables set.
pub(crate) fn cargo_with(arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<()> {
    println!("--> cargo {}", arguments.join(" "));
    let status = Command::new(env!("CARGO"))
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start cargo {}", arguments.join(" ")))?;
    if !status.success() {
        bail!("cargo {} failed: {status}", arguments.join(" "));
    }
    Ok(())
}

/// Builds a program of the workspace and runs it.
///
/// Features are those of the whole workspace: with a package alone, dependencies would be built again.
pub(crate) fn program(name: &str, release: bool, arguments: &[&str]) -> anyhow::Result<()> {
    let mut build = vec!["build", "--quiet", "--workspace", "--bin", name];
    build.extend(release.then_some("--release"));
    cargo(&build)?;
    built(name, release, arguments)
}

/// Runs a program that is built already.
pub(crate) fn built(name: &str, release: bool, arguments: &[&str]) -> anyhow::Result<()> {
    println!("--> {name} {}", arguments.join(" "));
    let status = Command::new(executable(name, release))
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name} {} failed: {status}", arguments.join(" "));
    }
    Ok(())
}

/// Where cargo puts a program of the workspace.
pub(crate) fn executable(name: &str, release: bool) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let profile = if release { "release" } else { "debug" };
    root().join(target).join(profile).join(name)
}

/// Whether `cargo NAME` is installed.
pub(crate) fn has_cargo(name: &str) -> bool {
    Command::new(env!("CARGO"))
        .args([name, "--version"])
        .stdin(Stdio::null())
        .output()
        .is_ok_and(|output| output.status.success())
}
