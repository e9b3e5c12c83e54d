//! Whose "no" an error is: the gateway's own analysis, run once more beside the test, says whether
//! it refuses a statement and why. What it lets through and fails all the same, PostgreSQL rejected.

use phigate_phi::{EffectivePolicy, KeyAccess, ReleaseContext};
use phigate_sql::{BoundPolicy, Context, Permit, Refusal, Session, Snapshot, analyse, analyse_one};

use phigate_testkit::Cluster;

use super::generate::Message;
use super::worlds::{Hospital, Release};

/// The date at which ages are judged.
pub const AS_OF: &str = "2026-01-01";

/// The analysis, bound to a world's catalog and a release's policy.
#[derive(Debug)]
pub struct Judge {
    snapshot: Snapshot,
    policy: BoundPolicy,
    writes: bool,
    search_path: Vec<String>,
}

impl Judge {
    /// Reads the catalog of a world.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn new(hospital: &Hospital, release: Release) -> Self {
        Self {
            writes: release.writes(),
            ..Self::of(&hospital.phigate.cluster, &release.policy()).await
        }
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
        let cx = ReleaseContext::new(policy.profile, AS_OF, KeyAccess::Settings);
        Self {
            policy: BoundPolicy::bind(policy, &snapshot, &cx),
            snapshot,
            writes: false,
            search_path: vec!["public".to_owned()],
        }
    }

    /// The refusal of one of a message's texts, if the gateway refuses it. Of relations that the session made
    /// itself the judge knows nothing.
    pub fn refusal_of(&self, message: &Message, sql: &str) -> Option<Refusal> {
        self.with(|cx| match message {
            Message::Simple(_) | Message::Cancelled(_) => analyse(sql, cx).err(),
            Message::Wire(_) | Message::Extended { .. } => analyse_one(sql, cx).err(),
        })
    }

    /// What is sent in a message's place.
    pub fn rendered(&self, message: &Message) -> Option<String> {
        let permits = self.permits(&message.sql()).ok()?;
        let texts: Vec<_> = permits.iter().map(Permit::sql).collect();
        Some(texts.join("; "))
    }

    /// What is sent in a text's place, statement by statement.
    ///
    /// # Errors
    /// The refusal.
    pub fn permits(&self, sql: &str) -> Result<Vec<Permit>, Refusal> {
        self.with(|cx| Ok(analyse(sql, cx)?.permits))
    }

    /// The catalog that was read.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    fn with<T>(&self, ask: impl FnOnce(&Context<'_>) -> T) -> T {
        let session = Session {
            user: "alice",
            database: "clinic",
            search_path: &self.search_path,
            id: "0000000000s1",
            grant: "0000000000g1",
            expires_at: "2026-01-01 12:00:00+00",
            budget: "no limit",
            write: self.writes,
        };
        ask(&Context {
            snapshot: &self.snapshot,
            policy: &self.policy,
            session: &session,
            temporary: phigate_sql::Temporary::NONE,
        })
    }
}
