//! Two databases that differ in nothing but what the grant hides must give the same bytes for the
//! same messages: the attack list, and a few generated statements. `cargo xtask two-world` runs as
//! many as asked, under every profile.

use std::time::Duration;

use phigate_testkit::DEADLINE;
use phigate_tests::attack;
use phigate_tests::two_world::generate::{Item, Script};
use phigate_tests::two_world::{Found, Plan, Release, Source, run};
use phigate_tests::{Enforcement, House};

/// How many of a hundred generated statements must get as far as PostgreSQL: what is refused tells nothing
/// of masks. Over a long run it is more than ninety; these runs are short.
const MOSTLY: f64 = 80.0;

fn plan(statements: usize, release: Release) -> Plan {
    Plan {
        statements,
        source: Source::Grammar,
        seed: 1847,
        release,
        house: House::default(),
        broken: String::new(),
        attacks: false,
        limit: DEADLINE,
        shrink: Duration::ZERO,
        progress: 0,
    }
}

/// On a thread with the stack that analysis needs.
fn play(plan: Plan) -> Found {
    const STACK_BYTES: usize = 64 << 20;
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(run(&plan))
    };
    let thread = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(work);
    thread.unwrap().join().unwrap()
}

/// Generated statements that are the same in both worlds.
fn same(plan: Plan) {
    let report = play(plan).generated;
    assert!(report.divergences.is_empty(), "{report}");
    assert!(report.shares.answered > 50, "{report}");
    assert!(report.shares.admitted() > MOSTLY, "{report}");
}

/// The threat model's table of known holes: each names its attacks as `FILE/NAME`.
#[test]
fn every_attack_that_the_threat_model_names_is_there() {
    let text = include_str!("../../docs/threat-model.md");
    let table = text.split("## Known holes").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let known: Vec<String> = attack::corpus()
        .into_iter()
        .map(|attack| attack.name)
        .collect();
    let mut named = 0;
    for name in table.split('`').filter_map(|word| word.split_once('/')) {
        let (file, name) = name;
        // Attacks by way of an administrator's objects are not in the corpus.
        if file.contains(['.', ' ', '\n']) || ["upstream", "FILE", "tests"].contains(&file) {
            continue;
        }
        if name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            named += 1;
            assert!(known.iter().any(|known| known == name), "{file}/{name}");
        }
    }
    assert!(named > 80, "{named}");
}

#[test]
fn attacks_give_the_same_bytes() {
    let found = play(Plan {
        attacks: true,
        ..plan(0, Release::Limited)
    });
    let report = found.attacks;
    assert!(report.divergences.is_empty(), "{report}");
    assert!(report.shares.statements > 1_000, "{report}");
}

#[test]
fn generated_statements_give_the_same_bytes() {
    same(plan(200, Release::SafeHarbor));
}

/// Other keys, other values, the same codes and dates.
#[test]
fn a_key_that_compensates_for_other_values_gives_the_same_bytes() {
    same(plan(150, Release::Expert));
}

#[test]
fn generated_writes_give_the_same_bytes() {
    same(plan(150, Release::Writing));
}

#[test]
fn rows_out_of_scope_may_be_anything() {
    same(Plan {
        house: House::default().enforcement(Enforcement::Views),
        ..plan(150, Release::Cohort)
    });
}

#[test]
fn generated_statements_find_what_is_not_hidden() {
    let report = play(plan(100, Release::Identified)).generated;
    assert!(!report.divergences.is_empty(), "{report}");
}

/// What makes the second world differ in one thing at a time that nothing hides, the statements that show
/// it, and how it is reported: the frame of the second world by its tag. A test that sees nothing there
/// would prove nothing.
const CHANNELS: [(&str, &str, &[&str]); 9] = [
    (
        "  2 \"D",
        "UPDATE departments SET floor = 40 WHERE department_id = 2",
        &["SELECT floor FROM departments WHERE department_id = 2"],
    ),
    (
        "  2 \"E",
        "UPDATE departments SET floor = 41 WHERE department_id = 1",
        &["SELECT count(1 / (floor - 41)) FROM departments WHERE department_id = 1"],
    ),
    (
        "  2 \"N",
        "UPDATE departments SET floor = 43 WHERE department_id = 3",
        &[
            "SELECT count(to_tsquery('english', CASE WHEN floor = 43 THEN 'the' ELSE 'cat' END)) FROM departments \
           WHERE department_id = 3",
        ],
    ),
    (
        "  2 \"C",
        "UPDATE departments SET floor = 44 WHERE department_id = 4",
        &[
            "BEGIN",
            "DECLARE c CURSOR FOR SELECT 1 FROM departments WHERE floor = 44",
            "MOVE ALL IN c",
            "ROLLBACK",
        ],
    ),
    (
        "in the order of rows",
        "UPDATE worksheet SET due = due + 9999 WHERE worksheet_id = 5",
        &["SELECT worksheet_id FROM worksheet ORDER BY due, worksheet_id"],
    ),
    (
        "  2 \"T",
        "ALTER TABLE worksheet ALTER label TYPE varchar(99)",
        &["SELECT label FROM worksheet WHERE false"],
    ),
    (
        "a plan tells numbers",
        "INSERT INTO departments SELECT n, 'more', 1 FROM generate_series(1000, 5000) AS n; ANALYZE departments",
        &["EXPLAIN SELECT name FROM departments"],
    ),
    (
        "  2 \"D",
        "CREATE INDEX one_more ON devices (description)",
        &["SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'devices'::regclass"],
    ),
    (
        "  2 \"S",
        "ALTER DATABASE clinic SET IntervalStyle = 'iso_8601'",
        &["SET IntervalStyle = 'sql_standard'", "RESET IntervalStyle"],
    ),
];

#[test]
fn what_differs_is_seen_wherever_it_shows() {
    let broken: Vec<_> = CHANNELS.iter().map(|(_, broken, _)| *broken).collect();
    let script = |statements: &[&str]| Script {
        items: statements.iter().copied().map(Item::simple).collect(),
    };
    let scripts = CHANNELS.iter().map(|(_, _, statements)| script(statements));
    let report = play(Plan {
        source: Source::Scripts(scripts.collect()),
        broken: broken.join("; "),
        ..plan(100, Release::Limited)
    });
    let seen = |start: &str, how: &str| {
        let mut divergences = report.divergences();
        let found = divergences.any(|text| text.starts_with(start) && text.contains(how));
        assert!(found, "{start} {how}: {}", report.generated);
    };
    seen("DIVERGENCE, at login", "IntervalStyle=iso_8601");
    for (number, (how, ..)) in CHANNELS.iter().enumerate() {
        seen(&format!("DIVERGENCE, seed {number}:"), how);
    }
}
