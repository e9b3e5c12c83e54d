//! Which rows of a relation a grant shows: the cohort by the key path, and sensitive rows by their
//! predicates, as one condition over the relation's own columns.
//!
//! INVARIANT: a row of which it cannot be told whose it is counts as out of scope.

use std::fmt::Write as _;

use phigate_phi::{
    Alternative, Bearer, Chain, EffectivePolicy, KeyPath, PatientKey, Reference, Route,
    Sensitivity, Step, TypeKind, Unclassified, quote_identifier,
};

use super::INNER;
use super::inherit::{ancestors, descendants};
use super::predicate::predicate;
use crate::refusal::{Reason, Refusal, Result};
use crate::snapshot::{Column, Relation, Snapshot};

/// What is assigned to the session's login (`phigate.slot`, made by `phictl database harden`): the same
/// for every row, so that a plan reads it once.
const ASSIGNMENT: &str = "(SELECT ks.assignment FROM phigate.slot AS ks \
     WHERE (ks.login OPERATOR(pg_catalog.=) SESSION_USER))";

/// By what the table of a rule about patients is visible, and the number of the first table on its own way
/// to them: names that the row that is judged does not use.
const SENSITIVE: &str = "s";
const SENSITIVE_DEPTH: usize = 101;

/// The condition that a row of `relation` must meet, over the columns of `"t"`; `None` when every row may
/// be seen. It reads base relations and the machinery of enforcement views: only a masked view, behind
/// a barrier, may hold it.
///
/// # Errors
/// When rows are restricted and it cannot be told whose they are: the relation is refused.
pub fn row_condition(
    relation: &Relation,
    policy: &EffectivePolicy,
    snapshot: &Snapshot,
) -> Result<Option<String>> {
    if !policy.restricts_rows() {
        return Ok(None);
    }
    let scope = Scope::of(relation, policy, snapshot);
    scope.no_child_differs()?;
    let mut conditions = Vec::new();
    for rule in scope.rules(Bearer::Row) {
        let sensitive = scope.condition(&rule.predicate, INNER)?;
        conditions.push(format!("({sensitive} IS NOT TRUE)"));
    }
    let of_patients: Vec<_> = policy
        .rows
        .withheld
        .iter()
        .filter(|rule| rule.bearer == Bearer::Patient)
        .collect();
    if (policy.rows.scoped || !of_patients.is_empty()) && scope.is_about_patients() {
        let path = scope.path().ok_or_else(|| no_path(relation))?;
        if !path.is_nobody() {
            if policy.rows.scoped {
                conditions.push(scope.every(&path, listed)?);
            }
            for rule in of_patients {
                let sensitive = scope.patients_of(rule)?;
                conditions.push(scope.every(&path, |key, kind| sensitive.excludes(key, kind))?);
            }
        }
    }
    if conditions.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!("({})", conditions.join(" AND "))))
}

/// What names the patient in a row of `relation`, over the columns of `"t"`: what a date shift is keyed
/// by. Where the path goes through other tables, a subselect, which is NULL when it leads to nobody and
/// the least key when it leads to several. Where a reference has several meanings, the key of the one
/// that counts. `None` where a row has several references: no one patient moves its dates.
pub(super) fn patient_key(
    relation: &Relation,
    policy: &EffectivePolicy,
    snapshot: &Snapshot,
) -> Option<PatientKey> {
    let scope = Scope::of(relation, policy, snapshot);
    let path = scope.path()?;
    if let Some(chain) = path.chain() {
        let (sql, kind) = scope.key(chain)?;
        let or_nobody = false;
        return Some(PatientKey {
            sql,
            kind,
            or_nobody,
        });
    }
    let [reference] = path.references() else {
        return None;
    };
    let (mut cases, mut otherwise, mut named) = (String::from("CASE"), "NULL".to_owned(), None);
    for Alternative { when, route } in reference.alternatives() {
        let key = match route {
            Route::Nobody => "NULL".to_owned(),
            Route::Patient(chain) => {
                let (sql, kind) = scope.key(chain)?;
                if named.is_some_and(|named| !same_family(named, kind)) {
                    return None;
                }
                named = Some(kind);
                as_of_family(sql, kind)
            }
        };
        match when {
            Some(when) => {
                let when = scope.condition(when, INNER).ok()?;
                let _ = write!(cases, " WHEN {when} THEN {key}");
            }
            None => otherwise = key,
        }
    }
    Some(PatientKey {
        sql: format!("({cases} ELSE {otherwise} END)"),
        kind: named.map(family)?,
        or_nobody: true,
    })
}

/// One relation under one policy.
pub(super) struct Scope<'a> {
    relation: &'a Relation,
    policy: &'a EffectivePolicy,
    snapshot: &'a Snapshot,
    /// The relation and those whose rows it holds, itself first.
    holders: Vec<&'a Relation>,
}

impl<'a> Scope<'a> {
    pub(super) fn of(
        relation: &'a Relation,
        policy: &'a EffectivePolicy,
        snapshot: &'a Snapshot,
    ) -> Self {
        let above = ancestors(relation, snapshot).into_iter();
        let mut holders = vec![relation];
        holders.extend(above.filter_map(|oid| snapshot.relation(oid)));
        Self {
            relation,
            policy,
            snapshot,
            holders,
        }
    }

    /// The key that a chain from the relation leads to, as SQL.
    fn key(&self, chain: &Chain) -> Option<(String, TypeKind)> {
        let first = self.relation.column(&chain.column)?;
        let mut sql = format!("\"{INNER}\".{}", quote_identifier(&first.name));
        let mut before = first;
        for (index, step) in chain.steps.iter().enumerate() {
            let (table, key, next) = self.step(step, before).ok()?;
            let alias = format!("k{}", index + 1);
            let [key_name, column] = [&key.name, &next.name].map(|name| quote_identifier(name));
            sql = format!(
                "(SELECT {alias}.{column} FROM {table} AS {alias} WHERE {} ORDER BY 1 LIMIT 1)",
                equal(&format!("{alias}.{key_name}"), key, &sql),
                table = super::bind::quoted_name(table),
            );
            before = next;
        }
        Some((sql, before.ty.kind))
    }

    /// The declared path, or that of an ancestor.
    pub(super) fn path(&self) -> Option<KeyPath> {
        self.holders.iter().find_map(|holder| {
            let path = self.policy.key_path(&holder.schema, &holder.name)?;
            Some(path.into_owned())
        })
    }

    /// Whether it holds anything about patients, as far as anybody said: what nobody classified may.
    pub(super) fn is_about_patients(&self) -> bool {
        let below = descendants(self.relation, self.snapshot).into_iter();
        let below = below.filter_map(|oid| self.snapshot.relation(oid));
        let about = |kin: &Relation| self.policy.is_about_patients(&kin.schema, &kin.name);
        let unknown = self.policy.unclassified == Unclassified::Release
            && self.relation.columns.iter().any(|column| {
                !self.holders.iter().any(|holder| {
                    let name =
                        phigate_phi::ColumnName::new(&holder.schema, &holder.name, &column.name);
                    self.policy.rule(&name).is_some()
                })
            });
        unknown || self.holders.iter().copied().chain(below).any(about)
    }

    /// The sensitivities of this bearer that the relation's rows may have.
    fn rules(&self, bearer: Bearer) -> impl Iterator<Item = &'a Sensitivity> {
        let withheld = self.policy.rows.withheld.iter();
        withheld.filter(move |rule| {
            let named =
                |kin: &&Relation| kin.schema == rule.table.schema && kin.name == rule.table.table;
            rule.bearer == bearer && self.holders.iter().any(named)
        })
    }

    /// A parent shows its children's rows, but not the columns that are theirs alone: where a child
    /// has row rules of its own, the parent cannot hold them.
    fn no_child_differs(&self) -> Result<()> {
        let below = descendants(self.relation, self.snapshot).into_iter();
        for child in below.filter_map(|oid| self.snapshot.relation(oid)) {
            let rows = &self.policy.rows;
            let is_child = |table: &phigate_phi::TableName| {
                table.schema == child.schema && table.table == child.name
            };
            let differs = rows
                .paths
                .iter()
                .any(|(table, path)| is_child(table) && self.path().as_ref() != Some(path))
                || rows.withheld.iter().any(|rule| is_child(&rule.table));
            if differs {
                return Err(Refusal::new(
                    Reason::RowRule,
                    format!(
                        "relation {} shows rows of {}, which has row rules of its own",
                        full_name(self.relation),
                        full_name(child)
                    ),
                )
                .with_hint(format!("query {} by itself", full_name(child))));
            }
        }
        Ok(())
    }

    /// A condition of the rules over this relation's columns.
    fn condition(&self, text: &str, alias: &str) -> Result<String> {
        predicate(text, self.relation, alias, self.snapshot).map_err(|cause| {
            Refusal::new(
                Reason::RowRule,
                format!("a row rule of relation {} cannot be used", full_name(self.relation)),
            )
            .with_detail(format!("its condition is refused: {}", cause.message()))
            .with_hint("ask an administrator to correct the database's row rules; phigate check names them")
        })
    }

    /// That every reference leads to a patient of whom `holds` is true.
    fn every(
        &self,
        path: &KeyPath,
        holds: impl Fn(&str, &Column) -> Result<String>,
    ) -> Result<String> {
        let each = path
            .references()
            .iter()
            .map(|reference| self.reference(reference, &holds))
            .collect::<Result<Vec<_>>>()?;
        Ok(each.join(" AND "))
    }

    fn reference(
        &self,
        reference: &Reference,
        holds: &impl Fn(&str, &Column) -> Result<String>,
    ) -> Result<String> {
        if let [Alternative { when: None, route }] = reference.alternatives() {
            return self.route(route, holds);
        }
        let mut cases = String::from("(CASE");
        let mut otherwise = "FALSE".to_owned();
        for Alternative { when, route } in reference.alternatives() {
            let holds = self.route(route, holds)?;
            match when {
                Some(when) => {
                    let when = self.condition(when, INNER)?;
                    let _ = write!(cases, " WHEN {when} THEN {holds}");
                }
                None => otherwise = holds,
            }
        }
        Ok(format!("{cases} ELSE {otherwise} END)"))
    }

    fn route(
        &self,
        route: &Route,
        holds: &impl Fn(&str, &Column) -> Result<String>,
    ) -> Result<String> {
        match route {
            Route::Nobody => Ok("TRUE".to_owned()),
            Route::Patient(chain) => self.chain(chain, self.relation, (INNER, 1), holds),
        }
    }

    /// That a chain from a row of `start`, visible as `alias`, by tables numbered from `depth`, leads to a key of which `holds` is true.
    fn chain(
        &self,
        chain: &Chain,
        start: &Relation,
        (alias, depth): (&str, usize),
        holds: &impl Fn(&str, &Column) -> Result<String>,
    ) -> Result<String> {
        let first = start
            .column(&chain.column)
            .ok_or_else(|| unknown(start, &chain.column))?;
        let from = format!("\"{alias}\".{}", quote_identifier(&first.name));
        self.steps(&chain.steps, &from, first, depth, holds)
    }

    fn steps(
        &self,
        steps: &[Step],
        from: &str,
        column: &Column,
        depth: usize,
        holds: &impl Fn(&str, &Column) -> Result<String>,
    ) -> Result<String> {
        let Some((step, rest)) = steps.split_first() else {
            return holds(from, column);
        };
        let (table, key, next) = self.step(step, column)?;
        let alias = format!("k{depth}");
        let [key_name, next_name] = [&key.name, &next.name].map(|name| quote_identifier(name));
        let joined = equal(&format!("{alias}.{key_name}"), key, from);
        let further = format!("{alias}.{next_name}");
        let holds = self.steps(rest, &further, next, depth + 1, holds)?;
        Ok(format!(
            "EXISTS (SELECT FROM {} AS {alias} WHERE {joined} AND {holds})",
            super::bind::quoted_name(table)
        ))
    }

    /// The table of a step, its key and its column; the key must be comparable to the column before.
    fn step(&self, step: &Step, before: &Column) -> Result<(&'a Relation, &'a Column, &'a Column)> {
        let table = self
            .snapshot
            .find(&step.schema, &step.table)
            .filter(|table| !table.is_catalog())
            .ok_or_else(|| {
                Refusal::new(
                    Reason::RowRule,
                    format!(
                        "the key path of relation {} goes through {}.{}, which does not exist",
                        full_name(self.relation),
                        step.schema,
                        step.table
                    ),
                )
            })?;
        let column = |name: &str| table.column(name).ok_or_else(|| unknown(table, name));
        let (key, next) = (column(&step.key)?, column(&step.column)?);
        if !comparable(before, key) {
            return Err(Refusal::new(
                Reason::RowRule,
                format!(
                    "the key path of relation {} compares columns of types {} and {}",
                    full_name(self.relation),
                    before.ty.name,
                    key.ty.name
                ),
            ));
        }
        Ok((table, key, next))
    }

    /// The patients that a rule finds in its own table.
    fn patients_of(&self, rule: &Sensitivity) -> Result<SensitivePatients> {
        let table = self
            .snapshot
            .find(&rule.table.schema, &rule.table.table)
            .ok_or_else(|| {
                Refusal::new(
                    Reason::RowRule,
                    format!(
                        "the row rule of relation {} names a relation that does not exist",
                        rule.table
                    ),
                )
            })?;
        let own = Scope::of(table, self.policy, self.snapshot);
        let path = own.path().ok_or_else(|| no_path(table))?;
        let chain = path.chain().ok_or_else(|| {
            Refusal::new(
                Reason::RowRule,
                format!(
                    "relation {} declares sensitive patients, but no single path to them",
                    full_name(table)
                ),
            )
        })?;
        let condition = own.condition(&rule.predicate, SENSITIVE)?;
        // The outer key stands for itself until it is known.
        let leads = own.chain(
            chain,
            table,
            (SENSITIVE, SENSITIVE_DEPTH),
            &|key, column| Ok(equal(key, column, SensitivePatients::KEY)),
        )?;
        let kind = own.kind(chain, table)?;
        Ok(SensitivePatients {
            sql: format!(
                "EXISTS (SELECT FROM {} AS \"{SENSITIVE}\" WHERE {condition} AND {leads})",
                super::bind::quoted_name(table)
            ),
            kind,
            table: full_name(table),
        })
    }

    fn kind(&self, chain: &Chain, start: &Relation) -> Result<TypeKind> {
        let mut kind = start
            .column(&chain.column)
            .map(|column| column.ty.kind)
            .ok_or_else(|| unknown(start, &chain.column))?;
        if let Some(last) = chain.steps.last() {
            let table = self.snapshot.find(&last.schema, &last.table);
            kind = table
                .and_then(|table| table.column(&last.column))
                .map(|column| column.ty.kind)
                .ok_or_else(|| unknown(start, &last.column))?;
        }
        Ok(kind)
    }
}

/// The patients of a sensitivity, as a condition over [`Self::KEY`].
struct SensitivePatients {
    sql: String,
    kind: TypeKind,
    table: String,
}

impl SensitivePatients {
    /// Stands for the key of the row that is judged. No identifier: it cannot be in a quoted name.
    const KEY: &'static str = "\u{0}key\u{0}";

    /// That the patient is known and is none of them. INVARIANT: the aliases inside differ from all
    /// that a key can be visible by.
    fn excludes(&self, key: &str, column: &Column) -> Result<String> {
        if !same_family(self.kind, column.ty.kind) {
            return Err(Refusal::new(
                Reason::RowRule,
                format!(
                    "patients are named by other types here and in relation {}",
                    self.table
                ),
            ));
        }
        let sql = self.sql.replace(Self::KEY, key);
        Ok(format!("({key} IS NOT NULL AND NOT {sql})"))
    }
}

/// That a key is one of the patients assigned to the session. INVARIANT: one comparison of two columns,
/// where the key's type allows it: of two, PostgreSQL multiplies the selectivities, takes almost no row for
/// in scope, and joins what there is by scanning all of it again for each of the others.
fn listed(key: &str, column: &Column) -> Result<String> {
    let same = match column.ty.kind {
        kind if kind.is_integer() => equal_to("kp.whole_number", key),
        TypeKind::Uuid => equal_to("kp.uuid", key),
        kind if kind.is_text() => same_text(key),
        // Numbers that are equal may be written in several ways.
        TypeKind::Numeric => format!("{} AND {}", same_text(key), equal_to(NUMERIC, key)),
        _ => {
            return Err(Refusal::new(
                Reason::RowRule,
                format!("a column of type {} names no patient", column.ty.name),
            ));
        }
    };
    Ok(format!(
        "EXISTS (SELECT FROM phigate.patient AS kp \
         WHERE (kp.assignment OPERATOR(pg_catalog.=) {ASSIGNMENT}) AND {same})"
    ))
}

/// A listed patient as a number, so that an index over the key finds a short list.
const NUMERIC: &str = "CAST(CASE WHEN ((kp.patient COLLATE pg_catalog.\"C\") \
     OPERATOR(pg_catalog.~) '^-?[0-9]{1,100}([.][0-9]{1,100})?$') \
     THEN kp.patient ELSE NULL END AS pg_catalog.numeric)";

fn equal_to(listed: &str, key: &str) -> String {
    format!("({key} OPERATOR(pg_catalog.=) {listed})")
}

fn same_text(key: &str) -> String {
    format!(
        "(kp.patient OPERATOR(pg_catalog.=) (CAST({key} AS pg_catalog.text) COLLATE pg_catalog.\"default\"))"
    )
}

/// That two keys are equal, under the collation of the catalogued one, which its index has.
fn equal(key: &str, column: &Column, other: &str) -> String {
    if column.ty.kind.is_text() {
        let collation = column
            .ty
            .collation
            .as_deref()
            .unwrap_or("pg_catalog.\"default\"");
        return format!("({key} OPERATOR(pg_catalog.=) ({other} COLLATE {collation}))");
    }
    format!("({key} OPERATOR(pg_catalog.=) {other})")
}

fn comparable(one: &Column, other: &Column) -> bool {
    same_family(one.ty.kind, other.ty.kind) || one.ty.oid == other.ty.oid
}

/// The kind that stands for all of its family.
fn family(kind: TypeKind) -> TypeKind {
    match kind {
        kind if kind.is_integer() => TypeKind::Numeric,
        kind if kind.is_text() => TypeKind::Text,
        kind => kind,
    }
}

/// A key in the type of its family, so that keys of several widths are one expression.
fn as_of_family(key: String, kind: TypeKind) -> String {
    match family(kind) {
        TypeKind::Numeric => format!("CAST({key} AS pg_catalog.numeric)"),
        TypeKind::Text => format!("(CAST({key} AS pg_catalog.text) COLLATE pg_catalog.\"C\")"),
        _ => key,
    }
}

fn same_family(one: TypeKind, other: TypeKind) -> bool {
    let whole = |kind: TypeKind| kind.is_integer() || kind == TypeKind::Numeric;
    (whole(one) && whole(other))
        || (one.is_text() && other.is_text())
        || (one == other && one == TypeKind::Uuid)
}

fn full_name(relation: &Relation) -> String {
    format!("{}.{}", relation.schema, relation.name)
}

fn unknown(relation: &Relation, column: &str) -> Refusal {
    Refusal::new(
        Reason::RowRule,
        format!(
            "a row rule names column {column:?} of relation {}, which does not exist",
            full_name(relation)
        ),
    )
}

fn no_path(relation: &Relation) -> Refusal {
    let full = full_name(relation);
    Refusal::new(
        Reason::NoKeyPath,
        format!("relation {full} does not say whose its rows are"),
    )
    .with_detail(
        "The grant shows rows by patient, and the relation declares no key path to the patient.",
    )
    .with_hint(format!(
        "ask an administrator to declare the key path of {full} in the database's row rules"
    ))
}
