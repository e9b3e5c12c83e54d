use sqlparser::ast::{Expr, SelectItem, SetExpr, Statement, TableFactor};

use super::*;

fn parsed(text: &str) -> Vec<Statement> {
    statements(text).unwrap_or_else(|refusal| panic!("{text}: {refusal}"))
}

/// The first statement as sqlparser writes it: a picture of the tree, good enough to compare.
fn tree(text: &str) -> String {
    parsed(text).remove(0).to_string()
}

fn refused(text: &str) -> (Reason, String, Option<u32>) {
    let refusal = statements(text).map(|_| ()).expect_err(text);
    (
        refusal.reason(),
        refusal.message().to_owned(),
        refusal.position(),
    )
}

fn reason(text: &str) -> Reason {
    refused(text).0
}

fn select(text: &str) -> sqlparser::ast::Select {
    let Statement::Query(query) = parsed(text).remove(0) else {
        panic!("{text}")
    };
    let SetExpr::Select(select) = *query.body else {
        panic!("{text}")
    };
    *select
}

#[test]
fn statements_are_split_at_semicolons_and_empty_ones_skipped() {
    let batch = parsed(" ;select 1; ;\n select 2 -- x;\n;");
    assert_eq!(batch.len(), 2);
    assert_eq!(batch[0].to_string(), "SELECT 1");
    assert_eq!(batch[1].to_string(), "SELECT 2");
    assert!(parsed("").is_empty() && parsed(" -- nothing\n;").is_empty());
}

#[test]
fn names_are_folded_cut_and_placed() {
    let select = select("select 'ä',\n PATIENTS.\"Ssn\" from t");
    let SelectItem::UnnamedExpr(Expr::CompoundIdentifier(parts)) = &select.projection[1] else {
        panic!()
    };
    assert_eq!(parts[0].value, "patients");
    assert_eq!(parts[1].value, "Ssn");
    // Characters from 1 over the whole text, not lines.
    assert_eq!(
        (parts[0].span.start.line, parts[0].span.start.column),
        (1, 14)
    );
}

#[test]
fn every_string_arrives_decoded() {
    assert_eq!(
        tree(r"select E'a\x41', U&'\0042', $x$c$x$, 'd'"),
        "SELECT 'aA', 'B', 'c', 'd'"
    );
}

/// SQL.md P1: refused, whatever sqlparser alone would make of it.
#[test]
fn p1_two_readings_are_refused() {
    let text = "SELECT 'x' ||/* ' FROM visits -- */ ssn FROM patients --'";
    assert_eq!(reason(text), Reason::LexersDisagree);
    assert_eq!(refused(text).2, Some(12));
}

/// SQL.md P2: ONLY is never a table or a function.
#[test]
fn p2_only_is_a_marker_before_the_relation() {
    for (text, parts) in [
        ("SELECT ssn FROM ONLY patients", 2),
        ("SELECT ssn FROM only (patients)", 2),
        ("SELECT ssn FROM a JOIN ONLY clinic.patients p ON true", 3),
        ("SELECT ssn FROM a, ONLY \"patients\" AS p", 2),
        (
            "WITH \"only\" AS (SELECT 1 AS ssn) SELECT ssn FROM ONLY patients",
            2,
        ),
        ("SELECT ssn FROM visits UNION TABLE ONLY patients", 2),
    ] {
        let tree = format!("{:?}", parsed(text)[0]);
        assert_eq!(tree.matches("\\u{1}only").count(), 1, "{text}");
        let _ = parts;
    }
    let only = select("select 1 from only a.b");
    let TableFactor::Table {
        name,
        args: None,
        alias: None,
        ..
    } = &only.from[0].relation
    else {
        panic!()
    };
    let idents: Vec<_> = name.0.iter().map(|part| part.as_ident().unwrap()).collect();
    assert_eq!(marker(idents[0]), Some(Marker::Only));
    assert_eq!(
        (idents[1].value.as_str(), idents[2].value.as_str()),
        ("a", "b")
    );
    for text in [
        "SELECT a only FROM t",
        "SELECT only FROM t",
        "SELECT only(patients)",
        "SELECT 1 FROM ONLY (SELECT 1) x",
        "SELECT 1 FROM ONLY (a JOIN b ON true)",
    ] {
        assert!(
            matches!(reason(text), Reason::Construct | Reason::Syntax),
            "{text}"
        );
    }
    assert_eq!(tree("select 1 fetch first 2 rows only"), "SELECT 1 LIMIT 2");
    assert_eq!(
        tree("select a.only, b as only from a"),
        "SELECT a.only, b AS only FROM a"
    );
}

#[test]
fn a_client_cannot_write_a_marker() {
    let select = select("select \"\u{1}only\".x, \"\u{1}*\" from \"\u{1}only\".patients");
    let TableFactor::Table { name, .. } = &select.from[0].relation else {
        panic!()
    };
    assert_eq!(marker(name.0[0].as_ident().unwrap()), None);
}

/// SQL.md P3: END does not end the reading.
#[test]
fn p3_nothing_after_end_is_dropped() {
    assert_eq!(reason("SELECT 1 END FROM patients"), Reason::Syntax);
    assert_eq!(reason("SELECT 1 END; SELECT 2"), Reason::Syntax);
    assert_eq!(parsed("SELECT 1; END; SELECT 2").len(), 3);
}

/// SQL.md P5: words that only other databases have are names.
#[test]
fn p5_words_of_other_databases_are_names() {
    for word in [
        "anti", "semi", "global", "qualify", "pivot", "asof", "sample", "final", "top",
    ] {
        assert_eq!(
            tree(&format!(
                "select {word}.x from patients {word} join visits on true"
            )),
            format!("SELECT {word}.x FROM patients {word} JOIN visits ON true")
        );
    }
    for word in [
        "xor",
        "div",
        "rlike",
        "regexp",
        "glob",
        "match_recognize",
        "prior",
    ] {
        assert_eq!(
            reason(&format!("select a {word} b from t")),
            Reason::Syntax,
            "{word}"
        );
    }
    assert_eq!(
        tree("select ceil(x), convert(a, b, c), iff(a)"),
        "SELECT ceil(x), convert(a, b, c), iff(a)"
    );
}

/// SQL.md P6: the sign belongs to the operand.
#[test]
fn p6_signs_after_operators() {
    assert_eq!(
        tree("select false<>-1, a>=-1, b=-1"),
        "SELECT false <> -1, a >= -1, b = -1"
    );
}

#[test]
fn table_is_a_select_in_every_place_of_a_query() {
    assert_eq!(tree("TABLE t"), "SELECT * FROM t");
    assert_eq!(tree("(table a.b)"), "(SELECT * FROM a.b)");
    assert_eq!(
        tree("select 1 union all table t order by 1"),
        "SELECT 1 UNION ALL SELECT * FROM t ORDER BY 1"
    );
    assert_eq!(
        tree("with x as (table t) table x"),
        "WITH x AS (SELECT * FROM t) SELECT * FROM x"
    );
    assert_eq!(tree("explain table t"), "EXPLAIN SELECT * FROM t");
    assert_eq!(tree("select 1 as table from t"), "SELECT 1 AS table FROM t");
}

#[test]
fn queries_in_brackets_are_operands() {
    for text in [
        "select 1 where 1 = any ((select 1) union (select 2))",
        "select 1 where 1 < all (((select 1)) except (select 2) order by 1 limit 1)",
        "select ((select 1) union all (select 2) limit 1), coalesce(((select 1) union (select 1)), 2)",
        "select 1 where 2 in ((select 1) union (select 2)) or exists ((select 1) union (select 2))",
        "select 1 where 2 <> all (values (1), (3)) and 3 = any (values (1))",
        "select (values (1)), ((values (1)) except (select 2)), array((select 1) union (select 2))",
        "select 1 where ((table a) union (table b)) is null",
        "select * from ((select 1) union (select 2)) q, ((select 1) union (select 2)) r, (values (1)) v",
        "with q as ((select 1) union (select 2)) select 1 union all ((select 2) union (select 3))",
        "explain ((select 1) union (select 2))",
        "insert into t (a) ((select 1) union (select 2))",
        "prepare s as ((select 1) union (select 2)) order by 1",
        "select 1 in ((select 1), 2), 1 not in ((select 1) + 1, (select 2)), 1 in ((select 1))",
        "select 1 from t group by rollup ((a + b) * 2, (c)::text, (d, e)), cube ((a)::text), rollup (a)",
    ] {
        assert_eq!(parsed(text).len(), 1, "{text}");
    }
    assert_eq!(
        tree("select ((a)), f((b), (c)), (1, 2) in ((1, 2), (3, 4)), (select 1), ((select 2))"),
        "SELECT ((a)), f((b), (c)), (1, 2) IN ((1, 2), (3, 4)), (SELECT 1), ((SELECT 2))"
    );
    assert_eq!(
        tree("explain (select 1) union (select 2)"),
        "EXPLAIN (costs) (SELECT 1) UNION (SELECT 2)"
    );
    for text in [
        "select f((select 1) union (select 2))",
        "select ((select 1) union)",
        "select (values)",
        "select 1 = any ((select 1) (select 2))",
    ] {
        assert_eq!(reason(text), Reason::Syntax, "{text}");
    }
}

#[test]
fn stars_after_relations_are_told_from_products() {
    assert_eq!(
        tree(
            "select 1 from a * x, b.c * as y join d * on true cross join (e * join f * g on true)"
        ),
        "SELECT 1 FROM a x, b.c AS y JOIN d ON true CROSS JOIN (e JOIN f g ON true)"
    );
    assert_eq!(
        tree(
            "select 1 from a where exists (select 1 from b * c) and d * e > 1 order by f * g, h * i"
        ),
        "SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b c) AND d * e > 1 ORDER BY f * g, h * i"
    );
    assert_eq!(
        tree("prepare s as select 1 as select from a * left join b on true"),
        "PREPARE s AS SELECT 1 AS select FROM a LEFT JOIN b ON true"
    );
    for products in [
        "SELECT a, b * c FROM d",
        "SELECT EXTRACT(YEAR FROM b * c) FROM d",
        "SELECT a IS DISTINCT FROM b * c FROM d",
        "SELECT 1 FROM a JOIN b ON a.x IS NOT DISTINCT FROM b * c",
        "SELECT 1 FROM a JOIN b ON f(a, b * c) AND (a, b * c) IN ((1, 2))",
        "SELECT 1 FROM f(a, b * c) GROUP BY a, b * c",
        "SELECT b * c, (SELECT 1 FROM a), d * e FROM f",
        "SELECT * FROM (SELECT * FROM (SELECT DISTINCT * FROM a) AS b) AS c, (SELECT * FROM d) AS e",
    ] {
        assert_eq!(tree(products), products);
    }
}

#[test]
fn variadic_and_row_expansion_are_marked() {
    let one = format!("{:?}", parsed("select concat(VARIADIC x)")[0]);
    assert!(
        one.contains("\\u{1}variadic") && one.contains("RightArrow"),
        "{one}"
    );
    let star = select("select (p).*, (f(x)).*, p.* from p");
    for item in &star.projection[..2] {
        let tree = format!("{item:?}");
        assert!(tree.contains("\\u{1}*"), "{tree}");
    }
    assert!(matches!(
        star.projection[2],
        SelectItem::QualifiedWildcard(..)
    ));
}

#[test]
fn operators_have_the_precedence_of_postgresql() {
    let shape = |text: &str| match &select(&format!("select {text}")).projection[0] {
        SelectItem::UnnamedExpr(Expr::BinaryOp { left, op, right }) => {
            format!("[{left}] {op} [{right}]")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(shape("a ~ b || c"), "[a ~ b] || [c]");
    assert_eq!(shape("a = b ~ c"), "[a] = [b ~ c]");
    assert_eq!(shape("a ~ b = c"), "[a ~ b] = [c]");
    assert_eq!(shape("a OPERATOR(pg_catalog.+) b || c"), "[a + b] || [c]");
    assert_eq!(shape("a OPERATOR(pg_catalog.=) b + c"), "[a] = [b + c]");
    assert_eq!(shape("a -> b ->> c"), "[a -> b] ->> [c]");
    assert_eq!(shape("a - -b"), "[a] - [-b]");
    assert_eq!(reason("select a operator(public.+) b"), Reason::Operator);
}

#[test]
fn prefix_operators_read_in_two_ways_want_parentheses() {
    for text in [
        "select @ a + b",
        "select ~(a) * b",
        "select |/ f(x) - 1",
        "select @ -a + 1",
    ] {
        assert_eq!(reason(text), Reason::Construct, "{text}");
    }
    // A sign binds tighter than what follows: it gets the brackets that say so.
    for (text, tree) in [
        ("select -2 ^ 2", "SELECT (-2) ^ 2"),
        ("select -a.b[1]::int ^ 2", "SELECT (-a.b[1]::INT) ^ 2"),
        ("select - -x ^ 2", "SELECT (--x) ^ 2"),
        (
            "select -x at time zone 'utc'",
            "SELECT (-x) AT TIME ZONE 'utc'",
        ),
        ("select f(-(a) ^ 2, 1)", "SELECT f((-(a)) ^ 2, 1)"),
        ("select 1 + -2 ^ 2", "SELECT 1 + (-2) ^ 2"),
        ("select 1 order by -a ^ 2", "SELECT 1 ORDER BY (-a) ^ 2"),
    ] {
        assert_eq!(parsed(text)[0].to_string(), tree, "{text}");
    }
    for text in [
        "select (-2) ^ 2",
        "select -(2 ^ 2)",
        "select -a * b",
        "select -2",
        "select @(a + b)",
        "select a - 2 ^ 2",
        "select ~a & b",
        "select x::int - 2 ^ 2",
        "select count(*) + 1",
        "select null - 1 ^ 2",
        "select a.* from a",
        "select *, a ^ 2 from a",
    ] {
        assert!(statements(text).is_ok(), "{text}");
    }
}

#[test]
fn quantified_operators_and_postfix_tests_are_read() {
    for text in [
        "select a ~ any (b)",
        "select a !~~* all (select b)",
        "select a = any ('{1,2}'::int[])",
        "select a operator(pg_catalog.~) any (b)",
        "select a = some (array[1])",
    ] {
        assert!(statements(text).is_ok(), "{text}");
    }
    assert_eq!(
        tree("select a isnull, b notnull"),
        "SELECT a IS NULL, b IS NOT NULL"
    );
    assert_eq!(
        tree("select (a::text) collate \"C\""),
        "SELECT (a::TEXT) COLLATE \"C\""
    );
}

#[test]
fn literals_of_built_in_types_are_casts() {
    assert_eq!(
        tree("select inet '::1', pg_lsn '0/1'"),
        "SELECT CAST('::1' AS inet), CAST('0/1' AS pg_lsn)"
    );
    assert_eq!(
        tree("select date '2020-01-01', interval '1 day'"),
        "SELECT DATE '2020-01-01', INTERVAL '1 day'"
    );
    let alias = select("select a 'x' from t");
    let SelectItem::ExprWithAlias { alias, .. } = &alias.projection[0] else {
        return;
    };
    assert_eq!(alias.quote_style, Some('\''), "the lowering refuses this");
}

#[test]
fn exclusions_become_marks_on_the_last_bound() {
    let frame = |frame: &str| {
        tree(&format!(
            "select sum(a) over (order by a rows {frame}) from t"
        ))
    };
    for (written, read) in [
        (
            "1 preceding exclude ties",
            "1 OR `\u{1}exclude ties` PRECEDING",
        ),
        (
            "between 1 + 1 preceding and current row exclude group",
            "AND `\u{1}current row` OR `\u{1}exclude group` PRECEDING",
        ),
        (
            "between current row and unbounded following exclude current row",
            "AND `\u{1}unbounded` OR `\u{1}exclude current row` FOLLOWING",
        ),
        ("'1' preceding", "ROWS ('1') PRECEDING"),
    ] {
        assert!(frame(written).contains(read), "{}", frame(written));
    }
    assert_eq!(frame("1 preceding exclude no others"), frame("1 preceding"));
    assert_eq!(
        reason("select sum(a) over (rows 1 preceding exclude group 2) from t"),
        Reason::Syntax
    );
}

#[test]
fn rare_operands_become_marks() {
    for (written, read) in [
        (
            "select a between symmetric case when b and c then 1 end and (2)",
            "SELECT a BETWEEN `\u{1}symmetric`(CASE WHEN b AND c THEN 1 END) AND (2)",
        ),
        (
            "select trim(leading from 'x'), trim(both 'x' from a)",
            "SELECT TRIM(LEADING 'x'), TRIM(BOTH 'x' FROM a)",
        ),
        (
            "select a between asymmetric 1 and 2",
            "SELECT a BETWEEN 1 AND 2",
        ),
        (
            "select a::varchar(3)[] collate \"C\" < b::double precision::text collate s.c",
            "SELECT a::VARCHAR(3)[]::`\u{1}collate`.\"C\" < b::DOUBLE PRECISION::TEXT::`\u{1}collate`.s.c",
        ),
        (
            "select interval(3) '1.5 s', interval '1 day'",
            "SELECT CAST('1.5 s' AS INTERVAL(3)), INTERVAL '1 day'",
        ),
    ] {
        assert_eq!(tree(written), read);
    }
}

#[test]
fn fetch_and_move_get_what_they_leave_out() {
    for (written, read) in [
        ("fetch c", "FETCH NEXT FROM c"),
        ("fetch from c", "FETCH NEXT FROM c"),
        ("fetch all c", "FETCH ALL FROM c"),
        ("fetch -2 in c", "FETCH -2 FROM c"),
        (
            "fetch absolute -1 from \"C\"",
            "FETCH ABSOLUTE -1 FROM \"C\"",
        ),
        (
            "move forward all in c",
            "FETCH FORWARD ALL FROM c INTO `\u{1}move`",
        ),
        ("move c", "FETCH NEXT FROM c INTO `\u{1}move`"),
    ] {
        assert_eq!(tree(written), read);
    }
    for text in ["fetch", "move", "fetch - - 1 from c", "fetch next 1 from c"] {
        assert_eq!(reason(text), Reason::Syntax, "{text}");
    }
}

#[test]
fn syntax_errors_name_the_place_and_never_a_literal() {
    assert_eq!(
        refused("select (1 from t"),
        (
            Reason::Syntax,
            "syntax error at or near \"from\"".to_owned(),
            Some(11)
        )
    );
    let (_, message, position) = refused("select * from t where 'Müller' 5");
    assert_eq!(
        (message.as_str(), position),
        ("syntax error at or near a number", Some(32))
    );
    let (_, message, _) = refused("select * from t where x = ");
    assert_eq!(message, "syntax error at end of input");
    for text in [
        "select ('geheim'",
        "select geheim('x' 'geheim')",
        "select 'geheim",
        "insert 'geheim'",
    ] {
        let refusal = statements(text).map(|_| ()).expect_err(text);
        let error = phigate_types::PgError::from(refusal);
        assert!(!format!("{error:?}").contains("'geheim"), "{error:?}");
    }
}

#[test]
fn what_no_reader_can_take_is_refused_by_name() {
    for (text, expected) in [
        ("select 'a\0b'", Reason::Character),
        ("select 1\x0b", Reason::Construct),
        ("select U&'a' uescape 'a'", Reason::Syntax),
        ("select N'a'", Reason::Construct),
        ("select E'a'\n'\\b'", Reason::Construct),
        ("select 123abc", Reason::Syntax),
        ("select 'a", Reason::Syntax),
        ("select {1}", Reason::Syntax),
        ("select t * from t * 2", Reason::Syntax),
    ] {
        assert_eq!(reason(text), expected, "{text}");
    }
}

#[test]
fn budgets_refuse_before_parsing() {
    for text in [
        format!("select '{}'", "x".repeat(budget::MAX_STATEMENT_BYTES)),
        format!("select 1{}", ",1".repeat(budget::MAX_TOKENS)),
        format!("select{}1", " ".repeat(budget::MAX_WHITE_SPACE + 1)),
        "select 1;".repeat(budget::MAX_STATEMENTS + 1),
        format!("select {}1{}", "(".repeat(1_000), ")".repeat(1_000)),
        format!("select 1{}", "+1".repeat(20_000)),
        format!("select 1{}", " union all select 1".repeat(20_000)),
    ] {
        assert_eq!(reason(&text), Reason::TooComplex);
    }
}
