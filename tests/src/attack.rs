//! The attack list: statements that have got round some masking product or could have.
//!
//! A file holds attacks, each a line `-- attack: NAME` followed by the statement, verbatim up to the
//! next such line. After the name may stand `refused` (the gateway must refuse) or `answered` (it
//! must not: a gateway that refuses everything is of no use); else either will do, since what counts
//! is that nothing leaks. A line `-- then` parts statements that are sent one after another.

/// One attack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attack {
    /// Its name.
    pub name: String,
    /// What must become of its last statement.
    pub expect: Expect,
    /// Its statements, in order, for one session.
    pub statements: Vec<String>,
}

/// What must become of an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// The gateway refuses it.
    Refused,
    /// It is answered, from masked values.
    Answered,
    /// One of the two.
    Either,
}

const HEADER: &str = "-- attack: ";
const THEN: &str = "-- then";

/// The files whose attacks need nothing but the hospital, by name.
const FILES: [(&str, &str); 16] = [
    ("questions", include_str!("../attacks/questions.sql")),
    ("lexical", include_str!("../attacks/lexical.sql")),
    ("names", include_str!("../attacks/names.sql")),
    ("functions", include_str!("../attacks/functions.sql")),
    ("statements", include_str!("../attacks/statements.sql")),
    ("inference", include_str!("../attacks/inference.sql")),
    ("keys", include_str!("../attacks/keys.sql")),
    ("readers", include_str!("../attacks/readers.sql")),
    ("sessions", include_str!("../attacks/sessions.sql")),
    ("types", include_str!("../attacks/types.sql")),
    ("texts", include_str!("../attacks/texts.sql")),
    ("aggregates", include_str!("../attacks/aggregates.sql")),
    ("states", include_str!("../attacks/states.sql")),
    ("grammar", include_str!("../attacks/grammar.sql")),
    ("shadows", include_str!("../attacks/shadows.sql")),
    ("portals", include_str!("../attacks/portals.sql")),
];

/// Names some of these files, with commas between: for whoever works on them.
const SOME: &str = "PHIGATE_TEST_ATTACKS";

/// Every attack that needs nothing but the hospital.
///
/// # Panics
/// On a file that is not in the format.
pub fn corpus() -> Vec<Attack> {
    let some = std::env::var(SOME).ok();
    let is_meant = |name: &str| {
        let mut names = some.iter().flat_map(|names| names.split(','));
        some.is_none() || names.any(|meant| meant == name)
    };
    let meant = FILES.iter().filter(|(name, _)| is_meant(name));
    meant.flat_map(|(_, text)| parse(text)).collect()
}

/// Reads a file of attacks.
///
/// # Panics
/// On a file that is not in the format.
pub fn parse(text: &str) -> Vec<Attack> {
    let mut attacks: Vec<Attack> = Vec::new();
    for line in text.lines() {
        if let Some(header) = line.strip_prefix(HEADER) {
            let mut words = header.split_whitespace();
            let name = words.next().expect("an attack has a name").to_owned();
            let expect = match words.next() {
                Some("refused") => Expect::Refused,
                Some("answered") => Expect::Answered,
                None => Expect::Either,
                Some(other) => panic!("{name}: unknown expectation {other}"),
            };
            assert!(
                attacks.iter().all(|attack| attack.name != name),
                "{name} is there twice"
            );
            attacks.push(Attack {
                name,
                expect,
                statements: vec![String::new()],
            });
            continue;
        }
        let Some(attack) = attacks.last_mut() else {
            continue;
        };
        if line == THEN {
            attack.statements.push(String::new());
        } else if let Some(statement) = attack.statements.last_mut() {
            if !statement.is_empty() {
                statement.push('\n');
            }
            statement.push_str(line);
        }
    }
    for attack in &attacks {
        assert!(
            attack.statements.iter().all(|sql| !sql.trim().is_empty()),
            "{}",
            attack.name
        );
    }
    attacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_inside_an_attack_are_part_of_it() {
        let text =
            "-- a file\n-- attack: one refused\nSELECT 1 --'\n--x\n-- attack: two\nA\n-- then\nB\n";
        let attacks = parse(text);
        assert_eq!(attacks[0].statements, ["SELECT 1 --'\n--x"]);
        assert_eq!(attacks[0].expect, Expect::Refused);
        assert_eq!(attacks[1].statements, ["A", "B"]);
        assert_eq!(attacks[1].expect, Expect::Either);
    }
}
