//! Statements of sqlsmith, a generator that nobody here wrote (<https://github.com/anse1/sqlsmith>). It
//! makes statements of what a server's catalog offers, and lives on functions: so it reads a server of its
//! own, never a world, whose functions and operators are cut to the allow-lists; and it runs
//! nothing, but prints.

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use phigate_testkit::{Cluster, clinic};

use super::generate::Script;
use super::worlds;

/// The program.
const PROGRAM: &str = "sqlsmith";

/// What clients may call (`crates/sql/src/allow/function.rs` says what the columns are).
const FUNCTIONS: &str = include_str!("../../../crates/sql/src/allow/functions.txt");
const OPERATORS: &str = include_str!("../../../crates/sql/src/allow/operators.txt");

/// Functions of which no two answers need be the same: what is volatile, and these.
const OF_THE_MOMENT: &str =
    "'now', 'statement_timestamp', 'transaction_timestamp', 'pg_backend_pid'";

/// Whether it is installed.
pub fn is_installed() -> bool {
    let mut command = Command::new(PROGRAM);
    let command = command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The queries among so many statements of a seed. What would write is left out: nothing undoes it.
///
/// # Panics
/// When it does not make them.
pub async fn scripts(count: u64, seed: u64) -> Vec<Script> {
    let cluster = worlds::without_marks().await;
    let done = cluster.execute(clinic::DATABASE, &cut()).await;
    done.unwrap_or_else(|error| panic!("the catalog is not cut: {error}"));
    let printed = print(&cluster, count, seed);
    let queries = printed.split_inclusive(";\n").filter(|statement| {
        let mut words = statement.split_whitespace();
        matches!(words.next(), Some("select" | "with"))
    });
    Script::read(&without_samples(&queries.collect::<String>()))
}

fn print(cluster: &Cluster, count: u64, seed: u64) -> String {
    let output = Command::new(PROGRAM)
        .args(["--dry-run", "--exclude-catalog"])
        .arg(format!("--target={}", cluster.url(clinic::DATABASE)))
        .arg(format!("--seed={seed}"))
        .arg(format!("--max-queries={count}"))
        .stderr(Stdio::null())
        .output();
    let output = output.unwrap_or_else(|error| panic!("{PROGRAM}: {error}"));
    assert!(output.status.success(), "{PROGRAM}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Takes from the catalog what the gateway refuses. The server itself needs most of it, so functions stay
/// and return `internal`, of which sqlsmith takes none.
fn cut() -> String {
    let allowed = |text: &'static str, at: usize| {
        text.lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>())
            .filter(move |words| words.first() != Some(&"//") && words.get(at) == Some(&"allow"))
    };
    let mut functions = String::new();
    for words in allowed(FUNCTIONS, 2) {
        let _ = write!(functions, "('{}', '{}'), ", words[0], words[1]);
    }
    let operators: Vec<_> = allowed(OPERATORS, 1)
        .map(|words| format!("'{}'", words[0]))
        .collect();
    format!(
        "SET allow_system_table_mods = on;
         CREATE TEMP TABLE allowed (name text, counts text);
         INSERT INTO allowed VALUES {functions}('', '');
         DELETE FROM pg_operator WHERE oprname NOT IN ({});
         UPDATE pg_proc AS p SET prorettype = 'internal'::regtype
         WHERE pronamespace <> 'pg_catalog'::regnamespace OR provolatile = 'v' OR proname IN ({OF_THE_MOMENT})
           OR prorettype IN ('internal'::regtype, 'cstring'::regtype, 'void'::regtype)
           OR NOT EXISTS (SELECT FROM allowed AS a WHERE a.name = p.proname
             AND (a.counts LIKE '%+' OR p.pronargs::text = ANY (string_to_array(a.counts, ','))));
         DROP TABLE allowed",
        operators.join(", ")
    )
}

/// Samples of a table are chance, and nothing the gateway lets through.
fn without_samples(statements: &str) -> String {
    let mut out = String::with_capacity(statements.len());
    let mut parts = statements.split(" tablesample ");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        // `system (0.2)` or `bernoulli (8.9)`.
        out.push_str(part.split_once(')').map_or(part, |(_, rest)| rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_left_out() {
        assert_eq!(
            without_samples("select a from t as s tablesample system (0.2) where (b)"),
            "select a from t as s where (b)"
        );
        assert_eq!(without_samples("select 1"), "select 1");
    }
}
