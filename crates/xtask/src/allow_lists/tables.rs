//! Each table: its file, its first line, and how its rows are made.

use std::collections::BTreeMap;

use super::{Decided, Server, UNREVIEWED, functions, line, majors};

/// How the rows of a table are made of what the servers have and what was decided.
type Rows = fn(&[Server<'_>], &Decided) -> anyhow::Result<String>;

/// One committed table.
pub(super) struct Table {
    pub(super) file: &'static str,
    pub(super) header: &'static str,
    pub(super) rows: Rows,
}

/// Every table.
pub(super) fn all() -> [Table; 7] {
    [
        Table {
            file: "functions.txt",
            header: "pg_catalog's functions: name, arguments, decision, kind, majors, columns in FROM; see function.rs.",
            rows: |servers, decided| functions::rows(servers, decided, "pg_catalog"),
        },
        Table {
            file: "information_schema_functions.txt",
            header: "information_schema's functions; see function.rs.",
            rows: |servers, decided| functions::rows(servers, decided, "information_schema"),
        },
        Table {
            file: "operators.txt",
            header: "pg_catalog's operators: symbol, decision, position, majors; see operator.rs.",
            rows: operators,
        },
        Table {
            file: "types.txt",
            header: "pg_catalog's types: name, decision, majors; see types.rs.",
            rows: types,
        },
        Table {
            file: "relations.txt",
            header: "Catalog relations: name, decision, majors, hidden columns, filter; see relation.rs.",
            rows: relations,
        },
        Table {
            file: "settings.txt",
            header: "Settings: name, decision, rule for values, majors; see setting.rs.",
            rows: settings,
        },
        Table {
            file: "keywords.txt",
            header: "pg_get_keywords() of every supported major; the strictest category of any. Written by `cargo xtask allow-lists`.",
            rows: keywords,
        },
    ]
}

fn operators(servers: &[Server<'_>], decided: &Decided) -> anyhow::Result<String> {
    const OPERATORS: &str = "
        SELECT oprname, CASE WHEN bool_or(oprkind = 'b') AND bool_or(oprkind = 'l') THEN 'both'
                             WHEN bool_or(oprkind = 'b') THEN 'infix' ELSE 'prefix' END
          FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace GROUP BY 1";
    let mut out = String::new();
    for (symbol, position, majors) in collect(servers, OPERATORS)? {
        let (decision, remark) = decision(decided, &symbol);
        out += &line(
            &format!("{symbol:<8} {decision:<5} {position:<6} {majors}"),
            remark,
        );
    }
    Ok(out)
}

fn types(servers: &[Server<'_>], decided: &Decided) -> anyhow::Result<String> {
    // Row types of catalog relations and their arrays are no types to cast to.
    const TYPES: &str = "
        SELECT t.typname, '' FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
         WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype <> 'c'
           AND NOT (t.typcategory = 'A' AND e.typtype = 'c')";
    let mut out = String::new();
    for (name, _, majors) in collect(servers, TYPES)? {
        let (decision, remark) = decision(decided, &name);
        out += &line(&format!("{name:<32} {decision:<5} {majors}"), remark);
    }
    Ok(out)
}

fn relations(servers: &[Server<'_>], decided: &Decided) -> anyhow::Result<String> {
    const RELATIONS: &str = "
        SELECT n.nspname || '.' || c.relname, '' FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v')";
    let mut out = String::new();
    for (name, _, majors) in collect(servers, RELATIONS)? {
        let (decision, remark) = decision(decided, &name);
        let extra = decided.one(&name).map_or(String::new(), |(words, _)| {
            words.get(2..).unwrap_or_default().join(" ")
        });
        out += &line(
            &format!("{name:<52} {decision:<5} {majors:<6} {extra}"),
            remark,
        );
    }
    Ok(out)
}

fn settings(servers: &[Server<'_>], decided: &Decided) -> anyhow::Result<String> {
    const SETTINGS: &str = "SELECT name, '' FROM pg_settings
        UNION SELECT unnest(ARRAY['is_superuser', 'session_authorization', 'role']), ''";
    let mut out = String::new();
    for (name, _, majors) in collect(servers, SETTINGS)? {
        let (decision, remark) = decision(decided, &name);
        let rule = decided
            .one(&name)
            .and_then(|(words, _)| words.get(1))
            .map_or("-", String::as_str);
        out += &line(
            &format!("{name:<44} {decision:<5} {rule:<12} {majors}"),
            remark,
        );
    }
    Ok(out)
}

fn keywords(servers: &[Server<'_>], _: &Decided) -> anyhow::Result<String> {
    const CATEGORIES: [&str; 4] = ["unreserved", "column", "type", "reserved"];
    const KEYWORDS: &str = "SELECT word, position(catcode IN 'UCTR') - 1 FROM pg_get_keywords()";
    let mut out = String::new();
    for (word, strictest, majors) in collect(servers, KEYWORDS)? {
        let category = strictest
            .parse()
            .ok()
            .and_then(|at: usize| CATEGORIES.get(at).copied());
        let category = category.unwrap_or("reserved");
        out += &line(&format!("{word:<20} {category:<10} {majors}"), "");
    }
    Ok(out)
}

/// Name, greatest second field of any major, and majors, sorted by name.
fn collect(servers: &[Server<'_>], sql: &str) -> anyhow::Result<Vec<(String, String, String)>> {
    let mut found: BTreeMap<String, (String, Vec<u16>)> = BTreeMap::new();
    for server in servers {
        for row in server.query(sql)? {
            let [name, second] = row.as_slice() else {
                continue;
            };
            let entry = found.entry(name.clone()).or_default();
            entry.0 = entry.0.clone().max(second.clone());
            entry.1.push(server.major);
        }
    }
    Ok(found
        .into_iter()
        .map(|(name, (second, present))| (name, second, majors(&present)))
        .collect())
}

fn decision<'d>(decided: &'d Decided, key: &str) -> (&'d str, &'d str) {
    match decided.one(key) {
        Some((words, remark)) => (words.first().map_or("deny", String::as_str), remark),
        None => ("deny", UNREVIEWED),
    }
}
