//! Finding PostgreSQL's server programs on this machine.

use std::cmp::Reverse;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use crate::error::ClusterError;

/// The oldest major that the gateway supports.
pub const OLDEST_MAJOR: u16 = 14;

/// The environment variable that names a bin directory.
const VARIABLE: &str = "PHIGATE_PG_BIN";

/// Directories that hold one directory for each installed major, and the way from there to `bin`.
const VERSIONED: [(&str, &str); 6] = [
    ("/usr/lib/postgresql", "bin"),
    ("/usr", "bin"), // /usr/pgsql-17/bin
    ("/opt/homebrew/opt", "bin"),
    ("/usr/local/opt", "bin"),
    ("/usr/local/Cellar/postgresql", "bin"),
    ("/Library/PostgreSQL", "bin"),
];

/// Directories that hold one installation.
const PLAIN: [&str; 5] = [
    "/usr/local/pgsql/bin",
    "/usr/local/bin",
    "/opt/homebrew/bin",
    "/usr/bin",
    "/Applications/Postgres.app/Contents/Versions/latest/bin",
];

/// A PostgreSQL release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PgVersion {
    /// 18 of 18.4.
    pub major: u16,
    /// 4 of 18.4; 0 for betas.
    pub minor: u16,
}

/// One installation of PostgreSQL's server programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
    version: PgVersion,
}

impl Binaries {
    /// Looks at `explicit` (a bin directory, an installation's prefix, or the server program
    /// itself), else at `PHIGATE_PG_BIN`, else at `PATH`, else at the usual places, where the
    /// newest wins.
    ///
    /// # Errors
    /// What was named explicitly or by the variable must be there and new enough: no other place
    /// is tried then. [`ClusterError::NotFound`] lists where it looked.
    pub fn find(explicit: Option<&Path>) -> Result<Self, ClusterError> {
        let variable = env::var_os(VARIABLE)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        if let Some(named) = explicit.map(Path::to_path_buf).or(variable) {
            return Self::at(&named);
        }
        let on_path = which::which("postgres")
            .ok()
            .and_then(|program| Self::at(&program).ok());
        if let Some(found) = on_path {
            return Ok(found);
        }
        let mut candidates: Vec<Self> = usual_places()
            .iter()
            .filter_map(|place| Self::at(place).ok())
            .collect();
        candidates.sort_by_key(|candidate| Reverse(candidate.version));
        candidates.into_iter().next().ok_or_else(|| ClusterError::NotFound {
            looked: "PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, Homebrew, /usr/local/pgsql/bin"
                .to_owned(),
        })
    }

    /// The installation at `path`: a bin directory, an installation's prefix, or the server program.
    ///
    /// # Errors
    /// [`ClusterError::NotAServer`] and [`ClusterError::TooOld`].
    pub fn at(path: &Path) -> Result<Self, ClusterError> {
        let fail = |reason: String| ClusterError::NotAServer {
            path: path.to_owned(),
            reason,
        };
        // Distributions link one directory's programs into another: the server looks for its
        // libraries beside the real one.
        let real = path
            .canonicalize()
            .map_err(|error| fail(error.to_string()))?;
        let directory = if real.is_file() {
            real.parent().unwrap_or(&real).to_owned()
        } else if real.join("bin/postgres").is_file() {
            real.join("bin")
        } else {
            real
        };
        for program in ["postgres", "initdb", "pg_ctl"] {
            if !directory.join(program).is_file() {
                return Err(fail(format!(
                    "there is no {program} in {}",
                    directory.display()
                )));
            }
        }
        let output = Command::new(directory.join("postgres"))
            .arg("--version")
            .output()
            .map_err(|error| fail(format!("postgres --version: {error}")))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version: PgVersion = text.parse().map_err(|()| {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            fail(format!("postgres --version said {:?} {said}", text.trim()))
        })?;
        if version.major < OLDEST_MAJOR {
            return Err(ClusterError::TooOld {
                path: directory,
                version,
            });
        }
        Ok(Self { directory, version })
    }

    /// The release.
    pub fn version(&self) -> PgVersion {
        self.version
    }

    /// Where the programs are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of a program that may not be there, such as `psql` or `pgbench`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.directory.join(name)).filter(|path| path.is_file())
    }

    /// psql, where this installation has it.
    pub fn psql(&self) -> Option<PathBuf> {
        self.program("psql")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.directory.join("postgres")
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.directory.join("initdb")
    }

    pub(crate) fn pg_ctl(&self) -> PathBuf {
        self.directory.join("pg_ctl")
    }
}

impl fmt::Display for Binaries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "PostgreSQL {} in {}",
            self.version,
            self.directory.display()
        )
    }
}

impl fmt::Display for PgVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for PgVersion {
    type Err = ();

    /// Reads `postgres (PostgreSQL) 15.18 (Debian ...)` and `postgres (PostgreSQL) 19beta1`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let word = text.split_whitespace().nth(2).ok_or(())?;
        let digits =
            |text: &str| -> String { text.chars().take_while(char::is_ascii_digit).collect() };
        let (major, rest) = word.split_once('.').unwrap_or((word, "0"));
        Ok(Self {
            major: digits(major).parse().map_err(|_| ())?,
            minor: digits(rest).parse().unwrap_or(0),
        })
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places: Vec<PathBuf> = PLAIN.iter().map(PathBuf::from).collect();
    for (above, below) in VERSIONED {
        let Ok(entries) = fs::read_dir(above) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let named_for_it = name.starts_with("pgsql-") || name.starts_with("postgresql");
            if named_for_it || name.starts_with(|first: char| first.is_ascii_digit()) {
                places.push(entry.path().join(below));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_the_server_prints_them() {
        for (text, major, minor) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                15,
                18,
            ),
            ("postgres (PostgreSQL) 18.4", 18, 4),
            ("postgres (PostgreSQL) 19beta1", 19, 0),
        ] {
            assert_eq!(text.parse(), Ok(PgVersion { major, minor }), "{text}");
        }
        assert_eq!("command not found".parse::<PgVersion>(), Err(()));
    }

    #[test]
    fn a_named_place_is_not_replaced_by_another() {
        let empty = tempfile::tempdir().unwrap();
        let refused = Binaries::find(Some(empty.path())).unwrap_err().to_string();
        assert!(refused.contains("there is no postgres"), "{refused}");
    }

    #[test]
    fn an_old_server_is_refused_by_its_version() {
        use std::os::unix::fs::PermissionsExt;
        let place = tempfile::tempdir().unwrap();
        for program in ["postgres", "initdb", "pg_ctl"] {
            let path = place.path().join(program);
            fs::write(&path, "#!/bin/sh\necho 'postgres (PostgreSQL) 13.9'\n").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let refused = Binaries::at(place.path()).unwrap_err().to_string();
        assert!(refused.contains("14 or newer is needed"), "{refused}");
        assert!(refused.contains("13.9"), "{refused}");
    }
}
