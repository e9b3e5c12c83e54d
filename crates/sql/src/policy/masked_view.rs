//! The views that show, inside PostgreSQL, what a policy releases: one for each user relation.
//!
//! Inline enforcement writes the same SELECT into each statement; both come from [`Masked`]. The
//! policy must be bound with [`KeyAccess::Slot`](phigate_phi::KeyAccess::Slot), so that a view's text
//! holds neither a key nor a grant's date and serves every grant of its policy.

use std::fmt::Write as _;

use phigate_phi::{PolicyId, Transform, Treatment, quote_identifier};

use super::bind::quoted_name;
use super::{Access, BoundPolicy, INNER, Masked};
use crate::snapshot::{Column, Relation, RelationKind, Snapshot};

/// What stands before a policy's short id in the names of its schema and role.
const SCHEMA_PREFIX: &str = "phigate_p_";
/// How many digits of a policy's id its schema's name has.
const SHORT_ID_LEN: usize = 16;
/// Changes when the meaning of a fingerprint does.
const FINGERPRINT_CONTEXT: &str = "phigate masked view 1";

/// What one policy releases of one relation, as a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedView {
    /// The base relation, `pg_class.oid`. The view's name is made of it: see [`MaskedView::name`].
    pub relation: u32,
    /// What `*` of the view shows, in order.
    pub columns: Vec<ReleasedColumn>,
    /// The view's SELECT, complete, without a semicolon. Its owner needs SELECT on what it reads.
    pub sql: String,
    /// The SELECT over the relation's own rows alone (`ONLY`), where it has children: a second view,
    /// [`MaskedView::own_rows_name`].
    pub own_rows_sql: Option<String>,
    /// 64 hex digits: differs whenever the policy, the relation, its columns (number, name, type,
    /// modifier, collation) or the SELECT does.
    pub fingerprint: String,
    /// The view decides which rows are seen and must be `security_barrier`.
    pub barrier: bool,
    /// The relation is a table of which nothing is masked: a writing grant may write through the
    /// view, which is automatically updatable.
    pub writable: bool,
}

/// A column of a [`MaskedView`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedColumn {
    /// `attnum` in the base relation.
    pub attnum: i16,
    /// Its name, there and in the view.
    pub name: String,
    /// Whether it is the base column itself and not a value computed of it.
    pub as_it_is: bool,
    /// What happens to it.
    pub treatment: Treatment,
}

/// The schema that a policy's views are in, and the name of its role: the first digits of its id.
pub fn policy_schema(policy: &PolicyId) -> String {
    let id = policy.as_str();
    format!("{SCHEMA_PREFIX}{}", id.get(..SHORT_ID_LEN).unwrap_or(id))
}

impl BoundPolicy {
    /// The views of this policy in order of relation; none of what it refuses, of PostgreSQL's own
    /// catalogs and of sequences. `snapshot` is the one it was bound to.
    pub fn masked_views(&self, snapshot: &Snapshot) -> Vec<MaskedView> {
        let mut views: Vec<_> = snapshot
            .relations()
            .filter_map(|relation| self.masked_view(relation, snapshot))
            .collect();
        views.sort_unstable_by_key(|view| view.relation);
        views
    }

    /// The view of one relation, if the policy releases anything of it.
    pub(super) fn masked_view(
        &self,
        relation: &Relation,
        snapshot: &Snapshot,
    ) -> Option<MaskedView> {
        if relation.is_catalog() || relation.kind == RelationKind::Sequence {
            return None;
        }
        let access = self.access(relation.oid)?;
        let shown = Shown::of(access, relation)?;
        let has_children = !snapshot.children(relation.oid).is_empty();
        let sql = shown.select(false);
        let own_rows_sql = (has_children && shown.takes_only).then(|| shown.select(true));
        let is_table = matches!(
            relation.kind,
            RelationKind::Table | RelationKind::PartitionedTable
        );
        let fingerprint = self.fingerprint(relation, &shown, &sql, own_rows_sql.as_deref());
        Some(MaskedView {
            relation: relation.oid,
            columns: shown.released(),
            sql,
            own_rows_sql,
            fingerprint,
            barrier: shown.barrier,
            writable: is_table && matches!(access, Access::Open(_)),
        })
    }

    fn fingerprint(
        &self,
        relation: &Relation,
        shown: &Shown<'_>,
        sql: &str,
        own_rows_sql: Option<&str>,
    ) -> String {
        let mut text = String::new();
        let mut part = |part: &str| {
            // INVARIANT: a length before each part, so that none can imitate a separator.
            let _ = writeln!(text, "{}:{part}", part.len());
        };
        part(FINGERPRINT_CONTEXT);
        part(self.policy_id().map_or("", PolicyId::as_str));
        part(&relation.oid.to_string());
        for (column, _) in &shown.columns {
            part(&column.attnum.to_string());
            part(&column.name);
            part(&column.ty.oid.to_string());
            part(&column.ty.typmod.to_string());
            part(column.ty.collation.as_deref().unwrap_or_default());
        }
        part(if shown.barrier { "barrier" } else { "" });
        part(sql);
        part(own_rows_sql.unwrap_or_default());
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}

impl MaskedView {
    /// The view's name in [`policy_schema`]: `r`, and the base relation's oid.
    pub fn name(&self) -> String {
        name_of(self.relation)
    }

    /// The name of the view over the relation's own rows, without its children's.
    pub fn own_rows_name(&self) -> String {
        own_rows_name_of(self.relation)
    }
}

pub(super) fn name_of(relation: u32) -> String {
    format!("r{relation}")
}

pub(super) fn own_rows_name_of(relation: u32) -> String {
    format!("r{relation}_only")
}

fn from(relation: &Relation) -> String {
    format!("{} AS \"{INNER}\"", quoted_name(relation))
}

/// What a view selects, and of what.
struct Shown<'r> {
    from: String,
    takes_only: bool,
    filter: Option<&'r str>,
    barrier: bool,
    columns: Vec<(&'r Column, Released)>,
}

struct Released {
    sql: String,
    as_it_is: bool,
    treatment: Treatment,
}

impl<'r> Shown<'r> {
    fn of(access: &'r Access, relation: &'r Relation) -> Option<Self> {
        match access {
            Access::Refused(_) => None,
            Access::Open(_) => Some(Self {
                from: from(relation),
                takes_only: relation.kind != RelationKind::View,
                filter: None,
                barrier: false,
                columns: relation
                    .columns
                    .iter()
                    .map(|column| (column, Released::as_it_is(column)))
                    .collect(),
            }),
            Access::Masked(masked) => Some(Self {
                from: masked.from.clone(),
                takes_only: masked.takes_only,
                filter: masked.filter.as_deref(),
                barrier: masked.barrier,
                columns: relation
                    .columns
                    .iter()
                    .enumerate()
                    .filter_map(|(index, column)| {
                        Some((column, Released::of(masked, relation, index)?))
                    })
                    .collect(),
            }),
        }
    }

    fn select(&self, only: bool) -> String {
        let mut sql = String::from("SELECT");
        for (index, (column, released)) in self.columns.iter().enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            let name = quote_identifier(&column.name);
            let _ = write!(sql, "{separator}{} AS {name}", released.sql);
        }
        sql.push_str(if only { " FROM ONLY " } else { " FROM " });
        sql.push_str(&self.from);
        if let Some(filter) = self.filter {
            let _ = write!(sql, " WHERE {filter}");
        }
        sql
    }

    fn released(&self) -> Vec<ReleasedColumn> {
        let column = |(column, released): &(&Column, Released)| ReleasedColumn {
            attnum: column.attnum,
            name: column.name.clone(),
            as_it_is: released.as_it_is,
            treatment: released.treatment,
        };
        self.columns.iter().map(column).collect()
    }
}

impl Released {
    fn as_it_is(column: &Column) -> Self {
        Self {
            sql: format!("\"{INNER}\".{}", quote_identifier(&column.name)),
            as_it_is: true,
            treatment: Treatment::Release(Transform::Keep),
        }
    }

    fn of(masked: &Masked, relation: &Relation, index: usize) -> Option<Self> {
        let sql = masked.released.get(index)?.clone()?;
        let treatment = masked.treatments.get(index).copied()?;
        // What stands for a view is its definition, whose columns are other relations'.
        let is_itself = masked.from == from(relation);
        Some(Self {
            sql,
            as_it_is: is_itself && treatment.is_keep(),
            treatment,
        })
    }
}

#[cfg(test)]
mod tests {
    use phigate_phi::Unclassified;
    use phigate_types::Profile;

    use super::*;
    use crate::testing::World;

    fn view(world: &World, table: &str) -> MaskedView {
        let relation = world.snapshot.find("public", table).unwrap().oid;
        let mut views = world.policy.masked_views(&world.snapshot).into_iter();
        views.find(|view| view.relation == relation).unwrap()
    }

    #[test]
    fn a_view_selects_what_is_released_and_nothing_else() {
        let world = World::new(Profile::SafeHarbor).slot();
        let patients = view(&world, "patients");
        let names: Vec<_> = patients
            .columns
            .iter()
            .map(|column| &*column.name)
            .collect();
        assert!(
            names.contains(&"birth_date") && !names.contains(&"nickname"),
            "{names:?}"
        );
        assert!(
            patients.sql.contains("phigate.slot AS s"),
            "{}",
            patients.sql
        );
        assert!(
            !patients.sql.contains("current_setting"),
            "{}",
            patients.sql
        );
        assert!(!patients.sql.contains("2026"), "{}", patients.sql);
        assert!(!patients.writable);
    }

    #[test]
    fn an_open_table_has_a_view_too() {
        let world = World::new(Profile::Identified).slot();
        let wards = view(&world, "wards");
        assert!(wards.writable);
        assert!(wards.columns.iter().all(|column| column.as_it_is));
        assert!(
            wards.sql.ends_with("FROM \"public\".\"wards\" AS \"t\""),
            "{}",
            wards.sql
        );
    }

    #[test]
    fn a_table_with_children_has_one_for_its_own_rows() {
        let world = World::limited().slot();
        let measurements = view(&world, "measurements");
        assert!(measurements.own_rows_sql.unwrap().contains("FROM ONLY"));
        assert_eq!(view(&world, "wards").own_rows_sql, None);
    }

    #[test]
    fn what_is_refused_and_what_is_postgresqls_own_has_none() {
        let world = World::limited().slot();
        for view in world.policy.masked_views(&world.snapshot) {
            let relation = world.snapshot.relation(view.relation).unwrap();
            assert!(!relation.is_catalog());
            assert!(relation.name != "secrets" && relation.kind != RelationKind::Sequence);
        }
    }

    #[test]
    fn a_fingerprint_depends_on_policy_columns_and_text() {
        let (limited, safe) = (
            World::limited().slot(),
            World::new(Profile::SafeHarbor).slot(),
        );
        let of = |world: &World| view(world, "visits").fingerprint;
        assert_ne!(of(&limited), of(&safe));
        assert_eq!(of(&limited), of(&World::limited().slot()));
        let renamed = World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |more| {
            let mut visits = limited.snapshot.find("public", "visits").unwrap().clone();
            visits.columns[1].ty.typmod = 8;
            more.relation(visits);
        });
        assert_ne!(of(&limited), of(&renamed.slot()));
    }
}
