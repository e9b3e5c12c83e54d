//! What the gateway sends in the place of statements, one JSON value a line, for a reader that knows
//! nothing of the gateway: `cargo xtask oracle`.
//!
//! First comes what a policy says of each relation, derived without `phigate-sql`'s resolver; then each
//! statement that is admitted, as typed and as sent.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program speaks on stdout"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use phigate_phi::{
    Classification, EffectivePolicy, KeyAccess, ReleaseContext, Treatment, Unclassified,
    quote_identifier, release,
};
use phigate_sql::{Relation, RelationKind, Snapshot};
use phigate_testkit::{hospital, postgres};
use phigate_tests::attack;
use phigate_tests::mutate::mutate;
use phigate_tests::two_world::Release;
use phigate_tests::two_world::choices::Choices;
use phigate_tests::two_world::generate::Generator;
use phigate_tests::two_world::grammar::Grammar;
use phigate_tests::two_world::judge::{AS_OF, Judge};
use phigate_tests::two_world::schema::tables;
use phigate_types::Profile;
use serde_json::{Map, Value, json};

/// The stack that analysis needs.
const STACK_BYTES: usize = 64 << 20;

/// What stands in FROM within a mask.
const INNER: &str = "t";

/// Policies whose every mask depends on nothing but the column: not those of which a date is shifted by
/// the patient's key, or rows are left out.
const RELEASES: [Release; 3] = [Release::Limited, Release::SafeHarbor, Release::Custom];

/// The relations that captured statements name, and how a policy releases them.
const SCHEMA: &str = include_str!("../../corpora/schema.sql");
const CLASSIFICATION: &str = include_str!("../../corpora/classification.csv");

struct Arguments {
    statements: usize,
    seed: u64,
    captures: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let mut number = || words.next().and_then(|word| word.parse().ok());
    let (Some(statements), Some(seed)) = (number(), number()) else {
        eprintln!("how many statements, from which seed, and captures of which directory?");
        return ExitCode::from(64);
    };
    let arguments = Arguments {
        statements: usize::try_from(statements).unwrap_or(usize::MAX),
        seed,
        captures: words.next().map(PathBuf::from),
    };
    let work = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || work(&arguments));
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(Ok(()))) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn work(arguments: &Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let cluster = runtime.block_on(hospital());
    for release in RELEASES {
        let policy = release.policy();
        let judge = runtime.block_on(Judge::of(&cluster, &policy));
        let word = release.word();
        say(&header(word, &policy, judge.snapshot())?)?;
        for attack in attack::corpus() {
            for sql in attack.statements {
                let name = format!("{word} attack {}", attack.name);
                admitted(&judge, &name, &sql)?;
            }
        }
        generated(&judge, &policy, word, arguments)?;
        mutated(&judge, word, arguments)?;
    }
    if let Some(directory) = &arguments.captures {
        let cluster = postgres();
        for (database, sql) in [("postgres", "CREATE DATABASE clinic"), ("clinic", SCHEMA)] {
            runtime.block_on(cluster.execute(database, sql))?;
        }
        let classification = Classification::parse(CLASSIFICATION, "classification.csv")?;
        let profile = Profile::LimitedDataset;
        let policy =
            EffectivePolicy::derive(&classification, profile, &[], &[], Unclassified::Refuse)?;
        let judge = runtime.block_on(Judge::of(&cluster, &policy));
        say(&header("captures", &policy, judge.snapshot())?)?;
        captured(&judge, directory)?;
    }
    Ok(())
}

/// A share of the generated statements, under one policy.
fn generated(
    judge: &Judge,
    policy: &EffectivePolicy,
    word: &str,
    arguments: &Arguments,
) -> anyhow::Result<()> {
    let grammar = Grammar::new();
    let tables = tables(|column| {
        let mut rules = policy.rules.iter();
        let rule = rules.find(|rule| rule.column.to_string() == column)?;
        match rule.treatment {
            Treatment::Block => None,
            treatment @ Treatment::Release(_) => Some(treatment.is_keep()),
        }
    });
    let (mut made, mut seed) = (0, arguments.seed.wrapping_mul(1 << 32));
    while made < arguments.statements / RELEASES.len() {
        let generator = Generator::new(&grammar, &tables, Choices::seeded(seed));
        for (index, item) in generator.script().0.items.iter().enumerate() {
            for sql in item.message.statements() {
                admitted(judge, &format!("{word} {seed} {index}"), sql)?;
                made += 1;
            }
        }
        seed = seed.wrapping_add(1);
    }
    Ok(())
}

/// As many statements again, made of the attack list.
fn mutated(judge: &Judge, word: &str, arguments: &Arguments) -> anyhow::Result<()> {
    let statements: Vec<_> = attack::corpus()
        .into_iter()
        .flat_map(|attack| attack.statements)
        .collect();
    let first = arguments.seed.wrapping_mul(1 << 32);
    for number in 0..(arguments.statements / RELEASES.len()) as u64 {
        let seed = first.wrapping_add(number);
        let sql = mutate(&statements, &mut Choices::seeded(seed));
        admitted(judge, &format!("{word} mutated {seed}"), &sql)?;
    }
    Ok(())
}

/// The statements of a directory of captures; see `corpora`.
fn captured(judge: &Judge, directory: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "sql") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        for part in text.split("-- @stmt ").skip(1) {
            let (head, sql) = part.split_once('\n').unwrap_or((part, ""));
            let sql = sql.trim_end().trim_end_matches(';').to_owned();
            let name = format!("{} {head}", path.display());
            admitted(judge, &name, &sql)?;
        }
    }
    Ok(())
}

fn admitted(judge: &Judge, name: &str, typed: &str) -> anyhow::Result<()> {
    let Ok(permits) = judge.permits(typed) else {
        return Ok(());
    };
    let sent = permits
        .iter()
        .map(|permit| json!({ "kind": permit.kind().as_str(), "sql": permit.sql() }));
    say(&json!({ "name": name, "typed": typed, "sent": sent.collect::<Vec<_>>() }))
}

fn say(line: &Value) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

/// For each relation its columns, each with the expressions that may stand for it; a column that is not
/// released has none.
fn header(word: &str, policy: &EffectivePolicy, snapshot: &Snapshot) -> anyhow::Result<Value> {
    let mut relations = Map::new();
    for relation in snapshot.relations() {
        let is_table = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable
        );
        if is_table && !relation.is_catalog() {
            let name = format!("{}.{}", relation.schema, relation.name);
            relations.insert(name, columns(relation, policy)?);
        }
    }
    Ok(json!({ "policy": word, "relations": relations }))
}

fn columns(relation: &Relation, policy: &EffectivePolicy) -> anyhow::Result<Value> {
    let cx = ReleaseContext::new(policy.profile, AS_OF, KeyAccess::Settings);
    let mut columns = Map::new();
    for column in &relation.columns {
        let rule = policy
            .rules
            .iter()
            .find(|rule| rule.column.table == relation.name && rule.column.column == column.name);
        let own = format!("\"{INNER}\".{}", quote_identifier(&column.name));
        let expression = match rule.map(|rule| rule.treatment) {
            Some(Treatment::Release(transform)) => Some(release(transform, &own, &column.ty, &cx)?),
            Some(Treatment::Block) | None => None,
        };
        columns.insert(column.name.clone(), json!(expression));
    }
    Ok(Value::Object(columns))
}
