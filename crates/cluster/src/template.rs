//! Ready-made data directories, so that a test pays for a copy and not for `initdb` and a fill.
//!
//! They live in a cache directory that only their owner may enter, one for each kind, and appear
//! there by a rename: concurrent processes see a whole one or none.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::account::Account;
use crate::binaries::Binaries;
use crate::cluster::{Cluster, DATA, PASSWORD, PASSWORD_SUFFIX};
use crate::error::ClusterError;
use crate::options::Options;
use crate::poll;

/// The environment variable that moves the cache.
const VARIABLE: &str = "PHIGATE_CACHE_DIR";

/// How long to wait for another process that makes the same template.
const LOCK_LIMIT: Duration = Duration::from_mins(3);

/// Rises when templates of older builds must not be used any more.
const FORMAT: u32 = 1;

/// Bytes of randomness in the superuser's password.
const PASSWORD_BYTES: usize = 16;

/// A stopped cluster's files, to be copied.
#[derive(Debug, Clone)]
pub struct Template {
    directory: PathBuf,
    binaries: Binaries,
}

impl Template {
    /// A cluster fresh from `initdb`.
    ///
    /// # Errors
    /// `initdb` failed, or the cache cannot be used.
    pub fn empty(binaries: &Binaries) -> Result<Self, ClusterError> {
        let cache = Cache::open()?;
        let key = format!("empty-{}-{FORMAT}", binaries.version());
        let _lock = cache.lock(&key)?;
        let directory = cache.directory.join(&key);
        if !directory.is_dir() {
            let making = cache.fresh(&key)?;
            initdb(binaries, &cache.account, making.path())?;
            publish(making, &directory)?;
        }
        Ok(Self {
            directory,
            binaries: binaries.clone(),
        })
    }

    /// A cluster that `build` has filled. `key` names the content: it must change when `build`
    /// does.
    ///
    /// # Errors
    /// As [`Template::empty`], and what `build` returns.
    pub async fn filled(
        binaries: &Binaries,
        key: &str,
        build: impl AsyncFnOnce(&Cluster) -> Result<(), ClusterError>,
    ) -> Result<Self, ClusterError> {
        let empty = Self::empty(binaries)?;
        let cache = Cache::open()?;
        let key = format!("{key}-{}-{FORMAT}", binaries.version());
        let _lock = cache.lock(&key)?;
        let directory = cache.directory.join(&key);
        if !directory.is_dir() {
            let making = cache.fresh(&key)?;
            let cluster = empty.start_in(making.path(), Options::default())?;
            build(&cluster).await?;
            cluster.stop()?;
            publish(making, &directory)?;
        }
        Ok(Self {
            directory,
            binaries: binaries.clone(),
        })
    }

    /// Starts a copy in a directory of its own, which goes with it.
    ///
    /// # Errors
    /// As [`Cluster::start`].
    pub fn start(&self, options: Options) -> Result<Cluster, ClusterError> {
        let directory = tempfile::Builder::new()
            .prefix("phigate-pg-")
            .tempdir()
            .map_err(ClusterError::io(
                "make a directory in",
                &std::env::temp_dir(),
            ))?;
        let cluster = self.start_in(
            directory.path(),
            Options {
                remove: true,
                ..options
            },
        )?;
        // From here on the cluster's supervisor removes it, also when this process is killed.
        let _ = directory.keep();
        Ok(cluster)
    }

    /// Starts a copy in `directory`, which must not hold a cluster yet.
    pub(crate) fn start_in(
        &self,
        directory: &Path,
        options: Options,
    ) -> Result<Cluster, ClusterError> {
        self.copy_to(directory)?;
        Cluster::start(&self.binaries, directory, options)
    }

    /// Copies the files into `directory`.
    pub(crate) fn copy_to(&self, directory: &Path) -> Result<(), ClusterError> {
        let account = Account::for_directory(directory);
        account.make_directory(directory)?;
        let entries = fs::read_dir(&self.directory)
            .map_err(ClusterError::io("list", &self.directory))?
            .flatten();
        for entry in entries {
            let name = entry.file_name();
            if name == DATA || name.to_string_lossy().ends_with(PASSWORD_SUFFIX) {
                let mut copy = account.command(Path::new("cp"));
                copy.arg("-a").arg(entry.path()).arg(directory.join(&name));
                run(copy, "cp")?;
            }
        }
        Ok(())
    }
}

/// The directory of templates, made where it is not there yet.
pub(crate) fn cache_directory() -> Result<PathBuf, ClusterError> {
    Ok(Cache::open()?.directory)
}

/// Makes a cluster's files in `directory`.
pub(crate) fn initdb(
    binaries: &Binaries,
    account: &Account,
    directory: &Path,
) -> Result<(), ClusterError> {
    account.make_directory(directory)?;
    account.check_reach(binaries.directory())?;
    let password = directory.join(PASSWORD);
    account.write_file(&password, &random_password(&password)?)?;
    let mut command = account.command(&binaries.initdb());
    command
        .args([
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .args(["--auth-local=trust", "--auth-host=scram-sha-256"])
        .arg("--pwfile")
        .arg(&password)
        .arg("-D")
        .arg(directory.join(DATA));
    run(command, "initdb")
}

/// Random hexadecimal digits, to be written to `path`.
pub(crate) fn random_password(path: &Path) -> Result<String, ClusterError> {
    let mut random = [0; PASSWORD_BYTES];
    getrandom::fill(&mut random).map_err(|error| ClusterError::Io {
        action: "read randomness for",
        path: path.to_owned(),
        source: std::io::Error::other(error.to_string()),
    })?;
    Ok(hex::encode(random))
}

/// Runs a program to its end.
pub(crate) fn run(mut command: Command, program: &str) -> Result<(), ClusterError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(ClusterError::io("run", Path::new(command.get_program())))?;
    if output.status.success() {
        return Ok(());
    }
    let said = if output.stderr.is_empty() {
        &output.stdout
    } else {
        &output.stderr
    };
    Err(ClusterError::Program {
        program: program.to_owned(),
        status: output.status.to_string(),
        output: String::from_utf8_lossy(said).trim().to_owned(),
    })
}

/// The directory of templates.
struct Cache {
    directory: PathBuf,
    account: Account,
}

impl Cache {
    fn open() -> Result<Self, ClusterError> {
        let owner = rustix::process::geteuid().as_raw();
        let directory = std::env::var_os(VARIABLE).map_or_else(
            || std::env::temp_dir().join(format!("phigate-templates-{owner}")),
            PathBuf::from,
        );
        let account = Account::for_directory(&directory);
        if !directory.is_dir() {
            account.make_directory(&directory)?;
        }
        let found = fs::metadata(&directory).map_err(ClusterError::io("look at", &directory))?;
        // In a shared temporary directory somebody else may have been first with this name.
        if found.uid() != account.uid() || found.mode() & 0o077 != 0 {
            return Err(ClusterError::Io {
                action: "trust",
                path: directory,
                source: std::io::Error::other("it belongs to another user or others may enter it"),
            });
        }
        Ok(Self { directory, account })
    }

    fn fresh(&self, key: &str) -> Result<tempfile::TempDir, ClusterError> {
        tempfile::Builder::new()
            .prefix(&format!("making-{key}-"))
            .tempdir_in(&self.directory)
            .map_err(ClusterError::io("make a directory in", &self.directory))
    }

    fn lock(&self, key: &str) -> Result<File, ClusterError> {
        let path = self.directory.join(format!("{key}.lock"));
        let file = File::create(&path).map_err(ClusterError::io("open", &path))?;
        poll::until(LOCK_LIMIT, || file.try_lock().is_ok().then_some(())).ok_or_else(|| {
            ClusterError::Deadline {
                what: format!("another process that makes the template {key}"),
                seconds: LOCK_LIMIT.as_secs(),
            }
        })?;
        Ok(file)
    }
}

fn publish(making: tempfile::TempDir, directory: &Path) -> Result<(), ClusterError> {
    for leftover in ["log", "lock", "s"] {
        let path = making.path().join(leftover);
        let _ = fs::remove_file(&path);
        let _ = fs::remove_dir(&path);
    }
    let made = making.keep();
    fs::rename(&made, directory).map_err(ClusterError::io("rename to", directory))
}
