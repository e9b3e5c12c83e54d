//! Worlds: small hospitals of the same rows whose cells differ where a release hides them, by value,
//! width, number of distinct values and null-ness, each as far as the transform hides it.
//!
//! Injective transforms (`pseudonym` but under safe harbor) are the same in both worlds: columns and
//! the project's key alike, so that codes agree.

use phigate_phi::{Classification, ColumnName, EffectivePolicy, Unclassified};
use phigate_testkit::{Cluster, Options, clinic, template};
use phigate_types::Profile;

use crate::admin::{Grant, Login};
use crate::canary::World;
use crate::{House, Phigate};

/// The patients of a world: few, so that joins of three tables end at once.
const PATIENTS: u32 = 60;

/// The project key of every world.
const PROJECT_KEY: [u8; 32] = [7; 32];

/// What a grant releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// `limited_dataset`.
    Limited,
    /// `safe_harbor`: keys, dates, places and ages are hidden too.
    SafeHarbor,
    /// `limited_dataset` with columns blocked and others revealed.
    Custom,
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
}

const BLOCKED: [&str; 5] = [
    "patients.city",
    "encounters.total_charge",
    "medications.dose_mg",
    "notes.kind",
    "observations.value",
];
const REVEALED: [&str; 2] = ["patients.marital_status", "claims.claim_number"];

// === impl Release ===

impl Release {
    /// Every one that hides something.
    pub const ALL: [Self; 3] = [Self::Limited, Self::SafeHarbor, Self::Custom];

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Limited => "limited_dataset",
            Self::SafeHarbor => "safe_harbor",
            Self::Custom => "custom",
            Self::Identified => "identified",
        }
    }

    fn profile(self) -> Profile {
        match self {
            Self::Limited | Self::Custom => Profile::LimitedDataset,
            Self::SafeHarbor => Profile::SafeHarbor,
            Self::Identified => Profile::Identified,
        }
    }

    fn lists(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Custom => (&REVEALED, &BLOCKED),
            Self::Limited | Self::SafeHarbor | Self::Identified => (&[], &[]),
        }
    }

    /// What it does to every column.
    ///
    /// # Panics
    /// When the hospital's classification is not one.
    pub fn policy(self) -> EffectivePolicy {
        let classification =
            Classification::parse(clinic::CLASSIFICATION, "clinic.phi.csv").expect("classified");
        let names = |list: &[&str]| -> Vec<ColumnName> {
            list.iter()
                .map(|name| name.parse().expect("a column"))
                .collect()
        };
        let (reveal, block) = self.lists();
        let (reveal, block) = (names(reveal), names(block));
        EffectivePolicy::derive(
            &classification,
            self.profile(),
            &reveal,
            &block,
            Unclassified::Refuse,
        )
        .expect("a policy")
    }

    fn grant(self, grant: Grant<'_>) -> Grant<'_> {
        let (reveal, block) = self.lists();
        let grant = grant.profile(self.profile().as_str());
        let grant = reveal.iter().fold(grant, |grant, name| grant.reveal(name));
        block.iter().fold(grant, |grant, name| grant.block(name))
    }
}

// === impl Hospital ===

impl Hospital {
    /// Starts a world.
    ///
    /// # Panics
    /// When anything does not start.
    pub async fn start(place: Place, release: Release, house: House) -> Self {
        let cluster = small().await;
        let house = house.sql(sql(place, release));
        let phigate = house.start_on(cluster).await;
        let login = release.grant(phigate.grant("alice")).create().await;
        phigate.set_project_key(&PROJECT_KEY).await;
        Self {
            login,
            place,
            phigate,
        }
    }
}

impl Hospital {
    /// Stores every row once more, in an order that depends on the salt. What an answer follows of that,
    /// SQL leaves open.
    ///
    /// # Panics
    /// When PostgreSQL refuses.
    pub async fn shuffle(&self, salt: usize) {
        let sql = SHUFFLE.replace("@SALT@", &salt.to_string());
        let sql = format!("SET session_replication_role = replica; {sql}; ANALYZE");
        let done = self.phigate.cluster.execute(clinic::DATABASE, &sql).await;
        done.unwrap_or_else(|error| panic!("shuffling: {error}"));
    }
}

async fn small() -> Cluster {
    let key = format!("hospital-{PATIENTS}-{}", clinic::fingerprint());
    let made = template(&key, async |cluster| {
        clinic::fill(cluster, clinic::Size::Patients(PATIENTS)).await
    });
    made.await
        .start(Options::default())
        .unwrap_or_else(|error| panic!("no private PostgreSQL: {error}"))
}

fn sql(place: Place, release: Release) -> String {
    let marks = match place {
        Place::One | Place::Shuffled => World::One.sql(),
        Place::Two => World::Two.sql(),
    };
    let more = match (release, place) {
        (Release::Limited | Release::Identified, _) => "",
        (Release::SafeHarbor, Place::Two) => SAFE_HARBOR_TWO,
        (Release::SafeHarbor, Place::One | Place::Shuffled) => SAFE_HARBOR_ONE,
        (Release::Custom, Place::Two) => CUSTOM_TWO,
        (Release::Custom, Place::One | Place::Shuffled) => CUSTOM_ONE,
    };
    let shuffle = SHUFFLE.replace("@SALT@", "0");
    let order = if place == Place::Shuffled {
        &*shuffle
    } else {
        ""
    };
    format!(
        "SET session_replication_role = replica; {marks}; {more}; {order}; ANALYZE; \
         ALTER DATABASE clinic SET jit = off; \
         ALTER DATABASE clinic SET max_parallel_workers_per_gather = 0"
    )
}

/// Instants are kept away from the turn of the year: which year an instant is in depends on the
/// session's time zone, and so does the mask.
const SAFE_HARBOR_ONE: &str = "
    UPDATE patients SET registered_at = make_timestamptz(extract(year FROM registered_at)::int, 3, 9, 1, 2, 3, 'UTC');
    UPDATE encounters SET started_at = make_timestamptz(extract(year FROM started_at)::int, 3, 9, 1, 2, 3, 'UTC'),
      ended_at = make_timestamptz(extract(year FROM ended_at)::int, 4, 1, 1, 2, 3, 'UTC');
    UPDATE observations SET taken_at = make_timestamptz(extract(year FROM taken_at)::int, 3, 9, 4, 5, 6, 'UTC');
    UPDATE notes SET written_at = make_timestamptz(extract(year FROM written_at)::int, 5, 6, 7, 8, 9, 'UTC')";

const SAFE_HARBOR_TWO: &str = "
    UPDATE patients SET
      birth_date = CASE WHEN birth_date < '1936-01-01' THEN make_date(1850 + patient_id % 86, 7, 2)
        ELSE make_date(extract(year FROM birth_date)::int, 1 + patient_id % 12, 1 + patient_id % 28) END,
      death_date = make_date(extract(year FROM death_date)::int, 12 - patient_id % 12, 1 + patient_id % 27),
      registered_at = make_timestamptz(extract(year FROM registered_at)::int, 2 + patient_id % 9, 1 + patient_id % 28, 0, 0, 0, 'UTC'),
      city = repeat('c', 1 + patient_id % 40),
      zip = CASE WHEN left(zip, 3) IN ('036', '059', '102', '202', '203', '204', '205', '369', '556', '692', '753',
          '772', '821', '823', '878', '879', '884', '893') THEN '05901' ELSE left(zip, 3) || lpad((patient_id * 7 % 100)::text, 2, '0') END,
      provider_id = CASE WHEN patient_id % 4 = 0 THEN NULL ELSE 90000 + (provider_id * 31) % 997 END,
      patient_id = 70000 + (patient_id * 37) % 1009;
    UPDATE providers SET provider_id = 90000 + (provider_id * 31) % 997;
    UPDATE encounters SET
      started_at = make_timestamptz(extract(year FROM started_at)::int, 2 + (encounter_id % 9)::int, 1 + (encounter_id % 28)::int, 0, 0, 0, 'UTC'),
      ended_at = make_timestamptz(extract(year FROM ended_at)::int, 11, 1 + (encounter_id % 28)::int, 0, 0, 0, 'UTC'),
      age_at_visit = CASE WHEN age_at_visit >= 90 THEN 90 + encounter_id % 20 ELSE age_at_visit END,
      provider_id = 90000 + (provider_id * 31) % 997, patient_id = 70000 + (patient_id * 37) % 1009,
      encounter_id = 5000000000 + (encounter_id * 41) % 3001;
    UPDATE observations SET
      taken_at = make_timestamptz(extract(year FROM taken_at)::int, 2 + (observation_id % 9)::int, 5, 0, 0, 0, 'UTC'),
      patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
      observation_id = 6000000000 + (observation_id * 43) % 20011;
    UPDATE conditions SET onset_date = make_date(extract(year FROM onset_date)::int, 1 + (condition_id % 12)::int, 3),
      patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
      condition_id = 6000000000 + (condition_id * 43) % 20011;
    UPDATE medications SET started_on = make_date(extract(year FROM started_on)::int, 1 + (medication_id % 12)::int, 3),
      stopped_on = make_date(extract(year FROM stopped_on)::int, 1 + (medication_id % 11)::int, 9),
      patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
      medication_id = 6000000000 + (medication_id * 43) % 20011;
    UPDATE notes SET written_at = make_timestamptz(extract(year FROM written_at)::int, 2 + (note_id % 9)::int, 5, 0, 0, 0, 'UTC'),
      author_id = 90000 + (author_id * 31) % 997, patient_id = 70000 + (patient_id * 37) % 1009,
      encounter_id = 5000000000 + (encounter_id * 41) % 3001, note_id = 6000000000 + (note_id * 43) % 20011;
    UPDATE devices SET implanted_on = make_date(extract(year FROM implanted_on)::int, 1 + device_id % 12, 1),
      patient_id = 70000 + (patient_id * 37) % 1009, device_id = 80000 + (device_id * 43) % 20011;
    UPDATE claims SET submitted_on = make_date(extract(year FROM submitted_on)::int, 1 + (claim_id % 12)::int, 1),
      patient_id = 70000 + (patient_id * 37) % 1009, encounter_id = 5000000000 + (encounter_id * 41) % 3001,
      claim_id = 6000000000 + (claim_id * 43) % 20011;
    CLUSTER patients USING patients_pkey; CLUSTER encounters USING encounters_pkey; CLUSTER notes USING notes_pkey";

/// Blocked columns, with the first world's mark where they are text.
const CUSTOM_ONE: &str = "
    UPDATE patients SET city = 'Qzx' || city;
    UPDATE notes SET kind = 'Qzx' || kind;
    UPDATE claims SET claim_number = 'CL' || claim_id";

const CUSTOM_TWO: &str = "
    UPDATE patients SET city = 'Wkj' || repeat('c', patient_id % 30);
    UPDATE encounters SET total_charge = encounter_id;
    UPDATE medications SET dose_mg = medication_id;
    UPDATE observations SET value = CASE WHEN observation_id % 2 = 0 THEN NULL ELSE observation_id % 100 END;
    UPDATE notes SET kind = 'Wkj';
    UPDATE claims SET claim_number = 'CL' || claim_id";

/// Every row once more, in the order of a hash of it.
const SHUFFLE: &str = "
    DO $$ DECLARE t regclass; BEGIN
      FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('CREATE TEMP TABLE moved AS SELECT * FROM %s', t);
        EXECUTE format('DELETE FROM %s', t);
        EXECUTE format('INSERT INTO %s SELECT * FROM moved AS m ORDER BY md5(m::text || ''@SALT@'')', t);
        DROP TABLE moved;
      END LOOP;
    END $$";
