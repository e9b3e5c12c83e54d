//! Whose a relation's rows are: what a budget of patients is counted by.

use phigate_phi::{Alternative, EffectivePolicy, Route, Transform, Treatment};

use super::BoundPolicy;
use super::scope::Scope;
use crate::patients::{KeyColumn, KeyKind, Patients};
use crate::snapshot::{Relation, Snapshot};

impl BoundPolicy {
    /// Notes whose rows a table has: by the column that its key path begins and ends with, if that is
    /// released so that different patients have different keys.
    pub(super) fn note_subjects(
        &mut self,
        relation: &Relation,
        policy: &EffectivePolicy,
        snapshot: &Snapshot,
    ) {
        let scope = Scope::of(relation, policy, snapshot);
        if !scope.is_about_patients() {
            return;
        }
        let Some(path) = scope.path() else {
            // Of somebody.
            self.subjects.insert(relation.oid, [None].into());
            return;
        };
        if path.is_nobody() {
            return;
        }
        let key = |alternatives: &[Alternative]| {
            let [
                Alternative {
                    when: None,
                    route: Route::Patient(chain),
                },
            ] = alternatives
            else {
                return None;
            };
            let named = |column: &crate::snapshot::Column| column.name == chain.column;
            let index = relation.columns.iter().position(named)?;
            let tells =
                chain.steps.is_empty() && tells_apart(self.access(relation.oid)?.treatment(index));
            tells.then_some(KeyColumn {
                index,
                kind: KeyKind::of(relation.columns.get(index)?.ty.kind),
            })
        };
        let references = path.references().iter();
        let subjects = references.map(|reference| key(reference.alternatives()));
        let subjects = subjects.collect();
        self.subjects.insert(relation.oid, subjects);
    }

    /// The same of a view, by what its definition shows.
    pub(super) fn note_subjects_of_view(&mut self, view: &Relation, patients: &Patients) {
        let keyed = patients.keys.iter().map(|key| {
            let index = key.columns.first().copied()?;
            Some(KeyColumn {
                index,
                kind: key.kind,
            })
        });
        let others = (0..patients.others).map(|_| None);
        let subjects: Vec<_> = keyed.chain(others).collect();
        if !subjects.is_empty() {
            self.subjects.insert(view.oid, subjects.into());
        }
    }
}

/// Whether what leaves is different for different keys.
fn tells_apart(treatment: Treatment) -> bool {
    matches!(
        treatment,
        Treatment::Release(Transform::Keep | Transform::Pseudonym)
    )
}
