//! The rows of `functions.txt` and `information_schema_functions.txt`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Decided, Server, UNREVIEWED, line, majors};

/// All overloads: name, fewest arguments, most arguments, variadic, kind, columns.
const FUNCTIONS: &str = "
SELECT p.proname,
       CASE WHEN a.aggkind IN ('o', 'h') THEN a.aggnumdirectargs ELSE p.pronargs - p.pronargdefaults END,
       CASE WHEN a.aggkind IN ('o', 'h') THEN a.aggnumdirectargs ELSE p.pronargs END,
       p.provariadic <> 0,
       CASE WHEN a.aggkind IN ('o', 'h') THEN 'ordered' WHEN p.prokind = 'a' THEN 'aggregate'
            WHEN p.prokind = 'w' THEN 'window' WHEN p.proretset THEN 'set' ELSE 'scalar' END,
       coalesce(
         (SELECT string_agg(n, ',' ORDER BY i)
            FROM unnest(p.proargnames, p.proargmodes) WITH ORDINALITY AS x(n, m, i)
           WHERE m IN ('o', 'b', 't')),
         CASE WHEN p.prorettype = 'record'::regtype AND p.proretset THEN 'definition'
              WHEN p.prorettype = 'record'::regtype AND p.proname ~ 'to_record$' THEN 'definition'
              WHEN p.proname ~ 'populate_record(set)?$' THEN 'argument'
              ELSE '' END)
  FROM pg_proc p LEFT JOIN pg_aggregate a ON a.aggfnoid = p.oid
 WHERE p.pronamespace = 'SCHEMA'::regnamespace
 ORDER BY 1, 2, 3, 5, 6";

/// What one count of arguments of one name is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    kind: String,
    columns: String,
    majors: Vec<u16>,
    variadic: bool,
}

/// The rows for the functions of `schema`.
pub(super) fn rows(
    servers: &[Server<'_>],
    decided: &Decided,
    schema: &str,
) -> anyhow::Result<String> {
    let mut shapes: BTreeMap<(String, u32), Shape> = BTreeMap::new();
    for server in servers {
        for row in server.query(&FUNCTIONS.replace("SCHEMA", schema))? {
            let [name, fewest, most, variadic, kind, columns] = row.as_slice() else {
                continue;
            };
            for count in fewest.parse()?..=most.parse()? {
                let shape = shapes
                    .entry((name.clone(), count))
                    .or_insert_with(|| Shape {
                        kind: kind.clone(),
                        columns: columns.clone(),
                        majors: Vec::new(),
                        variadic: false,
                    });
                if shape.majors.last() != Some(&server.major) {
                    shape.majors.push(server.major);
                }
                shape.variadic |= variadic == "t" && count.to_string() == *most;
            }
        }
    }

    // Counts of one name that look alike and are judged alike share a row.
    let mut rows: BTreeMap<(String, Shape, String, String), BTreeSet<u32>> = BTreeMap::new();
    for ((name, count), shape) in shapes {
        let (decision, remark) = decision(decided, &name, count);
        rows.entry((name, shape, decision, remark))
            .or_default()
            .insert(count);
    }
    let mut lines: Vec<(String, u32, String)> = Vec::new();
    for ((name, shape, decision, remark), counts) in rows {
        let list = counts
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let list = if shape.variadic {
            format!("{list}+")
        } else {
            list
        };
        let text = format!(
            "{name:<36} {list:<8} {decision:<7} {:<9} {:<6} {}",
            shape.kind,
            majors(&shape.majors),
            shape.columns
        );
        lines.push((
            name,
            counts.first().copied().unwrap_or(0),
            line(&text, &remark),
        ));
    }
    lines.sort();
    Ok(lines.into_iter().map(|(_, _, line)| line).collect())
}

/// What the committed table says about `name` with `count` arguments.
fn decision(decided: &Decided, name: &str, count: u32) -> (String, String) {
    for (words, remark) in decided.of(name) {
        let [_, counts, decision, ..] = words.as_slice() else {
            continue;
        };
        let list = counts.trim_end_matches('+');
        if list.split(',').any(|word| word.parse() == Ok(count)) {
            return (decision.clone(), remark.clone());
        }
    }
    ("deny".to_owned(), UNREVIEWED.to_owned())
}
