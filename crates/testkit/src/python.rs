//! A Python with psycopg 3, installed once on this machine into a virtual environment of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command as Blocking;

use tokio::process::Command;

use crate::program::command;

/// What is installed. A change makes a new environment.
const PSYCOPG: &str = "psycopg[binary]==3.2.10";

/// Says that an environment is whole.
const MARK: &str = "complete";

/// Python with psycopg 3: add a script and its arguments, then run it.
///
/// # Panics
/// When there is no Python 3 or the package cannot be installed.
pub async fn python() -> Command {
    let environment = tokio::task::spawn_blocking(environment)
        .await
        .expect("it does not panic");
    command(environment.join("bin/python"))
}

fn environment() -> PathBuf {
    let owner = fs::metadata("/proc/self").map_or(0, |found| {
        use std::os::unix::fs::MetadataExt;
        found.uid()
    });
    let name: String = PSYCOPG
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let place = std::env::temp_dir().join(format!("phigate-python-{owner}-{name}"));
    fs::create_dir_all(&place).expect("the temporary directory can be written");
    let lock = File::create(place.join("lock")).expect("the lock can be made");
    // Another test may be installing; it is done when it lets go.
    lock.lock().expect("the lock can be taken");
    if !place.join(MARK).exists() {
        let python = which::which("python3").expect("tests need Python 3");
        step(
            &python,
            &[
                "-m",
                "venv",
                "--clear",
                &place.join("venv").to_string_lossy(),
            ],
        );
        let own = place.join("venv/bin/python");
        step(
            &own,
            &[
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                PSYCOPG,
            ],
        );
        fs::write(place.join(MARK), "").expect("the mark can be made");
    }
    place.join("venv")
}

fn step(program: &Path, arguments: &[&str]) {
    let output = Blocking::new(program)
        .args(arguments)
        .output()
        .expect("it can be run");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{} {arguments:?}: {complaint}",
        program.display()
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::postgres;
    use crate::program::run;

    #[tokio::test]
    async fn psycopg_connects() {
        let cluster = postgres();
        let mut python = python().await;
        let script = "import sys, psycopg\n\
                      print(psycopg.connect(sys.argv[1]).execute('SELECT 6 * 7').fetchone()[0])";
        python.args(["-c", script]).arg(cluster.url("postgres"));
        assert_eq!(run(python, "").await.ok(), "42\n");
    }
}
