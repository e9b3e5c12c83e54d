//! Every kind of refusal as a newcomer reads it, in one table that is reviewed as a diff:
//! `docs/refusals.md`. `PHIGATE_WRITE_REFUSALS=1 cargo test -p phigate-sql refusals` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use phigate_phi::Unclassified;
use phigate_types::{PgError, Profile};

use crate::Reason;
use crate::testing::World;

const REVIEWED: &str = include_str!("../../../../docs/refusals.md");

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/refusals.md");

const HEAD: &str = "\
# What a refusal says

Written by the tests of `crates/sql` (`src/tests/refusals.rs`), reviewed as a diff: each kind of refusal on an example, as the
person at the keyboard reads it. The word in the first column is the one in the record and in `phictl explain --json`.

";

/// Statements over the clinic of `testing.rs`; `patients.name` is blocked.
const EXAMPLES: &[&str] = &[
    "SELECT FROM WHERE",
    "SELECT 'it''s",
    "SELECT chr(0) || '\u{0}'",
    "VACUUM patients",
    "DO $$ BEGIN END $$",
    "NOTIFY channel",
    "TRUNCATE visits",
    "INSERT INTO visits (id) VALUES (1)",
    "SELECT * FROM visits FOR UPDATE",
    "SELECT * FROM nothing",
    "SELECT * FROM nowhere.visits",
    "SELECT nothing FROM patients",
    "SELECT id FROM patients, visits",
    "SELECT 1 FROM visits, visits",
    "SELECT name FROM patients",
    "SELECT nickname FROM patients",
    "SELECT * FROM secrets",
    "SELECT * FROM m_patients",
    "SELECT * FROM v_function",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_statistic",
    "SELECT ctid FROM patients",
    "SELECT lenght(diagnosis) FROM patients",
    "SELECT nvl(diagnosis, '') FROM patients",
    "SELECT pg_read_file('x')",
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT archive.leak(ssn) FROM patients",
    "SELECT diagnosis @#@ 'x' FROM patients",
    "SELECT CAST(diagnosis AS shoe) FROM patients",
    "SELECT diagnosis COLLATE \"xx_YY\" FROM patients",
    "SHOW data_directory",
    "SHOW phigate.key",
    "SET session_replication_role = replica",
    "SET search_path TO x, \"$user",
    "SET standard_conforming_strings = off",
    "EXPLAIN ANALYZE SELECT ssn FROM patients",
    "SELECT id FROM patients TABLESAMPLE system (1)",
    "COPY patients TO '/tmp/x'",
    "COPY patients TO PROGRAM 'x'",
    "CREATE VIEW v AS SELECT 1",
    "CREATE ROLE r",
    "EXPLAIN (FROBNICATE) SELECT 1",
    "SELECT XMLELEMENT(NAME a)",
    "SELECT JSON_OBJECT('a': 1)",
    "SET search_path = nowhere",
    "SET search_path = archive; SELECT 1",
];

/// Reasons that no statement over this clinic can show.
const UNSHOWN: &[&str] = &[
    "lexers_disagree",
    "too_complex",
    "mask",
    "not_hardened",
    "no_key_path",
    "row_rule",
    "row_scope",
    "refused_relation",
    "own_code",
    "renamed_column",
    "uncountable",
    "self_check",
];

#[test]
fn refusals_are_reviewed_as_one_table() {
    let world = World::with(
        Profile::LimitedDataset,
        Unclassified::Refuse,
        &[],
        &["patients.name"],
    );
    let mut table = String::from(HEAD);
    let mut shown = BTreeSet::new();
    for example in EXAMPLES {
        let Err(refusal) = world.analyse(example) else {
            continue;
        };
        shown.insert(refusal.reason().as_str());
        let reason = refusal.reason();
        let error = PgError::from(refusal);
        let at = error
            .position
            .map_or(String::new(), |at| format!(" at {at}"));
        let _ = writeln!(
            table,
            "**{reason}**\n\n```\n{}\nERROR:  {}: {}{at}",
            example
                .escape_debug()
                .to_string()
                .replace("\\'", "'")
                .replace("\\\"", "\""),
            error.code,
            error.message
        );
        for (word, text) in [("DETAIL", &error.detail), ("HINT", &error.hint)] {
            if let Some(text) = text {
                let _ = writeln!(table, "{word}:  {text}");
            }
        }
        table.push_str("```\n\n");
    }
    if std::env::var_os("PHIGATE_WRITE_REFUSALS").is_some() {
        std::fs::write(FILE, &table).unwrap();
        return;
    }
    let unshown: Vec<_> = Reason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .filter(|reason| !shown.contains(reason) && !UNSHOWN.contains(reason))
        .collect();
    assert!(unshown.is_empty(), "no example shows {unshown:?}");
    assert!(
        table == REVIEWED,
        "docs/refusals.md is not what is refused now; write it with \
         PHIGATE_WRITE_REFUSALS=1 cargo test -p phigate-sql refusals, and review the diff"
    );
}

/// What is refused by policy or not supported names the way out, always.
#[test]
fn every_refusal_of_policy_has_a_way_out() {
    for reason in Reason::ALL {
        let policy = ["42501", "0A000"].contains(&reason.sqlstate().as_str());
        assert!(!policy || reason.way_out().is_some(), "{reason}");
    }
}
