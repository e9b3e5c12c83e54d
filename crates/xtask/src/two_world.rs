//! `cargo xtask two-world`: generated statements to two databases that differ in what masks hide;
//! every difference in what comes back is a finding, and an error.

use crate::run;

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
    let mut words = vec!["run", "--quiet", "--package", "phigate-tests"];
    if arguments.release {
        words.push("--release");
    }
    words.extend(["--bin", "two-world", "--", "--enforcement"]);
    let statements = arguments.statements.to_string();
    let (seed, minutes) = (arguments.seed.to_string(), arguments.minutes);
    words.push(&arguments.enforcement);
    words.extend(["--statements", &statements, "--seed", &seed]);
    if let Some(profile) = &arguments.profile {
        words.extend(["--profile", profile]);
    }
    let minutes = minutes.map(|minutes| minutes.to_string());
    if let Some(minutes) = &minutes {
        words.extend(["--minutes", minutes]);
    }
    let sqlsmith = arguments.sqlsmith.map(|count| count.to_string());
    if let Some(count) = &sqlsmith {
        words.extend(["--sqlsmith", count]);
    }
    if let Some(file) = &arguments.from {
        words.extend(["--from", file]);
    }
    if arguments.no_attacks {
        words.push("--no-attacks");
    }
    if arguments.examples {
        words.push("--examples");
    }
    run::cargo(&words)
}

/// Compares what is refused of a directory of captures with the committed list.
pub(crate) fn corpora(directory: &std::path::Path) -> anyhow::Result<()> {
    let directory = std::path::absolute(directory)?;
    let directory = directory.to_string_lossy();
    let program = [
        "run",
        "--quiet",
        "--package",
        "phigate-tests",
        "--bin",
        "corpora",
    ];
    run::cargo(&[&program[..], &["--", &directory]].concat())
}

/// As many statements as fit into a run before every change. The attack list is a test of its own.
pub(crate) fn smoke(enforcement: &str) -> anyhow::Result<()> {
    const STATEMENTS: u32 = 1_500;
    run(&Arguments {
        statements: STATEMENTS,
        sqlsmith: None,
        from: None,
        no_attacks: true,
        seed: 1,
        profile: None,
        enforcement: enforcement.to_owned(),
        minutes: Some(1),
        release: false,
        examples: false,
    })
}
