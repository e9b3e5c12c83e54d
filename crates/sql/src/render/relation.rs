//! FROM, and the derived table that stands in the place of a relation that the grant masks.

use super::Writer;
use crate::ir::{
    Alias, Condition, From, Ident, Join, JoinKind, RelationRef, TableFunction, Target,
};
use crate::policy::{Access, INNER, Masked};
use crate::resolve::Source;
use crate::snapshot::Relation;
use crate::temporary::is_temporary;

impl Writer<'_> {
    pub(super) fn from(&mut self, from: &From) {
        match from {
            From::Relation(relation) => self.relation_ref(relation),
            From::Subquery {
                lateral,
                query,
                alias,
                place: _,
            } => {
                if *lateral {
                    self.push("LATERAL ");
                }
                self.push("(");
                self.query(query);
                self.push(")");
                self.alias(alias.as_ref());
            }
            From::Function(function) => self.table_function(function),
            From::Join(join) => self.join(join),
        }
    }

    fn relation_ref(&mut self, reference: &RelationRef) {
        let (oid, source) = match &reference.target {
            Target::Relation { oid, source } => (*oid, self.resolution.sources.get(*source)),
            Target::Cte(name) => {
                let name = name.clone();
                self.chosen(&name);
                return self.alias(reference.alias.as_ref());
            }
            // INVARIANT: `resolve` leaves none.
            Target::Unresolved => return self.push("\"?unresolved?\""),
        };
        let relation = self.cx.relation(oid);
        let access = self.cx.access(oid);
        let (Some(source), Some(relation), Some(access)) = (source, relation, access) else {
            return self.push("\"?unresolved?\"");
        };
        match access {
            _ if self.is_skeleton() => self.plain(reference, relation, source),
            Access::Open(_) if source.pinned => self.pinned(reference, relation, source),
            Access::Open(_) => self.plain(reference, relation, source),
            Access::Masked(masked) => {
                self.substituted(masked, reference.only, source);
                if let Some(alias) = &source.alias {
                    self.push(" AS ");
                    self.chosen(alias);
                }
            }
            Access::Refused(_) => self.push("\"?unresolved?\""),
        }
    }

    /// A relation by its name; in views mode by the name of its masked view, which has no ONLY. What
    /// is recorded tells of the relation either way.
    pub(crate) fn open_relation(&mut self, relation: &Relation, only: bool) {
        let view = self.cx.policy.view_of(relation.oid, only);
        if let Some(view) = view.filter(|_| !self.is_skeleton()) {
            return self.embed(view);
        }
        if only {
            self.push("ONLY ");
        }
        self.name(&relation.schema);
        self.push(".");
        if is_temporary(relation.oid) {
            self.chosen(&relation.name.as_str().into());
        } else {
            self.name(&relation.name);
        }
    }

    /// A relation as it is.
    fn plain(&mut self, reference: &RelationRef, relation: &Relation, source: &Source) {
        self.open_relation(relation, reference.only);
        if let Some(alias) = &source.alias {
            self.push(" AS ");
            self.chosen(alias);
        }
        if let Some(alias) = &reference.alias {
            self.column_names(&alias.columns);
        }
        self.sample(reference);
    }

    /// A relation with the columns that the catalog knew, and no other.
    fn pinned(&mut self, reference: &RelationRef, relation: &Relation, source: &Source) {
        self.push("(SELECT ");
        self.separated(&relation.columns, |writer, column| {
            writer.name(&relation.name);
            writer.push(".");
            writer.name(&column.name);
        });
        self.push(" FROM ");
        self.open_relation(relation, reference.only);
        self.push(" AS ");
        self.name(&relation.name);
        self.sample(reference);
        self.push(")");
        if let Some(alias) = &source.alias {
            self.push(" AS ");
            self.chosen(alias);
        }
        if let Some(alias) = &reference.alias {
            self.column_names(&alias.columns);
        }
    }

    fn sample(&mut self, reference: &RelationRef) {
        if let Some(sample) = &reference.sample {
            self.push(" TABLESAMPLE pg_catalog.");
            self.push(sample.method);
            self.push(" (");
            self.expr(&sample.quantity);
            self.push(")");
            if let Some(seed) = &sample.seed {
                self.push(" REPEATABLE (");
                self.literal(seed);
                self.push(")");
            }
        }
    }

    /// The released columns that the statement uses, under the names it knows them by. One that
    /// nothing uses is not computed; a relation of which nothing is used still counts its rows.
    fn substituted(&mut self, masked: &Masked, only: bool, source: &Source) {
        self.push("(SELECT");
        let mut separator = " ";
        for (index, column) in source.columns.iter().enumerate() {
            let Some(Some(sql)) = masked.released.get(index) else {
                continue;
            };
            if !source.used.get(index).copied().unwrap_or(true) {
                continue;
            }
            self.push(separator);
            separator = ", ";
            self.embed(sql);
            self.push(" AS ");
            self.chosen(&column.name);
        }
        for name in &source.system {
            self.push(separator);
            separator = ", ";
            self.name(INNER);
            self.push(".");
            self.name(name);
        }
        self.push(" FROM ");
        match &masked.own_rows {
            Some(own_rows) if only => self.embed(own_rows),
            Some(_) | None => {
                if only && masked.takes_only {
                    self.push("ONLY ");
                }
                self.embed(&masked.from);
            }
        }
        if let Some(filter) = &masked.filter {
            self.push(" WHERE ");
            self.embed(filter);
            // Within a view's definition, whose own conditions must not see other rows.
            if masked.barrier {
                self.push(" OFFSET 0");
            }
        }
        self.push(")");
    }

    fn table_function(&mut self, function: &TableFunction) {
        let TableFunction {
            lateral,
            calls,
            rows_from,
            ordinality,
            alias,
            types,
            place: _,
        } = function;
        if *lateral {
            self.push("LATERAL ");
        }
        if *rows_from {
            self.push("ROWS FROM (");
        }
        self.exprs(calls);
        if *rows_from {
            self.push(")");
        }
        if *ordinality {
            self.push(" WITH ORDINALITY");
        }
        let Some(alias) = alias else { return };
        if types.is_empty() {
            return self.alias(Some(alias));
        }
        self.push(" AS ");
        self.chosen(&alias.name.name);
        self.push("(");
        for (index, (name, ty)) in alias.columns.iter().zip(types).enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.chosen(&name.name);
            self.push(" ");
            self.type_name(ty);
        }
        self.push(")");
    }

    fn join(&mut self, join: &Join) {
        let Join {
            left,
            right,
            kind,
            condition,
            alias,
            place: _,
        } = join;
        self.push("(");
        self.from(left);
        self.push(match kind {
            JoinKind::Inner => " JOIN ",
            JoinKind::Left => " LEFT JOIN ",
            JoinKind::Right => " RIGHT JOIN ",
            JoinKind::Full => " FULL JOIN ",
            JoinKind::Cross => " CROSS JOIN ",
        });
        self.from(right);
        match condition {
            Condition::None | Condition::Natural => {}
            Condition::On(condition) => {
                self.push(" ON ");
                self.expr(condition);
            }
            Condition::Using(names, alias) => {
                self.push(" USING (");
                self.separated(names, |writer, name| writer.chosen(&name.name));
                self.push(")");
                if let Some(alias) = alias {
                    self.push(" AS ");
                    self.chosen(&alias.name);
                }
            }
        }
        self.push(")");
        self.alias(alias.as_ref());
    }

    fn alias(&mut self, alias: Option<&Alias>) {
        let Some(alias) = alias else { return };
        self.push(" AS ");
        self.chosen(&alias.name.name);
        self.column_names(&alias.columns);
    }

    pub(super) fn column_names(&mut self, names: &[Ident]) {
        if names.is_empty() {
            return;
        }
        self.push("(");
        self.separated(names, |writer, name| writer.chosen(&name.name));
        self.push(")");
    }
}
