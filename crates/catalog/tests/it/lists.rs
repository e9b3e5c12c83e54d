//! The allow-lists name everything that the server at hand has, allowed or denied: what a new major
//! brings fails here before it is refused to somebody who needs it.

use std::collections::{HashMap, HashSet};

use phigate_testkit::postgres;
use sqlx::{Executor, Row};

/// What each committed list is asked for, as one text a row.
const LISTS: [(&str, &str, &str); 4] = [
    (
        "functions",
        include_str!("../../../sql/src/allow/functions.txt"),
        "SELECT DISTINCT p.proname || ' ' ||
                CASE WHEN p.provariadic <> 0 THEN '*'
                     ELSE n::text END
         FROM pg_proc p,
              generate_series((p.pronargs - p.pronargdefaults)::int, p.pronargs::int) AS n
         WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind <> 'a'",
    ),
    (
        "operators",
        include_str!("../../../sql/src/allow/operators.txt"),
        "SELECT DISTINCT oprname::text FROM pg_operator
         WHERE oprnamespace = 'pg_catalog'::regnamespace",
    ),
    (
        "types",
        include_str!("../../../sql/src/allow/types.txt"),
        "SELECT t.typname::text FROM pg_type t
         WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typrelid = 0
           AND NOT EXISTS (SELECT FROM pg_type e
                           WHERE e.oid = t.typelem AND e.typarray = t.oid AND e.typrelid <> 0)",
    ),
    (
        "relations",
        include_str!("../../../sql/src/allow/relations.txt"),
        "SELECT relnamespace::regnamespace || '.' || relname FROM pg_class
         WHERE relnamespace IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
           AND relkind IN ('r', 'v', 'm', 'p', 'f')",
    ),
];

#[tokio::test]
async fn nothing_of_this_server_is_in_no_list() {
    let cluster = postgres();
    let mut connection = crate::upstream(&cluster, "postgres")
        .connect()
        .await
        .unwrap();
    for (what, list, question) in LISTS {
        let listed = listed(what, list);
        let rows = connection.fetch_all(question).await.unwrap();
        assert!(rows.len() > 50, "{what}: {}", rows.len());
        let missing: Vec<String> = rows
            .iter()
            .map(|row| row.get(0))
            .filter(|row: &String| !listed.contains(row))
            .collect();
        assert!(missing.is_empty(), "{what} in no list: {missing:?}");
    }
}

/// The first word of each row; of functions, each of them with each of its numbers of arguments.
fn listed(what: &str, list: &str) -> HashSet<String> {
    let rows = list.lines().filter(|line| !line.starts_with("//"));
    let mut listed = HashSet::new();
    for mut words in rows.map(str::split_whitespace) {
        let (Some(name), Some(second)) = (words.next(), words.next()) else {
            continue;
        };
        if what != "functions" {
            listed.insert(name.to_owned());
            continue;
        }
        let (counts, variadic) = match second.strip_suffix('+') {
            Some(counts) => (counts, true),
            None => (second, false),
        };
        listed.extend(counts.split(',').map(|count| format!("{name} {count}")));
        listed.extend(variadic.then(|| format!("{name} *")));
    }
    listed
}

/// Each list has rows that it allows and rows that it denies, so that an empty one is noticed.
#[test]
fn every_list_decides() {
    for (what, list, _) in LISTS {
        let mut decided = HashMap::new();
        for word in list.lines().flat_map(str::split_whitespace) {
            if word == "allow" || word == "deny" {
                *decided.entry(word).or_insert(0) += 1;
            }
        }
        assert!(decided.get("allow").is_some_and(|n| *n > 50), "{what}");
    }
}
