//! Who PostgreSQL runs as. `initdb` and `postgres` refuse to run as root, so a root process hands
//! them to an account without privileges.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::ClusterError;

/// What `nobody` is where `/etc/passwd` does not say.
const NOBODY: u32 = 65_534;

/// An account to run PostgreSQL's programs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Account {
    /// This process's own.
    Own,
    /// Another, taken on because this process is root.
    Dropped {
        /// For messages.
        name: String,
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
    },
}

impl Account {
    /// The account for a cluster in `directory`: its owner if that is not root, else `nobody`.
    pub(crate) fn for_directory(directory: &Path) -> Self {
        if !rustix::process::geteuid().is_root() {
            return Self::Own;
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        match fs::metadata(directory) {
            Ok(found) if found.uid() != 0 => Self::Dropped {
                name: name_of(&passwd, found.uid()),
                uid: found.uid(),
                gid: found.gid(),
            },
            _ => nobody(&passwd),
        }
    }

    /// The numeric user.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Self::Own => rustix::process::geteuid().as_raw(),
            Self::Dropped { uid, .. } => *uid,
        }
    }

    /// A command that runs as this account, in a directory it can be in, without our environment's
    /// `PG*` variables.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Self::Dropped { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Makes `directory` (and what is above it) and gives it to this account with mode 0700.
    pub(crate) fn make_directory(&self, directory: &Path) -> Result<(), ClusterError> {
        fs::create_dir_all(directory).map_err(ClusterError::io("make", directory))?;
        self.take(directory, 0o700)?;
        self.check_reach(directory)
    }

    /// Writes a file that only this account (and root) reads.
    pub(crate) fn write_file(&self, path: &Path, content: &str) -> Result<(), ClusterError> {
        fs::write(path, content).map_err(ClusterError::io("write", path))?;
        self.take(path, 0o600)
    }

    fn take(&self, path: &Path, mode: u32) -> Result<(), ClusterError> {
        let give = || -> io::Result<()> {
            if let Self::Dropped { uid, gid, .. } = self {
                chown(path, Some(*uid), Some(*gid))?;
            }
            fs::set_permissions(path, fs::Permissions::from_mode(mode))
        };
        give().map_err(ClusterError::io("set the owner and mode of", path))
    }

    /// Refuses a path below a directory that this account may not enter.
    pub(crate) fn check_reach(&self, path: &Path) -> Result<(), ClusterError> {
        let Self::Dropped { name, uid, gid } = self else {
            return Ok(());
        };
        let path = path
            .canonicalize()
            .map_err(ClusterError::io("find", path))?;
        let closed = |ancestor: &&Path| {
            fs::metadata(ancestor).is_ok_and(|found| !may_enter(&found, *uid, *gid))
        };
        match path
            .ancestors()
            .filter(|ancestor| ancestor.is_dir())
            .find(closed)
        {
            None => Ok(()),
            Some(ancestor) => Err(ClusterError::OutOfReach {
                account: name.clone(),
                path: PathBuf::from(ancestor),
            }),
        }
    }
}

fn may_enter(directory: &fs::Metadata, uid: u32, gid: u32) -> bool {
    let mode = directory.mode();
    if directory.uid() == uid {
        mode & 0o100 != 0
    } else if directory.gid() == gid {
        mode & 0o010 != 0
    } else {
        mode & 0o001 != 0
    }
}

fn nobody(passwd: &str) -> Account {
    let found = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| *name == "nobody")?;
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account::Dropped {
            name: name.to_owned(),
            uid,
            gid,
        })
    });
    found.unwrap_or(Account::Dropped {
        name: "nobody".to_owned(),
        uid: NOBODY,
        gid: NOBODY,
    })
}

fn name_of(passwd: &str, uid: u32) -> String {
    passwd
        .lines()
        .find_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
        })
        .unwrap_or_else(|| format!("user {uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:99:98:n:/:/sbin/nologin\n";

    #[test]
    fn nobody_is_read_from_the_password_file() {
        let expected = Account::Dropped {
            name: "nobody".to_owned(),
            uid: 99,
            gid: 98,
        };
        assert_eq!(nobody(PASSWD), expected);
        assert_eq!(nobody("").uid(), NOBODY);
        assert_eq!(name_of(PASSWD, 99), "nobody");
        assert_eq!(name_of(PASSWD, 7), "user 7");
    }

    #[test]
    fn a_directory_that_others_may_not_enter_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let inner = outer.path().join("data");
        fs::create_dir(&inner).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let stranger = Account::Dropped {
            name: "stranger".into(),
            uid: 4_242,
            gid: 4_242,
        };
        let refused = stranger.check_reach(&inner).unwrap_err().to_string();
        assert!(refused.contains("stranger"), "{refused}");
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o711)).unwrap();
        fs::set_permissions(&inner, fs::Permissions::from_mode(0o711)).unwrap();
        assert!(stranger.check_reach(&inner).is_ok());
    }
}
