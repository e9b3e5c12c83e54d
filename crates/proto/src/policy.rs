//! Effective policies. The id is computed from what arrives, never believed.

use phigate_phi::{ColumnName, EffectivePolicy, Rule};

use crate::v1;
use crate::{Malformed, error::parse};

impl From<&EffectivePolicy> for v1::GetPolicyResponse {
    fn from(policy: &EffectivePolicy) -> Self {
        let columns = policy.rules.iter().map(|rule| v1::ColumnRule {
            schema: rule.column.schema.clone(),
            table: rule.column.table.clone(),
            column: rule.column.column.clone(),
            identifier: rule.identifier.as_str().to_owned(),
            treatment: rule.treatment.as_str().to_owned(),
        });
        Self {
            policy_id: policy.id.as_str().to_owned(),
            profile: policy.profile.to_string(),
            unclassified: policy.unclassified.as_str().to_owned(),
            columns: columns.collect(),
        }
    }
}

impl TryFrom<v1::GetPolicyResponse> for EffectivePolicy {
    type Error = Malformed;

    fn try_from(policy: v1::GetPolicyResponse) -> Result<Self, Malformed> {
        let rules = policy.columns.iter().map(|rule| {
            Ok(Rule {
                column: ColumnName {
                    schema: rule.schema.clone(),
                    table: rule.table.clone(),
                    column: rule.column.clone(),
                },
                identifier: parse("identifier", &rule.identifier)?,
                treatment: parse("treatment", &rule.treatment)?,
            })
        });
        let made = Self::from_parts(
            parse("profile", &policy.profile)?,
            parse("unclassified", &policy.unclassified)?,
            rules.collect::<Result<_, Malformed>>()?,
        )
        .map_err(|error| Malformed::new("columns", error))?;
        if made.id.as_str() == policy.policy_id {
            Ok(made)
        } else {
            Err(Malformed::new("policy_id", "is not the hash of the policy"))
        }
    }
}

#[cfg(test)]
mod tests {
    use phigate_phi::{Classification, Unclassified};
    use phigate_types::Profile;

    use super::*;

    #[test]
    fn a_policy_both_ways_and_none_that_was_changed() {
        let text = "table,column,pg_type,identifier,safe_harbor,limited_dataset\n\
                    patients,ssn,text,ssn,null,null\n";
        let classification = Classification::parse(text, "clinic.phi.csv").unwrap();
        let policy = EffectivePolicy::derive(
            &classification,
            Profile::LimitedDataset,
            &[],
            &[],
            Unclassified::Refuse,
        )
        .unwrap();
        let sent = v1::GetPolicyResponse::from(&policy);
        assert_eq!(EffectivePolicy::try_from(sent.clone()), Ok(policy));
        let mut changed = sent;
        changed.columns[0].treatment = "keep".to_owned();
        let error = EffectivePolicy::try_from(changed).unwrap_err();
        assert_eq!(error.field, "policy_id");
    }
}
