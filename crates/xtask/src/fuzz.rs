//! `cargo xtask fuzz`: every fuzz target for a while, on stable Rust and without cargo-fuzz.
//!
//! Coverage is the compiler's own (`sancov-module`), the engine is libFuzzer. For a long run with a
//! corpus use `cargo fuzz run -s none TARGET`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::run;

/// What cargo-fuzz passes, less the sanitizers that stable Rust does not have.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Ccodegen-units=1";

/// The longest input, in bytes: enough for several frames, small enough for many runs.
const LONGEST_INPUT: u32 = 4096;

#[derive(Deserialize)]
struct Manifest {
    bin: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the targets and runs each for `seconds`; a finding is an error.
pub(crate) fn run(seconds: u32) -> anyhow::Result<()> {
    let directory = run::root().join("fuzz");
    let manifest = directory.join("Cargo.toml");
    let path = manifest.to_string_lossy();
    let triple = host()?;
    run::cargo_with(
        &[
            "build",
            "--quiet",
            "--release",
            "--manifest-path",
            &path,
            "--target",
            &triple,
        ],
        &[
            ("RUSTFLAGS", COVERAGE),
            ("CARGO_TARGET_DIR", &target_directory(&directory)),
        ],
    )?;
    let text = std::fs::read_to_string(&manifest).context("cannot read fuzz/Cargo.toml")?;
    for target in toml::from_str::<Manifest>(&text)?.bin {
        let program = directory
            .join("target")
            .join(&triple)
            .join("release")
            .join(&target.name);
        println!("--> fuzz {} for {seconds} s", target.name);
        let output = Command::new(&program)
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={LONGEST_INPUT}"))
            .arg("-artifact_prefix=target/")
            .current_dir(&directory)
            .output()
            .with_context(|| format!("cannot start {}", program.display()))?;
        if !output.status.success() {
            bail!(
                "{}:\n{}",
                target.name,
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    Ok(())
}

fn target_directory(directory: &Path) -> String {
    directory.join("target").to_string_lossy().into_owned()
}

fn host() -> anyhow::Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("cannot start rustc")?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: ").map(str::to_owned))
        .context("rustc does not name its host")
}
