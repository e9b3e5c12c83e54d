//! What one row costs, by the statement that it comes of.

use phigate_phi::{ColumnName, EffectivePolicy, Treatment};
use phigate_sql::{PatientColumns, Permit, StatementKind};

/// The schemas of PostgreSQL's own relations: what is read there is nobody's.
const OWN: [&str; 2] = ["pg_catalog.", "information_schema."];

/// What one row of a result costs, but for its bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::session) struct Cost<'p> {
    pub(super) rows: u64,
    /// The patients whose keys are in it, and how many more there are.
    pub(super) keys: &'p [PatientColumns],
    pub(super) others: u64,
    pub(super) identifiers: u64,
    /// In which form each column is, as Bind says.
    pub(super) formats: &'p [i16],
}

impl<'p> Cost<'p> {
    /// Of a row of this statement. What reads nobody's data costs nothing. Patients are as the analysis
    /// tells ([`phigate_sql::Patients`]); a cell counts for each direct identifier that the statement
    /// reads unmasked, in the select list or elsewhere. Rows of a cursor or an SQL-level prepared
    /// statement do not tell what they were made of, so they cost all the policy lets through, and one
    /// patient: more are not kept by any ([`Permit::check_countable`]).
    pub(in crate::session) fn of(
        permit: Option<&'p Permit>,
        policy: &EffectivePolicy,
        formats: &'p [i16],
    ) -> Self {
        let Some(permit) = permit else {
            return Self::most(policy);
        };
        match permit.kind() {
            StatementKind::Cursor | StatementKind::Prepare | StatementKind::Passthrough => {
                return Self::most(policy);
            }
            _ => {}
        }
        let mut cost = Self {
            formats,
            ..Self::default()
        };
        if permit.kind() != StatementKind::Explain {
            cost.keys = &permit.patients().keys;
            cost.others = permit.patients().others.into();
        }
        for touch in permit.touches() {
            if OWN.iter().any(|schema| touch.relation.starts_with(schema)) {
                continue;
            }
            cost.rows = 1;
            let Some((schema, table)) = touch.relation.split_once('.') else {
                cost.identifiers = Self::most(policy).identifiers;
                return cost;
            };
            let direct = touch.columns.iter().filter(|(column, treatment)| {
                let name = ColumnName::new(schema, table, column.as_str());
                is_direct(*treatment, policy, &name)
            });
            cost.identifiers = cost.identifiers.saturating_add(direct.count() as u64);
        }
        cost
    }

    fn most(policy: &EffectivePolicy) -> Self {
        let direct = policy
            .rules
            .iter()
            .filter(|rule| is_direct(rule.treatment, policy, &rule.column));
        Self {
            rows: 1,
            others: 1,
            identifiers: direct.count() as u64,
            ..Self::default()
        }
    }
}

fn is_direct(treatment: Treatment, policy: &EffectivePolicy, column: &ColumnName) -> bool {
    treatment.is_keep()
        && policy
            .rule(column)
            .is_some_and(|rule| rule.identifier.is_direct())
}
