//! Debian's packages, downloaded and unpacked into a directory: the system is left as it is, so no
//! server is started and nothing needs to be removed later. The libraries they need must be there.

use std::path::Path;

use super::{discard, run};

pub(super) fn unpack(work: &Path) -> Result<(), String> {
    let about = run(work, "apt-cache", &["depends", "postgresql"])?;
    let server =
        server_package(&about).ok_or("apt knows no package postgresql; apt-get update may help")?;
    let client = server.replace("postgresql-", "postgresql-client-");
    run(work, "apt-get", &["download", &server, &client])?;
    for entry in std::fs::read_dir(work)
        .map_err(|error| error.to_string())?
        .flatten()
    {
        let archive = entry.path();
        if archive
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            // The server finds its files relative to itself, so the tree stays as it is.
            run(
                work,
                "dpkg-deb",
                &["-x", &archive.to_string_lossy(), "tree"],
            )?;
            discard(&archive);
        }
    }
    Ok(())
}

/// `postgresql-15` of the metapackage's dependencies.
fn server_package(depends: &str) -> Option<String> {
    depends
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Depends: "))
        .find(|name| {
            name.strip_prefix("postgresql-")
                .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_what_the_metapackage_depends_on() {
        let text = "postgresql\n  Depends: postgresql-15\n  Suggests: postgresql-doc\n";
        assert_eq!(server_package(text).as_deref(), Some("postgresql-15"));
        assert_eq!(server_package("postgresql\n"), None);
    }
}
