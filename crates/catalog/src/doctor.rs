//! What would let a session see more than its grant releases, although the gateway does its part:
//! the second line examined, by name. Findings are made of facts by pure functions.

mod checks;
mod facts;

#[cfg(test)]
mod tests;

use phigate_phi::EffectivePolicy;
use phigate_sql::Snapshot;

use checks::CHECKS;
pub use facts::{Facts, examine, read_facts};

/// The first minor version of each major whose statistics of masked columns are safe from operators
/// that a login makes itself (CVE-2025-8713 and those before).
const SAFE_MINORS: [(i32, i32); 4] = [(14, 19), (15, 14), (16, 10), (17, 6)];

use crate::harden::masked_views;

/// Something in a database that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind: a word from the list in `docs/doctor.md`.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a role, a relation, a function.
    pub object: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// What the second line promises does not hold: the gateway does not serve the database, or the
    /// relation.
    Error,
    /// It holds, but less well than it could.
    Warning,
}

impl Finding {
    /// The word by which an operator takes it upon himself: `accept` in the configuration.
    pub fn key(&self) -> String {
        format!("{} {}", self.name, self.object)
    }

    fn new(
        name: &'static str,
        severity: Severity,
        object: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            name,
            severity,
            object: object.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }
}

impl Severity {
    /// Its name, for people and programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Judges the facts of a database that masked views enforce: errors first. The gateway serves no
/// database with an error that its operator did not accept.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<_> = facts.rows.iter().filter_map(finding).collect();
    findings.extend(of_version(facts.version));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// What is examined, by name.
#[cfg(test)]
pub(crate) fn check_names() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.name)
}

fn finding((name, object, word): &(&'static str, String, String)) -> Option<Finding> {
    let check = CHECKS.iter().find(|check| check.name == *name)?;
    Some(Finding::new(
        check.name,
        check.severity,
        object.as_str(),
        check.problem.replace("{}", word),
        check.remedy.replace("{}", object),
    ))
}

fn of_version(version: i32) -> Option<Finding> {
    let (major, minor) = (version / 10_000, version % 10_000);
    let (_, safe) = SAFE_MINORS.iter().find(|(known, _)| *known == major)?;
    (minor < *safe).then(|| {
        Finding::new(
            "server_version",
            Severity::Error,
            format!("PostgreSQL {major}.{minor}"),
            "a login with an operator of its own can read sampled values of masked columns (CVE-2025-8713)",
            format!("install PostgreSQL {major}.{safe} or newer"),
        )
    })
}

/// Masked views that are not there, or made of something else than what is there now: the gateway
/// refuses these relations, under these policies, and serves the others.
pub fn views(snapshot: &Snapshot, policies: &[EffectivePolicy], database: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for policy in policies {
        if !snapshot.is_hardened(&policy.id) {
            findings.push(Finding::new(
                "missing_policy",
                Severity::Warning,
                policy.id.as_str(),
                format!("the policy of profile {} is not in the database: no session can be opened under it", policy.profile),
                format!("phictl database harden {database} --policy {} --apply", policy.id),
            ));
            continue;
        }
        for view in masked_views(snapshot, policy) {
            let found = snapshot.hardened(&policy.id, view.relation);
            let (name, problem) = match found {
                None => ("missing_view", "has no masked view"),
                Some(found) if found.fingerprint != view.fingerprint => {
                    ("stale_view", "has changed since it was hardened")
                }
                Some(_) => continue,
            };
            let relation = snapshot.relation(view.relation).map_or_else(
                || view.relation.to_string(),
                |relation| format!("{}.{}", relation.schema, relation.name),
            );
            findings.push(Finding::new(
                name,
                Severity::Error,
                relation.as_str(),
                format!(
                    "{problem} under profile {}, policy {}",
                    policy.profile, policy.id
                ),
                format!("phictl database harden {database} --table {relation} --apply"),
            ));
        }
    }
    findings
}
