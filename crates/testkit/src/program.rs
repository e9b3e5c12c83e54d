//! Running real clients.

use std::ffi::OsStr;
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::postgres::binaries;
use crate::wait::within;

/// What a program did.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Finished {
    /// Its standard output, when it succeeded.
    ///
    /// # Panics
    /// When it did not, with what it said.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(
            self.status,
            Some(0),
            "stdout: {}\nstderr: {}",
            self.stdout,
            self.stderr
        );
        self.stdout
    }

    /// Both outputs, when it failed.
    ///
    /// # Panics
    /// When it succeeded.
    #[track_caller]
    pub fn failed(self) -> String {
        assert_ne!(self.status, Some(0), "it succeeded: {}", self.stdout);
        self.stdout + &self.stderr
    }
}

/// psql, unaligned and without headers, without anybody's `.psqlrc`: add arguments, then [`run`] it.
///
/// # Panics
/// When there is no psql.
pub fn psql(url: &str) -> Command {
    let found = binaries().psql().or_else(|| which::which("psql").ok());
    let mut command = command(found.expect("tests need psql"));
    command.args([
        "--no-psqlrc",
        "--no-password",
        "--no-align",
        "--tuples-only",
        "--dbname",
        url,
    ]);
    command
}

/// Runs a program to its end, with `input` on its standard input.
///
/// # Panics
/// When it cannot be started or takes longer than a test may.
pub async fn run(mut command: Command, input: &str) -> Finished {
    let name = command.as_std().get_program().to_owned();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", name.display()));
    let mut stdin = child.stdin.take().expect("it is a pipe");
    let write = async move {
        // A program that ends early closes its input; its status tells.
        let _ = stdin.write_all(input.as_bytes()).await;
    };
    let (output, ()) = within(&name.to_string_lossy(), async {
        tokio::join!(child.wait_with_output(), write)
    })
    .await;
    let output = output.expect("its output can be read");
    Finished {
        status: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command without this environment's `PG*` variables.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::postgres;

    #[tokio::test]
    async fn psql_says_what_it_got_and_what_went_wrong() {
        let cluster = postgres();
        let mut command = psql(&cluster.url("postgres"));
        command.args(["--command", "SELECT 'there'"]);
        assert_eq!(run(command, "").await.ok(), "there\n");
        let refused = run(psql(&cluster.url("nowhere")), "").await.failed();
        assert!(refused.contains("does not exist"), "{refused}");
    }

    #[tokio::test]
    async fn psql_reads_a_script_from_its_input() {
        let cluster = postgres();
        let script = "\\set x 40\nSELECT :x + 2;\n";
        assert_eq!(
            run(psql(&cluster.url("postgres")), script).await.ok(),
            "42\n"
        );
    }
}
