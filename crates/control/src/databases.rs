//! The configured databases, and what a grant makes of their classification.

use std::collections::HashMap;

use phigate_grant::GrantRequest;
use phigate_phi::{EffectivePolicy, PolicyError, keys};
use phigate_proto::v1;
use phigate_types::{DatabaseName, Secret};
use prost::Message as _;

use crate::DatabaseSpec;

/// Databases by name, and the key of their logins' passwords.
pub(crate) struct Databases {
    specs: HashMap<DatabaseName, DatabaseSpec>,
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
        let named = specs.into_iter().map(|spec| (spec.name.clone(), spec));
        Self {
            specs: named.collect(),
            upstream_key,
        }
    }

    /// The database of this name.
    pub(crate) fn get(&self, name: &DatabaseName) -> Option<&DatabaseSpec> {
        self.specs.get(name)
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
