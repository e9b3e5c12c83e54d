//! `cargo xtask two-world`: generated statements to two databases that differ in what masks hide;
//! every difference in what comes back is a finding, and an error.

use crate::run;

const PROGRAM: &str = "two-world";

/// What to run, from the command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// How many statements, over all profiles.
    #[arg(long, default_value_t = 3_000)]
    statements: u32,
    /// Under each profile the queries among so many statements of sqlsmith instead, where it is installed.
    #[arg(long)]
    sqlsmith: Option<u32>,
    /// Under each profile a file's statements instead, each ended by a semicolon at the end of a line.
    #[arg(long, conflicts_with = "sqlsmith")]
    from: Option<String>,
    /// Without the attack list.
    #[arg(long)]
    no_attacks: bool,
    /// Where the generator begins; the same seed makes the same statements.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// One of limited_dataset, safe_harbor, expert, custom, writing, cohort (with views only); each in
    /// turn when not given.
    #[arg(long)]
    profile: Option<String>,
    /// inline or views.
    #[arg(long, default_value = "inline")]
    enforcement: String,
    /// Stops after so many minutes for each profile.
    #[arg(long)]
    minutes: Option<u32>,
    /// Optimised: a build of its own, and several times the statements.
    #[arg(long)]
    release: bool,
    /// Shows the shortest statement of each kind of error.
    #[arg(long)]
    examples: bool,
}

/// Runs it; a divergence is an error.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let words = words(arguments);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    run::program(PROGRAM, arguments.release, &words)
}

fn words(arguments: &Arguments) -> Vec<String> {
    let mut words = Vec::new();
    let mut option = |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
    option("--enforcement", &arguments.enforcement);
    option("--statements", &arguments.statements.to_string());
    option("--seed", &arguments.seed.to_string());
    if let Some(profile) = &arguments.profile {
        option("--profile", profile);
    }
    if let Some(minutes) = arguments.minutes {
        option("--minutes", &minutes.to_string());
    }
    if let Some(count) = arguments.sqlsmith {
        option("--sqlsmith", &count.to_string());
    }
    if let Some(file) = &arguments.from {
        option("--from", file);
    }
    words.extend(arguments.no_attacks.then(|| "--no-attacks".to_owned()));
    words.extend(arguments.examples.then(|| "--examples".to_owned()));
    words
}

/// Compares what is refused of a directory of captures with the committed list.
pub(crate) fn corpora(directory: &std::path::Path) -> anyhow::Result<()> {
    let directory = std::path::absolute(directory)?;
    run::program("corpora", false, &[&*directory.to_string_lossy()])
}

/// As many statements as fit into a run before every change, of a program that is built. The attack
/// list is a test of its own.
pub(crate) fn smoke(enforcement: &str) -> anyhow::Result<()> {
    let words = [
        "--statements",
        "1500",
        "--seed",
        "1",
        "--minutes",
        "1",
        "--no-attacks",
    ];
    run::built(
        PROGRAM,
        false,
        &[&["--enforcement", enforcement], &words[..]].concat(),
    )
}
