//! Views mode: in FROM stands the masked view that hardening made, and statements name no base
//! relation. Everything else that a policy means stays as it is.

use std::collections::HashMap;
use std::sync::Arc;

use phigate_phi::quote_identifier;

use super::masked_view::{name_of, own_rows_name_of, policy_schema};
use super::{Access, BoundPolicy, INNER, Masked, MaskedView, RENAMED, RENAMED_HINT, views};
use crate::refusal::{Reason, Refusal};
use crate::snapshot::{HardenedView, INFORMATION_SCHEMA, Relation, RelationKind, Snapshot};

/// The role that owns masked views: it may do with base relations what sessions may through views,
/// so it stands for the session where PostgreSQL is asked about privileges.
pub(crate) const DEFINER: &str = "phigate_definer";

/// How a policy is bound in views mode.
#[derive(Debug, Clone, Copy)]
pub struct Through<'a> {
    /// The database as clients and `phictl` name it: for hints.
    pub database: &'a str,
    /// What CURRENT_USER and its kin answer: the role that sessions have in the inline mode.
    pub user: &'a str,
}

/// What PostgreSQL calls a result field, and what the client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Nothing of it has to change.
    AsItIs,
    /// It is this column of a base relation, by `pg_class.oid` and `attnum`.
    Base(u32, i16),
    /// It is no column of a base relation: 0 and 0.
    Computed,
    /// It must never be seen: the tripwire.
    Masked,
}

/// The masked views in the place of relations.
#[derive(Debug, Default)]
pub(super) struct Views {
    user: String,
    /// By the base relation's oid.
    names: HashMap<u32, Names>,
    /// By the view's oid: for each of its columns the base column, where it is that column.
    fields: HashMap<u32, (u32, Vec<Option<i16>>)>,
}

#[derive(Debug)]
struct Names {
    rows: String,
    own_rows: Option<String>,
}

impl BoundPolicy {
    /// The same policy, bound with [`KeyAccess::Slot`](phigate_phi::KeyAccess::Slot), with masked
    /// views in the place of relations. A relation whose view is not what it would be made now is
    /// refused, with the command that makes it again. `snapshot` is the one it was bound to.
    #[must_use]
    pub fn through_views(mut self, snapshot: &Snapshot, through: &Through<'_>) -> Self {
        let mut found = Views {
            user: through.user.to_owned(),
            ..Views::default()
        };
        let mut access = HashMap::with_capacity(self.access.len());
        for relation in snapshot.relations().filter(|found| !found.is_catalog()) {
            let Some(view) = self.masked_view(relation, snapshot) else {
                continue;
            };
            if self.renamed.contains(&relation.oid) {
                access.insert(relation.oid, renamed(relation));
                continue;
            }
            let hardened = self
                .policy_id()
                .and_then(|policy| snapshot.hardened(policy, relation.oid));
            let now = match hardened {
                Some(hardened) if hardened.fingerprint == view.fingerprint => {
                    found.add(&self, relation, &view, hardened);
                    self.access(relation.oid).and_then(|access| {
                        let Access::Masked(masked) = access else {
                            return None;
                        };
                        let names = found.names.get(&relation.oid)?;
                        Some(Access::Masked(Arc::new(
                            masked.through(relation, &view, names),
                        )))
                    })
                }
                Some(_) => Some(changed(relation, through)),
                None => Some(not_hardened(relation, through)),
            };
            access.extend(now.map(|now| (relation.oid, now)));
        }
        self.access.extend(access);
        self.through = Some(found);
        self.information_schema(snapshot);
        self
    }

    /// Whether masked views stand in the place of relations.
    pub fn is_through_views(&self) -> bool {
        self.through.is_some()
    }

    /// What a result field that PostgreSQL describes as this column is to the client. Column 0 is a
    /// whole row.
    pub fn field(&self, table_oid: u32, attnum: i16) -> Field {
        if table_oid == 0 {
            return Field::AsItIs;
        }
        if self.is_masked_field(table_oid, attnum) || self.restricted.contains(&table_oid) {
            return Field::Masked;
        }
        let Some((base, columns)) = self
            .through
            .as_ref()
            .and_then(|views| views.fields.get(&table_oid))
        else {
            return Field::AsItIs;
        };
        let index = usize::try_from(attnum).ok().and_then(|n| n.checked_sub(1));
        match index
            .and_then(|index| columns.get(index))
            .copied()
            .flatten()
        {
            Some(column) if self.is_masked_field(*base, column) => Field::Masked,
            Some(column) => Field::Base(*base, column),
            None => Field::Computed,
        }
    }

    /// What stands after FROM, or as a target, in the place of a relation that is open: a view,
    /// quoted. `None` where the relation stands there itself.
    pub(crate) fn view_of(&self, relation: u32, only: bool) -> Option<&str> {
        let names = self.through.as_ref()?.names.get(&relation)?;
        match &names.own_rows {
            Some(own_rows) if only => Some(own_rows),
            Some(_) | None => Some(&names.rows),
        }
    }

    /// What CURRENT_USER answers, where it is not PostgreSQL's own answer.
    pub(crate) fn shown_user(&self) -> Option<&str> {
        self.through.as_ref().map(|views| views.user.as_str())
    }

    /// The standard's views show what the session's role has privileges on, which is no base
    /// relation. So they are read by their definitions, in which calls about privileges ask for
    /// [`DEFINER`]. One that cannot be read so is refused.
    fn information_schema(&mut self, snapshot: &Snapshot) {
        let of_standard = |relation: &&Relation| {
            relation.schema == INFORMATION_SCHEMA
                && relation.kind == RelationKind::View
                && !matches!(self.access(relation.oid), Some(Access::Refused(_)) | None)
        };
        let standard: Vec<_> = snapshot.relations().filter(of_standard).collect();
        for relation in &standard {
            self.access.remove(&relation.oid);
        }
        views::bind_standard(self, standard, snapshot);
    }
}

impl Views {
    fn add(
        &mut self,
        policy: &BoundPolicy,
        relation: &Relation,
        view: &MaskedView,
        hardened: &HardenedView,
    ) {
        let schema = policy.policy_id().map(policy_schema).unwrap_or_default();
        let quoted =
            |name: &str| format!("{}.{}", quote_identifier(&schema), quote_identifier(name));
        let own_rows = hardened.own_rows.filter(|_| view.own_rows_sql.is_some());
        self.names.insert(
            relation.oid,
            Names {
                rows: quoted(&name_of(relation.oid)),
                own_rows: view
                    .own_rows_sql
                    .is_some()
                    .then(|| quoted(&own_rows_name_of(relation.oid))),
            },
        );
        let columns: Vec<_> = view
            .columns
            .iter()
            .map(|column| column.as_it_is.then_some(column.attnum))
            .collect();
        for oid in own_rows.into_iter().chain([hardened.view]) {
            self.fields.insert(oid, (relation.oid, columns.clone()));
        }
    }
}

impl Masked {
    /// With plain columns of the view in the place of expressions.
    fn through(&self, relation: &Relation, view: &MaskedView, names: &Names) -> Self {
        let released = relation.columns.iter().map(|column| {
            let is_there = view
                .columns
                .iter()
                .any(|shown| shown.attnum == column.attnum);
            is_there.then(|| format!("\"{INNER}\".{}", quote_identifier(&column.name)))
        });
        Self {
            from: format!("{} AS \"{INNER}\"", names.rows),
            own_rows: names
                .own_rows
                .as_ref()
                .map(|name| format!("{name} AS \"{INNER}\"")),
            takes_only: false,
            filter: None,
            barrier: false,
            columns: Arc::clone(&self.columns),
            released: released.collect(),
            treatments: self.treatments.clone(),
            catalog: self.catalog,
            beneath: self.beneath.clone(),
        }
    }
}

fn changed(relation: &Relation, through: &Through<'_>) -> Access {
    let message = format!(
        "relation {}.{} has changed since it was hardened",
        relation.schema, relation.name
    );
    refused(message, relation, through)
}

fn renamed(relation: &Relation) -> Access {
    let message = format!(
        "columns of relation {}.{} were renamed since they were classified",
        relation.schema, relation.name
    );
    Access::Refused(Box::new(
        Refusal::new(Reason::RenamedColumn, message)
            .with_detail(RENAMED)
            .with_hint(RENAMED_HINT),
    ))
}

fn not_hardened(relation: &Relation, through: &Through<'_>) -> Access {
    let message = format!(
        "relation {}.{} was not there when the database was hardened",
        relation.schema, relation.name
    );
    refused(message, relation, through)
}

fn refused(message: String, relation: &Relation, through: &Through<'_>) -> Access {
    let hint = format!(
        "ask an administrator to run: phictl database harden {} --table {}.{}",
        through.database, relation.schema, relation.name
    );
    Access::Refused(Box::new(
        Refusal::new(Reason::NotHardened, message).with_hint(hint),
    ))
}
