//! Queries. What each answers is determined by the rows, never by their order: limits only under an
//! order by every column.

use super::expr::unposition;
use super::{DEPTH, Generator, Relation, Scope};
use crate::two_world::schema::Ty;

impl Generator<'_> {
    /// A query by itself, with columns of these kinds.
    pub(super) fn top(&mut self, types: &[Ty]) -> String {
        let query = self.query(types, DEPTH);
        if self.choices.chance(50) {
            let order = self.order(types.len());
            format!("{query}{order}{}", self.limit())
        } else {
            query
        }
    }

    /// A query to which nothing was added.
    pub(super) fn query(&mut self, types: &[Ty], depth: usize) -> String {
        let deeper = usize::from(depth > 1 && self.budget > 0);
        match self
            .choices
            .weighted([30, 4 * deeper, 4 * deeper, deeper].into_iter())
        {
            0 => self.select(types, depth),
            1 => self.set_operation(types, depth - 1),
            2 => self.with(types, depth - 1),
            _ => self.recursive(types, depth - 1),
        }
    }

    /// A subquery that may look outwards.
    pub(super) fn inner(&mut self, types: &[Ty], depth: usize) -> String {
        self.query(types, depth.min(2))
    }

    /// A subquery of one row: the first, or a group of all.
    pub(super) fn single(&mut self, ty: Ty, depth: usize) -> String {
        if self.choices.chance(50) {
            let query = self.select(&[ty], depth);
            return format!("{query} ORDER BY 1 LIMIT 1");
        }
        self.scopes.push(Scope::default());
        let from = self.from(depth.min(1));
        let condition = self.condition(depth);
        self.keys(Vec::new());
        let value = self.expr(ty, depth.max(1));
        self.scopes.pop();
        format!("SELECT {value} FROM {from}{condition} HAVING count(*) >= 0")
    }

    pub(super) fn select(&mut self, types: &[Ty], depth: usize) -> String {
        self.scopes.push(Scope::default());
        let from = self.from(depth);
        let condition = self.condition(depth);
        let inner = depth.saturating_sub(1);
        let text = match self.choices.weighted([20, 6, 3, 4, 1].into_iter()) {
            1 => self.group(types, inner, &from, &condition),
            2 => {
                let items = self.items(types, inner);
                format!("SELECT DISTINCT {items} FROM {from}{condition}")
            }
            3 => {
                let items: Vec<_> = types.iter().map(|ty| self.windowed(*ty, inner)).collect();
                format!("SELECT {} FROM {from}{condition}", items.join(", "))
            }
            4 if types.len() > 1 => {
                let items = self.items(types, inner);
                let order = self.order(types.len());
                format!(
                    "SELECT * FROM (SELECT DISTINCT ON (1) {items} FROM {from}{condition}{order}) AS d"
                )
            }
            _ => {
                let items = self.items(types, inner);
                format!("SELECT {items} FROM {from}{condition}")
            }
        };
        self.scopes.pop();
        text
    }

    fn items(&mut self, types: &[Ty], depth: usize) -> String {
        let items: Vec<_> = types.iter().map(|ty| self.expr(*ty, depth)).collect();
        items.join(", ")
    }

    fn condition(&mut self, depth: usize) -> String {
        if self.choices.chance(55) {
            format!(" WHERE {}", self.expr(Ty::Bool, depth))
        } else {
            String::new()
        }
    }

    fn keys(&mut self, keys: Vec<(String, Ty)>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.keys = Some(keys);
        }
    }

    fn group(&mut self, types: &[Ty], depth: usize, from: &str, condition: &str) -> String {
        let mut keys: Vec<(String, Ty)> = Vec::new();
        for _ in 0..=self.choices.below(3) {
            let wanted = if self.choices.chance(30) {
                &Ty::ALL[..]
            } else {
                types
            };
            let ty = *self.choices.one(wanted);
            keys.push((unposition(&self.expr(ty, depth.min(1))), ty));
        }
        let texts: Vec<_> = keys.iter().map(|(text, _)| text.as_str()).collect();
        let (list, first) = (texts.join(", "), texts[0]);
        let clause = match self.choices.weighted([12, 1, 1, 1, 1].into_iter()) {
            1 => format!("ROLLUP ({list})"),
            2 => format!("CUBE ({list})"),
            3 => format!("GROUPING SETS (({list}), ({first}), ())"),
            4 => format!("DISTINCT {list}"),
            _ => list,
        };
        self.keys(keys);
        let items = self.items(types, depth);
        let having = if self.choices.chance(30) {
            format!(" HAVING {}", self.expr(Ty::Bool, depth))
        } else {
            String::new()
        };
        format!("SELECT {items} FROM {from}{condition} GROUP BY {clause}{having}")
    }

    fn set_operation(&mut self, types: &[Ty], depth: usize) -> String {
        let operations = ["UNION ALL", "UNION", "INTERSECT", "EXCEPT", "EXCEPT ALL"];
        let left = self.select(types, depth);
        let operation = self.choices.one(&operations);
        let right = if self.choices.chance(15) {
            let values: Vec<_> = types.iter().map(|ty| self.literal(*ty)).collect();
            format!("VALUES ({})", values.join(", "))
        } else {
            self.select(types, depth)
        };
        format!("({left}) {operation} ({right})")
    }

    fn with(&mut self, types: &[Ty], depth: usize) -> String {
        let outer = self.ctes.len();
        let mut parts = Vec::new();
        for _ in 0..=self.choices.below(2) {
            // Now and then the name of a table, which then means the query.
            let name = if self.choices.chance(15) {
                self.table().name.clone()
            } else {
                self.name('e')
            };
            if self.ctes.iter().skip(outer).any(|cte| cte.name == name) {
                continue;
            }
            let types = self.types(3);
            self.scopes.push(Scope::closed());
            let query = self.query(&types, depth.saturating_sub(1));
            self.scopes.pop();
            let hints = ["", "", "MATERIALIZED ", "NOT MATERIALIZED "];
            let hint = self.choices.one(&hints);
            let relation = Relation::of(&name, &types, false);
            parts.push(format!("{name}({}) AS {hint}({query})", relation.names()));
            self.ctes.push(relation);
        }
        let body = self.select(types, depth);
        self.ctes.truncate(outer);
        format!("WITH {} {body}", parts.join(", "))
    }

    fn recursive(&mut self, types: &[Ty], depth: usize) -> String {
        let name = self.name('r');
        let seed = self.single(Ty::Text, depth.min(1));
        let relation = Relation::of(&name, &[Ty::Int, Ty::Text], true);
        self.scopes.push(Scope::closed());
        if let Some(scope) = self.scopes.last_mut() {
            scope.relations.push(relation.clone());
        }
        let step = self.expr(Ty::Text, 1);
        self.scopes.pop();
        let union = self.choices.one(&["UNION ALL", "UNION"]);
        self.ctes.push(relation);
        let body = self.select(types, depth);
        self.ctes.pop();
        format!(
            "WITH RECURSIVE {name}(c0, c1) AS (SELECT 1, ({seed})::text {union} \
             SELECT {name}.c0 + 1, ({step})::text FROM {name} WHERE {name}.c0 < 4) {body}"
        )
    }

    /// By every column, so that rows that tie are the same.
    pub(super) fn order(&mut self, columns: usize) -> String {
        let directions = ["", "", " DESC", " NULLS FIRST"];
        let positions: Vec<_> = (1..=columns)
            .map(|position| format!("{position}{}", self.choices.one(&directions)))
            .collect();
        format!(" ORDER BY {}", positions.join(", "))
    }

    fn limit(&mut self) -> &'static str {
        let limits = [
            "",
            " LIMIT 10",
            " LIMIT 3 OFFSET 2",
            " FETCH FIRST 5 ROWS ONLY",
            " FETCH FIRST 2 ROWS WITH TIES",
            " LIMIT ALL",
            " OFFSET 1 ROW",
        ];
        self.choices.one::<&str>(&limits)
    }
}
