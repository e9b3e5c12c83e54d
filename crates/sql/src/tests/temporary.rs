//! The session's own temporary relations: what may be made, what is read of them, and that they
//! hold and hide nothing.

use crate::temporary::{Temporary, TemporaryRelation};
use crate::testing::World;
use crate::{Effect, RelationKind};

/// A session that has these tables.
fn having(tables: &[(&str, &[&str])]) -> World {
    let mut world = World::limited();
    world.temporary = Temporary::new(tables.iter().map(|(name, columns)| TemporaryRelation {
        name: (*name).to_owned(),
        kind: RelationKind::Table,
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        vanishes: false,
    }));
    world
}

#[test]
fn a_table_is_made_of_released_values() {
    let world = World::limited();
    for text in [
        "CREATE TEMP TABLE t AS SELECT id, ssn FROM patients",
        "CREATE TEMPORARY TABLE IF NOT EXISTS t ON COMMIT DROP AS SELECT id, ssn FROM patients WITH NO DATA",
        "CREATE TABLE pg_temp.t AS TABLE patients",
        "CREATE TEMP TABLE t (a, \"B\") AS WITH w AS (SELECT id, ssn FROM patients) SELECT * FROM w",
        "CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS pg_temp.t (id) ON COMMIT DELETE ROWS AS (SELECT ssn FROM patients)",
        "CREATE TEMP TABLE t (table_, type) ON COMMIT DROP AS SELECT ssn, (id) FROM patients",
        "SELECT id, ssn INTO TEMP t FROM patients",
        "SELECT id INTO TEMPORARY TABLE pg_temp.t FROM patients UNION SELECT id FROM visits",
        "CREATE TEMP VIEW t AS SELECT ssn FROM patients",
        "CREATE OR REPLACE TEMP VIEW t (a) AS SELECT ssn FROM patients",
        "CREATE TEMP TABLE IF NOT EXISTS t (LIKE patients) ON COMMIT DELETE ROWS",
    ] {
        let sql = world.admit(text);
        assert!(
            !sql.contains("\"public\".\"patients\" AS \"patients\""),
            "{sql}"
        );
        assert!(
            sql.contains(" TEMPORARY ") && sql.contains("\"t\""),
            "{sql}"
        );
        assert!(
            sql.contains("CAST(NULL AS pg_catalog.bpchar(11))") || !text.contains("ssn"),
            "{sql}"
        );
    }
}

#[test]
fn what_is_written_is_canonical() {
    let world = having(&[("codesets", &["a", "b"])]);
    shown!(super::listing(
        &world,
        &[
            "create temp table t (codeset_id int not null, concept_id bigint default 1 + 1, \"Who\" varchar(20) check (\"Who\" <> ''), constraint k primary key (codeset_id, concept_id), unique (concept_id), check (codeset_id < concept_id)) on commit preserve rows",
            "create temp table s (id serial primary key, n int generated always as identity, c text collate \"C\")",
            "create temp table k (id int primary key, up int references k, of int constraint of_codeset references codesets (a) on delete cascade on update set null, foreign key (id, of) references pg_temp.codesets (a, b))",
            "alter table codesets add foreign key (a) references codesets (b), add column d int references codesets on delete set default",
            "create temp table l (id int primary key); create temp table m (id int references l)",
            "create unique index i on codesets using btree (a desc nulls last, (lower(b))) where a > 1",
            "create temp table g (d date, y int generated always as (extract(year from d)) stored)",
            "alter table codesets add primary key (a), add constraint positive check (a > 0), add column c int, drop column b",
            "alter table codesets alter column b type numeric(10, 2) using b::numeric, alter a set not null, alter a drop not null, alter b set default 1, alter b drop default",
            "create temp table p (like patients excluding defaults); select * from p",
            "create temp table if not exists q (like codesets) on commit drop",
            "drop table if exists codesets, missing",
            "truncate codesets; analyze codesets; analyze codesets (a)",
            "alter table codesets rename a to z; select z, b from codesets; alter table codesets add column c int; select * from codesets",
            "select c.a, count(*) from codesets c join patients p on p.id = c.a group by c.a",
        ],
    ));
}

#[test]
fn a_temporary_table_is_found_before_any_other() {
    let world = having(&[("patients", &["id", "ssn"])]);
    let sql = world.admit("SELECT ssn FROM patients");
    assert!(sql.contains("\"pg_temp\".\"patients\""), "{sql}");
    let sql = world.admit("SELECT ssn FROM public.patients");
    assert!(!sql.contains("pg_temp"), "{sql}");
    assert_eq!(world.refuse("SELECT name FROM patients"), "unknown_column");
}

#[test]
fn a_column_is_never_read_as_a_function() {
    // Were the table another one by the time it runs, `t.f` would be the call f(t).
    let world = having(&[("x", &["secret_function"])]);
    let sql = world.admit("SELECT x.secret_function, (x).secret_function FROM x");
    assert!(
        sql.contains(
            "(SELECT \"secret_function\" AS \"secret_function\" FROM \"pg_temp\".\"x\" AS \"t\")"
        ),
        "{sql}"
    );
}

#[test]
fn a_batch_sees_what_it_has_made() {
    let world = World::limited();
    let sql =
        world.admit("CREATE TEMP TABLE visits AS SELECT id FROM visits; SELECT id FROM visits");
    assert!(
        sql.ends_with("FROM \"pg_temp\".\"visits\" AS \"t\") AS \"visits\""),
        "{sql}"
    );
    let dropped = "CREATE TEMP TABLE visits (x int); DROP TABLE visits; SELECT ward FROM visits";
    assert!(world.admit(dropped).contains("\"public\".\"visits\""));
    world.admit("BEGIN; CREATE TEMP TABLE x AS SELECT 1 AS a; COMMIT; SELECT a FROM x");
    for text in [
        "BEGIN; CREATE TEMP TABLE visits (x int); ROLLBACK; SELECT * FROM visits",
        "BEGIN; SAVEPOINT s; CREATE TEMP TABLE x (a int); ROLLBACK TO s; SELECT * FROM x",
        "BEGIN; CREATE TEMP TABLE x (a int) ON COMMIT DROP; COMMIT; SELECT * FROM x",
    ] {
        assert_eq!(world.refuse(text), "construct", "{text}");
    }
    // What is there already stays as it is, and is not known by the new columns.
    let world = having(&[("x", &["a"])]);
    assert_eq!(
        world.refuse("CREATE TEMP TABLE IF NOT EXISTS x (f int); SELECT x.f FROM x"),
        "unknown_column"
    );
}

#[test]
fn a_plan_over_a_temporary_view_tells_no_more_than_one_over_its_tables() {
    let mut world = World::limited();
    world.temporary = Temporary::new([TemporaryRelation {
        name: "v".to_owned(),
        kind: RelationKind::View,
        columns: vec!["ssn".to_owned()],
        vanishes: false,
    }]);
    assert_eq!(world.refuse("EXPLAIN ANALYZE SELECT * FROM v"), "explain");
    assert!(world.admit("EXPLAIN SELECT * FROM v").contains("COSTS OFF"));
}

#[test]
fn nothing_permanent_is_made_changed_or_dropped() {
    let world = having(&[("own", &["a"])]);
    for (text, reason) in [
        ("CREATE TABLE t (a int)", "not_granted"),
        ("CREATE TABLE t AS SELECT 1 AS a", "not_granted"),
        ("SELECT id INTO t FROM visits", "not_granted"),
        ("CREATE TABLE public.t AS SELECT 1 AS a", "not_granted"),
        ("CREATE TEMP TABLE public.t (a int)", "construct"),
        ("CREATE VIEW v AS SELECT 1 AS a", "statement"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1 AS a", "statement"),
        ("DROP TABLE visits", "statement"),
        ("DROP TABLE own, visits", "statement"),
        ("DROP TABLE IF EXISTS visits", "statement"),
        ("DROP VIEW v_patients", "statement"),
        ("TRUNCATE own, visits", "statement"),
        ("TRUNCATE patients", "statement"),
        ("ANALYZE patients", "statement"),
        ("ANALYZE", "statement"),
        ("CREATE INDEX ON patients (id)", "statement"),
        ("ALTER TABLE patients ADD COLUMN x int", "statement"),
        ("DROP TABLE patients_id_seq", "statement"),
        ("CREATE UNLOGGED TABLE t AS SELECT 1 AS a", "construct"),
    ] {
        assert_eq!(world.refuse(text), reason, "{text}");
    }
}

#[test]
fn nothing_that_runs_code_stands_in_a_definition() {
    let world = having(&[("own", &["a"])]);
    for text in [
        "CREATE TEMP TABLE t (a int DEFAULT nextval('patients_id_seq'))",
        "CREATE TEMP TABLE t (a int DEFAULT evil())",
        "CREATE TEMP TABLE t (a int CHECK (evil(a)))",
        "CREATE TEMP TABLE t (a int, b int GENERATED ALWAYS AS (evil(a)) STORED)",
        "CREATE TEMP TABLE t (a int, b int GENERATED ALWAYS AS ((SELECT ssn FROM patients)) VIRTUAL)",
        "CREATE TEMP TABLE t (a int REFERENCES patients (id))",
        "CREATE TEMP TABLE t (a int, FOREIGN KEY (a) REFERENCES patients (id))",
        "CREATE TEMP TABLE t (a int REFERENCES public.own (a))",
        "CREATE TEMP TABLE t (a int REFERENCES pg_temp.patients (id))",
        "CREATE TEMP TABLE t (a int REFERENCES clinic.pg_temp.own (a))",
        "CREATE TEMP TABLE t (a int REFERENCES own MATCH FULL)",
        "CREATE TEMP TABLE t (a int REFERENCES own DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TEMP TABLE t (a int, FOREIGN KEY (a) REFERENCES missing)",
        "CREATE TEMP TABLE t (a patients)",
        "CREATE TEMP TABLE t (LIKE patients INCLUDING DEFAULTS)",
        "CREATE TEMP TABLE t (LIKE patients INCLUDING ALL)",
        "CREATE TEMP TABLE t (LIKE secrets)",
        "CREATE TEMP TABLE t (a int, LIKE patients)",
        "CREATE TABLE t (LIKE patients)",
        "CREATE TEMP TABLE t LIKE patients",
        "CREATE TEMP TABLE t () INHERITS (patients)",
        "CREATE TEMP TABLE t (a int) USING heap2",
        "CREATE TEMP TABLE t (a int) TABLESPACE x",
        "CREATE TEMP TABLE t (a int) WITH (autovacuum_enabled = off)",
        "CREATE TEMP TABLE t PARTITION OF patients DEFAULT",
        "CREATE INDEX ON own (evil(a))",
        "CREATE INDEX ON own (a evil_ops)",
        "CREATE INDEX ON own USING evil (a)",
        "CREATE INDEX ON own (a) WHERE evil(a)",
        "ALTER TABLE own ADD COLUMN b int DEFAULT evil()",
        "ALTER TABLE own INHERIT patients",
        "ALTER TABLE own OWNER TO postgres",
        "ALTER TABLE own SET SCHEMA public",
        "ALTER TABLE own ATTACH PARTITION patients DEFAULT",
        "ALTER TABLE own ALTER COLUMN a TYPE text USING evil(a)",
        "ALTER TABLE own ALTER COLUMN a TYPE patients",
        "ALTER TABLE own ALTER COLUMN a SET DEFAULT evil()",
        "ALTER TABLE own ADD CHECK (evil(a))",
        "ALTER TABLE own ADD FOREIGN KEY (a) REFERENCES patients (id)",
        "ALTER TABLE own ADD b int REFERENCES patients (id), ADD c int",
        "ALTER TABLE own ADD b int, OWNER TO postgres",
        "ALTER TABLE own ADD b int, RENAME TO patients",
        "ALTER TABLE own ADD PRIMARY KEY USING INDEX i",
        "ALTER TABLE own ADD evil int, ALTER COLUMN a TYPE int USING evil",
        "ALTER TABLE own DROP COLUMN a, ADD CHECK (a > 0)",
        "ALTER TABLE patients ADD PRIMARY KEY (id), ADD b int",
        "CREATE TEMP TABLE text (a int)",
        "CREATE TEMP SEQUENCE s",
        "CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER g BEFORE INSERT ON own EXECUTE FUNCTION f()",
        "CREATE RULE r AS ON INSERT TO own DO ALSO SELECT 1",
    ] {
        world.refuse(text);
    }
}

#[test]
fn the_record_does_not_hold_names_that_an_author_chose() {
    let world = having(&[("jane_roe_1970", &["jane"])]);
    for text in [
        "SELECT jane FROM jane_roe_1970",
        "CREATE TEMP TABLE jane (jane int CHECK (jane > 1), CONSTRAINT jane UNIQUE (jane))",
        "ALTER TABLE jane_roe_1970 ADD CONSTRAINT jane CHECK (jane > 1), ALTER jane SET NOT NULL, ADD jane2 int",
        "SELECT id AS jane INTO TEMP jane FROM visits",
        "DROP TABLE jane_roe_1970",
        "CREATE INDEX jane ON jane_roe_1970 (jane)",
        "ALTER TABLE jane_roe_1970 RENAME jane TO jane2",
    ] {
        let batch = world.analyse(text).unwrap();
        let permit = &batch.permits[0];
        assert!(!permit.skeleton().contains("jane"), "{}", permit.skeleton());
        assert!(
            permit
                .touches()
                .iter()
                .any(|touch| touch.relation == "pg_temp")
        );
        assert!(
            permit
                .touches()
                .iter()
                .all(|touch| !touch.relation.contains("jane"))
        );
    }
}

#[test]
fn a_permanent_table_needs_a_writing_grant() {
    let mut world = World::limited();
    world.write = true;
    let batch = world
        .analyse("CREATE TABLE t AS SELECT ssn FROM patients")
        .unwrap();
    let permit = &batch.permits[0];
    assert!(
        permit
            .sql()
            .starts_with("CREATE TABLE \"public\".\"t\" AS SELECT")
    );
    assert_eq!(*permit.effect(), Effect::CatalogMayChange);
    assert!(
        permit
            .touches()
            .iter()
            .any(|t| t.relation == "public.t" && t.written)
    );
    assert_eq!(world.refuse("CREATE TABLE t (a int)"), "statement");
    assert_eq!(
        world.refuse("CREATE TABLE pg_catalog.t AS SELECT 1 AS a"),
        "statement"
    );
}
