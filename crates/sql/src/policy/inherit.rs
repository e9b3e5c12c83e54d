//! Rules that come of other relations and columns: parents, children, generated columns.

use std::collections::HashMap;

use phigate_phi::{Transform, Treatment};

use crate::snapshot::{Relation, Snapshot};

/// For each relation, for each of its columns, the rule that is written for it.
pub(super) type Rules = HashMap<u32, Vec<Option<Treatment>>>;

/// How deep inheritance is followed; PostgreSQL sets no limit, but nothing real comes near.
const MAX_GENERATIONS: usize = 64;

/// The rules of a relation, made stricter by those of its ancestors, whose rows it holds, and of
/// its descendants, whose rows it shows.
pub(super) fn folded(
    relation: &Relation,
    own: &Rules,
    snapshot: &Snapshot,
) -> Vec<Option<Treatment>> {
    let mut rules = own.get(&relation.oid).cloned().unwrap_or_default();
    rules.resize(relation.columns.len(), None);
    for oid in ancestors(relation, snapshot)
        .into_iter()
        .chain(descendants(relation, snapshot))
    {
        let (Some(kin), Some(kin_rules)) = (snapshot.relation(oid), own.get(&oid)) else {
            continue;
        };
        for (column, rule) in relation.columns.iter().zip(&mut rules) {
            let index = kin
                .columns
                .iter()
                .position(|other| other.name == column.name);
            let kin_rule = index.and_then(|index| kin_rules.get(index).copied().flatten());
            *rule = match (*rule, kin_rule) {
                (Some(one), Some(other)) => Some(stricter(one, other)),
                (one, other) => one.or(other),
            };
        }
    }
    rules
}

/// The stricter of two treatments; where neither contains the other, nothing but NULL is safe.
pub(super) fn stricter(one: Treatment, other: Treatment) -> Treatment {
    if one == other || other.is_keep() {
        one
    } else if one.is_keep() {
        other
    } else if one == Treatment::Block || other == Treatment::Block {
        Treatment::Block
    } else {
        Treatment::Release(Transform::Null)
    }
}

/// The relations whose rows this one holds.
pub(super) fn ancestors(relation: &Relation, snapshot: &Snapshot) -> Vec<u32> {
    reach(&relation.parents, |oid| {
        snapshot.relation(oid).map(|found| found.parents.as_slice())
    })
}

/// The relations whose rows this one shows.
pub(super) fn descendants(relation: &Relation, snapshot: &Snapshot) -> Vec<u32> {
    reach(snapshot.children(relation.oid), |oid| {
        Some(snapshot.children(oid))
    })
}

fn reach<'s>(start: &[u32], next: impl Fn(u32) -> Option<&'s [u32]>) -> Vec<u32> {
    let mut reached: Vec<u32> = Vec::new();
    let mut generation = start.to_vec();
    for _ in 0..MAX_GENERATIONS {
        generation.retain(|oid| !reached.contains(oid));
        if generation.is_empty() {
            break;
        }
        reached.extend(&generation);
        generation = generation
            .iter()
            .filter_map(|oid| next(*oid))
            .flatten()
            .copied()
            .collect();
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_treatments_the_stricter_wins() {
        let release = Treatment::Release;
        let keep = release(Transform::Keep);
        let year = release(Transform::Year);
        assert_eq!(stricter(keep, year), year);
        assert_eq!(stricter(year, keep), year);
        assert_eq!(stricter(year, Treatment::Block), Treatment::Block);
        assert_eq!(
            stricter(year, release(Transform::Zip3)),
            release(Transform::Null)
        );
        assert_eq!(stricter(year, year), year);
    }
}
