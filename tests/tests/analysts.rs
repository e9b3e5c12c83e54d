//! What people ask of an OMOP CDM, of MIMIC-IV and of Synthea's tables, written as their tools write it:
//! none of it is refused, in either mode, and under a limited data set the rows are the database's own
//! wherever no masked column is concerned.

use std::fmt::Write as _;

use phigate_phi::{IdentifierClass, TypeKind};
use phigate_testkit::{Cluster, clinic, hospital};
use phigate_tests::analyst::{Analyst, Refused, Rows, direct, past};
use phigate_tests::{Enforcement, House, Phigate};
use phigate_types::Profile;

/// A schema, and what is asked of it.
struct Corpus {
    /// The tables' definitions and rows; comments say what the columns hold.
    tables: &'static str,
    /// The key paths of tables that a column of class `person_key` does not decide.
    rows: &'static str,
    /// Sessions; see [`sessions`].
    sessions: &'static str,
    /// A few of the patients, as SQL.
    patients: &'static str,
    /// How many statements it has at least: one that is not found is not tested.
    at_least: usize,
}

const OMOP: Corpus = Corpus {
    tables: include_str!("../analysts/omop_tables.sql"),
    rows: include_str!("../analysts/omop_rows.toml"),
    sessions: include_str!("../analysts/omop.sql"),
    patients: "SELECT person_id FROM person WHERE person_id % 5 = 0",
    at_least: 150,
};

const MIMIC: Corpus = Corpus {
    tables: include_str!("../analysts/mimic_tables.sql"),
    rows: "",
    sessions: include_str!("../analysts/mimic.sql"),
    patients: "SELECT subject_id FROM mimiciv_hosp.patients WHERE subject_id % 5 = 0",
    at_least: 50,
};

const SYNTHEA: Corpus = Corpus {
    tables: include_str!("../analysts/synthea_tables.sql"),
    rows: include_str!("../analysts/synthea_rows.toml"),
    sessions: include_str!("../analysts/synthea.sql"),
    patients: "SELECT id FROM patients WHERE state = 'MA' AND zip < '02120'",
    at_least: 50,
};

#[tokio::test]
async fn omop_inline() {
    OMOP.runs(Enforcement::Inline).await;
}

#[tokio::test]
async fn omop_views() {
    OMOP.runs(Enforcement::Views).await;
}

#[tokio::test]
async fn mimic_inline() {
    MIMIC.runs(Enforcement::Inline).await;
}

#[tokio::test]
async fn mimic_views() {
    MIMIC.runs(Enforcement::Views).await;
}

#[tokio::test]
async fn synthea_inline() {
    SYNTHEA.runs(Enforcement::Inline).await;
}

#[tokio::test]
async fn synthea_views() {
    SYNTHEA.runs(Enforcement::Views).await;
}

impl Corpus {
    async fn runs(&self, enforcement: Enforcement) {
        let phigate = self.served(enforcement).await;
        let mut readers = Vec::new();
        for profile in ["limited_dataset", "safe_harbor"] {
            if enforcement == Enforcement::Views {
                phigate.harden_rows(profile, self.rows, false, &[]).await;
            }
            let grant = phigate.grant("alice").profile(profile);
            readers.push((profile, grant.connect().await));
        }
        // Where keys are pseudonyms, nobody writes them.
        let limited = phigate.grant("bob").profile("limited_dataset");
        let writers = [("limited_dataset", limited.write().connect().await)];
        let database = past(&phigate.cluster.url(clinic::DATABASE)).await;
        let (mut wrong, mut statements) = (Vec::new(), 0);
        for session in sessions(self.sessions) {
            let expected = answers(&database, &session).await;
            statements += expected.len();
            let analysts = if session.write {
                &writers[..]
            } else {
                &readers[..]
            };
            for (profile, analyst) in analysts {
                let found = answers(analyst, &session).await;
                let same = *profile == "limited_dataset" && !session.masked;
                wrong.extend(session.complaints(profile, &expected, &found, same));
            }
        }
        assert!(statements >= self.at_least, "{statements} statements");
        if enforcement == Enforcement::Views {
            wrong.extend(self.of_a_cohort(&phigate).await);
        }
        let count = wrong.len();
        assert!(wrong.is_empty(), "{count} wrong:\n{}", wrong.join("\n"));
    }

    /// The same of some patients only: whose rows they are does not decide what may be asked.
    async fn of_a_cohort(&self, phigate: &Phigate) -> Vec<String> {
        let profile = "limited_dataset";
        phigate.harden_rows(profile, self.rows, true, &[]).await;
        let url = phigate.cluster.url(clinic::DATABASE);
        let rows = direct(&url, self.patients).await;
        let patients: Vec<_> = rows
            .iter()
            .flatten()
            .flatten()
            .map(String::as_str)
            .collect();
        assert!(patients.len() > 5, "{patients:?}");
        let grant = phigate.grant("carol").profile(profile).patients(&patients);
        let (analyst, database) = (grant.connect().await, past(&url).await);
        let mut wrong = Vec::new();
        for session in sessions(self.sessions).filter(|session| !session.write) {
            let expected = answers(&database, &session).await;
            let found = answers(&analyst, &session).await;
            wrong.extend(session.complaints("a cohort", &expected, &found, false));
        }
        wrong
    }

    async fn served(&self, enforcement: Enforcement) -> Phigate {
        let cluster = hospital().await;
        for sql in [
            "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public",
            self.tables,
            &grants(),
            "ANALYZE",
        ] {
            let done = cluster.execute(clinic::DATABASE, sql).await;
            done.unwrap_or_else(|error| panic!("{error}"));
        }
        let classification = classification(self.tables, &cluster).await;
        House::default()
            .classification(classification)
            .rows(self.rows)
            .enforcement(enforcement)
            .start_on(cluster)
            .await
    }
}

/// What an administrator gives the gateway: reading, and writing of results.
fn grants() -> String {
    format!(
        "DO $$ DECLARE s text; BEGIN \
            FOR s IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP \
                EXECUTE format('GRANT USAGE ON SCHEMA %1$I TO {BROKER}; GRANT SELECT ON ALL TABLES IN SCHEMA %1$I TO {BROKER}', s); \
                IF s = 'results' THEN EXECUTE format('GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO {BROKER}', s); END IF; \
            END LOOP; END $$",
        BROKER = clinic::BROKER,
    )
}

// === sessions ===

/// Statements of one session, one after the other.
struct Session {
    name: &'static str,
    /// It needs a grant that writes.
    write: bool,
    /// It reads columns that a limited data set masks.
    masked: bool,
    statements: Vec<&'static str>,
}

/// Sessions begin with `-- analyst: NAME [--write] [--masked]`; `-- then` stands between statements.
fn sessions(text: &'static str) -> impl Iterator<Item = Session> {
    text.split("-- analyst: ").skip(1).map(|part| {
        let (head, body) = part.split_once('\n').expect("a statement");
        Session {
            name: head,
            write: head.contains("--write"),
            masked: head.contains("--masked"),
            statements: body.split("-- then\n").map(str::trim).collect(),
        }
    })
}

impl Session {
    fn complaints(
        &self,
        whose: &str,
        expected: &[Result<Rows, Refused>],
        found: &[Result<Rows, Refused>],
        same: bool,
    ) -> Vec<String> {
        let pairs = expected.iter().zip(found).zip(&self.statements);
        let complaint =
            |((expected, found), sql): ((&Result<Rows, _>, &Result<Rows, Refused>), &&str)| {
                let name = self.name;
                match (expected, found) {
                    (Err(error), _) => {
                        Some(format!("{name}: the database itself says {error}: {sql}"))
                    }
                    // A mask is no number, and the database may say so.
                    (Ok(_), Err(error)) if !same && error.code.starts_with("22") => None,
                    (Ok(_), Err(error)) => Some(format!("{name}, {whose}: {error}: {sql}")),
                    (Ok(expected), Ok(found)) if same && expected != found => {
                        let differing =
                            expected.iter().zip(found).find(|(one, other)| one != other);
                        Some(format!(
                            "{name}, {whose}: {} rows, not {}; {differing:?}: {sql}",
                            found.len(),
                            expected.len(),
                        ))
                    }
                    (Ok(_), Ok(_)) => None,
                }
            };
        pairs.filter_map(complaint).collect()
    }
}

/// What each statement of a session is answered. Afterwards the connection is as at its login.
async fn answers(analyst: &Analyst, session: &Session) -> Vec<Result<Rows, Refused>> {
    let mut answers = Vec::new();
    for sql in &session.statements {
        answers.push(analyst.query(sql).await);
    }
    for sql in ["ROLLBACK", "DISCARD ALL"] {
        analyst.rows(sql).await;
    }
    answers
}

// === classification ===

/// The classification file of the tables in the cluster, as comments of their definition say.
async fn classification(tables: &str, cluster: &Cluster) -> String {
    let rules: Vec<(&str, Vec<&str>)> = (tables.lines())
        .filter_map(|line| line.strip_prefix("-- class ")?.split_once(": "))
        .map(|(class, patterns)| (class, patterns.split(' ').collect()))
        .collect();
    let columns = "SELECT table_schema, table_name, column_name, data_type \
        FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') \
        ORDER BY table_schema, table_name, ordinal_position";
    let mut file = "table,column,pg_type,identifier,safe_harbor,limited_dataset\n".to_owned();
    for row in direct(&cluster.url(clinic::DATABASE), columns).await {
        let [Some(schema), Some(table), Some(column), Some(ty)] = row.as_slice() else {
            panic!("{row:?}");
        };
        let name = format!("{table}.{column}");
        let rule = rules
            .iter()
            .find(|(_, patterns)| patterns.iter().any(|pattern| matches(pattern, &name)));
        let (class, _) = rule.unwrap_or_else(|| panic!("what does {name} hold?"));
        let identifier: IdentifierClass = class.parse().expect("a class");
        let kind = TypeKind::from_written(ty);
        let [safe_harbor, limited] = [Profile::SafeHarbor, Profile::LimitedDataset]
            .map(|profile| identifier.default_transform(profile, kind));
        writeln!(
            file,
            "{schema}.{table},{column},{ty},{class},{safe_harbor},{limited}"
        )
        .expect("a string takes it");
    }
    file
}

/// Whether a name is of the form of a pattern in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len())
                .any(|skipped| rest.is_char_boundary(skipped) && matches(after, &rest[skipped..]))
        }),
    }
}
