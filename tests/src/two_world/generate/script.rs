//! Scripts: what one client sends in a row, in either protocol, leaving its session as it was.

use std::fmt::Write as _;

use super::{DEPTH, Generator, Message, Param, Script};
use crate::two_world::schema::Ty;

/// Statements over catalogs and settings; `{table}` is some table's name.
const CATALOGS: &str = include_str!("catalogs.sql");

/// What parts those that are answered from those that are not.
const REFUSED: &str =
    "-- What is refused, whatever the grant, and so tells nothing of masks: now and then only.\n";

impl Generator<'_> {
    pub(super) fn make_script(&mut self) -> Script {
        self.risky = self.choices.chance(20);
        let mut script = Script::default();
        let writes = if self.writes { 60 } else { 0 };
        let weights = [40, 32, 5, 5, 5, 3, 3, 4, 2, 3, 6, 10, 1, writes];
        match self.choices.weighted(weights.into_iter()) {
            0 => {
                let sql = self.select_statement();
                script.simple(sql);
            }
            1 => self.extended(&mut script),
            2 => self.cursor(&mut script),
            3 => self.prepared(&mut script),
            4 => self.copy(&mut script),
            5 => self.explain(&mut script),
            6 => self.transaction(&mut script),
            7 => self.catalog(&mut script),
            8 => {
                let (one, other) = (self.select_statement(), self.select_statement());
                script.simple(format!("{one}; {other}"));
            }
            9 => self.whole(&mut script),
            10 => self.temporary(&mut script),
            11 => self.wire(&mut script),
            12 => self.among(&mut script),
            _ => self.write(&mut script),
        }
        script
    }

    pub(super) fn select_statement(&mut self) -> String {
        self.budget = super::BUDGET;
        let types = self.types(4);
        self.top(&types)
    }

    fn extended(&mut self, script: &mut Script) {
        self.params = Some(Vec::new());
        let sql = self.select_statement();
        let params = self.params.take().unwrap_or_default();
        let binary = self.choices.chance(50);
        let rows = *self.choices.one(&[0, 0, 0, 3]);
        script.push(Message::Extended {
            sql,
            params,
            binary,
            rows,
        });
    }

    fn cursor(&mut self, script: &mut Script) {
        let types = self.types(3);
        let query = self.query(&types, DEPTH);
        let order = self.order(types.len());
        let kinds = ["", "SCROLL ", "NO SCROLL ", "BINARY ", "INSENSITIVE "];
        let kind = *self.choices.one(&kinds);
        let hold = if self.choices.chance(20) {
            " WITH HOLD"
        } else {
            ""
        };
        script.simple("BEGIN");
        script.simple(format!("DECLARE c {kind}CURSOR{hold} FOR {query}{order}"));
        let fetches = [
            "FETCH 2 FROM c",
            "FETCH NEXT FROM c",
            "FETCH FORWARD ALL FROM c",
            "FETCH ABSOLUTE 2 IN c",
            "MOVE 3 IN c",
            "FETCH PRIOR FROM c",
            "FETCH LAST FROM c",
            "FETCH FIRST IN c",
            "FETCH RELATIVE -1 FROM c",
            "FETCH BACKWARD 2 FROM c",
            "FETCH ABSOLUTE -1 FROM c",
            "FETCH FORWARD 0 FROM c",
            "MOVE BACKWARD ALL IN c",
            "FETCH BACKWARD ALL FROM c",
        ];
        for _ in 0..=self.choices.below(4) {
            script.then(*self.choices.one(&fetches));
        }
        let fetched = script.last();
        if hold.is_empty() {
            script.simple(*self.choices.one(&["COMMIT", "ROLLBACK"]));
        } else {
            script.simple("COMMIT");
            let committed = script.last();
            script.simple("FETCH ALL FROM c");
            script.simple("CLOSE c");
            script.needs(fetched, committed + 1);
        }
    }

    fn prepared(&mut self, script: &mut Script) {
        self.params = Some(Vec::new());
        let query = self.select_statement();
        let params = self.params.take().unwrap_or_default();
        let types: Vec<_> = params.iter().map(|param| param.ty.sql()).collect();
        let declared = if types.is_empty() || self.choices.chance(30) {
            String::new()
        } else {
            format!(" ({})", types.join(", "))
        };
        let value = |param: &Param| match param.text {
            Some(text) => format!("'{text}'"),
            None => "NULL".to_owned(),
        };
        let values: Vec<_> = params.iter().map(value).collect();
        let list = if values.is_empty() {
            String::new()
        } else {
            format!("({})", values.join(", "))
        };
        script.simple(format!("PREPARE s{declared} AS {query}"));
        let prepared = script.last();
        script.simple(format!("EXECUTE s{list}"));
        if self.choices.chance(20) {
            script.push_plan(Message::Simple(format!(
                "EXPLAIN (COSTS OFF) EXECUTE s{list}"
            )));
        }
        script.needs(prepared, prepared + 1);
        script.simple("DEALLOCATE ALL");
    }

    fn copy(&mut self, script: &mut Script) {
        let options = [
            "",
            " WITH (FORMAT csv, HEADER)",
            " WITH (FORMAT binary)",
            " CSV QUOTE '^' NULL 'nil'",
            " WITH (FORMAT csv, FORCE_QUOTE *)",
        ];
        if self.choices.chance(40) {
            let table = self.table();
            let some: Vec<_> = table.columns.iter().map(|column| &*column.name).collect();
            let list = if self.choices.chance(50) && some.len() > 2 {
                format!("({}, {})", some[some.len() - 1], some[1])
            } else {
                String::new()
            };
            let option = self.choices.one(&options);
            script.simple(format!("COPY {}{list} TO STDOUT{option}", table.name));
        } else {
            let types = self.types(3);
            let query = self.top(&types);
            let option = self.choices.one(&options);
            script.simple(format!("COPY ({query}) TO STDOUT{option}"));
        }
    }

    fn explain(&mut self, script: &mut Script) {
        let query = self.select_statement();
        let forms = [
            "EXPLAIN",
            "EXPLAIN (COSTS OFF)",
            "EXPLAIN (FORMAT JSON, COSTS OFF)",
            "EXPLAIN (COSTS OFF, FORMAT YAML)",
        ];
        let form = self.choices.one(&forms);
        script.push_plan(Message::Simple(format!("{form} {query}")));
    }

    fn transaction(&mut self, script: &mut Script) {
        let risky = self.risky;
        let begins = [
            "BEGIN",
            "START TRANSACTION READ ONLY",
            "BEGIN ISOLATION LEVEL REPEATABLE READ",
            "BEGIN; SET LOCAL TimeZone = 'Asia/Tokyo'",
        ];
        script.simple(*self.choices.one(&begins));
        let first = self.select_statement();
        script.simple(first);
        script.then("SAVEPOINT a");
        let saved = script.last();
        self.risky = true;
        let second = self.select_statement();
        self.risky = risky;
        script.simple(second);
        script.simple("ROLLBACK TO a");
        self.extended(script);
        script.needs(saved, saved + 1);
        script.simple(*self.choices.one(&["COMMIT", "ROLLBACK", "END", "ABORT"]));
    }

    fn catalog(&mut self, script: &mut Script) {
        let (answered, refused) = CATALOGS.split_once(REFUSED).unwrap_or((CATALOGS, ""));
        let part = if self.choices.chance(10) {
            refused
        } else {
            answered
        };
        let statements: Vec<_> = part
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        let sql = self
            .choices
            .one(&statements)
            .replace("{table}", &self.table().name);
        if self.choices.chance(40) {
            script.push(Message::Extended {
                sql,
                params: Vec::new(),
                binary: false,
                rows: 0,
            });
        } else {
            script.simple(sql);
        }
    }

    /// Whole relations: `*`, TABLE, rows, and columns by the names of masked ones.
    fn whole(&mut self, script: &mut Script) {
        let table = self.table();
        let name = &table.name;
        let mut list = String::new();
        for column in &table.columns {
            let _ = write!(
                list,
                "{}t.{}",
                if list.is_empty() { "" } else { ", " },
                column.name
            );
        }
        let sql = match self.choices.below(8) {
            0 => format!("SELECT * FROM {name}"),
            1 => format!("TABLE {name}"),
            2 => format!("SELECT t FROM {name} AS t"),
            3 => format!("SELECT t.* FROM {name} t ORDER BY t LIMIT 5"),
            4 => format!("SELECT {list} FROM {name} AS t"),
            5 => format!("SELECT count(DISTINCT t), max(t::text) FROM {name} AS t"),
            6 => format!("SELECT (t).* FROM {name} AS t, departments"),
            _ => format!("SELECT t FROM {name} AS t UNION SELECT t FROM ONLY {name} AS t"),
        };
        let types = [Ty::Text];
        if self.choices.chance(30) {
            let inner = self.inner(&types, 1);
            script.simple(format!("{sql}; SELECT count(*) FROM ({inner}) AS q"));
        } else {
            script.push(Message::Extended {
                sql,
                params: Vec::new(),
                binary: self.choices.chance(50),
                rows: 0,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_world::choices::Choices;
    use crate::two_world::generate::When;
    use crate::two_world::grammar::Grammar;
    use crate::two_world::schema::tables;

    #[test]
    fn what_an_item_waits_for_stands_before_it() {
        let (grammar, tables) = (Grammar::new(), tables(|_| Some(true)));
        let mut waiting = 0;
        for seed in 0..500 {
            let generator = Generator::new(&grammar, &tables, Choices::seeded(seed));
            let (script, choices) = generator.writing(seed % 2 == 0).script();
            for (number, item) in script.items.iter().enumerate() {
                match item.when {
                    When::Always => {}
                    When::Stands(back) | When::Failed(back) => {
                        waiting += 1;
                        assert!((1..=number).contains(&back), "{seed}: {:?}", script.items);
                    }
                }
            }
            let again = Generator::new(&grammar, &tables, Choices::replay(choices));
            assert_eq!(again.writing(seed % 2 == 0).script().0, script, "{seed}");
        }
        assert!(waiting > 200, "{waiting}");
    }
}
