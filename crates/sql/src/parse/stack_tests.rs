//! Statements at the edge of every budget, on half of the analysis stack: parsed (or refused)
//! and dropped. A stack overflow aborts the whole test run: that is the assertion.
//!
//! The stack left over is the lowering's and the renderer's. Run with and without `--release`: the
//! frames of an unoptimised build are the larger ones.

use super::*;
use crate::budget::{ANALYSIS_STACK_BYTES, MAX_DEPTH, MAX_NESTING};

/// Reads each text on a small stack and says how many were not refused.
fn survive(texts: Vec<String>) -> usize {
    std::thread::Builder::new()
        .stack_size(ANALYSIS_STACK_BYTES / 2)
        .spawn(move || {
            texts
                .iter()
                .filter(|text| match statements(text) {
                    Ok(parsed) => !parsed.is_empty(),
                    Err(refusal) => {
                        assert!(
                            matches!(refusal.reason(), Reason::TooComplex | Reason::Syntax),
                            "{refusal}"
                        );
                        false
                    }
                })
                .count()
        })
        .unwrap()
        .join()
        .unwrap()
}

#[test]
fn the_longest_chains() {
    let n = MAX_DEPTH as usize - 10;
    let mut texts: Vec<String> = ["+1", "||'x'", " and x", " or x", "::int", "[1]", " isnull"]
        .iter()
        .map(|link| format!("select x{} from t", link.repeat(n)))
        .collect();
    for link in [
        " union select 1",
        " union all select 1",
        " except select 1 intersect select 2",
    ] {
        texts.push(format!("select 1{}", link.repeat(n / 10)));
    }
    texts.push(format!(
        "select 1 from t{}",
        " join u on true".repeat(n / 5)
    ));
    texts.push(format!(
        "select 1 from t where a = 1{}",
        " or a = 2 and b + c * d = 5".repeat(n / 2 - 10)
    ));
    let all = texts.len();
    assert_eq!(survive(texts), all, "chains within the budget are read");
}

#[test]
fn chains_in_the_deepest_nesting() {
    let levels = 30;
    let links = MAX_DEPTH as usize / levels - 10;
    let mut text = "1".to_owned();
    for _ in 0..levels {
        text = format!("({text}){}", "+1".repeat(links));
    }
    assert_eq!(survive(vec![format!("select {text}")]), 1);
}

#[test]
fn the_deepest_nesting_of_every_construct() {
    let nest = |open: &str, middle: &str, close: &str, n: usize| {
        format!("select {}{middle}{}", open.repeat(n), close.repeat(n))
    };
    let n = MAX_NESTING;
    let shapes = [
        ("(", "1", ")"),
        ("((select ", "1", "))"),
        ("f(", "1", ")"),
        ("array[", "1", "]"),
        ("x[", "1", "]"),
        ("case when true then ", "1", " end"),
        ("case when ", "1", " then 1 end"),
        ("exists (select 1 where ", "true", ")"),
        ("x in (select ", "1", ")"),
        ("cast(", "1", " as int)"),
        ("coalesce(1, ", "1", ")"),
        ("extract(year from ", "x", ")"),
        ("substring(", "x", " from 1 for 2)"),
        ("trim(both 'x' from ", "x", ")"),
        ("position(x in ", "x", ")"),
        ("row(", "1", ")"),
        ("1 + (", "1", ")"),
        ("sum(x) over (order by ", "1", ")"),
        ("sum(x) filter (where ", "true", ")"),
        ("not (", "true", ")"),
        ("(select 1 from (select ", "1", ") x)"),
        ("(with w as (select ", "1", ") select 1)"),
        ("interval '1' + (", "x", ")"),
        ("- (", "1", ")"),
        ("x = any (", "y", ")"),
        ("lateral (", "1", ")"),
        ("x between (", "1", ") and 2"),
        ("grouping sets ((", "1", "))"),
    ];
    let mut texts = Vec::new();
    for (open, middle, close) in shapes {
        for n in [20, n / 4, n / 2, n, 10 * n] {
            texts.push(nest(open, middle, close, n));
            texts.push(nest(open, middle, "", n));
            texts.push(nest(open, "", close, n));
        }
    }
    for n in [20, n, 10 * n] {
        texts.push(format!("select 1 from {}t{}", "(".repeat(n), ")".repeat(n)));
        texts.push(format!(
            "select 1 from {}t join u on true{}",
            "(".repeat(n),
            ")".repeat(n)
        ));
        texts.push(format!("select 1 from {}t", "(select 1 from ".repeat(n)));
        texts.push(format!("{}select 1{}", "(".repeat(n), ")".repeat(n)));
        texts.push(format!("{}select 1", "with x as (".repeat(n)));
        texts.push(format!("{}select 1", "explain ".repeat(n)));
        texts.push(format!("select {}1", "- ".repeat(n)));
        texts.push(format!("select {}1", "not ".repeat(n)));
        texts.push(format!("select {}x", "~ @ ".repeat(n)));
        texts.push(format!(
            "select 1 from t group by {}1{}",
            "grouping sets (".repeat(n),
            ")".repeat(n)
        ));
        texts.push(format!("select x::int{}", "[]".repeat(n)));
        texts.push(format!("select x::{}int", "array<".repeat(n)));
        texts.push(format!("select x::{}int", "struct<a ".repeat(n)));
        texts.push(format!("select a{}", ".b".repeat(n)));
        texts.push(format!("select {}'x'", "interval ".repeat(n)));
        texts.push(format!("prepare {}", "p as prepare ".repeat(n)));
        texts.push(format!("select 1 from t{}", " join t".repeat(n)));
    }
    let read = survive(texts);
    assert!(read >= 20, "only {read} were read");
}

#[test]
fn what_is_wide_is_read() {
    let texts = vec![
        format!("select 1 where x in (1{})", ",2".repeat(100_000)),
        format!("values (1,'a'){}", ",(2,'b')".repeat(40_000)),
        format!("select '{}'", "ä".repeat(1 << 20)),
        format!("select 1 from t{}", ",t".repeat(20_000)),
        "select 1;".repeat(999),
    ];
    let all = texts.len();
    assert_eq!(survive(texts), all);
}
