//! `cargo xtask fuzz`: every fuzz target for a while, on stable Rust and without cargo-fuzz.
//!
//! Coverage is the compiler's own (`sancov-module`), the engine is libFuzzer. What is found interesting
//! stays in `fuzz/corpus` for the next run; the targets of SQL begin with the attack list
//! (`tests/attacks`), written anew each time for the tables that they know.

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

/// The targets that read SQL.
const OF_SQL: [&str; 3] = ["lexer", "analyse", "catalog"];

/// What the hospital's names become in the targets' catalog (`fuzz/src/lib.rs`): where no name is known,
/// nothing is read but the name.
const NAMES: [(&str, &str); 16] = [
    ("patients", "t"),
    ("encounters", "u"),
    ("departments", "u"),
    ("diagnoses", "u"),
    ("observations", "u"),
    ("claims", "u"),
    ("notes", "u"),
    ("patient_id", "id"),
    ("encounter_id", "id"),
    ("department_id", "n"),
    ("ssn", "secret"),
    ("last_name", "secret"),
    ("first_name", "secret"),
    ("birth_date", "secret"),
    ("sex", "kind"),
    ("name", "word"),
];

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
    let attacks = attacks(&run::root().join("tests").join("attacks"))?;
    for target in toml::from_str::<Manifest>(&text)?.bin {
        let corpus = Path::new("corpus").join(&target.name);
        let seeds = Path::new("target").join("seeds").join(&target.name);
        std::fs::create_dir_all(directory.join(&corpus))?;
        std::fs::create_dir_all(directory.join(&seeds))?;
        if OF_SQL.contains(&target.name.as_str()) {
            for (number, attack) in attacks.iter().enumerate() {
                std::fs::write(directory.join(&seeds).join(number.to_string()), attack)?;
            }
        }
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
            // What is new goes to the first.
            .args([&corpus, &seeds])
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

/// The statements of the attack list, in the names of the targets' catalog.
fn attacks(directory: &Path) -> anyhow::Result<Vec<String>> {
    let mut statements = Vec::new();
    for entry in std::fs::read_dir(directory).context("cannot list the attacks")? {
        let text = std::fs::read_to_string(entry?.path())?;
        // What stands before the first line that parts them is a comment on the file.
        let mut statement: Option<String> = None;
        for line in text.lines() {
            if line.starts_with("-- attack: ") || line == "-- then" {
                statements.extend(statement.replace(String::new()));
            } else if let Some(statement) = &mut statement {
                statement.push_str(&renamed(line));
                statement.push('\n');
            }
        }
        statements.extend(statement);
    }
    Ok(statements)
}

/// The same with whole words of [`NAMES`] replaced.
fn renamed(line: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut renamed = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = rest
            .find(|c| is_word(c) != is_word(first))
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let known = NAMES.iter().find(|(name, _)| *name == word);
        renamed.push_str(known.map_or(word, |(_, name)| name));
        rest = after;
    }
    renamed
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_renamed_and_nothing_else() {
        let line = "SELECT p.ssn, ssn_2 FROM patients\u{a0}p -- é";
        assert_eq!(renamed(line), "SELECT p.secret, ssn_2 FROM t\u{a0}p -- é");
    }

    #[test]
    fn every_statement_of_the_attack_list_is_a_seed() {
        let attacks = attacks(&run::root().join("tests").join("attacks")).unwrap();
        assert!(attacks.len() > 400, "{}", attacks.len());
        assert!(attacks.iter().all(|attack| !attack.trim().is_empty()));
    }
}
