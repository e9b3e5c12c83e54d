//! Worlds: small hospitals of the same rows whose cells differ where a release hides them, by value,
//! width, number of distinct values and null-ness, each as far as the transform hides it; and, where a
//! grant limits the rows, whose other rows have nothing in common. Both are analysed.

mod keyed;

use phigate_phi::{Classification, ColumnName, EffectivePolicy, Unclassified};
use phigate_testkit::{Cluster, Options, clinic, template};
use phigate_types::Profile;

use crate::admin::{Grant, Login};
use crate::analyst::direct;
use crate::canary::World;
use crate::{Enforcement, House, Phigate};

/// The patients of a world: few, so that joins of three tables end at once.
const PATIENTS: u32 = 60;

/// The project key of the worlds, and of the second one where keys compensate for values.
const PROJECT_KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];

/// What a grant releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// `limited_dataset`.
    Limited,
    /// `safe_harbor`: keys, dates, places and ages are hidden too.
    SafeHarbor,
    /// `expert`: keys are codes, dates are shifted, each under the project's key.
    Expert,
    /// `limited_dataset` with columns blocked and others revealed.
    Custom,
    /// `limited_dataset` under a grant that may write.
    Writing,
    /// `limited_dataset` of listed patients, without sensitive rows: with masked views only.
    Cohort,
    /// `identified`: nothing is hidden, so that what worlds differ in must be found.
    Identified,
}

/// Which of the hospitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first world.
    One,
    /// The first world with its rows stored in another order: what differs between it and the
    /// first is what SQL leaves open.
    Shuffled,
    /// The second world.
    Two,
}

/// A running phigate over one world, and a grant.
#[derive(Debug)]
pub struct Hospital {
    /// The way in.
    pub login: Login,
    /// Which it is.
    pub place: Place,
    /// What runs.
    pub phigate: Phigate,
    /// The number of the newest relation: sessions' own are newer.
    pub newest: u32,
}

const BLOCKED: [&str; 5] = [
    "patients.city",
    "encounters.total_charge",
    "medications.dose_mg",
    "notes.kind",
    "observations.value",
];
const REVEALED: [&str; 2] = ["patients.marital_status", "claims.claim_number"];

/// The patients of a limited grant: `cohort_*.sql` know the last of them.
const COHORT: std::ops::RangeInclusive<u32> = 1..=40;

/// Which rows are sensitive.
const RULES: &str = include_str!("worlds/rules.toml");

/// What is in every world beside the hospital.
const OBJECTS: &str = include_str!("worlds/objects.sql");
const CLASSIFIED: &str = include_str!("worlds/objects.csv");

/// Columns of which the expert's release is not what their class makes of them: codes of uuids cannot be
/// compensated by a key, and scrubbed text is to be seen somewhere.
const EXPERT: [(&str, &str); 2] = [("record_uuid", "null"), ("body", "text_scrub")];

// === impl Release ===

impl Release {
    /// Every one that hides something.
    pub const ALL: [Self; 6] = [
        Self::Limited,
        Self::SafeHarbor,
        Self::Expert,
        Self::Custom,
        Self::Writing,
        Self::Cohort,
    ];

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Limited => "limited_dataset",
            Self::SafeHarbor => "safe_harbor",
            Self::Expert => "expert",
            Self::Custom => "custom",
            Self::Writing => "writing",
            Self::Cohort => "cohort",
            Self::Identified => "identified",
        }
    }

    /// Whether there are such grants in a mode.
    pub fn is_possible(self, enforcement: Enforcement) -> bool {
        self != Self::Cohort || enforcement == Enforcement::Views
    }

    /// Whether its grant may write.
    pub fn writes(self) -> bool {
        self == Self::Writing
    }

    fn profile(self) -> Profile {
        match self {
            Self::Limited | Self::Custom | Self::Writing | Self::Cohort => Profile::LimitedDataset,
            Self::SafeHarbor => Profile::SafeHarbor,
            Self::Expert => Profile::Expert,
            Self::Identified => Profile::Identified,
        }
    }

    fn lists(self) -> (&'static [&'static str], &'static [&'static str]) {
        if self == Self::Custom {
            (&REVEALED, &BLOCKED)
        } else {
            (&[], &[])
        }
    }

    /// What it does to every column.
    ///
    /// # Panics
    /// When the classification is not one.
    pub fn policy(self) -> EffectivePolicy {
        let names = |list: &[&str]| -> Vec<ColumnName> {
            list.iter()
                .map(|name| name.parse().expect("a column"))
                .collect()
        };
        let (reveal, block) = self.lists();
        EffectivePolicy::derive(
            &Classification::parse(&classification(), "clinic.phi.csv").expect("classified"),
            self.profile(),
            &names(reveal),
            &names(block),
            Unclassified::Refuse,
        )
        .expect("a policy")
    }

    fn grant(self, grant: Grant<'_>) -> Grant<'_> {
        let (reveal, block) = self.lists();
        let grant = grant.profile(self.profile().as_str());
        let grant = reveal.iter().fold(grant, |grant, name| grant.reveal(name));
        let grant = block.iter().fold(grant, |grant, name| grant.block(name));
        match self {
            Self::Writing => grant.write(),
            Self::Cohort => {
                let ids: Vec<_> = COHORT.map(|id| id.to_string()).collect();
                grant.patients(&ids.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Self::Limited | Self::SafeHarbor | Self::Expert | Self::Custom | Self::Identified => {
                grant
            }
        }
    }

    /// What makes a world of the hospital, after the marks.
    fn sql(self, place: Place) -> String {
        let two = place == Place::Two;
        match self {
            Self::Limited | Self::Writing | Self::Identified => String::new(),
            Self::SafeHarbor if two => include_str!("worlds/safe_harbor_two.sql").to_owned(),
            Self::SafeHarbor => include_str!("worlds/safe_harbor_one.sql").to_owned(),
            Self::Custom if two => include_str!("worlds/custom_two.sql").to_owned(),
            Self::Custom => include_str!("worlds/custom_one.sql").to_owned(),
            Self::Cohort if two => include_str!("worlds/cohort_two.sql").to_owned(),
            Self::Cohort => include_str!("worlds/cohort_one.sql").to_owned(),
            Self::Expert if two => {
                let keyed = keyed::sql(&self.policy(), type_of, &PROJECT_KEY, &OTHER_KEY);
                format!("{}{keyed}", include_str!("worlds/expert_two.sql"))
            }
            Self::Expert => include_str!("worlds/expert_one.sql").to_owned(),
        }
    }
}

/// The classification of every world: the hospital's, what stands beside it, and what an expert says.
pub fn classification() -> String {
    let mut lines = clinic::CLASSIFICATION.lines();
    let mut text = format!("{},expert\n", lines.next().unwrap_or_default());
    for line in lines {
        let column = line.split(',').nth(1);
        let expert = EXPERT.iter().find(|(name, _)| column == Some(name));
        let expert = expert.map_or("", |(_, transform)| transform);
        text.extend([line, ",", expert, "\n"]);
    }
    text + CLASSIFIED
}

/// The type of a column as the classification writes it.
fn type_of(table: &str, column: &str) -> String {
    let key = format!("{table},{column},");
    let text = classification();
    let found = text.lines().find_map(|line| line.strip_prefix(&key));
    let ty = found.and_then(|rest| rest.split(',').next());
    ty.unwrap_or_else(|| panic!("{table}.{column} is not classified"))
        .to_owned()
}

// === impl Hospital ===

impl Hospital {
    /// Starts a world, to which `more` is done last.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start(place: Place, release: Release, house: House, more: &str) -> Self {
        let cluster = small().await;
        let house = house
            .sql(OBJECTS)
            .sql(sql(place, release))
            .sql(more)
            .classification(classification());
        let house = if release == Release::Cohort {
            house.rows(RULES)
        } else {
            house
        };
        let phigate = house.start_on(cluster).await;
        if release == Release::Cohort {
            phigate
                .harden_rows(release.profile().as_str(), RULES, true, &[])
                .await;
        }
        let login = release.grant(phigate.grant("alice")).create().await;
        let key = match (release, place) {
            (Release::Expert, Place::Two) => OTHER_KEY,
            _ => PROJECT_KEY,
        };
        phigate.set_project_key(&key).await;
        let newest = newest(&phigate.cluster).await;
        Self {
            login,
            place,
            phigate,
            newest,
        }
    }

    /// Stores every row once more, in an order that depends on the salt. What an answer follows of that,
    /// SQL leaves open.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub async fn shuffle(&self, salt: usize) {
        let sql = shuffle(salt);
        let sql = format!("SET session_replication_role = replica; {sql}; ANALYZE");
        let done = self.phigate.cluster.execute(clinic::DATABASE, &sql).await;
        done.unwrap_or_else(|error| panic!("shuffling: {error}"));
    }
}

async fn newest(cluster: &Cluster) -> u32 {
    let url = cluster.url(clinic::DATABASE);
    let rows = direct(&url, "SELECT max(oid)::text FROM pg_class").await;
    let newest = rows
        .first()
        .and_then(|row| row.first()?.as_deref()?.parse().ok());
    newest.expect("a number")
}

async fn small() -> Cluster {
    let key = format!("hospital-{PATIENTS}-{}", clinic::fingerprint());
    let made = template(&key, async |cluster| {
        clinic::fill(cluster, clinic::Size::Patients(PATIENTS)).await
    });
    // Two worlds are to plan alike: no statistics are gathered in one of them while a run goes on, and no
    // scan begins where another one is.
    let options = Options::default()
        .with("autovacuum", "off")
        .with("synchronize_seqscans", "off");
    made.await
        .start(options)
        .unwrap_or_else(|error| panic!("no private PostgreSQL: {error}"))
}

/// A hospital that is no world: its rows as they were made, for whoever reads the catalog only.
pub(super) async fn without_marks() -> Cluster {
    let cluster = small().await;
    let done = cluster.execute(clinic::DATABASE, OBJECTS).await;
    done.unwrap_or_else(|error| panic!("the tables beside the hospital: {error}"));
    cluster
}

fn sql(place: Place, release: Release) -> String {
    let marks = match place {
        Place::One | Place::Shuffled => World::One.sql(),
        Place::Two => World::Two.sql(),
    };
    let more = release.sql(place);
    let order = if place == Place::Shuffled {
        shuffle(0)
    } else {
        String::new()
    };
    format!(
        "SET session_replication_role = replica; {marks}; {more}; {order}; ANALYZE; \
         ALTER DATABASE clinic SET jit = off; \
         ALTER DATABASE clinic SET max_parallel_workers_per_gather = 0"
    )
}

fn shuffle(salt: usize) -> String {
    include_str!("worlds/shuffle.sql").replace("@SALT@", &salt.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use phigate_phi::RowRules;

    use super::*;

    #[test]
    fn the_rules_and_the_classification_of_the_worlds_can_be_read() {
        let rules = RowRules::parse(RULES, "rules.toml").unwrap();
        let policy = rules.policy(true, &BTreeSet::new()).unwrap();
        assert!(policy.restricts());
        let policy = Release::Expert.policy();
        assert!(policy.rules.len() > 90);
    }
}
