//! FROM lists: what is joined, and how. Joins go by keys, or with few rows, so that answers stay
//! small.

use super::{Generator, Relation, Scope};
use crate::two_world::grammar::Class;
use crate::two_world::schema::{Column, Ty};

const KINDS: [&str; 5] = ["JOIN", "LEFT JOIN", "RIGHT JOIN", "INNER JOIN", "FULL JOIN"];

impl Generator<'_> {
    /// A FROM list; its relations are put into the innermost scope.
    pub(super) fn from(&mut self, depth: usize) -> String {
        let joins = self
            .choices
            .weighted([6, 5 * depth.min(1), 2 * depth.min(1)].into_iter());
        let (mut text, first) = self.item(depth);
        self.see(first);
        for number in 0..joins {
            text = self.join(&text, depth - 1, number, joins);
        }
        text
    }

    fn join(&mut self, left: &str, depth: usize, number: usize, of: usize) -> String {
        if self.choices.chance(12) {
            return self.lateral(left, depth);
        }
        let (right, relation) = self.item(depth);
        let alias = relation.name.clone();
        let shared = self.shared(&relation);
        let few = relation.few;
        let kind = *self.choices.one(&KINDS);
        self.see(relation);
        if few && (shared.is_empty() || self.choices.chance(20)) {
            return match self.choices.below(3) {
                0 => format!("{left} CROSS JOIN {right}"),
                // What follows a comma does not see what stands before it.
                1 if number + 1 == of => format!("{left}, {right}"),
                1 => format!("{left} CROSS JOIN {right}"),
                _ => format!("{left} LEFT JOIN {right} ON {}", self.expr(Ty::Bool, depth)),
            };
        }
        if shared.is_empty() {
            let (over, ty) = self.some_column(&alias);
            let condition = format!("{over} = {}", self.expr(ty, 0));
            return format!("{left} LEFT JOIN {right} ON {condition}");
        }
        let (over, key) = self.choices.one(&shared).clone();
        // A second USING may be ambiguous.
        if number == 0 && self.choices.chance(25) {
            return if self.choices.chance(30) {
                format!("{left} NATURAL {kind} {right}")
            } else {
                format!("{left} {kind} {right} USING ({key})")
            };
        }
        let mut condition = format!("{over}.{key} = {alias}.{key}");
        // Only conditions that can be merged or hashed make a full join.
        if kind != "FULL JOIN" && self.choices.chance(30) {
            condition = format!("{condition} AND {}", self.expr(Ty::Bool, depth));
        }
        format!("{left} {kind} {right} ON {condition}")
    }

    fn lateral(&mut self, left: &str, depth: usize) -> String {
        let alias = self.name('l');
        if self.choices.chance(40) {
            let types = self.types(2);
            let query = self.inner(&types, depth);
            let kind = *self.choices.one(&["LEFT JOIN", "JOIN"]);
            let relation = Relation::of(&alias, &types, false);
            let names = relation.names();
            self.see(relation);
            return format!("{left} {kind} LATERAL ({query}) AS {alias}({names}) ON true");
        }
        let ty = *self.choices.one(&[Ty::Int, Ty::Text, Ty::Json]);
        let productions = self.productions(Class::Set, ty);
        let set = self.production(&productions, depth);
        let numbered = self.choices.chance(20);
        let types = if numbered {
            &[ty, Ty::Big][..]
        } else {
            &[ty][..]
        };
        let relation = Relation::of(&alias, types, true);
        let names = relation.names();
        self.see(relation);
        let ordinality = if numbered { " WITH ORDINALITY" } else { "" };
        format!("{left} CROSS JOIN LATERAL {set}{ordinality} AS {alias}({names})")
    }

    /// One relation: a table mostly.
    fn item(&mut self, depth: usize) -> (String, Relation) {
        let deeper = usize::from(depth > 0 && self.budget > 0);
        let weights = [20, 4 * deeper, self.ctes.len() * 8, 2, 1];
        match self.choices.weighted(weights.into_iter()) {
            1 => {
                let alias = self.name('q');
                let types = self.types(3);
                self.scopes.push(Scope::closed());
                let query = self.query(&types, depth - 1);
                self.scopes.pop();
                let relation = Relation::of(&alias, &types, false);
                (
                    format!("({query}) AS {alias}({})", relation.names()),
                    relation,
                )
            }
            2 if !self.ctes.is_empty() => {
                let alias = self.name('w');
                let cte = self.choices.one(&self.ctes).clone();
                let text = format!("{} AS {alias}", cte.name);
                (text, Relation { name: alias, ..cte })
            }
            3 => self.values(),
            4 => {
                let relation = Relation::of(&self.name('g'), &[Ty::Int], true);
                let text = format!("generate_series(1, 3) AS {}(c0)", relation.name);
                (text, relation)
            }
            _ => self.base(),
        }
    }

    fn base(&mut self) -> (String, Relation) {
        let table = self.table();
        let name = table.name.clone();
        let mut relation = Relation {
            name: name.clone(),
            columns: table.columns.clone(),
            few: table.few,
        };
        let shadowed = self.ctes.iter().any(|cte| cte.name == name);
        let written = match self.choices.below(40) {
            _ if shadowed => format!("public.{name}"),
            36 | 37 => format!("public.{name}"),
            38 => format!("ONLY {name}"),
            39 => format!("{name} *"),
            _ => name.clone(),
        };
        let scope = self.scopes.last().map_or(&[][..], |scope| &scope.relations);
        let is_new = scope.iter().all(|relation| relation.name != name);
        if is_new && self.choices.chance(10) {
            // The table's own name is its alias.
            return (written, relation);
        }
        relation.name = self.name('t');
        let alias = relation.name.clone();
        if self.choices.chance(8) {
            for (index, column) in relation.columns.iter_mut().enumerate() {
                column.name = format!("x{index}");
            }
            return (
                format!("{written} AS {alias}({})", relation.names()),
                relation,
            );
        }
        let word = self.choices.one(&[" AS ", " "]);
        (format!("{written}{word}{alias}"), relation)
    }

    fn values(&mut self) -> (String, Relation) {
        let types = self.types(2);
        let mut rows = Vec::new();
        for _ in 0..=self.choices.below(3) {
            let cast = |ty: &Ty| format!("({})::{}", self.literal(*ty), ty.sql());
            let values: Vec<_> = types.iter().map(cast).collect();
            rows.push(format!("({})", values.join(", ")));
        }
        let relation = Relation::of(&self.name('v'), &types, true);
        let (alias, names) = (&relation.name, relation.names());
        let text = format!("(VALUES {}) AS {alias}({names})", rows.join(", "));
        (text, relation)
    }

    /// A few kinds.
    pub(super) fn types(&mut self, most: usize) -> Vec<Ty> {
        (0..=self.choices.below(most))
            .map(|_| *self.choices.one(&Ty::ALL))
            .collect()
    }

    fn see(&mut self, relation: Relation) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(relation);
        }
    }

    /// Keys that a relation has in common with one on the left, and that one's name.
    fn shared(&self, relation: &Relation) -> Vec<(String, String)> {
        let scope = self.scopes.last().map_or(&[][..], |scope| &scope.relations);
        let mut shared = Vec::new();
        for left in scope {
            for column in &left.columns {
                let same = |other: &Column| other.name == column.name && other.ty == column.ty;
                if column.name.ends_with("_id") && relation.columns.iter().any(same) {
                    shared.push((left.name.clone(), column.name.clone()));
                }
            }
        }
        shared
    }

    fn some_column(&mut self, alias: &str) -> (String, Ty) {
        let scope = self.scopes.last().map_or(&[][..], |scope| &scope.relations);
        let found = scope.iter().find(|relation| relation.name == alias);
        let columns = found.map_or_else(Vec::new, |relation| relation.columns.clone());
        if columns.is_empty() {
            return ("1".to_owned(), Ty::Int);
        }
        let column = self.choices.one(&columns);
        (format!("{alias}.{}", column.name), column.ty)
    }
}

// === impl Relation ===

impl Relation {
    /// A relation whose columns are `c0`, `c1` ...
    pub(super) fn of(name: &str, types: &[Ty], few: bool) -> Self {
        let column = |(index, ty): (usize, &Ty)| Column {
            name: format!("c{index}"),
            ty: *ty,
            masked: true,
        };
        Self {
            name: name.to_owned(),
            columns: types.iter().enumerate().map(column).collect(),
            few,
        }
    }

    /// Its columns' names, for an alias list.
    pub(super) fn names(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| &*column.name).collect();
        names.join(", ")
    }
}

// === impl Scope ===

impl Scope {
    /// A scope from which nothing around it is visible.
    pub(super) fn closed() -> Self {
        Self {
            closed: true,
            ..Self::default()
        }
    }
}
