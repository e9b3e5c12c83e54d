//! The catalogue of ways round a mask, each by name: refused, or harmless in what is sent.

use super::reads_only_through_masks;
use crate::testing::World;

/// The statement is refused, or reads patients only through their mask.
fn harmless(world: &World, text: &str) {
    if let Ok(batch) = world.analyse(text) {
        let sql = batch.sql();
        assert!(reads_only_through_masks(&sql), "{text}\n=> {sql}");
    }
}

#[test]
fn literals_cannot_break_out() {
    let world = World::limited();
    for text in [
        r"SELECT '\'' UNION SELECT ssn FROM patients --'",
        r#"SELECT 1 AS "b\"", ssn FROM patients --""#,
        r"SELECT N'\'' UNION SELECT ssn FROM patients --'",
        "SELECT 'a''''b', 'x'''",
        r#"SELECT 1 AS "a""""b""#,
        r"SELECT E'\\' || ' UNION SELECT ssn FROM patients --'",
        r"SELECT $$' UNION SELECT ssn FROM patients --$$",
    ] {
        harmless(&world, text);
    }
    assert_eq!(
        world.admit(r"SELECT '\'' UNION SELECT ssn FROM patients --'"),
        r#"SELECT E'\\'' UNION SELECT ssn FROM patients --' AS "?column?""#,
    );
    assert_eq!(
        world.admit("SELECT 'it''s'"),
        "SELECT E'it''s' AS \"?column?\""
    );
    assert_eq!(
        world.admit(r#"SELECT 1 AS "a""b""#),
        r#"SELECT 1 AS "a""b""#
    );
}

#[test]
fn operators_cannot_hide_comments() {
    let world = World::limited();
    for operator in [
        "||", "<>", "<@", "~", "<", "<=", "%", "&", "&&", "#", "->", "<->",
    ] {
        harmless(
            &world,
            &format!("SELECT 'x' {operator}/* ' FROM visits -- */ ssn FROM patients --'"),
        );
        harmless(
            &world,
            &format!("SELECT 'x' {operator}--'\n ssn FROM patients --'"),
        );
    }
}

#[test]
fn a_minus_is_never_followed_by_a_minus() {
    let world = World::limited();
    for text in [
        "select - -1",
        "select -(-1)",
        "select - - -id from visits",
        "select 1 - -1",
    ] {
        let sql = world.admit(text);
        assert!(!sql.contains("--"), "{sql}");
    }
}

#[test]
fn only_is_not_a_relation() {
    let world = World::limited();
    for text in [
        "SELECT ssn FROM ONLY patients",
        "SELECT ssn FROM ONLY (patients)",
        "WITH \"only\" AS (SELECT 1 AS ssn) SELECT ssn FROM ONLY patients",
        "SELECT 1 UNION ALL TABLE patients",
        "SELECT 1 UNION TABLE ONLY patients",
        "TABLE patients",
        "SELECT ssn FROM patients *",
    ] {
        harmless(&world, text);
    }
    assert!(
        world
            .admit("SELECT ssn FROM ONLY patients")
            .contains("FROM ONLY \"public\".\"patients\"")
    );
}

#[test]
fn statements_do_not_end_early() {
    let world = World::limited();
    for text in [
        "SELECT 1 END FROM patients",
        "SELECT 1 END; SELECT ssn FROM patients",
    ] {
        harmless(&world, text);
    }
}

#[test]
fn functions_that_read_by_name_are_refused() {
    let world = World::limited();
    for call in [
        "query_to_xml('select ssn from patients', true, true, '')",
        "table_to_xml('patients', true, true, '')",
        "schema_to_xml('public', true, true, '')",
        "database_to_xml(true, true, '')",
        "cursor_to_xml('c', 1, true, true, '')",
        "ts_stat('select to_tsvector(ssn) from patients')",
        "ts_rewrite('a'::tsquery, 'select ssn, ssn from patients')",
        "pg_read_file('/etc/passwd')",
        "pg_ls_dir('.')",
        "lo_get(1)",
        "lo_export(1, '/tmp/x')",
        "pg_stat_get_backend_activity(1)",
        "nextval('patients_id_seq')",
        "pg_terminate_backend(1)",
        "pg_notify('a', 'b')",
        "pg_advisory_lock(1)",
        "public.leak(1)",
        "leak(1)",
        "ssn(p)",
        "dblink('x', 'select 1')",
        "pg_export_snapshot()",
        "currtid2('patients', '(0,1)')",
    ] {
        for text in [
            format!("select {call} from patients p"),
            format!("select * from {call} x"),
            format!("select 1 from visits where {call} is null"),
        ] {
            world.refuse(&text);
        }
    }
}

#[test]
fn sizes_are_never_computed() {
    let world = World::limited();
    for call in [
        "pg_relation_size('patients')",
        "pg_relation_size('patients', 'main')",
        "pg_catalog.pg_table_size(p.id::regclass)",
        "pg_total_relation_size(oid => 'patients')",
        "pg_database_size(current_database())",
    ] {
        for text in [
            format!("select {call} from patients p"),
            format!("select 1 from {call} x, lateral {call} y, patients p"),
            format!("select 1 from patients p where {call} > (select {call})"),
        ] {
            if let Ok(batch) = world.analyse(&text) {
                let sql = batch.sql();
                assert!(!sql.contains("size\"("), "{sql}");
                assert!(sql.contains("abs\"(CAST(NULL AS"), "{sql}");
            }
        }
    }
    assert!(
        world
            .admit("select pg_table_size('patients')")
            .ends_with("AS \"pg_table_size\"")
    );
    // Whether a released value was compressed, or moved out of its row, depends on how wide the masked
    // values beside it are.
    let size = world.admit("select pg_column_size(p.id) from patients p");
    assert!(size.contains("\"int4\")) AS \"pg_column_size\""), "{size}");
    assert_eq!(
        world.refuse("select pg_table_size(p.ssn, 1, 2) from patients p"),
        "function"
    );
    assert_eq!(
        world.refuse("select pg_table_size(nothing)"),
        "unknown_column"
    );
}

#[test]
fn settings_named_at_run_time_are_compared_before_they_are_read() {
    let world = World::limited();
    for name in [
        "$1",
        "'phigate.' || 'k_integer'",
        "(select name from pg_settings)",
        "case when random() < 0.5 then 'jit' else 'phigate.k_integer' end",
    ] {
        for call in ["current_setting(#)", "pg_catalog.current_setting(#, true)"] {
            let sql = world.admit(&format!("select {}", call.replace('#', name)));
            let read = sql.split("\"current_setting\"(").nth(1).unwrap();
            assert!(
                read.starts_with("pg_catalog.\"substring\"(pg_catalog.\"lower\"("),
                "{sql}"
            );
            assert!(sql.contains("'^(?:") && sql.contains("|jit|"), "{sql}");
            assert!(
                !sql.contains("|phigate") && !sql.contains("|data_directory|"),
                "{sql}"
            );
        }
    }
    world.refuse("select current_setting('phigate.k_integer')");
    // One that may not be shown is as one that there is not.
    assert_eq!(
        world.admit("select current_setting('phigate.k_integer', true)"),
        world.admit("select current_setting('no_such_setting', true)"),
    );
    assert!(
        !world
            .admit("select current_setting('phigate.k_integer', true)")
            .contains("phigate")
    );
    world.refuse("select current_setting(setting_name => 'phigate.' || 'k_integer')");
}

#[test]
fn what_drivers_send_to_set_a_session_up_and_clean_it() {
    let world = World::limited();
    world.admit("select set_config('jit', $1, false)");
    // What asyncpg's pool sends to clean a session: it frees locks, and none can be taken.
    world.admit("select pg_advisory_unlock_all(); close all; unlisten *; reset all");
    world.refuse("select pg_advisory_lock(1)");
    for setting in [
        "search_path",
        "standard_conforming_strings",
        "statement_timeout",
        "role",
        "phigate.k_integer",
    ] {
        world.refuse(&format!("select set_config('{setting}', $1, false)"));
    }
    world.refuse("select set_config($1, 'off', false)");
    world.refuse("select set_config('jit', 'off', $1)");
    world.refuse("select set_config('jit', $1 || '', false)");
}

#[test]
fn show_all_shows_what_show_shows() {
    let sql = World::limited().admit("show all");
    assert!(
        sql.contains("\"~\"") || sql.contains("pg_catalog.~"),
        "{sql}"
    );
    assert!(
        sql.contains("|search_path|") && !sql.contains("phigate"),
        "{sql}"
    );
    assert!(!sql.contains("|data_directory|"), "{sql}");
}

#[test]
fn functional_notation_never_calls_a_function() {
    let world = World::limited();
    for text in [
        "select p.leak from patients p",
        "select (p).leak from patients p",
        "select (v.*).lower from visits v",
        "select p.row_to_json from patients p",
        "select (select p from patients p limit 1).ssn",
        "select ('x'::text).length",
        "select patients.length from patients",
    ] {
        world.refuse(text);
    }
}

#[test]
fn masked_values_are_all_that_conditions_see() {
    let world = World::limited();
    for text in [
        "select count(*) from patients where ssn like '900%'",
        "select id from patients order by ssn",
        "select ssn, count(*) from patients group by ssn",
        "select distinct ssn from patients",
        "select rank() over (order by ssn) from patients",
        "select percentile_disc(0.5) within group (order by ssn) from patients",
        "select a.id from patients a join patients b on a.ssn < b.ssn",
        "select id from patients where (ssn, name) > ('1', 'a')",
        "select id from patients p where p > row(1)",
        "select case when ssn = '1' then 1/0 else 1 end from patients",
        "select ssn::int from patients",
        "select id from visits where exists (select 1 from patients where ssn = '1' and id = patient_id)",
        "select id from visits where patient_id in (select id from patients where name = 'x')",
        "select id from visits where patient_id = any (select id from patients where name = 'x')",
        "select array(select ssn from patients)",
        "select (select ssn from patients limit 1)",
        "select string_agg(ssn, ',' order by name) filter (where ssn > '1') from patients",
        "select * from visits limit (select length(ssn) from patients limit 1)",
        "select 1 from visits, lateral (select ssn from patients where id = visits.patient_id) x",
        "values ((select ssn from patients limit 1))",
        "select * from generate_series(1, (select length(ssn) from patients limit 1)) g",
        "select xmin from patients",
        "select * from patients tablesample system (10)",
        "select (array[ssn])[1] from patients",
        "select a.ssn from patients a(x, y, ssn)",
        "select to_json(p), p::text, json_agg(p), array_agg(p) from patients p",
        "select * from (patients cross join visits) as j",
        "select * from v_patients where ssn = '9'",
        "table v_twice",
        "explain select * from patients where ssn > '1'",
        "declare c cursor for table patients",
        "prepare s as table patients",
        "copy (table patients) to stdout",
        "copy patients to stdout",
        "with recursive r as (select id, ssn from patients union all select id, ssn from r) select * from r",
        "select grouping(ssn), ssn from patients group by rollup (ssn)",
        "select ssn from patients union select ward from visits intersect select ssn from patients",
    ] {
        harmless(&world, text);
    }
}

#[test]
fn shadowing_schemas_do_not_confuse_which_table_is_meant() {
    let mut world = World::limited();
    world.search_path = vec!["archive".to_owned(), "public".to_owned()];
    assert!(
        world
            .admit("select ssn from patients")
            .contains("FROM \"archive\".\"patients\" AS \"t\"")
    );
    world.search_path = vec!["public".to_owned(), "archive".to_owned()];
    assert!(
        world
            .admit("select ssn from patients")
            .contains("FROM \"public\".\"patients\" AS \"t\"")
    );
    // Not even a user's schema in front goes before pg_catalog.
    assert!(
        world
            .admit("select relname from pg_class")
            .contains("\"pg_catalog\".\"pg_class\"")
    );
}

#[test]
fn casts_to_types_that_run_code_are_refused() {
    let world = World::limited();
    for text in [
        "select 'x'::unknown_type",
        "select null::patients",
        "select null::public.patients",
        "select '(1)'::record",
        "select 'x'::cstring",
    ] {
        world.refuse(text);
    }
    assert!(
        world
            .admit("select 'ok'::mood")
            .contains("CAST('ok' AS \"public\".\"mood\")")
    );
}

#[test]
fn operators_are_always_postgresqls_own() {
    let world = World::limited();
    let sql =
        world.admit("select id + 1 from visits where ward like 'a%' and not id <> all (array[1])");
    assert!(sql.contains("OPERATOR(pg_catalog.+)"));
    assert!(sql.contains("OPERATOR(pg_catalog.~~)"));
    assert!(sql.contains("OPERATOR(pg_catalog.<>) ALL"));
    world.refuse("select 1 operator(public.+) 2");
    world.refuse("select 1 <%%> 2");
}

#[test]
fn refusals_point_at_what_was_typed() {
    let world = World::limited();
    let at = |text: &str| world.analyse(text).unwrap_err().position();
    assert_eq!(at("select id, nickname from patients"), Some(12));
    assert_eq!(at("select 'ä',\n  nope from visits"), Some(15));
    assert_eq!(at("select * from nowhere"), Some(15));
    assert_eq!(at("select leak(1)"), Some(8));
    assert_eq!(at("select 1; select nope from visits"), Some(18));
}
