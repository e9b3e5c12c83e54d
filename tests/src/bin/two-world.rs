//! The two-world test for as long as asked: `cargo xtask two-world --help`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks on stdout"
)]

use std::process::ExitCode;
use std::time::Duration;

use phigate_tests::two_world::generate::Script;
use phigate_tests::two_world::{Found, Plan, Release, Source, run, sqlsmith};
use phigate_tests::{Enforcement, House};

/// The stack that analysis needs; the judge runs it on this thread.
const STACK_BYTES: usize = 64 << 20;

/// What to run, `--name value` each.
#[derive(Debug)]
struct Arguments {
    statements: usize,
    origin: Origin,
    seed: u64,
    releases: Vec<Release>,
    enforcement: String,
    minutes: u64,
    examples: bool,
    no_attacks: bool,
}

/// Where statements come from.
#[derive(Debug)]
enum Origin {
    Grammar,
    /// So many of sqlsmith's.
    Sqlsmith(u64),
    /// A file's.
    File(String),
}

fn main() -> ExitCode {
    let arguments = match read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(64);
        }
    };
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || work(&arguments))
        .map(std::thread::JoinHandle::join);
    match work {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// Runs; whether both worlds were the same throughout.
fn work(arguments: &Arguments) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let Ok(runtime) = runtime else {
        eprintln!("no runtime");
        return false;
    };
    let mut same = true;
    let source = match &arguments.origin {
        Origin::Grammar => Source::Grammar,
        Origin::Sqlsmith(_) if !sqlsmith::is_installed() => {
            println!("skipped: sqlsmith is not installed (apt-get install sqlsmith)");
            return true;
        }
        Origin::Sqlsmith(count) => {
            Source::Scripts(runtime.block_on(sqlsmith::scripts(*count, arguments.seed)))
        }
        Origin::File(name) => match std::fs::read_to_string(name) {
            Ok(text) => Source::Scripts(Script::read(&text)),
            Err(error) => {
                eprintln!("{name}: {error}");
                return false;
            }
        },
    };
    let enforcement = Enforcement::from(arguments.enforcement.as_str());
    let possible = |release: &&Release| release.is_possible(enforcement);
    let releases: Vec<_> = arguments.releases.iter().filter(possible).collect();
    let mut all = Found::default();
    for release in &releases {
        let plan = Plan {
            statements: match source {
                Source::Grammar => arguments.statements / releases.len(),
                Source::Scripts(_) => usize::MAX,
            },
            source: source.clone(),
            seed: arguments.seed,
            release: **release,
            house: House::default().enforcement(enforcement),
            broken: String::new(),
            attacks: !arguments.no_attacks,
            limit: Duration::from_secs(60 * arguments.minutes),
            shrink: Duration::from_secs(40),
            progress: 5_000,
        };
        println!(
            "== {}, enforcement {}, seed {}",
            release.word(),
            arguments.enforcement,
            arguments.seed
        );
        let found = runtime.block_on(run(&plan));
        if plan.attacks {
            println!("attack list\n{}", found.attacks);
        }
        if arguments.examples {
            println!("generated\n{:#}", found.generated);
        } else {
            println!("generated\n{}", found.generated);
        }
        same &= found.divergences().next().is_none();
        all.attacks.add(found.attacks);
        all.generated.add(found.generated);
    }
    println!(
        "== all, enforcement {}, seed {}",
        arguments.enforcement, arguments.seed
    );
    println!("attack list\n{}generated\n{}", all.attacks, all.generated);
    same
}

fn read(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        statements: 3_000,
        origin: Origin::Grammar,
        seed: 1,
        releases: Release::ALL.to_vec(),
        enforcement: "inline".to_owned(),
        minutes: 600,
        examples: false,
        no_attacks: false,
    };
    let mut words = words;
    while let Some(name) = words.next() {
        if name == "--examples" {
            arguments.examples = true;
            continue;
        }
        if name == "--no-attacks" {
            arguments.no_attacks = true;
            continue;
        }
        let value = words
            .next()
            .ok_or_else(|| format!("{name} takes a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("{name} takes a number"))
        };
        match name.as_str() {
            "--statements" => arguments.statements = number()? as usize,
            "--sqlsmith" => arguments.origin = Origin::Sqlsmith(number()?),
            "--from" => arguments.origin = Origin::File(value),
            "--seed" => arguments.seed = number()?,
            "--minutes" => arguments.minutes = number()?,
            "--profile" => {
                let found = Release::ALL
                    .into_iter()
                    .find(|release| release.word() == value);
                let words = Release::ALL.map(Release::word).join(", ");
                arguments.releases = vec![found.ok_or(format!("--profile is one of {words}"))?];
            }
            "--enforcement" if ["inline", "views"].contains(&value.as_str()) => {
                arguments.enforcement = value;
            }
            _ => return Err(format!("unknown argument {name} {value}")),
        }
    }
    Ok(arguments)
}
