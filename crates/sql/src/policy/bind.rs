//! From rules by name to access by oid.

use std::borrow::Cow;
use std::sync::Arc;

use phigate_phi::{
    ColumnName, EffectivePolicy, JsonPaths, KeyAccess, ReleaseContext, Transform, Treatment,
    Unclassified, quote_identifier, release,
};
use phigate_types::Profile;

use super::columns::{Columns, SourceColumn, Visibility};
use super::inherit::{Rules, ancestors, descendants, folded, stricter};
use super::{Access, BoundPolicy, INNER, Masked, Strangers, machinery, scope, views};
use crate::allow;
use crate::ir::Name;
use crate::refusal::{Reason, Refusal};
use crate::snapshot::{Column, Relation, RelationKind, Snapshot};

pub(super) fn bind(
    policy: &EffectivePolicy,
    snapshot: &Snapshot,
    cx: &ReleaseContext,
    strangers: &Strangers,
) -> BoundPolicy {
    let mut bound = BoundPolicy {
        id: Some(policy.id.clone()),
        profile: Some(policy.profile),
        epoch: snapshot.epoch,
        pins: policy.unclassified != Unclassified::Release,
        renamed: strangers.relations(),
        ..BoundPolicy::default()
    };
    let own: Rules = snapshot
        .relations()
        .filter(|relation| !relation.is_catalog())
        .map(|relation| (relation.oid, rules_of(relation, policy, strangers)))
        .collect();
    bound.guards_code = policy.profile != Profile::Identified
        || policy.restricts_rows()
        || own.values().flatten().flatten().any(|rule| !rule.is_keep());
    let mut views = Vec::new();
    for relation in snapshot.relations() {
        if relation.is_catalog() {
            bound
                .access
                .insert(relation.oid, catalog(relation, snapshot));
            continue;
        }
        let mut rules = folded(relation, &own, snapshot);
        if relation.kind == RelationKind::View && rules.iter().all(Option::is_none) {
            views.push(relation);
            continue;
        }
        generated(relation, &mut rules, snapshot);
        if policy.unclassified == Unclassified::Release {
            rows_within(relation, &mut rules, &own, snapshot);
        }
        let access = user(
            relation,
            rules,
            policy,
            snapshot,
            cx,
            strangers,
            bound.guards_code,
        );
        bound.insert(relation, access);
        bound.note_subjects(relation, policy, snapshot);
    }
    views::bind(&mut bound, views, snapshot);
    bound.note_classes(policy, snapshot);
    bound
}

impl BoundPolicy {
    /// Notes a user relation's access, and which of its fields the tripwire watches for.
    pub(super) fn insert(&mut self, relation: &Relation, access: Access) {
        if matches!(&access, Access::Masked(masked) if masked.barrier) {
            self.restricted.insert(relation.oid);
        }
        let watched = relation
            .columns
            .iter()
            .enumerate()
            .filter(|(index, _)| !access.treatment(*index).is_keep())
            .map(|(_, column)| (relation.oid, column.attnum));
        let before = self.fields.len();
        self.fields.extend(watched);
        if self.fields.len() > before {
            self.fields.insert((relation.oid, 0));
        }
        self.access.insert(relation.oid, access);
    }
}

fn rules_of(
    relation: &Relation,
    policy: &EffectivePolicy,
    strangers: &Strangers,
) -> Vec<Option<Treatment>> {
    let rule = |column: &Column| {
        if strangers.has(relation.oid, column.attnum) {
            return Some(Treatment::Block);
        }
        let name = ColumnName {
            schema: relation.schema.clone(),
            table: relation.name.clone(),
            column: column.name.clone(),
        };
        policy.rule(&name).map(|rule| rule.treatment)
    };
    relation.columns.iter().map(rule).collect()
}

/// A generated column is no more public than what it is computed of, unless somebody classified it
/// in its own right; and not even then if a column it is computed of is blocked.
fn generated(relation: &Relation, rules: &mut [Option<Treatment>], snapshot: &Snapshot) {
    for (index, column) in relation.columns.iter().enumerate() {
        let Some(expression) = &column.generated else {
            continue;
        };
        let own = rules.get(index).copied().flatten();
        let inherited = match views::columns_of_expression(relation, expression, snapshot) {
            None => Some(Treatment::Block),
            Some(used) => used
                .into_iter()
                .try_fold(Treatment::Release(Transform::Keep), |strictest, index| {
                    Some(stricter(strictest, rules.get(index).copied().flatten()?))
                }),
        };
        let settled = match (own, inherited) {
            (Some(own), Some(Treatment::Block)) => Some(stricter(own, Treatment::Block)),
            (Some(own), Some(Treatment::Release(_)) | None) => Some(own),
            (None, Some(keep)) if keep.is_keep() => Some(keep),
            (None, Some(Treatment::Block)) => Some(Treatment::Block),
            (None, Some(Treatment::Release(_))) => Some(Treatment::Release(Transform::Null)),
            // Computed of something that nobody classified.
            (None, None) => None,
        };
        if let Some(rule) = rules.get_mut(index) {
            *rule = settled;
        }
    }
}

/// A column that nobody classified, but whose values hold rows of a relation that is masked, is not
/// released for want of a rule.
fn rows_within(
    relation: &Relation,
    rules: &mut [Option<Treatment>],
    own: &Rules,
    snapshot: &Snapshot,
) {
    let is_masked = |oid: &u32| {
        let relation = snapshot.relation(*oid);
        relation.is_some_and(|relation| {
            let rules = folded(relation, own, snapshot);
            rules.into_iter().flatten().any(|rule| !rule.is_keep())
        })
    };
    for (column, rule) in relation.columns.iter().zip(rules) {
        if rule.is_none() && snapshot.rows_within(column.ty.oid).iter().any(is_masked) {
            *rule = Some(Treatment::Release(Transform::Null));
        }
    }
}

fn user(
    relation: &Relation,
    rules: Vec<Option<Treatment>>,
    policy: &EffectivePolicy,
    snapshot: &Snapshot,
    cx: &ReleaseContext,
    strangers: &Strangers,
    guarded: bool,
) -> Access {
    let explicit = matches!(
        relation.kind,
        RelationKind::MaterializedView
            | RelationKind::ForeignTable
            | RelationKind::View
            | RelationKind::Sequence
    );
    let unclassified = if explicit {
        Unclassified::Refuse
    } else {
        policy.unclassified
    };
    if rules.iter().all(Option::is_none) && unclassified == Unclassified::Refuse {
        return Access::Refused(Box::new(unclassified_relation(relation)));
    }
    let filter = match scope::row_condition(relation, policy, snapshot) {
        Ok(Some(_)) if cx.keys == KeyAccess::Settings => {
            return Access::Refused(Box::new(needs_views(relation)));
        }
        Ok(filter) => filter,
        Err(refusal) => return Access::Refused(Box::new(refusal)),
    };
    let cx = cx.with_patient_key(scope::patient_key(relation, policy, snapshot));
    let mut columns = Vec::with_capacity(relation.columns.len());
    let mut released = Vec::with_capacity(relation.columns.len());
    let mut treatments = Vec::with_capacity(relation.columns.len());
    for (column, rule) in relation.columns.iter().zip(rules) {
        let (treatment, visibility) = match (rule, unclassified) {
            (Some(Treatment::Block), _) if strangers.has(relation.oid, column.attnum) => {
                (Treatment::Block, Visibility::Renamed)
            }
            (Some(Treatment::Block), _) => (Treatment::Block, Visibility::Blocked),
            (Some(_), _) | (None, Unclassified::Mask | Unclassified::Release)
                if guarded && snapshot.runs_code(column.ty.oid) =>
            {
                (Treatment::Block, Visibility::RunsCode)
            }
            (Some(Treatment::Release(transform)), _) => {
                (Treatment::Release(transform), Visibility::Visible)
            }
            (None, Unclassified::Refuse) => (Treatment::Block, Visibility::Unclassified),
            (None, Unclassified::Mask) => {
                (Treatment::Release(Transform::Redact), Visibility::Visible)
            }
            (None, Unclassified::Release) => {
                (Treatment::Release(Transform::Keep), Visibility::Visible)
            }
        };
        let by_path = treatment == Treatment::Release(Transform::JsonPaths);
        let of_column = if by_path {
            Cow::Owned(cx.with_json_paths(json_paths(relation, column, policy, snapshot)))
        } else {
            Cow::Borrowed(&cx)
        };
        let (treatment, visibility, sql) = expression(treatment, visibility, column, &of_column);
        columns.push(source_column(column, visibility, snapshot));
        released.push(sql);
        treatments.push(treatment);
    }
    if guarded && let Some(refusal) = row_security(relation, &treatments, snapshot) {
        return Access::Refused(Box::new(refusal));
    }
    let columns = Arc::new(columns.into_iter().collect::<Columns>());
    if filter.is_none() && treatments.iter().all(|treatment| treatment.is_keep()) {
        return Access::Open(columns);
    }
    Access::Masked(Arc::new(Masked {
        from: format!("{} AS \"{INNER}\"", quoted_name(relation)),
        takes_only: relation.kind != RelationKind::View,
        own_rows: None,
        barrier: filter.is_some(),
        filter: filter.map(Cow::Owned),
        columns,
        released,
        treatments,
        catalog: false,
        beneath: Vec::new(),
    }))
}

/// What leaves of a document: what every rule lets out that it comes by, its own and those of the
/// relations whose rows it holds or shows.
fn json_paths(
    relation: &Relation,
    column: &Column,
    policy: &EffectivePolicy,
    snapshot: &Snapshot,
) -> JsonPaths {
    let kin = ancestors(relation, snapshot)
        .into_iter()
        .chain(descendants(relation, snapshot));
    let relations = kin.filter_map(|oid| snapshot.relation(oid));
    let rules = std::iter::once(relation)
        .chain(relations)
        .filter_map(|kin| policy.rule(&ColumnName::new(&kin.schema, &kin.name, &column.name)));
    let by_path = rules.filter(|rule| rule.treatment == Treatment::Release(Transform::JsonPaths));
    let paths = by_path.map(|rule| rule.json_paths.clone());
    paths
        .reduce(|one, other| one.and(&other))
        .unwrap_or_default()
}

/// Row security that decides by anything but what is released as it is: which rows are there would tell
/// of what is masked, and code in it may read anything.
fn row_security(
    relation: &Relation,
    treatments: &[Treatment],
    snapshot: &Snapshot,
) -> Option<Refusal> {
    let facts = snapshot.write_facts(relation.oid)?;
    let is_kept = |index: usize| treatments.get(index).is_some_and(|rule| rule.is_keep());
    let decides_alike = |policy: &String| {
        let columns = views::columns_of_expression(relation, policy, snapshot);
        columns.is_some_and(|columns| columns.into_iter().all(is_kept))
    };
    if !facts.row_security || facts.row_policies.iter().all(decides_alike) {
        return None;
    }
    let full = format!("{}.{}", relation.schema, relation.name);
    Some(
        Refusal::new(
            Reason::OwnCode,
            format!("row security of relation {full} decides by what the grant masks"),
        )
        .with_detail(
            "a policy of its reads masked columns, or other relations, or runs code of the database's own",
        )
        .with_hint("ask an administrator for row rules of the gateway's instead"),
    )
}

/// The expression that stands for a column. A transform that its type cannot take releases
/// nothing, and a type that cannot even be NULL is not there.
fn expression(
    treatment: Treatment,
    visibility: Visibility,
    column: &Column,
    cx: &ReleaseContext,
) -> (Treatment, Visibility, Option<String>) {
    let Treatment::Release(transform) = treatment else {
        return (treatment, visibility, None);
    };
    let sql = format!("\"{INNER}\".{}", quote_identifier(&column.name));
    for transform in [transform, Transform::Null] {
        if let Ok(sql) = release(transform, &sql, &column.ty, cx) {
            return (Treatment::Release(transform), visibility, Some(sql));
        }
    }
    (Treatment::Block, Visibility::Blocked, None)
}

/// One of PostgreSQL's own relations: what the allow-list says.
fn catalog(relation: &Relation, snapshot: &Snapshot) -> Access {
    let Some(allowed) = allow::catalog_relation(&relation.schema, &relation.name) else {
        let full = format!("{}.{}", relation.schema, relation.name);
        let refusal = Refusal::new(
            Reason::CatalogRelation,
            format!("relation {full} is not available through the gateway"),
        );
        let why = allow::catalog_relation_denied(&relation.schema, &relation.name);
        return Access::Refused(Box::new(match why {
            Some(why) if !why.is_empty() => refusal.with_detail(why),
            Some(_) | None => refusal,
        }));
    };
    let source = |column: &Column| source_column(column, Visibility::Visible, snapshot);
    let columns = Arc::new(relation.columns.iter().map(source).collect::<Columns>());
    let filter = match (allowed.filter, machinery::hiding(relation, snapshot)) {
        (Some(filter), Some(hiding)) => Some(Cow::Owned(format!("({filter}) AND {hiding}"))),
        (filter, hiding) => filter.map(Cow::Borrowed).or(hiding.map(Cow::Owned)),
    };
    if !allowed.hides_any() && filter.is_none() {
        return Access::Open(columns);
    }
    let hidden = |column: &Column| allowed.hides(&column.name);
    let released = relation.columns.iter().map(|column| {
        let name = quote_identifier(&column.name);
        Some(if hidden(column) {
            format!("CAST(NULL AS {})", column.ty.name)
        } else {
            format!("\"{INNER}\".{name}")
        })
    });
    let treatment = |column: &Column| {
        Treatment::Release(if hidden(column) {
            Transform::Null
        } else {
            Transform::Keep
        })
    };
    Access::Masked(Arc::new(Masked {
        from: format!("{} AS \"{INNER}\"", quoted_name(relation)),
        takes_only: false,
        own_rows: None,
        filter,
        // What is computed of the rows of others would show in errors.
        barrier: allowed.filter.is_some(),
        columns,
        released: released.collect(),
        treatments: relation.columns.iter().map(treatment).collect(),
        catalog: true,
        beneath: Vec::new(),
    }))
}

/// Without a barrier in PostgreSQL, what a statement computes of a row that is out of scope shows in its
/// errors.
fn needs_views(relation: &Relation) -> Refusal {
    Refusal::new(
        Reason::RowScope,
        format!(
            "the grant shows some rows of relation {}.{} only",
            relation.schema, relation.name
        ),
    )
    .with_hint("ask an administrator to serve the database with enforcement = \"views\"")
}

fn unclassified_relation(relation: &Relation) -> Refusal {
    let full = format!("{}.{}", relation.schema, relation.name);
    let what = match relation.kind {
        RelationKind::MaterializedView => "materialized view",
        RelationKind::ForeignTable => "foreign table",
        RelationKind::View => "view",
        RelationKind::Table | RelationKind::PartitionedTable | RelationKind::Sequence => "relation",
    };
    Refusal::new(
        Reason::UnclassifiedRelation,
        format!("{what} {full} is not classified"),
    )
    .with_hint(format!(
        "ask an administrator to classify the columns of {full} in the database's catalog file"
    ))
}

pub(super) fn source_column(
    column: &Column,
    visibility: Visibility,
    snapshot: &Snapshot,
) -> SourceColumn {
    let row = snapshot
        .composite(column.ty.oid)
        .map(|names| names.iter().map(|name| Name::from(name.as_str())).collect());
    SourceColumn {
        name: column.name.as_str().into(),
        visibility,
        row,
        known: true,
    }
}

pub(super) fn quoted_name(relation: &Relation) -> String {
    format!(
        "{}.{}",
        quote_identifier(&relation.schema),
        quote_identifier(&relation.name)
    )
}
