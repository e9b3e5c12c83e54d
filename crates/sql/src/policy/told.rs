//! What people are told of a policy: one line, or each column that does not leave as it is.

use std::collections::BTreeMap;

use phigate_phi::{ColumnName, EffectivePolicy, IdentifierClass, Treatment};
use phigate_types::Profile;

use super::{Access, BoundPolicy};
use crate::Snapshot;
use crate::snapshot::Relation;

/// A column that does not leave as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldColumn<'s> {
    /// The relation.
    pub relation: &'s Relation,
    /// `attname`.
    pub column: &'s str,
    /// What happens to it.
    pub treatment: Treatment,
    /// What it holds; `None` where it has no classification of its own: inherited, computed or not
    /// classified.
    pub identifier: Option<IdentifierClass>,
}

impl BoundPolicy {
    /// One line for `SHOW phigate.masking`: the profile, how many columns are masked in which way,
    /// how many are not released at all.
    pub fn describe(&self) -> String {
        let mut masked: BTreeMap<&'static str, usize> = BTreeMap::new();
        let mut blocked = 0_usize;
        for access in self.access.values() {
            let Access::Masked(found) = access else {
                continue;
            };
            for treatment in found.treatments.iter().filter(|_| !found.catalog) {
                match treatment {
                    Treatment::Block => blocked += 1,
                    keep if keep.is_keep() => {}
                    Treatment::Release(transform) => {
                        *masked.entry(transform.as_str()).or_default() += 1;
                    }
                }
            }
        }
        let profile = self.profile.map_or("none", Profile::as_str);
        let total: usize = masked.values().sum();
        let ways: Vec<_> = masked
            .iter()
            .map(|(transform, count)| format!("{transform} {count}"))
            .collect();
        let ways = match ways.as_slice() {
            [] => String::new(),
            ways => format!(" ({})", ways.join(", ")),
        };
        format!("{profile}: {total} columns masked{ways}, {blocked} not released")
    }

    /// The columns of user relations that do not leave as they are, by schema, relation and
    /// position; at most `most` of them. A relation that is refused as a whole is not among them.
    pub fn told_columns<'s>(&self, snapshot: &'s Snapshot, most: usize) -> Vec<ToldColumn<'s>> {
        let masked = self.access.iter().filter_map(|(oid, access)| match access {
            Access::Masked(masked) if masked.is_protected() => {
                Some((snapshot.relation(*oid)?, access))
            }
            Access::Masked(_) | Access::Open(_) | Access::Refused(_) => None,
        });
        let mut relations: Vec<_> = masked.collect();
        relations.sort_by(|(a, _), (b, _)| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
        let columns = relations.into_iter().flat_map(|(relation, access)| {
            let columns = relation.columns.iter().enumerate();
            columns.filter_map(move |(index, column)| {
                let treatment = access.treatment(index);
                (!treatment.is_keep()).then_some(ToldColumn {
                    relation,
                    column: &column.name,
                    treatment,
                    identifier: self.classes.get(&(relation.oid, column.attnum)).copied(),
                })
            })
        });
        columns.take(most).collect()
    }

    /// Notes what each classified column holds.
    pub(super) fn note_classes(&mut self, policy: &EffectivePolicy, snapshot: &Snapshot) {
        for relation in snapshot.relations().filter(|found| !found.is_catalog()) {
            let mut name = ColumnName {
                schema: relation.schema.clone(),
                table: relation.name.clone(),
                column: String::new(),
            };
            for column in &relation.columns {
                name.column.clone_from(&column.name);
                if let Some(rule) = policy.rule(&name).filter(|rule| !rule.treatment.is_keep()) {
                    self.classes
                        .insert((relation.oid, column.attnum), rule.identifier);
                }
            }
        }
    }
}
