//! Effective policies. The id is computed from what arrives, never believed.

use phigate_phi::{
    ColumnName, EffectivePolicy, JsonPaths, KeyPath, RowPolicy, Rule, Sensitivity, TableName,
};

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
            json_paths: rule.json_paths.to_string(),
        });
        Self {
            policy_id: policy.id.as_str().to_owned(),
            profile: policy.profile.to_string(),
            unclassified: policy.unclassified.as_str().to_owned(),
            columns: columns.collect(),
            scoped: policy.rows.scoped,
            key_paths: policy.rows.paths.iter().map(key_path).collect(),
            withheld: policy.rows.withheld.iter().map(sensitivity).collect(),
        }
    }
}

fn key_path((table, path): (&TableName, &KeyPath)) -> v1::KeyPath {
    v1::KeyPath {
        schema: table.schema.clone(),
        table: table.table.clone(),
        path: path.to_string(),
    }
}

fn sensitivity(rule: &Sensitivity) -> v1::Sensitivity {
    v1::Sensitivity {
        schema: rule.table.schema.clone(),
        table: rule.table.table.clone(),
        code: rule.code.to_string(),
        bearer: rule.bearer.as_str().to_owned(),
        predicate: rule.predicate.clone(),
    }
}

fn rows(policy: &v1::GetPolicyResponse) -> Result<RowPolicy, Malformed> {
    let paths = policy.key_paths.iter().map(|sent| {
        let table = TableName::new(&sent.schema, &sent.table);
        Ok((table, parse("key_paths", &sent.path)?))
    });
    let withheld = policy.withheld.iter().map(|sent| {
        Ok(Sensitivity {
            table: TableName::new(&sent.schema, &sent.table),
            code: parse("withheld.code", &sent.code)?,
            bearer: parse("withheld.bearer", &sent.bearer)?,
            predicate: sent.predicate.clone(),
        })
    });
    Ok(RowPolicy {
        scoped: policy.scoped,
        paths: paths.collect::<Result<_, Malformed>>()?,
        withheld: withheld.collect::<Result<_, Malformed>>()?,
    })
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
                json_paths: JsonPaths::try_from(rule.json_paths.clone())
                    .map_err(|error| Malformed::new("json_paths", error))?,
            })
        });
        let made = Self::from_parts(
            parse("profile", &policy.profile)?,
            parse("unclassified", &policy.unclassified)?,
            rules.collect::<Result<_, Malformed>>()?,
        )
        .map_err(|error| Malformed::new("columns", error))?
        .with_rows(rows(&policy)?);
        if made.id.as_str() == policy.policy_id {
            Ok(made)
        } else {
            Err(Malformed::new("policy_id", "is not the hash of the policy"))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use phigate_phi::{Classification, RowRules, Unclassified};
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
        let rules = "[table.patients]\npatient = 'id'\n\
                     sensitivity = [{ code = 'VIP', where = 'vip', of = 'patient' }]";
        let rules = RowRules::parse(rules, "clinic.rows.toml").unwrap();
        let policy = policy.with_rows(rules.policy(true, &BTreeSet::new()).unwrap());
        let sent = v1::GetPolicyResponse::from(&policy);
        assert_eq!(EffectivePolicy::try_from(sent.clone()), Ok(policy));
        let mut unscoped = sent.clone();
        unscoped.scoped = false;
        assert!(EffectivePolicy::try_from(unscoped).is_err());
        let mut changed = sent;
        changed.columns[0].treatment = "keep".to_owned();
        let error = EffectivePolicy::try_from(changed).unwrap_err();
        assert_eq!(error.field, "policy_id");
    }
}
