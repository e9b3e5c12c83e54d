//! Private files: written whole or not at all, readable by their owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use phigate_types::Secret;
use rustix::fs::{FlockOperation, flock};

use crate::PkiError;

/// The longest certificate, key or token file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Bits of others and of the group; a private file has none of them set.
const EXPOSED: u32 = 0o077;

/// Reads a private file; an error when others may read it too, or it is longer than 1 MiB.
pub fn read_secret_file(path: &Path) -> Result<Secret<String>, PkiError> {
    let file = File::open(path).map_err(failed("read", path))?;
    let mode = file
        .metadata()
        .map_err(failed("read", path))?
        .permissions()
        .mode()
        & 0o777;
    if mode & EXPOSED != 0 {
        return Err(PkiError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    read_text(file, path).map(Secret::new)
}

/// Writes a private file that must not exist yet: whole and on disk, or not at all.
pub fn write_new_secret_file(path: &Path, text: &str) -> Result<(), PkiError> {
    write_new(path, text, 0o600)
}

pub(crate) fn read_public(path: &Path) -> Result<String, PkiError> {
    read_text(File::open(path).map_err(failed("read", path))?, path)
}

pub(crate) fn write_public(path: &Path, text: &str) -> Result<(), PkiError> {
    write_new(path, text, 0o644)
}

/// Makes the directory, private, when it is not there.
pub(crate) fn ensure_directory(path: &Path) -> Result<(), PkiError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(failed("create", path))
}

/// Held while files of a directory are made, so that two processes do not make them twice.
pub(crate) struct DirectoryLock(
    #[allow(dead_code, reason = "the lock lives as long as the file")] File,
);

impl DirectoryLock {
    pub(crate) fn acquire(directory: &Path) -> Result<Self, PkiError> {
        let path = directory.join(".lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        flock(&file, FlockOperation::LockExclusive)
            .map_err(|errno| failed("lock", &path)(errno.into()))?;
        Ok(Self(file))
    }
}

pub(crate) fn failed<'a>(
    verb: &'static str,
    path: &'a Path,
) -> impl Fn(io::Error) -> PkiError + 'a {
    move |source| PkiError::File {
        verb,
        path: path.to_owned(),
        source,
    }
}

fn read_text(file: File, path: &Path) -> Result<String, PkiError> {
    let mut text = String::new();
    file.take(MAX_FILE + 1)
        .read_to_string(&mut text)
        .map_err(failed("read", path))?;
    if text.len() as u64 > MAX_FILE {
        return Err(failed("read", path)(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(text)
}

/// Writes beside the target, then links it in: a crash leaves either nothing or the whole file,
/// and a file that is already there is never replaced.
fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), PkiError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".new.{}", std::process::id()));
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(mode)
            .open(&beside)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::hard_link(&beside, path)?;
        File::open(directory)?.sync_all()
    })();
    let removed = fs::remove_file(&beside);
    written.and(removed).map_err(failed("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_is_private_and_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        write_new_secret_file(&path, "one").unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(write_new_secret_file(&path, "two").is_err());
        assert_eq!(read_secret_file(&path).unwrap().expose(), "one");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_secret_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("0640") && error.contains("chmod 600"),
            "{error}"
        );
        assert_eq!(
            fs::read_dir(directory.path()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }
}
