//! The configured databases, and what a grant makes of their classification.

use std::collections::HashMap;

use phigate_grant::GrantRequest;
use phigate_phi::{EffectivePolicy, PolicyError};
use phigate_proto::v1;
use phigate_types::DatabaseName;
use prost::Message as _;

use crate::DatabaseSpec;

/// Databases by name.
pub(crate) struct Databases(HashMap<DatabaseName, DatabaseSpec>);

/// An effective policy as the store keeps it.
pub(crate) struct Policy {
    /// The hash of its content.
    pub(crate) id: String,
    /// An encoded `GetPolicyResponse`.
    pub(crate) body: Vec<u8>,
}

impl Databases {
    pub(crate) fn new(specs: Vec<DatabaseSpec>) -> Self {
        let named = specs.into_iter().map(|spec| (spec.name.clone(), spec));
        Self(named.collect())
    }

    /// The effective policy of these terms; `None` when there is no such database.
    pub(crate) fn policy(&self, terms: &GrantRequest) -> Option<Result<Policy, PolicyError>> {
        let spec = self.0.get(&terms.database)?;
        let policy = EffectivePolicy::derive(
            &spec.classification,
            terms.profile,
            &terms.reveal,
            &terms.block,
            spec.unclassified,
        );
        Some(policy.map(|policy| Policy {
            id: policy.id.to_string(),
            body: v1::GetPolicyResponse::from(&policy).encode_to_vec(),
        }))
    }
}
