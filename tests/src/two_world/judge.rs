//! Whose "no" an error is: the gateway's own analysis, run once more beside the test, says whether
//! it refuses a statement and why. What it lets through and fails all the same, PostgreSQL rejected.

use phigate_phi::{EffectivePolicy, KeyAccess, ReleaseContext};
use phigate_sql::{BoundPolicy, Context, Refusal, Session, Snapshot, analyse, analyse_one};

use phigate_testkit::Cluster;

use super::generate::Message;
use super::worlds::{Hospital, Release};

/// The analysis, bound to a world's catalog and a release's policy.
#[derive(Debug)]
pub struct Judge {
    snapshot: Snapshot,
    policy: BoundPolicy,
    search_path: Vec<String>,
}

impl Judge {
    /// Reads the catalog of a world.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn new(hospital: &Hospital, release: Release) -> Self {
        Self::of(&hospital.phigate.cluster, &release.policy()).await
    }

    /// Reads the catalog of a database `clinic`, and binds a policy to it.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn of(cluster: &Cluster, policy: &EffectivePolicy) -> Self {
        let mut connection = cluster.connect("clinic").await.expect("PostgreSQL serves");
        let snapshot = phigate_catalog::read(&mut connection)
            .await
            .expect("a catalog");
        let cx = ReleaseContext::new(policy.profile, "2026-01-01", KeyAccess::Settings);
        Self {
            policy: BoundPolicy::bind(policy, &snapshot, &cx),
            snapshot,
            search_path: vec!["public".to_owned()],
        }
    }

    /// The refusal of a message, if the gateway refuses it.
    pub fn refusal(&self, message: &Message) -> Option<Refusal> {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.search_path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            write: false,
        };
        let cx = Context {
            snapshot: &self.snapshot,
            policy: &self.policy,
            session: &session,
            temporary: phigate_sql::Temporary::NONE,
        };
        match message {
            Message::Simple(sql) => analyse(sql, &cx).err(),
            Message::Extended { sql, .. } => analyse_one(sql, &cx).err(),
        }
    }

    /// What is sent in a message's place.
    pub fn rendered(&self, message: &Message) -> Option<String> {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.search_path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            write: false,
        };
        let cx = Context {
            snapshot: &self.snapshot,
            policy: &self.policy,
            session: &session,
            temporary: phigate_sql::Temporary::NONE,
        };
        let batch = analyse(message.sql(), &cx).ok()?;
        let texts: Vec<_> = batch.permits.iter().map(phigate_sql::Permit::sql).collect();
        Some(texts.join("; "))
    }
}
