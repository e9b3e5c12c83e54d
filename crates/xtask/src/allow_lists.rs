//! `cargo xtask allow-lists`: writes `crates/sql/src/allow/*.txt` from running servers.
//!
//! What each major has comes from its catalog; what clients may do with it (the decision, its rule
//! and its reason) comes from the committed table and is never changed here. A row that is new is
//! written as `deny ... # unreviewed`, and the run fails, so that somebody decides.
//!
//! Give one server for each supported major, freshly initialised and without extensions:
//!
//! ```text
//! cargo xtask allow-lists --server 'host=/tmp/pg14 port=5414 user=postgres' --server ...
//! cargo xtask allow-lists --check  --server ...        only compares
//! ```

mod functions;
mod tables;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Where the tables are, from the workspace's root.
const DIRECTORY: &str = "crates/sql/src/allow";

/// What stands after `#` in a row that nobody has decided on.
const UNREVIEWED: &str = "unreviewed";

/// What to do, from the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Connection string of a server; once for each major.
    #[arg(long = "server", required = true)]
    servers: Vec<String>,
    /// The psql to ask with.
    #[arg(long, default_value = "psql")]
    psql: PathBuf,
    /// Compare only, and fail when a table would change.
    #[arg(long)]
    check: bool,
}

/// Writes or checks every table.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut servers = arguments
        .servers
        .iter()
        .map(|target| Server::connect(&arguments.psql, target))
        .collect::<anyhow::Result<Vec<_>>>()?;
    servers.sort_by_key(|server| server.major);

    let mut unreviewed = 0;
    let mut different = Vec::new();
    for table in tables::all() {
        let path = Path::new(DIRECTORY).join(table.file);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        let decided = Decided::read(&committed);
        let rows = (table.rows)(&servers, &decided)?;
        let text = format!("// {}\n{}", table.header, rows);
        unreviewed += text
            .lines()
            .filter(|line| line.ends_with(UNREVIEWED))
            .count();
        if text != committed {
            different.push(table.file);
        }
        if !arguments.check {
            std::fs::write(&path, text)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    if arguments.check && !different.is_empty() {
        bail!(
            "these tables do not fit the servers: {}",
            different.join(", ")
        );
    }
    if unreviewed > 0 {
        bail!("{unreviewed} rows are unreviewed: decide on each and give a denial its reason");
    }
    println!(
        "allow-lists: {} tables, {} changed",
        tables::all().len(),
        different.len()
    );
    Ok(())
}

/// A running server that answers queries.
struct Server<'a> {
    psql: &'a Path,
    target: &'a str,
    major: u16,
}

impl<'a> Server<'a> {
    fn connect(psql: &'a Path, target: &'a str) -> anyhow::Result<Self> {
        let mut server = Self {
            psql,
            target,
            major: 0,
        };
        let version = server.query("SELECT current_setting('server_version_num')::int / 10000")?;
        server.major = version
            .first()
            .and_then(|row| row.first()?.parse().ok())
            .with_context(|| format!("{target}: no version"))?;
        Ok(server)
    }

    /// The rows of a query, their fields as text.
    fn query(&self, sql: &str) -> anyhow::Result<Vec<Vec<String>>> {
        let output = Command::new(self.psql)
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align"])
            .args(["--field-separator", "\t", "--command", sql, self.target])
            .output()
            .with_context(|| format!("cannot run {}", self.psql.display()))?;
        if !output.status.success() {
            bail!(
                "{}: {}",
                self.target,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        let text = String::from_utf8(output.stdout)?;
        Ok(text
            .lines()
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect())
    }
}

/// The decisions of a committed table: for each key the words and the remark.
struct Decided {
    rows: BTreeMap<String, Vec<(Vec<String>, String)>>,
}

impl Decided {
    fn read(table: &str) -> Self {
        let mut rows: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for line in table.lines().filter(|line| !line.starts_with("// ")) {
            let (text, remark) = line.split_once("  # ").unwrap_or((line, ""));
            let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
            if let Some(key) = words.first() {
                rows.entry(key.clone())
                    .or_default()
                    .push((words.clone(), remark.to_owned()));
            }
        }
        Self { rows }
    }

    /// The rows that start with `key`.
    fn of(&self, key: &str) -> &[(Vec<String>, String)] {
        self.rows.get(key).map_or(&[], Vec::as_slice)
    }

    /// Words 1 and following, and the remark, of the only row that starts with `key`.
    fn one(&self, key: &str) -> Option<(&[String], &str)> {
        let (words, remark) = self.of(key).first()?;
        Some((words.get(1..).unwrap_or_default(), remark))
    }
}

/// `14-18`, or `16` for a single one. The servers' majors have no gaps, and what was dropped is
/// not brought back, so first and last say it all.
fn majors(present: &[u16]) -> String {
    match (present.iter().min(), present.iter().max()) {
        (Some(first), Some(last)) if first < last => format!("{first}-{last}"),
        (Some(only), _) => only.to_string(),
        (None, _) => String::new(),
    }
}

/// One row with its remark.
fn line(text: &str, remark: &str) -> String {
    let text = text.trim_end();
    if remark.is_empty() {
        format!("{text}\n")
    } else {
        format!("{text}  # {remark}\n")
    }
}
