//! What may be written. To a table of which the grant masks something, only what is provably
//! harmless; to any, nothing that runs code nobody has read or asks about rows that are masked.
//!
//! Whether a value is taken, a key is there or a row is kept is an answer, and so is an error: each
//! thing that PostgreSQL would look at on the way must be what the grant releases anyway.

use crate::Context;
use crate::ir::Name;
use crate::policy::{Access, columns_of_expression};
use crate::refusal::{Reason, Refusal, Result};
use crate::snapshot::{ForeignKey, Relation, RelationKind, WriteFacts};
use crate::temporary::is_temporary;

/// How far partitions and children are followed, as many as a table may have.
const MAX_KIN: usize = 10_000;

/// What a statement does to its target.
pub(super) struct Change {
    verb: &'static str,
    /// For each way it inserts rows: the columns it writes, and those of them that certainly get a
    /// value of its own.
    inserts: Vec<(Vec<Name>, Vec<Name>)>,
    updates: Vec<Name>,
}

impl Change {
    pub(super) fn new(verb: &'static str) -> Self {
        Self {
            verb,
            inserts: Vec::new(),
            updates: Vec::new(),
        }
    }

    /// Inserts rows with values for `written`, certainly for `given`.
    pub(super) fn inserting(mut self, written: Vec<Name>, given: Vec<Name>) -> Self {
        self.inserts.push((written, given));
        self
    }

    /// Sets these columns of rows that are there.
    pub(super) fn updating(mut self, columns: Vec<Name>) -> Self {
        self.updates.extend(columns);
        self
    }

    fn writes(&self, column: &str) -> bool {
        let inserted = self.inserts.iter().flat_map(|(written, _)| written);
        inserted.chain(&self.updates).any(|name| **name == *column)
    }

    fn makes_rows(&self) -> bool {
        !self.inserts.is_empty() || !self.updates.is_empty()
    }
}

/// Refuses a change of `relation` that is not allowed.
pub(super) fn check(relation: &Relation, change: &Change, cx: &Context<'_>) -> Result<()> {
    let table = match relation.kind {
        RelationKind::Table | RelationKind::PartitionedTable => true,
        RelationKind::View
        | RelationKind::MaterializedView
        | RelationKind::ForeignTable
        | RelationKind::Sequence => false,
    };
    if !table || relation.is_catalog() {
        return Err(
            refused(relation, change, "only tables are written").with_hint("name the table itself")
        );
    }
    if is_temporary(relation.oid) {
        return Ok(());
    }
    if !cx.session.write {
        return Err(Refusal::new(
            Reason::NotGranted,
            format!("{} is not relayed: the grant may only read", change.verb),
        )
        .with_hint("write to a temporary table, or request a grant with --write"));
    }
    if let Some(Access::Refused(refusal)) = cx.access(relation.oid) {
        return Err((**refusal).clone());
    }
    if !cx.policy.masks_anything() {
        return Ok(());
    }
    let Some(kin) = kin(relation, cx) else {
        return Err(refused(relation, change, "it has too many partitions"));
    };
    for relation in kin {
        harmless(relation, change, cx)?;
    }
    Ok(())
}

fn harmless(relation: &Relation, change: &Change, cx: &Context<'_>) -> Result<()> {
    let deny = |why: &str| Err(refused(relation, change, why));
    let Some(facts) = cx.snapshot.write_facts(relation.oid) else {
        return deny("its triggers and constraints are not known");
    };
    let (open, filtered) = match cx.access(relation.oid) {
        Some(Access::Open(_)) => (true, false),
        Some(access @ Access::Masked(masked)) => {
            let columns = 0..relation.columns.len();
            let kept = columns
                .into_iter()
                .all(|index| access.treatment(index).is_keep());
            (kept, masked.filter.is_some())
        }
        Some(Access::Refused(_)) | None => return deny("it is not released"),
    };
    if filtered {
        return deny("some of its rows are outside the grant");
    }
    if !open && cx.policy.view_of(relation.oid, false).is_some() {
        return deny("the grant masks some of its columns");
    }
    if facts.triggers || relation.has_rules {
        return deny("a trigger or rule runs with it, and may read anything");
    }
    if facts.row_security {
        return deny("row security policies run with it");
    }
    for key in cx.snapshot.foreign_keys(relation.oid) {
        foreign_key(relation, key, open, change, cx).or_else(|why| deny(&why))?;
    }
    let masked: Vec<_> = relation
        .columns
        .iter()
        .enumerate()
        .filter(|(index, _)| {
            let access = cx.access(relation.oid);
            access.is_none_or(|access| !access.treatment(*index).is_keep())
        })
        .map(|(_, column)| column)
        .collect();
    if let Some(column) = masked.iter().find(|column| change.writes(&column.name)) {
        return deny(&format!("column \"{}\" is masked", column.name));
    }
    if !change.makes_rows() {
        return Ok(());
    }
    let mut types = relation.columns.iter().map(|column| column.ty.oid);
    if facts.runs_code || types.any(|ty| cx.snapshot.runs_code_taken(ty)) {
        return deny("a constraint, index or type of it runs code that is not PostgreSQL's own");
    }
    for column in &masked {
        if facts.constrained.contains(&column.attnum) || facts.constrained.contains(&0) {
            return deny(&format!(
                "a constraint reads the masked column \"{}\"",
                column.name
            ));
        }
        if let Some(expression) = &column.generated
            && recomputes(relation, expression, change, cx)
        {
            return deny(&format!(
                "the masked column \"{}\" is generated of what is written",
                column.name
            ));
        }
    }
    defaults(relation, change, facts, cx).or_else(|why| deny(&why))
}

/// A foreign key is looked up at its other end, whichever end is written.
fn foreign_key(
    relation: &Relation,
    key: &ForeignKey,
    open: bool,
    change: &Change,
    cx: &Context<'_>,
) -> std::result::Result<(), String> {
    let disturbs =
        change.inserts.is_empty() || !change.updates.is_empty() || change.verb == "MERGE";
    if key.acts && key.to == relation.oid && disturbs {
        return Err("a foreign key would change rows of another table with it".to_owned());
    }
    let ends = [(key.from, &key.columns), (key.to, &key.referenced)];
    for (oid, columns) in ends {
        let name = cx
            .relation(oid)
            .map_or("a relation", |found| found.name.as_str());
        let why = || Err(format!("a foreign key asks about masked rows of {name}"));
        let Some(other) = cx.relation(oid) else {
            return why();
        };
        let (released, filtered, kept) = match cx.access(oid) {
            Some(access @ Access::Open(_)) => (true, false, access),
            Some(access @ Access::Masked(masked)) => (false, masked.filter.is_some(), access),
            Some(Access::Refused(_)) | None => return why(),
        };
        let keeps = columns.iter().all(|attnum| {
            let index = other
                .columns
                .iter()
                .position(|column| column.attnum == *attnum);
            index.is_some_and(|index| kept.treatment(index).is_keep())
        });
        // Of a masked table nothing but keys among open ones.
        let strict = !open && oid != relation.oid && !released;
        if filtered || !keeps || strict {
            return why();
        }
    }
    Ok(())
}

/// The columns that get their default, and what that runs.
fn defaults(
    relation: &Relation,
    change: &Change,
    facts: &WriteFacts,
    cx: &Context<'_>,
) -> std::result::Result<(), String> {
    for (attnum, expression) in &facts.defaults {
        let Some(column) = relation
            .columns
            .iter()
            .find(|column| column.attnum == *attnum)
        else {
            continue;
        };
        let given =
            |(_, given): &(Vec<Name>, Vec<Name>)| given.iter().any(|name| **name == *column.name);
        let needed = !change.inserts.iter().all(given)
            || change.updates.iter().any(|name| **name == *column.name);
        if needed
            && !is_next_value(expression)
            && columns_of_expression(relation, expression, cx.snapshot).is_none()
        {
            return Err(format!(
                "the default of column \"{}\" is not on the allow-list",
                column.name
            ));
        }
    }
    Ok(())
}

/// Whether a generated column is computed anew for a row that is there, of masked values perhaps
/// (`nodeModifyTable.c`, ExecComputeStoredGenerated).
fn recomputes(relation: &Relation, expression: &str, change: &Change, cx: &Context<'_>) -> bool {
    let sets = |index: usize| {
        let column = relation.columns.get(index);
        column.is_none_or(|column| change.updates.iter().any(|name| **name == *column.name))
    };
    match columns_of_expression(relation, expression, cx.snapshot) {
        Some(read) => read.into_iter().any(sets),
        None => !change.updates.is_empty(),
    }
}

/// `nextval` of a sequence, as `serial` makes it: it tells how many rows were written, which a
/// count does too.
fn is_next_value(expression: &str) -> bool {
    let inner = expression.strip_prefix("nextval('");
    let inner = inner.and_then(|rest| rest.strip_suffix("'::regclass)"));
    inner.is_some_and(|name| !name.contains('\''))
}

/// The relation, its partitions and children, and what it is a part of: a change may reach each.
fn kin<'a>(relation: &'a Relation, cx: &Context<'a>) -> Option<Vec<&'a Relation>> {
    let mut kin = vec![relation];
    let mut next = 0;
    while let Some(current) = kin.get(next).copied() {
        next += 1;
        let children = cx.snapshot.children(current.oid).iter();
        for oid in children.chain(&current.parents) {
            let found = cx.snapshot.relation(*oid)?;
            if kin.iter().all(|known| known.oid != found.oid) {
                kin.push(found);
            }
        }
        if kin.len() > MAX_KIN {
            return None;
        }
    }
    Some(kin)
}

fn refused(relation: &Relation, change: &Change, why: &str) -> Refusal {
    Refusal::new(
        Reason::NotGranted,
        format!(
            "{} on {}.{} is not relayed",
            change.verb, relation.schema, relation.name
        ),
    )
    .with_detail(why.to_owned())
    .with_hint("write to a temporary table, or request a grant that masks nothing of it")
}
