//! What a session makes for itself: temporary tables and views, filled from what it reads, changed and
//! read again. Nothing of it is left.

use super::{DEPTH, Generator, Message, Relation, Scope, Script};
use crate::two_world::schema::Ty;

/// Kinds that every way of filling a table can have.
const KINDS: [Ty; 8] = [
    Ty::Int,
    Ty::Text,
    Ty::Date,
    Ty::Num,
    Ty::Bool,
    Ty::Stamp,
    Ty::Uuid,
    Ty::Json,
];

impl Generator<'_> {
    pub(super) fn temporary(&mut self, script: &mut Script) {
        if self.choices.chance(10) {
            return self.like(script);
        }
        let name = self.name('m');
        let mut types = vec![Ty::Int, Ty::Text];
        for _ in 0..self.choices.below(3) {
            types.push(*self.choices.one(&KINDS));
        }
        let relation = Relation::of(&name, &types, false);
        script.simple(format!("DROP TABLE IF EXISTS {name}"));
        let made = script.items.len();
        let view = self.make(script, &relation, &types);
        self.ctes.push(relation.clone());
        for _ in 0..=self.choices.below(3) {
            if !view && self.choices.chance(50) {
                let sql = self.change_own(&relation, &types);
                script.simple(sql);
            }
            self.read_own(script);
        }
        self.ctes.clear();
        let kind = if view { "VIEW" } else { "TABLE" };
        script.simple(format!("DROP {kind} {name}"));
        script.needs(made, made + 1);
    }

    /// A table like another one, filled from it.
    fn like(&mut self, script: &mut Script) {
        let name = self.name('m');
        let table = self.table();
        script.simple(format!("DROP TABLE IF EXISTS {name}"));
        let made = script.items.len();
        script.simple(format!("CREATE TEMP TABLE {name} (LIKE {})", table.name));
        script.simple(format!("INSERT INTO {name} SELECT * FROM {}", table.name));
        self.ctes.push(Relation {
            name: name.clone(),
            columns: table.columns.clone(),
            few: table.few,
        });
        self.read_own(script);
        self.read_own(script);
        self.ctes.clear();
        script.simple(format!("DROP TABLE {name}"));
        script.needs(made, made + 1);
    }

    /// Makes the relation, with the first statement of several; whether it is a view.
    fn make(&mut self, script: &mut Script, relation: &Relation, types: &[Ty]) -> bool {
        self.budget = super::BUDGET;
        let (name, names) = (&relation.name, relation.names());
        let columns: Vec<_> = relation
            .columns
            .iter()
            .map(|column| format!("{} {}", column.name, column.ty.sql()))
            .collect();
        let way = self.choices.weighted([5, 3, 3, 4, 1].into_iter());
        let query = self.query(types, DEPTH);
        match way {
            0 => {
                let word = self.choices.one(&["TEMP", "TEMPORARY", "LOCAL TEMPORARY"]);
                let exists = self.choices.one(&["", "", "IF NOT EXISTS "]);
                script.simple(format!(
                    "CREATE {word} TABLE {exists}{name} ({names}) AS {query}"
                ));
            }
            1 => {
                let casts: Vec<_> = types
                    .iter()
                    .enumerate()
                    .map(|(index, ty)| format!("(q.c{index})::{} AS c{index}", ty.sql()))
                    .collect();
                script.simple(format!(
                    "SELECT {} INTO TEMP {name} FROM ({query}) AS q({names})",
                    casts.join(", ")
                ));
            }
            2 => {
                let key = *self
                    .choices
                    .one(&["", " PRIMARY KEY", " UNIQUE", " CHECK (c0 >= 0)"]);
                let columns = columns
                    .join(", ")
                    .replacen(" integer", &format!(" integer{key}"), 1);
                script.simple(format!("CREATE TEMP TABLE {name} ({columns})"));
                script.simple(format!("INSERT INTO {name} {query}"));
            }
            3 => {
                script.simple(format!("CREATE TEMP VIEW {name} ({names}) AS {query}"));
                return true;
            }
            _ => script.simple(format!(
                "CREATE TEMP TABLE {name} ({names}) AS {query} WITH NO DATA"
            )),
        }
        match self.choices.below(4) {
            1 => script.simple(format!("CREATE INDEX ON {name} (c0, c1)")),
            2 => script.simple(format!("ANALYZE {name}")),
            _ => {}
        }
        false
    }

    /// A change of rows that it has: its own values and masked ones go in.
    fn change_own(&mut self, relation: &Relation, types: &[Ty]) -> String {
        let name = &relation.name;
        self.budget = super::BUDGET;
        self.scopes.push(Scope {
            relations: vec![relation.clone()],
            ..Scope::default()
        });
        let condition = self.expr(Ty::Bool, 2);
        let value = self.expr(Ty::Text, 2);
        self.scopes.pop();
        let returning = *self
            .choices
            .one(&["", " RETURNING *", " RETURNING c1, c0 + 1"]);
        match self.choices.below(4) {
            0 => format!("UPDATE {name} SET c1 = {value} WHERE {condition}{returning}"),
            1 => format!("DELETE FROM {name} WHERE {condition}{returning}"),
            2 => {
                let query = self.query(types, 2);
                format!("INSERT INTO {name} {query}{returning}")
            }
            _ => format!("TRUNCATE {name}"),
        }
    }

    fn read_own(&mut self, script: &mut Script) {
        self.budget = super::BUDGET;
        let types = self.types(3);
        let sql = self.top(&types);
        if self.choices.chance(30) {
            let binary = self.choices.chance(50);
            script.push(Message::Extended {
                sql,
                params: Vec::new(),
                binary,
                rows: 0,
            });
        } else {
            script.simple(sql);
        }
    }
}
