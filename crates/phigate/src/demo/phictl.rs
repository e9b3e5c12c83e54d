//! The admin's and the auditor's side: the real command line, as a person would call it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio::process::Command;

/// How long one command may take.
const COMMAND_DEADLINE: Duration = Duration::from_mins(1);

/// `phictl --config FILE`: this very program under its other name.
pub(crate) struct Phictl {
    program: PathBuf,
    config: PathBuf,
}

/// How a command ended.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// What it wrote to stdout, parsed.
    pub(crate) json: Value,
    /// What it wrote to stderr.
    pub(crate) words: String,
}

impl Phictl {
    /// Puts a `phictl` beside the data: a link to this program.
    pub(crate) fn install(data_dir: &Path, config: &Path) -> anyhow::Result<Self> {
        let program = data_dir.join("phictl");
        let this = std::env::current_exe().context("cannot find this program's own file")?;
        if program.symlink_metadata().is_ok() {
            std::fs::remove_file(&program)?;
        }
        std::os::unix::fs::symlink(&this, &program)
            .with_context(|| format!("cannot link {} to {}", program.display(), this.display()))?;
        Ok(Self {
            program,
            config: config.to_owned(),
        })
    }

    /// Runs a command with `--json`.
    pub(crate) async fn run(&self, words: &[&str]) -> anyhow::Result<Ran> {
        let child = Command::new(&self.program)
            .arg("--config")
            .arg(&self.config)
            .args(words)
            .arg("--json")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(COMMAND_DEADLINE, child)
            .await
            .with_context(|| format!("phictl {} did not end", words.join(" ")))??;
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            json: serde_json::from_slice(&output.stdout).unwrap_or(Value::Null),
            words: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        })
    }

    /// Runs a command that must succeed; gives its JSON.
    pub(crate) async fn json(&self, words: &[&str]) -> anyhow::Result<Value> {
        let ran = self.run(words).await?;
        if ran.code != 0 {
            bail!(
                "phictl {} ended with {}: {}",
                words.join(" "),
                ran.code,
                ran.words
            );
        }
        Ok(ran.json)
    }
}

impl fmt::Display for Phictl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} --config {}",
            self.program.display(),
            self.config.display()
        )
    }
}
