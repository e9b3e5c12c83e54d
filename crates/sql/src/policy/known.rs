//! Which column a classified name meant when it was first seen, so that a rename does not take the
//! rule of one column to another (`docs/decisions`: rules are by name, identity by number).

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use phigate_phi::{ColumnName, EffectivePolicy};
use serde::{Deserialize, Serialize};

use crate::snapshot::Snapshot;

/// The columns of one classification, as they were when each was first seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownColumns {
    columns: Vec<KnownColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct KnownColumn {
    schema: String,
    table: String,
    column: String,
    /// `pg_class.oid` and `attnum`.
    relation: u32,
    attnum: i16,
}

/// Columns (`pg_class.oid`, `attnum`) that are not what their names meant: refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strangers(HashSet<(u32, i16)>);

/// Names a policy's classification: equal for all policies that come of the same one.
pub fn classification_id(policy: &EffectivePolicy) -> String {
    let mut text = String::new();
    for rule in &policy.rules {
        let ColumnName {
            schema,
            table,
            column,
        } = &rule.column;
        // INVARIANT: a length before each part, so that none can imitate a separator.
        for part in [schema, table, column] {
            let _ = write!(text, "{}:{part} ", part.len());
        }
        let _ = writeln!(text, "{}", rule.identifier);
    }
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

impl KnownColumns {
    /// Notes the columns that the policy's names mean, where that is not known yet; forgets those of
    /// relations that are gone: a new one of the same name is another relation. True if anything
    /// was noted or forgotten.
    pub fn learn(&mut self, policy: &EffectivePolicy, snapshot: &Snapshot) -> bool {
        let before = self.columns.len();
        self.columns
            .retain(|known| snapshot.relation(known.relation).is_some());
        let mut changed = self.columns.len() != before;
        let names: HashSet<_> = self.columns.iter().map(KnownColumn::name).collect();
        let places: HashSet<_> = self.columns.iter().map(KnownColumn::place).collect();
        let mut new = Vec::new();
        for rule in &policy.rules {
            let ColumnName {
                schema,
                table,
                column,
            } = &rule.column;
            if names.contains(&(schema.as_str(), table.as_str(), column.as_str())) {
                continue;
            }
            let Some((relation, attnum)) = place(snapshot, &rule.column) else {
                continue;
            };
            // What has another name's rule does not get this one's.
            if !places.contains(&(relation, attnum)) {
                new.push(KnownColumn {
                    schema: schema.clone(),
                    table: table.clone(),
                    column: column.clone(),
                    relation,
                    attnum,
                });
            }
        }
        changed |= !new.is_empty();
        self.columns.extend(new);
        changed
    }

    /// The columns that have another name than they had, and those that now have the name of another.
    pub fn strangers(&self, policy: &EffectivePolicy, snapshot: &Snapshot) -> Strangers {
        let by_place: HashMap<_, _> = self
            .columns
            .iter()
            .map(|known| (known.place(), known.name()))
            .collect();
        let by_name: HashMap<_, _> = self
            .columns
            .iter()
            .map(|known| (known.name(), known.place()))
            .collect();
        let mut strangers = HashSet::new();
        for ((oid, attnum), name) in &by_place {
            let now = snapshot.relation(*oid).and_then(|relation| {
                let mut columns = relation.columns.iter();
                let column = columns.find(|column| column.attnum == *attnum)?;
                Some((&*relation.schema, &*relation.name, &*column.name))
            });
            if now.is_some_and(|now| now != *name) {
                strangers.insert((*oid, *attnum));
            }
        }
        for rule in &policy.rules {
            let ColumnName {
                schema,
                table,
                column,
            } = &rule.column;
            let name = (schema.as_str(), table.as_str(), column.as_str());
            let Some(now) = place(snapshot, &rule.column) else {
                continue;
            };
            if by_name.get(&name) != Some(&now) {
                strangers.insert(now);
            }
        }
        Strangers(strangers)
    }
}

impl Strangers {
    /// Whether this column is one.
    pub(super) fn has(&self, relation: u32, attnum: i16) -> bool {
        self.0.contains(&(relation, attnum))
    }

    /// The relations that have any.
    pub(super) fn relations(&self) -> HashSet<u32> {
        self.0.iter().map(|(relation, _)| *relation).collect()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl KnownColumn {
    fn name(&self) -> (&str, &str, &str) {
        (&self.schema, &self.table, &self.column)
    }

    fn place(&self) -> (u32, i16) {
        (self.relation, self.attnum)
    }
}

fn place(snapshot: &Snapshot, name: &ColumnName) -> Option<(u32, i16)> {
    let relation = snapshot.find(&name.schema, &name.table)?;
    let column = relation.column(&name.column)?;
    Some((relation.oid, column.attnum))
}

#[cfg(test)]
mod tests {
    use phigate_phi::{KeyAccess, ReleaseContext, Unclassified};
    use phigate_types::Profile;

    use super::*;
    use crate::BoundPolicy;
    use crate::snapshot::{Relation, SnapshotBuilder};
    use crate::testing::World;

    /// The clinic with its patients changed.
    fn changed(change: impl FnOnce(&mut Relation)) -> World {
        let mut patients = World::limited()
            .snapshot
            .find("public", "patients")
            .unwrap()
            .clone();
        change(&mut patients);
        World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |more| {
            more.relation(patients);
        })
    }

    fn rename(relation: &mut Relation, from: &str, to: &str) {
        for column in &mut relation.columns {
            if column.name == from {
                to.clone_into(&mut column.name);
            }
        }
    }

    /// What the changed clinic is to whoever knew the clinic.
    fn known(mut world: World) -> World {
        let before = World::limited();
        let mut known = KnownColumns::default();
        assert!(known.learn(&before.effective, &before.snapshot));
        assert!(!known.learn(&before.effective, &before.snapshot));
        let nobody = known.strangers(&before.effective, &before.snapshot);
        assert!(nobody.is_empty());
        known.learn(&world.effective, &world.snapshot);
        let strangers = known.strangers(&world.effective, &world.snapshot);
        let cx = ReleaseContext::new(Profile::LimitedDataset, "2026-01-01", KeyAccess::Settings);
        world.policy = BoundPolicy::bind_known(&world.effective, &world.snapshot, &cx, &strangers);
        world
    }

    #[test]
    fn two_columns_that_swapped_names_are_refused() {
        let world = known(changed(|patients| {
            rename(patients, "ssn", "old");
            rename(patients, "diagnosis", "ssn");
            rename(patients, "old", "diagnosis");
        }));
        for column in ["ssn", "diagnosis"] {
            let shown = world.show(&format!("select {column} from patients"));
            assert!(shown.starts_with("42501"), "{shown}");
            assert!(shown.contains("renamed"), "{shown}");
        }
        let sql = world.admit("select * from patients");
        assert!(!sql.contains("diagnosis") && !sql.contains("ssn"), "{sql}");
        // By way of a view over it as well.
        assert!(
            !world
                .show("select * from v_patients")
                .contains("\"diagnosis\"")
        );
    }

    #[test]
    fn a_column_that_took_the_name_of_one_that_went_is_refused() {
        let world = known(changed(|patients| {
            rename(patients, "diagnosis", "gone");
            rename(patients, "ssn", "diagnosis");
        }));
        assert_eq!(
            world.refuse("select diagnosis from patients"),
            "renamed_column"
        );
    }

    #[test]
    fn a_name_that_returns_is_known_again() {
        let mut known = KnownColumns::default();
        let world = World::limited();
        known.learn(&world.effective, &world.snapshot);
        let renamed = changed(|patients| rename(patients, "zip", "plz"));
        known.learn(&renamed.effective, &renamed.snapshot);
        assert!(
            !known
                .strangers(&renamed.effective, &renamed.snapshot)
                .is_empty()
        );
        known.learn(&world.effective, &world.snapshot);
        assert!(
            known
                .strangers(&world.effective, &world.snapshot)
                .is_empty()
        );
    }

    #[test]
    fn a_relation_made_anew_is_another() {
        let world = World::limited();
        let mut known = KnownColumns::default();
        known.learn(&world.effective, &world.snapshot);
        let mut builder = SnapshotBuilder::new(8, 15);
        let mut patients = world.snapshot.find("public", "patients").unwrap().clone();
        patients.oid += 5_000;
        builder.relation(patients);
        let snapshot = builder.build();
        assert!(known.learn(&world.effective, &snapshot));
        assert!(known.strangers(&world.effective, &snapshot).is_empty());
    }

    #[test]
    fn a_classification_is_the_same_whatever_the_profile() {
        let one = World::limited().effective;
        let other = World::new(Profile::SafeHarbor).effective;
        assert_eq!(classification_id(&one), classification_id(&other));
    }
}
