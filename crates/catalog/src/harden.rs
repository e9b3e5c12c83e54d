//! `enforcement = "views"`: what stands inside PostgreSQL. A [`Plan`] is made of a snapshot and
//! policies, by nobody but pure functions; [`Plan::sql`] writes it as one script that `psql` runs, as
//! often as one likes; [`apply`] runs it.
//!
//! | object | what for |
//! | --- | --- |
//! | role `phigate_definer` | owns the views; reads the base tables; cannot log in |
//! | schema `phigate` | tables of policies, views, logins, assignments and codes; pure functions for pseudonyms |
//! | schema `phigate_p_HEX` | one policy's masked views, `rOID` for the relation of that oid |
//! | role `phigate_r_HEX` | may read these views, and nothing else |
//! | role `phigate_w_HEX` | may also write through those of open tables |
//! | logins `phigate_s_HEX_N`, `phigate_s_HEX_wN` | members of one of these two; sessions come as one |
//!
//! A schema's digits are the policy's; a role's depend on the database too, because roles belong to
//! the whole cluster.

mod apply;
mod script;
mod unharden;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use aws_lc_rs::digest;
use phigate_phi::{
    EffectivePolicy, KeyAccess, KeyPath, KeySource, PolicyId, ReleaseContext, Route, Step,
    Transform, Treatment, key_sources, quote_identifier,
};
use phigate_sql::{BoundPolicy, MaskedView, Relation, RelationKind, Snapshot, policy_schema};
use phigate_types::Profile;

pub use apply::{APPLY_TIMEOUT, ApplyError, apply};
pub use script::{PATIENTS, functions};
pub use unharden::Unharden;

/// The role that owns every masked view.
pub const DEFINER: &str = "phigate_definer";

/// The schema of the machinery.
pub const SCHEMA: &str = "phigate";

/// Where DDL is announced: an event trigger notifies, catalog watchers listen.
pub const CHANNEL: &str = "phigate_catalog";

/// The logins of a policy for sessions that only read, where the operator does not say.
pub const SLOTS: u16 = 4;

/// The most logins of one kind that a policy may have.
pub const MAX_SLOTS: u16 = 512;

/// An administrator who is no superuser becomes a member of [`DEFINER`] for what it owns ...
const MEMBER: &str = include_str!("harden/member.sql");
/// ... and is one no longer when all is done.
const FINISH: &str = include_str!("harden/finish.sql");

/// Hexadecimal digits in the name of a role.
const ROLE_DIGITS: usize = 16;

/// Which database is hardened, for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The database's own name, as in `pg_database`.
    pub database: String,
    /// The role of the configured upstream: it reads what is hardened, and assigns logins.
    pub broker: String,
    /// Logins for sessions that read, for each policy; as many for sessions that write, where a
    /// policy leaves anything to be written. 1 to [`MAX_SLOTS`]. Logins that are there already stay.
    pub slots: u16,
}

/// What is to stand in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    target: Target,
    policies: Vec<PolicyPlan>,
    /// The relations that masked views read, and whether anything writes to them.
    bases: Vec<Base>,
    /// Whether views that are not named here are dropped.
    whole: bool,
}

/// What is to stand there for one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyPlan {
    /// The policy.
    pub id: PolicyId,
    /// The profile it comes from.
    pub profile: Profile,
    /// The schema of its views.
    pub schema: String,
    /// The role that may read them.
    pub reader: String,
    /// The role that may also write through some.
    pub writer: String,
    /// The logins of both.
    pub logins: Vec<Login>,
    /// Its views, by relation.
    pub views: Vec<MaskedView>,
    /// Where keys are found that need a code assigned, by relation.
    pub keys: Vec<(u32, KeySource)>,
}

/// A login that sessions come as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name.
    pub name: String,
    /// Whether it is a member of the writer, not of the reader.
    pub writes: bool,
    /// `SCRAM-SHA-256$...`, as `pg_authid.rolpassword` keeps it.
    pub verifier: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Base {
    oid: u32,
    schema: String,
    name: String,
    written: bool,
    /// A key path or a sensitivity goes through it: views of other relations read it.
    leads: bool,
}

/// No relation of this name is released by any of the policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no policy releases anything of a relation {0}")]
pub struct UnknownTable(pub String);

impl Plan {
    /// Plans every relation of every policy. `verifier` makes a login's SCRAM verifier, the same each
    /// time it is asked.
    pub fn of(
        snapshot: &Snapshot,
        policies: &[EffectivePolicy],
        target: Target,
        verifier: impl Fn(&str) -> String,
    ) -> Self {
        let leading: BTreeSet<u32> = policies
            .iter()
            .flat_map(|policy| leading(snapshot, policy))
            .collect();
        let policies: Vec<_> = policies
            .iter()
            .map(|policy| PolicyPlan::of(snapshot, policy, &target, &verifier))
            .collect();
        let shown: BTreeSet<u32> = policies
            .iter()
            .flat_map(|policy| policy.views.iter().map(|view| view.relation))
            .chain(leading.iter().copied())
            .collect();
        let bases = shown
            .into_iter()
            .filter_map(|oid| {
                Some(Base::of(
                    snapshot.relation(oid)?,
                    &policies,
                    leading.contains(&oid),
                ))
            })
            .collect();
        Self {
            target,
            policies,
            bases,
            whole: true,
        }
    }

    /// The same for some tables, given as schema and name: they, what inherits from them, and every
    /// view that people made, since it may read them.
    ///
    /// # Errors
    /// A table of which no policy releases anything.
    pub fn only(
        mut self,
        snapshot: &Snapshot,
        tables: &[(String, String)],
    ) -> Result<Self, UnknownTable> {
        let mut kept = BTreeSet::new();
        for (schema, name) in tables {
            let relation = snapshot.find(schema, name);
            let known =
                relation.filter(|relation| self.bases.iter().any(|base| base.oid == relation.oid));
            let Some(relation) = known else {
                return Err(UnknownTable(format!("{schema}.{name}")));
            };
            let mut waiting = vec![relation.oid];
            while let Some(oid) = waiting.pop() {
                if kept.insert(oid) {
                    waiting.extend(snapshot.children(oid));
                }
            }
        }
        kept.extend(
            snapshot
                .relations()
                .filter(|relation| relation.kind == RelationKind::View)
                .map(|view| view.oid),
        );
        for policy in &mut self.policies {
            policy.views.retain(|view| kept.contains(&view.relation));
            policy.keys.retain(|(relation, _)| kept.contains(relation));
        }
        self.bases
            .retain(|base| base.leads || kept.contains(&base.oid));
        self.whole = false;
        Ok(self)
    }

    /// The policies, in the order they were given.
    pub fn policies(&self) -> &[PolicyPlan] {
        &self.policies
    }

    /// The script: one transaction, which `psql` and [`apply`] run. Running it again changes nothing.
    /// It holds SCRAM verifiers of passwords with 256 bits, and no other secret.
    pub fn sql(&self) -> String {
        script::write(self)
    }
}

impl PolicyPlan {
    fn of(
        snapshot: &Snapshot,
        policy: &EffectivePolicy,
        target: &Target,
        verifier: &impl Fn(&str) -> String,
    ) -> Self {
        let views = masked_views(snapshot, policy);
        let digits = role_digits(&target.database, &policy.id);
        let login = |writes: bool, number: u16| {
            let kind = if writes { "w" } else { "" };
            let name = format!("phigate_s_{digits}_{kind}{number}");
            let verifier = verifier(&name);
            Login {
                name,
                writes,
                verifier,
            }
        };
        let slots = target.slots.clamp(1, MAX_SLOTS);
        let mut logins: Vec<_> = (1..=slots).map(|number| login(false, number)).collect();
        if views.iter().any(|view| view.writable) {
            logins.extend((1..=slots).map(|number| login(true, number)));
        }
        Self {
            id: policy.id.clone(),
            profile: policy.profile,
            schema: policy_schema(&policy.id),
            reader: format!("phigate_r_{digits}"),
            writer: format!("phigate_w_{digits}"),
            logins,
            keys: keys(snapshot, policy, &views),
            views,
        }
    }
}

/// Where the keys are whose codes a policy's views look up. A parent shows its children's rows; what a
/// view shows is in tables, and assigning must run none of the functions in its definition: it has
/// rights that whoever wrote them need not have.
fn keys(
    snapshot: &Snapshot,
    policy: &EffectivePolicy,
    views: &[MaskedView],
) -> Vec<(u32, KeySource)> {
    let mut keys = Vec::new();
    if policy.profile != Profile::SafeHarbor {
        return keys;
    }
    for view in views {
        let relation = snapshot.relation(view.relation);
        let Some(relation) = relation.filter(|found| found.kind != RelationKind::View) else {
            continue;
        };
        let inherited = |name: &str| {
            let mut parents = relation.parents.iter();
            parents.any(|oid| {
                let parent = snapshot.relation(*oid);
                parent.is_some_and(|parent| parent.column(name).is_some())
            })
        };
        let table = format!(
            "{}.{} AS \"t\"",
            quote_identifier(&relation.schema),
            quote_identifier(&relation.name)
        );
        for shown in &view.columns {
            let is_key = shown.treatment == Treatment::Release(Transform::Pseudonym);
            let Some(column) = relation.column(&shown.name).filter(|_| is_key) else {
                continue;
            };
            if !inherited(&shown.name) {
                let name = format!("\"t\".{}", quote_identifier(&shown.name));
                let sources = key_sources(&table, &name, &column.ty);
                keys.extend(sources.into_iter().map(|source| (relation.oid, source)));
            }
        }
    }
    keys
}

/// The views of a policy over a catalog: what a plan makes, and what a check compares with.
pub fn masked_views(snapshot: &Snapshot, policy: &EffectivePolicy) -> Vec<MaskedView> {
    let cx = ReleaseContext::new(policy.profile, "", KeyAccess::Slot);
    BoundPolicy::bind(policy, snapshot, &cx).masked_views(snapshot)
}

/// The relations that views of others read to tell whose a row is, and whether it is sensitive. The
/// policy may refuse them.
fn leading<'a>(
    snapshot: &'a Snapshot,
    policy: &'a EffectivePolicy,
) -> impl Iterator<Item = u32> + 'a {
    let chains = policy
        .rows
        .paths
        .values()
        .flat_map(KeyPath::alternatives)
        .filter_map(|alternative| match &alternative.route {
            Route::Patient(chain) => Some(chain),
            Route::Nobody => None,
        });
    let steps = chains.flat_map(|chain| {
        let step = |step: &'a Step| (step.schema.as_str(), step.table.as_str());
        chain.steps.iter().map(step)
    });
    let judged = policy
        .rows
        .withheld
        .iter()
        .map(|rule| (rule.table.schema.as_str(), rule.table.table.as_str()));
    steps
        .chain(judged)
        .filter_map(|(schema, table)| Some(snapshot.find(schema, table)?.oid))
}

/// What the names of a policy's roles end in.
fn role_digits(database: &str, policy: &PolicyId) -> String {
    let text = format!("phigate roles 1 {}:{database} {policy}", database.len());
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let mut digits = hex::encode(hash);
    digits.truncate(ROLE_DIGITS);
    digits
}

impl Base {
    fn of(relation: &Relation, policies: &[PolicyPlan], leads: bool) -> Self {
        let written = policies
            .iter()
            .flat_map(|policy| &policy.views)
            .any(|view| view.relation == relation.oid && view.writable);
        Self {
            oid: relation.oid,
            schema: relation.schema.clone(),
            name: relation.name.clone(),
            written,
            leads,
        }
    }
}
