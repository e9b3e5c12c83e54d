//! Expressions.

use std::collections::HashMap;

use super::literal::{GUESSES, PATTERNS};
use super::{Generator, Scope};
use crate::two_world::grammar::{Class, Fill, Piece, Production};
use crate::two_world::schema::Ty;

/// Beside the productions of a kind: a column of it, a literal, and what every kind has.
const COLUMN: usize = 30;
const LITERAL: usize = 4;
const SUBQUERY: usize = 2;
const CASE: usize = 3;
const CAST: usize = 2;

/// A column that the profile masks, beside one that it does not.
const MASKED: usize = 4;

impl Generator<'_> {
    /// An expression of the kind.
    pub(super) fn expr(&mut self, ty: Ty, depth: usize) -> String {
        let depth = if self.spend() { depth } else { 0 };
        if let Some(keys) = self.scopes.last().and_then(|scope| scope.keys.clone()) {
            return self.grouped(ty, depth, &keys);
        }
        let columns = self.columns(ty);
        let productions = self.productions(Class::Value, ty);
        let sum: usize = productions.iter().map(|production| production.weight).sum();
        let column = if columns.is_empty() { 0 } else { COLUMN };
        let deeper = usize::from(depth > 0);
        let weights = [
            column,
            LITERAL,
            deeper * sum,
            deeper * SUBQUERY,
            deeper * CASE,
            deeper * CAST,
        ];
        match self.choices.weighted(weights.into_iter()) {
            0 => self.column(&columns),
            1 => self.literal(ty),
            2 => self.production(&productions, depth - 1),
            3 => {
                let query = self.single(ty, depth - 1);
                format!("({query})")
            }
            4 => self.case(ty, depth - 1),
            _ => self.cast(ty, depth - 1),
        }
    }

    /// An expression that can be compared.
    pub(super) fn any(&mut self, depth: usize) -> String {
        let ty = *self.choices.one(&Ty::ALL);
        self.expr(ty, depth)
    }

    /// In a grouped query: a group key, an aggregate, or what is computed of those.
    fn grouped(&mut self, ty: Ty, depth: usize, keys: &[(String, Ty)]) -> String {
        let keys: Vec<_> = keys.iter().filter(|(_, of)| *of == ty).collect();
        let aggregates = self.productions(Class::Aggregate, ty);
        let weights = [
            keys.len() * 10,
            if aggregates.is_empty() { 0 } else { 20 },
            2,
            if depth > 1 { 8 } else { 0 },
        ];
        match self.choices.weighted(weights.into_iter()) {
            0 if !keys.is_empty() => self.choices.one(&keys).0.clone(),
            1 if !aggregates.is_empty() => self.aggregate(&aggregates, depth),
            3 => {
                let productions = self.productions(Class::Value, ty);
                self.production(&productions, depth - 1)
            }
            _ => self.literal(ty),
        }
    }

    /// Inside an aggregate rows are visible again, and none of an outer query: the aggregate would be
    /// that query's.
    fn aggregate(&mut self, of: &[Production], depth: usize) -> String {
        let scope = self.scopes.last().cloned();
        if let Some(scope) = self.scopes.last_mut() {
            scope.keys = None;
            scope.closed = true;
        }
        let text = self.production(of, depth.saturating_sub(1));
        self.scopes.pop();
        self.scopes.extend(scope);
        text
    }

    /// A window function's value, or any other where the kind has none.
    pub(super) fn windowed(&mut self, ty: Ty, depth: usize) -> String {
        let productions = self.productions(Class::Window, ty);
        if productions.is_empty() {
            self.expr(ty, depth)
        } else {
            self.production(&productions, depth.saturating_sub(1))
        }
    }

    /// The productions of a kind that may be used in this statement.
    pub(super) fn productions(&self, class: Class, ty: Ty) -> Vec<Production> {
        let all = self.grammar.of(class, ty).iter();
        all.filter(|production| self.risky || !production.risky)
            .cloned()
            .collect()
    }

    /// One of these, its holes filled.
    pub(super) fn production(&mut self, of: &[Production], depth: usize) -> String {
        let weights = of.iter().map(|production| production.weight);
        let chosen = self.choices.weighted(weights);
        let mut named: HashMap<&str, String> = HashMap::new();
        let mut text = String::new();
        for piece in of.get(chosen).map_or(&[][..], |found| &found.pieces) {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Again(name) => {
                    text.push_str(named.get(name.as_str()).map_or("NULL", String::as_str));
                }
                Piece::Hole(hole) => {
                    let filled = self.fill(hole.fill, depth);
                    text.push_str(&filled);
                    if let Some(name) = &hole.name {
                        named.insert(name, filled);
                    }
                }
            }
        }
        text
    }

    fn fill(&mut self, fill: Fill, depth: usize) -> String {
        match fill {
            Fill::Expr(ty) => self.expr(ty, depth),
            Fill::Any => self.any(depth),
            Fill::Row => self.row(),
            Fill::Guess => (*self.choices.one(&GUESSES)).to_owned(),
            Fill::Pattern => (*self.choices.one(&PATTERNS)).to_owned(),
            Fill::Table => self.table().name.clone(),
            Fill::Exists => format!("({})", self.inner(&[Ty::Int], depth)),
            Fill::ColumnOf(ty) => format!("({})", self.inner(&[ty], depth)),
            Fill::SortedOf(ty) => format!("({} ORDER BY 1)", self.inner(&[ty], depth)),
            Fill::By => {
                let part = self.part(50, depth);
                let order = unposition(&self.any(depth));
                let directions = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST"];
                let direction = self.choices.one(&directions);
                format!("{part}ORDER BY {order}{direction}")
            }
            Fill::Part => self.part(100, depth),
            Fill::Total => format!("{}ORDER BY {}", self.part(40, depth), self.whole_rows()),
        }
    }

    fn part(&mut self, percent: usize, depth: usize) -> String {
        if self.choices.chance(percent) {
            format!("PARTITION BY {} ", unposition(&self.any(depth)))
        } else {
            String::new()
        }
    }

    /// Every relation of the FROM list as a row: what is equal in all of them is the same row.
    fn whole_rows(&self) -> String {
        let names = self.row_names().join(", ");
        if names.is_empty() {
            "1".to_owned()
        } else {
            names
        }
    }

    fn row(&mut self) -> String {
        let names = self.row_names();
        if names.is_empty() {
            "ROW(1, 'x')".to_owned()
        } else {
            self.choices.one(&names).clone()
        }
    }

    fn row_names(&self) -> Vec<String> {
        let scope = self.scopes.last().filter(|scope| scope.keys.is_none());
        let relations = scope.map_or(&[][..], |scope| &scope.relations);
        relations
            .iter()
            // The row of a set of scalars is a scalar.
            .filter(|relation| !relation.name.starts_with(['g', 'l']))
            .map(|relation| relation.name.clone())
            .collect()
    }

    /// The visible columns of a kind, with a weight each.
    fn columns(&self, ty: Ty) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        // The innermost FROM list first, and more often.
        let mut near = 4;
        for scope in self.scopes.iter().rev() {
            if scope.keys.is_some() {
                break;
            }
            found.extend(columns_of(scope, ty, near));
            if scope.closed {
                break;
            }
            near = 1;
        }
        found
    }

    fn column(&mut self, columns: &[(String, usize)]) -> String {
        let weights = columns.iter().map(|(_, weight)| *weight);
        let chosen = self.choices.weighted(weights);
        columns[chosen].0.clone()
    }

    fn case(&mut self, ty: Ty, depth: usize) -> String {
        let (one, other) = (self.expr(ty, depth), self.expr(ty, depth));
        match self.choices.below(3) {
            0 => format!("coalesce({one}, {other})"),
            1 => format!("nullif({one}, {other})"),
            _ => {
                let condition = self.expr(Ty::Bool, depth);
                format!("CASE WHEN {condition} THEN {one} ELSE {other} END")
            }
        }
    }

    fn cast(&mut self, ty: Ty, depth: usize) -> String {
        // A text may be anything; whether it is shows when it runs.
        let from = if self.risky { Ty::Text } else { ty };
        let inner = self.expr(from, depth);
        if self.choices.chance(50) {
            format!("({inner})::{}", ty.sql())
        } else {
            format!("CAST({inner} AS {})", ty.sql())
        }
    }
}

fn columns_of(scope: &Scope, ty: Ty, near: usize) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for relation in &scope.relations {
        for column in relation.columns.iter().filter(|column| column.ty == ty) {
            let weight = near * if column.masked { MASKED } else { 1 };
            found.push((format!("{}.{}", relation.name, column.name), weight));
        }
    }
    found
}

/// Makes a constant something else where it would be a position or is not allowed.
pub(super) fn unposition(text: &str) -> String {
    let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if digits || ["true", "false"].contains(&text) || text.starts_with(['\'', '$']) {
        format!("coalesce({text}, {text})")
    } else {
        text.to_owned()
    }
}
