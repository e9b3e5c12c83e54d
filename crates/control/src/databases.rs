//! The configured databases, and what a grant makes of their classification.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use phigate_grant::GrantRequest;
use phigate_phi::{EffectivePolicy, PolicyError, keys};
use phigate_proto::v1;
use phigate_types::{DatabaseName, Secret};
use prost::Message as _;

use crate::DatabaseSpec;

/// Databases by name, and the key of their logins' passwords.
pub(crate) struct Databases {
    specs: ArcSwap<HashMap<DatabaseName, Arc<DatabaseSpec>>>,
    upstream_key: Secret<[u8; 32]>,
}

/// An effective policy as the store keeps it.
pub(crate) struct Policy {
    /// The hash of its content.
    pub(crate) id: String,
    /// An encoded `GetPolicyResponse`.
    pub(crate) body: Vec<u8>,
    /// Some rows are out of scope: only masked views can hold that.
    pub(crate) restricts_rows: bool,
}

impl Databases {
    pub(crate) fn new(specs: Vec<DatabaseSpec>, upstream_key: Secret<[u8; 32]>) -> Self {
        Self {
            specs: ArcSwap::from_pointee(named(specs)),
            upstream_key,
        }
    }

    /// Other classifications and rules from now on.
    pub(crate) fn replace(&self, specs: Vec<DatabaseSpec>) {
        self.specs.store(Arc::new(named(specs)));
    }

    /// The database of this name, as it is configured now.
    pub(crate) fn get(&self, name: &DatabaseName) -> Option<Arc<DatabaseSpec>> {
        self.specs.load().get(name).cloned()
    }

    /// The key of the passwords of a database's slot logins.
    pub(crate) fn login_key(&self, name: &DatabaseName) -> Secret<[u8; 32]> {
        Secret::new(keys::login_key(self.upstream_key.expose(), name.as_str()))
    }

    /// The effective policy of these terms; `None` when there is no such database.
    pub(crate) fn policy(&self, terms: &GrantRequest) -> Option<Result<Policy, PolicyError>> {
        let spec = self.get(&terms.database)?;
        let rows = spec.rows.policy(terms.cohort.is_some(), &terms.sensitivity);
        let policy = EffectivePolicy::derive(
            &spec.classification,
            terms.profile,
            &terms.reveal,
            &terms.block,
            spec.unclassified,
        )
        .and_then(|policy| Ok(policy.with_rows(rows?)));
        Some(policy.map(|policy| Policy {
            id: policy.id.to_string(),
            restricts_rows: policy.restricts_rows(),
            body: v1::GetPolicyResponse::from(&policy).encode_to_vec(),
        }))
    }
}

fn named(specs: Vec<DatabaseSpec>) -> HashMap<DatabaseName, Arc<DatabaseSpec>> {
    let named = specs
        .into_iter()
        .map(|spec| (spec.name.clone(), Arc::new(spec)));
    named.collect()
}
