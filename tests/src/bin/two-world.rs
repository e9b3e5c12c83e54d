//! The two-world test for as long as asked: `cargo xtask two-world --help`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks on stdout"
)]

use std::process::ExitCode;
use std::time::Duration;

use phigate_tests::House;
use phigate_tests::two_world::{Plan, Release, run};

/// The stack that analysis needs; the judge runs it on this thread.
const STACK_BYTES: usize = 64 << 20;

/// What to run, `--name value` each.
#[derive(Debug)]
struct Arguments {
    statements: usize,
    seed: u64,
    releases: Vec<Release>,
    enforcement: String,
    minutes: u64,
    examples: bool,
    no_attacks: bool,
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
    for release in &arguments.releases {
        let plan = Plan {
            statements: arguments.statements / arguments.releases.len(),
            seed: arguments.seed,
            release: *release,
            house: House::default().enforcement(arguments.enforcement.as_str()),
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
        let report = runtime.block_on(run(&plan));
        if arguments.examples {
            println!("{report:#}");
        } else {
            println!("{report}");
        }
        same &= report.divergences.is_empty();
    }
    same
}

fn read(words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        statements: 3_000,
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
