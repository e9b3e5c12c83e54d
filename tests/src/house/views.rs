//! Masked views in the hospital, as `phictl database harden` makes them.

use std::path::Path;

use phigate_catalog::{Upstream, harden};
use phigate_phi::{Classification, ColumnName, EffectivePolicy, RowPolicy, Unclassified, keys};
use phigate_testkit::{Cluster, clinic};
use phigate_types::Profile;
use phigate_wire::scram;
use tokio::sync::Mutex;

/// Logins of each policy: tests hold more sessions at once than people.
const SLOTS: u16 = 8;
/// Enough for a password of 256 bits.
const ITERATIONS: u32 = 4096;

/// Hardens one cluster for policies as grants need them.
#[derive(Debug)]
pub(super) struct Hardener {
    admin: Upstream,
    broker: String,
    login_key: [u8; 32],
    classification: Classification,
    unclassified: Unclassified,
    policies: Mutex<Vec<EffectivePolicy>>,
}

impl Hardener {
    /// Writes the control plane's key, which its first start would make, and hardens for every
    /// profile.
    pub(super) async fn start(
        cluster: &Cluster,
        data_dir: &Path,
        classification: &str,
        unclassified: &str,
    ) -> anyhow::Result<Self> {
        // 32 bytes of 42, as the file has them.
        let upstream_key = [42; 32];
        std::fs::create_dir_all(data_dir)?;
        phigate_pki::write_new_secret_file(
            &data_dir.join("upstream.key"),
            &"2a".repeat(upstream_key.len()),
        )?;
        let hardener = Self {
            admin: Upstream::parse(&cluster.url(clinic::DATABASE))?,
            broker: clinic::broker_url(cluster),
            login_key: keys::login_key(&upstream_key, "clinic"),
            classification: Classification::parse(classification, "clinic.phi.csv")?,
            unclassified: unclassified.parse()?,
            policies: Mutex::default(),
        };
        hardener.harden(&Profile::ALL, &[], &[]).await?;
        Ok(hardener)
    }

    /// A login's password.
    pub(super) fn password(&self, login: &str) -> String {
        keys::login_password(&self.login_key, login)
    }

    /// Hardens for these profiles with columns revealed and blocked, beside what is there.
    pub(super) async fn harden(
        &self,
        profiles: &[Profile],
        reveal: &[String],
        block: &[String],
    ) -> anyhow::Result<()> {
        let names = |list: &[String]| -> anyhow::Result<Vec<ColumnName>> {
            list.iter()
                .map(|name| Ok(ColumnName::parse(name)?))
                .collect()
        };
        let (reveal, block) = (names(reveal)?, names(block)?);
        let mut policies = self.policies.lock().await;
        for profile in profiles {
            let policy = EffectivePolicy::derive(
                &self.classification,
                *profile,
                &reveal,
                &block,
                self.unclassified,
            )?;
            if !policies.contains(&policy) {
                policies.push(policy);
            }
        }
        self.apply(&policies).await
    }

    /// Hardens for a profile with row rules, beside what is there.
    pub(super) async fn harden_rows(
        &self,
        profile: Profile,
        rows: RowPolicy,
    ) -> anyhow::Result<()> {
        let policy =
            EffectivePolicy::derive(&self.classification, profile, &[], &[], self.unclassified)?;
        let mut policies = self.policies.lock().await;
        policies.push(policy.with_rows(rows));
        self.apply(&policies).await
    }

    async fn apply(&self, policies: &[EffectivePolicy]) -> anyhow::Result<()> {
        let mut broker = Upstream::parse(&self.broker)?.connect().await?;
        let snapshot = phigate_catalog::read(&mut broker).await?;
        let target = harden::Target {
            database: clinic::DATABASE.to_owned(),
            broker: clinic::BROKER.to_owned(),
            slots: SLOTS,
        };
        let verifier = |login: &str| {
            let password = self.password(login);
            let salt = keys::login_salt(&self.login_key, login);
            scram::Verifier::derive(&password, &salt, ITERATIONS).stored()
        };
        let plan = harden::Plan::of(&snapshot, policies, target, verifier);
        harden::apply(&self.admin, &plan.sql()).await?;
        Ok(())
    }
}
