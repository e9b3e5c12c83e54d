//! What to call instead of a function that is not available: the way out that a refusal names.

use super::function::{allowed_counts, allowed_names};

/// What people bring from other databases, and what is denied here, each with what does its work.
/// Sorted by name.
const INSTEAD: &[(&str, &str)] = &[
    ("charindex", "use strpos(text, part)"),
    ("convert", "use CAST(value AS type)"),
    ("crypt", "use sha256(bytea)"),
    ("current_query", "what runs is shown by phictl explain"),
    ("currval", "use RETURNING"),
    ("cursor_to_xml", "run the query itself"),
    ("cursor_to_xmlschema", "run the query itself"),
    ("database_to_xml", "run a query of the tables"),
    ("dateadd", "add an interval: day + interval '1 month'"),
    ("datediff", "subtract the dates, or use age(later, earlier)"),
    ("datepart", "use date_part('field', instant)"),
    ("digest", "use sha256(bytea)"),
    ("getdate", "use now()"),
    ("group_concat", "use string_agg(text, separator)"),
    ("ifnull", "use COALESCE(value, other)"),
    ("iif", "use CASE WHEN ... THEN ... ELSE ... END"),
    ("instr", "use strpos(text, part)"),
    ("isnull", "use COALESCE(value, other) or value IS NULL"),
    ("isnumeric", "compare with a pattern: text ~ '^[0-9]+$'"),
    ("lastval", "use RETURNING"),
    ("len", "use length(text)"),
    ("listagg", "use string_agg(text, separator)"),
    (
        "median",
        "use percentile_cont(0.5) WITHIN GROUP (ORDER BY value)",
    ),
    ("months_between", "use age(later, earlier)"),
    ("nvl", "use COALESCE(value, other)"),
    (
        "pg_cancel_backend",
        "send a cancel request, as psql does at Ctrl-C",
    ),
    ("pg_show_all_settings", "use SHOW ALL"),
    ("query_to_xml", "run the query itself"),
    ("query_to_xml_and_xmlschema", "run the query itself"),
    ("query_to_xmlschema", "run the query itself"),
    ("schema_to_xml", "run a query of the tables"),
    ("set_config", "use SET"),
    ("sysdate", "use now()"),
    ("table_to_xml", "run a query of the table"),
    ("table_to_xml_and_xmlschema", "run a query of the table"),
    ("table_to_xmlschema", "run a query of the table"),
    ("ts_stat", "run the query itself, with unnest(tsvector)"),
    ("uuid_generate_v4", "use gen_random_uuid()"),
];

/// Names shorter than this are not guessed at: everything is near to them.
const SHORTEST_GUESS: usize = 4;

/// Names of at least this length may be two letters off.
const TWO_OFF: usize = 7;

/// The way out for a call of `name` with so many arguments, if there is one.
pub(crate) fn instead_of(name: &str, arguments: usize) -> Option<String> {
    if let Ok(index) = INSTEAD.binary_search_by(|(known, _)| known.cmp(&name)) {
        return INSTEAD.get(index).map(|(_, what)| (*what).to_owned());
    }
    if let Some(counts) = allowed_counts(name) {
        return Some(format!(
            "{name} is available with {counts} argument{}, not with {arguments}",
            if counts == "1" { "" } else { "s" }
        ));
    }
    let most = match name.len() {
        0..SHORTEST_GUESS => return None,
        SHORTEST_GUESS..TWO_OFF => 1,
        _ => 2,
    };
    let near = allowed_names()
        .filter(|known| known.len().abs_diff(name.len()) <= most)
        .map(|known| (distance(known, name), known))
        .min()?;
    (near.0 <= most).then(|| format!("did you mean {}?", near.1))
}

/// The number of letters to insert, remove, replace or swap with their neighbour (the restricted
/// edit distance of Damerau), by bytes.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let replaced = at(&last, j) + usize::from(a != b);
            let mut least = replaced.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped =
                i > 0 && j > 0 && one.get(i - 1) == Some(b) && other.get(j - 1) == Some(a);
            if swapped {
                least = least.min(at(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_named() {
        let says = |name, count| instead_of(name, count).unwrap_or_default();
        assert_eq!(says("lenght", 1), "did you mean length?");
        assert_eq!(says("date_trnc", 2), "did you mean date_trunc?");
        assert_eq!(says("nvl", 2), "use COALESCE(value, other)");
        assert_eq!(says("query_to_xml", 4), "run the query itself");
        assert_eq!(
            says("lower", 2),
            "lower is available with 1 argument, not with 2"
        );
        assert_eq!(says("f_secdef", 0), "");
        assert_eq!(says("abz", 1), "", "three letters are near to everything");
    }

    #[test]
    fn the_table_is_sorted_and_nothing_in_it_is_available() {
        assert!(INSTEAD.is_sorted_by(|a, b| a.0 < b.0));
        for (name, _) in INSTEAD {
            assert!(super::super::function(name, 4).is_none(), "{name}");
        }
    }

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("lower", "lower", 0),
            ("lower", "lowr", 1),
            ("lower", "lwoer", 1),
            ("", "abc", 3),
            ("upper", "lower", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
