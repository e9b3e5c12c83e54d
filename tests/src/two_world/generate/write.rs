//! Writes under a grant that may: of the worksheet, from what is masked, and of masked tables where
//! nothing masked is asked. Each is undone, so that the next script finds the same rows.

use super::{Generator, Message, Relation, Scope, Script};
use crate::two_world::schema::{Column, Ty};

/// The table that may be written.
const OPEN: &str = "worksheet";

impl Generator<'_> {
    pub(super) fn write(&mut self, script: &mut Script) {
        script.simple(
            *self
                .choices
                .one(&["BEGIN", "BEGIN ISOLATION LEVEL SERIALIZABLE"]),
        );
        for _ in 0..=self.choices.below(3) {
            self.budget = super::BUDGET / 2;
            let sql = self.change();
            script.simple("SAVEPOINT a");
            if self.choices.chance(30) {
                let binary = self.choices.chance(50);
                script.push(Message::Extended {
                    sql,
                    params: Vec::new(),
                    binary,
                    rows: 0,
                });
            } else if self.choices.chance(10) {
                script.simple(format!("PREPARE w AS {sql}"));
                let prepared = script.last();
                script.or_else("ROLLBACK TO a");
                script.simple("EXECUTE w");
                script.needs(prepared, prepared + 1);
                script.or_else("ROLLBACK TO a");
                script.simple("DEALLOCATE w");
                script.needs(prepared, prepared + 1);
                continue;
            } else {
                script.simple(sql);
            }
            script.or_else("ROLLBACK TO a");
        }
        script.simple(format!("SELECT * FROM {OPEN} ORDER BY worksheet_id"));
        let sql = self.select_statement();
        script.simple(sql);
        script.simple("ROLLBACK");
    }

    fn change(&mut self) -> String {
        match self.choices.weighted([6, 3, 6, 4, 4, 3, 3, 3].into_iter()) {
            0 => self.insert_select(),
            1 => self.insert_values(),
            2 => self.update_open(),
            3 => self.update_from(),
            4 => self.delete_open(),
            5 => self.merge(),
            6 => self.with_change(),
            _ => self.masked_change(),
        }
    }

    /// One row a number, whatever the order of rows: `q(c0, c1, c2, c3)`.
    fn source(&mut self) -> String {
        let query = self.query(&[Ty::Int, Ty::Text, Ty::Num, Ty::Date], 2);
        format!(
            "SELECT q.c0, max(q.c1), max(q.c2), max(q.c3) FROM ({query}) AS q(c0, c1, c2, c3) GROUP BY q.c0"
        )
    }

    fn returning(&mut self, of: &str) -> String {
        let forms = [
            "",
            " RETURNING *",
            " RETURNING {}.worksheet_id, upper({}.label)",
            " RETURNING {}.label AS l, {}.score * 2, {}",
        ];
        self.choices.one(&forms).replace("{}", of)
    }

    fn insert_select(&mut self) -> String {
        let source = self.source();
        let conflicts = [
            "",
            " ON CONFLICT DO NOTHING",
            " ON CONFLICT (worksheet_id) DO NOTHING",
            " ON CONFLICT (worksheet_id) DO UPDATE SET label = excluded.label, score = worksheet.score + 1",
            " ON CONFLICT (worksheet_id) DO UPDATE SET label = excluded.label || worksheet.label WHERE excluded.label > 'P'",
            " ON CONFLICT ON CONSTRAINT worksheet_pkey DO UPDATE SET (label, due) = (excluded.label, excluded.due)",
        ];
        let conflict = *self.choices.one(&conflicts);
        let returning = self.returning(OPEN);
        format!(
            "INSERT INTO {OPEN} (worksheet_id, label, score, due) {source}{conflict}{returning}"
        )
    }

    fn insert_values(&mut self) -> String {
        let mut rows = Vec::new();
        for number in 0..=self.choices.below(3) {
            let label = self.single(Ty::Text, 2);
            let score = self.expr(Ty::Num, 1);
            let done = self.choices.one(&["DEFAULT", "true", "NULL"]);
            rows.push(format!("({}, ({label}), {score}, {done})", 100 + number));
        }
        let returning = self.returning(OPEN);
        format!(
            "INSERT INTO {OPEN} (worksheet_id, label, score, done) VALUES {}{returning}",
            rows.join(", ")
        )
    }

    /// Within the scope of the open table by an alias.
    fn in_open<T>(&mut self, alias: &str, make: impl FnOnce(&mut Self) -> T) -> T {
        let table = self.tables.iter().find(|table| table.name == OPEN);
        let relation = Relation {
            name: alias.to_owned(),
            columns: table.map_or_else(Vec::new, |table| table.columns.clone()),
            few: true,
        };
        self.scopes.push(Scope {
            relations: vec![relation],
            ..Scope::default()
        });
        let made = make(self);
        self.scopes.pop();
        made
    }

    fn update_open(&mut self) -> String {
        let (set, condition) = self.in_open("t", |this| {
            let label = this.expr(Ty::Text, 2);
            let set = match this.choices.below(4) {
                0 => format!("label = {label}"),
                1 => format!("label = {label}, score = {}", this.expr(Ty::Num, 2)),
                2 => format!("(label, due) = ({label}, {})", this.expr(Ty::Date, 1)),
                _ => format!("rank = {}", this.expr(Ty::Int, 2)),
            };
            (set, this.expr(Ty::Bool, 2))
        });
        let returning = self.returning("t");
        format!("UPDATE {OPEN} AS t SET {set} WHERE {condition}{returning}")
    }

    fn update_from(&mut self) -> String {
        let source = self.source();
        let condition = self.in_open("t", |this| this.expr(Ty::Bool, 1));
        let returning = self.returning("t");
        format!(
            "UPDATE {OPEN} AS t SET label = s.c1, due = s.c3 FROM ({source}) AS s(c0, c1, c2, c3) \
             WHERE s.c0 = t.worksheet_id AND {condition}{returning}"
        )
    }

    fn delete_open(&mut self) -> String {
        let condition = self.in_open("t", |this| this.expr(Ty::Bool, 2));
        let returning = self.returning("t");
        if self.choices.chance(40) {
            let source = self.source();
            return format!(
                "DELETE FROM {OPEN} AS t USING ({source}) AS s(c0, c1, c2, c3) \
                 WHERE (s.c0 = t.worksheet_id OR s.c1 = t.label) AND {condition}"
            );
        }
        format!("DELETE FROM {OPEN} AS t WHERE {condition}{returning}")
    }

    fn merge(&mut self) -> String {
        let source = self.source();
        let condition = self.in_open("t", |this| this.expr(Ty::Bool, 1));
        let whens = [
            "WHEN MATCHED THEN UPDATE SET label = s.c1",
            "WHEN MATCHED AND s.c1 > 'M' THEN DELETE WHEN NOT MATCHED THEN INSERT (worksheet_id, label) VALUES (s.c0, s.c1)",
            "WHEN NOT MATCHED AND s.c2 > 1 THEN INSERT (worksheet_id, label, score) VALUES (s.c0 + 1000, s.c1, s.c2)",
            "WHEN MATCHED AND t.done THEN DO NOTHING WHEN MATCHED THEN UPDATE SET score = s.c2, label = t.label || s.c1",
        ];
        let when = self.choices.one(&whens);
        format!(
            "MERGE INTO {OPEN} AS t USING ({source}) AS s(c0, c1, c2, c3) \
             ON s.c0 = t.worksheet_id AND {condition} {when}"
        )
    }

    fn with_change(&mut self) -> String {
        let condition = self.in_open("t", |this| this.expr(Ty::Bool, 1));
        let change = match self.choices.below(3) {
            0 => format!("DELETE FROM {OPEN} AS t WHERE {condition} RETURNING worksheet_id, label"),
            1 => format!(
                "UPDATE {OPEN} AS t SET done = NOT done WHERE {condition} RETURNING worksheet_id, label"
            ),
            _ => {
                let source = self.source();
                format!(
                    "INSERT INTO {OPEN} (worksheet_id, label, score, due) {source} \
                     ON CONFLICT DO NOTHING RETURNING worksheet_id, label"
                )
            }
        };
        let relation = Relation::of("w", &[Ty::Int, Ty::Text], true);
        self.ctes.push(relation);
        let types = self.types(2);
        let body = self.select(&types, 1);
        self.ctes.pop();
        format!("WITH w(c0, c1) AS ({change}) {body}")
    }

    /// Of a table of which something is masked, by what is not.
    fn masked_change(&mut self) -> String {
        const TABLES: [(&str, &str, &str); 4] = [
            ("patients", "language", "patient_id"),
            ("notes", "kind", "note_id"),
            ("medications", "description", "medication_id"),
            ("conditions", "description", "condition_id"),
        ];
        let (name, column, key) = *self.choices.one(&TABLES);
        let table = self.tables.iter().find(|table| table.name == name);
        let shown = |column: &&Column| !column.masked;
        let columns = table.map_or_else(Vec::new, |table| {
            table.columns.iter().filter(shown).cloned().collect()
        });
        self.scopes.push(Scope {
            relations: vec![Relation {
                name: "t".to_owned(),
                columns,
                few: false,
            }],
            ..Scope::default()
        });
        let value = self
            .choices
            .one(&["'x'", "upper(t.@)", "NULL"])
            .replace('@', column);
        let condition = self.expr(Ty::Bool, 1);
        self.scopes.pop();
        let returning = self
            .choices
            .one(&["", " RETURNING t.@", " RETURNING t.#, t.@"]);
        let returning = returning.replace('@', column).replace('#', key);
        if name == "medications" && self.choices.chance(30) {
            return format!("DELETE FROM {name} AS t WHERE {condition}{returning}");
        }
        format!("UPDATE {name} AS t SET {column} = {value} WHERE {condition}{returning}")
    }
}
