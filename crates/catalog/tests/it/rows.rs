//! Row conditions against a real PostgreSQL, in `security_barrier` views as hardening makes them: what
//! each path lets through, and that nothing of the other rows shows in errors or plans.

use std::collections::BTreeSet;

use phigate_phi::{
    Classification, EffectivePolicy, KeyAccess, ReleaseContext, RowRules, Unclassified,
};
use phigate_sql::{BoundPolicy, Snapshot};
use phigate_testkit::{Cluster, postgres};
use phigate_types::Profile;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

/// The tables of the OMOP common data model that lead to a patient in ways of their own, cut down.
const TABLES: &str = "
CREATE TABLE location (location_id int PRIMARY KEY, zip text);
CREATE TABLE person (person_id int PRIMARY KEY, location_id int, name text, vip bool);
CREATE TABLE note (note_id int PRIMARY KEY, person_id int, note_text text);
CREATE TABLE note_nlp (note_nlp_id bigint PRIMARY KEY, note_id int, lexical_variant text);
CREATE TABLE measurement (measurement_id bigint PRIMARY KEY, person_id int, value text);
CREATE TABLE episode (episode_id bigint PRIMARY KEY, person_id bigint);
CREATE TABLE episode_event (episode_id bigint, event_id bigint, happened date);
CREATE TABLE cohort (cohort_definition_id int, subject_id bigint, cohort_start_date date);
CREATE TABLE visit_occurrence (visit_occurrence_id bigint PRIMARY KEY, person_id int);
CREATE TABLE cost (cost_id int PRIMARY KEY, cost_event_id int, cost_domain_id varchar(20), total numeric, paid date);
CREATE TABLE fact_relationship (domain_concept_id_1 int, fact_id_1 int, domain_concept_id_2 int, fact_id_2 int);
CREATE TABLE concept (concept_id int PRIMARY KEY, concept_name text);
CREATE TABLE device (id uuid PRIMARY KEY, bearer uuid, patient text);

INSERT INTO location VALUES (1, '02139'), (2, '99999'), (3, '10001');
INSERT INTO person VALUES (1, 1, 'Ada', false), (2, 2, 'secret-2', false), (3, 1, 'Eve', true), (4, NULL, 'secret-4', NULL);
INSERT INTO note VALUES (10, 1, 'a'), (20, 2, 'secret'), (30, 3, 'c'), (40, NULL, 'lost');
INSERT INTO note_nlp VALUES (100, 10, 'x'), (200, 20, 'secret'), (300, 30, 'z'), (400, 40, 'lost'), (500, 99, 'dangling');
INSERT INTO measurement VALUES (7, 1, '12'), (8, 2, 'D1-secret'), (9, 3, '13');
INSERT INTO episode VALUES (70, 1), (80, 2), (90, 3);
INSERT INTO episode_event VALUES (70, 1, '2020-02-03'), (80, 2, '2020-02-03'), (90, 3, '2020-02-03');
INSERT INTO cohort VALUES (1, 1, '2020-01-01'), (1, 2, '2020-01-01'), (1, 3, '2020-01-01');
INSERT INTO visit_occurrence VALUES (51, 1), (52, 2);
INSERT INTO cost VALUES (1, 51, 'Visit', 10), (2, 52, 'Visit', 99), (3, 7, 'Measurement', 11), (4, 8, 'Measurement', 98), (5, 1, 'Unheard of', 97);
UPDATE cost SET paid = '2020-05-06';
INSERT INTO fact_relationship VALUES (56, 1, 56, 3), (56, 1, 56, 2), (56, 2, 56, 1), (21, 7, 56, 1), (21, 8, 56, 1), (57, 2, 56, 1), (99, 1, 56, 1);
INSERT INTO concept VALUES (56, 'Person');
INSERT INTO device VALUES ('00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-0000000000f1', 'p-1'),
  ('00000000-0000-4000-8000-00000000000b', '00000000-0000-4000-8000-0000000000f2', 'p-2');
ALTER TABLE device ADD COLUMN bearer_code varchar(9) COLLATE \"C\";
UPDATE device SET bearer_code = patient;

CREATE SCHEMA phigate;
CREATE TABLE phigate.slot (login name PRIMARY KEY, assignment text, as_of date, k_code_inner bytea, k_code_outer bytea, k_integer bytea, k_days bytea);
CREATE ROLE analyst LOGIN;
INSERT INTO phigate.slot VALUES ('analyst', 'a', '2026-06-15', '\\x00', '\\x00', '\\x00', '\\x2a');
CREATE SCHEMA shown;
GRANT USAGE ON SCHEMA shown TO analyst;
";

/// Whoever writes a number otherwise than PostgreSQL does names nobody.
const PATIENTS: &str = "INSERT INTO phigate.patient VALUES \
    ('a', '1'), ('a', '3'), ('a', 'p-1'), ('a', '00000000-0000-4000-8000-0000000000f1'), ('a', 'not a number'), \
    ('a', '02'), ('a', '+2'), ('a', ' 2'), ('a', '2.0'), ('a', '00000000-0000-4000-8000-0000000000F2'), ('b', '2'), ('b', '4')";

const CLASSES: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
location,location_id,integer,none,keep,keep
location,zip,text,zip,zip3,keep
person,person_id,integer,person_key,pseudonym,keep
person,location_id,integer,none,keep,keep
person,name,text,name,redact,keep
person,vip,boolean,none,keep,keep
note,note_id,integer,record_key,pseudonym,keep
note,person_id,integer,person_key,pseudonym,keep
note,note_text,text,free_text,text_block,keep
note_nlp,note_nlp_id,bigint,record_key,pseudonym,keep
note_nlp,note_id,integer,record_key,pseudonym,keep
note_nlp,lexical_variant,text,free_text,text_block,keep
measurement,measurement_id,bigint,record_key,pseudonym,keep
measurement,person_id,integer,person_key,pseudonym,keep
measurement,value,text,text_value,text_block,keep
episode,episode_id,bigint,record_key,pseudonym,keep
episode,person_id,bigint,person_key,pseudonym,keep
episode_event,episode_id,bigint,record_key,pseudonym,keep
episode_event,event_id,bigint,record_key,pseudonym,keep
episode_event,happened,date,date,year,keep
cohort,cohort_definition_id,integer,none,keep,keep
cohort,subject_id,bigint,person_key,pseudonym,keep
cohort,cohort_start_date,date,date,year,keep
visit_occurrence,visit_occurrence_id,bigint,record_key,pseudonym,keep
visit_occurrence,person_id,integer,person_key,pseudonym,keep
cost,cost_id,integer,record_key,pseudonym,keep
cost,cost_event_id,integer,record_key,pseudonym,keep
cost,cost_domain_id,varchar,none,keep,keep
cost,total,numeric,financial,keep,keep
cost,paid,date,date,year,keep
fact_relationship,domain_concept_id_1,integer,none,keep,keep
fact_relationship,fact_id_1,integer,record_key,pseudonym,keep
fact_relationship,domain_concept_id_2,integer,none,keep,keep
fact_relationship,fact_id_2,integer,record_key,pseudonym,keep
concept,concept_id,integer,none,keep,keep
concept,concept_name,text,none,keep,keep
device,id,uuid,device_id,null,keep
device,bearer,uuid,other_unique_id,null,keep
device,patient,text,person_key,pseudonym,keep
device,bearer_code,varchar,mrn,null,keep
";

const RULES: &str = r#"
[table.location]
patient = "location_id -> person.person_id"
[table.note_nlp]
patient = "note_id -> note.person_id"
[table.episode_event]
patient = "episode_id -> episode.person_id"
[table.cost]
patient = [ [
  { when = "cost_domain_id = 'Visit'", path = "cost_event_id -> visit_occurrence(visit_occurrence_id).person_id" },
  { when = "cost_domain_id = 'Measurement'", path = "cost_event_id -> measurement(measurement_id).person_id" },
] ]
[table.fact_relationship]
patient = [
  [ { when = "domain_concept_id_1 = 56", path = "fact_id_1" },
    { when = "domain_concept_id_1 = 57", path = "none" },
    { when = "domain_concept_id_1 = 21", path = "fact_id_1 -> measurement(measurement_id).person_id" } ],
  [ { when = "domain_concept_id_2 = 56", path = "fact_id_2" } ],
]
[table.person]
sensitivity = [ { code = "VIP", where = "vip", of = "patient" } ]
[table.measurement]
sensitivity = [ { code = "HIV", where = "value = '12'" } ]
"#;

struct Clinic {
    _cluster: Cluster,
    admin: PgConnection,
    analyst: PgConnection,
    snapshot: Snapshot,
}

impl Clinic {
    async fn new() -> Self {
        let cluster = postgres();
        cluster.execute("postgres", TABLES).await.unwrap();
        let owner = "CREATE ROLE phigate_definer; GRANT USAGE ON SCHEMA phigate TO analyst";
        cluster.execute("postgres", owner).await.unwrap();
        let functions = phigate_catalog::harden::functions();
        for sql in [phigate_catalog::harden::PATIENTS, PATIENTS, &functions] {
            cluster.execute("postgres", sql).await.unwrap();
        }
        let mut admin = crate::upstream(&cluster, "postgres")
            .connect()
            .await
            .unwrap();
        let mut analyst = crate::upstream(&cluster, "postgres")
            .connect()
            .await
            .unwrap();
        run(&mut analyst, "SET SESSION AUTHORIZATION analyst").await;
        run(&mut analyst, "SET search_path = shown").await;
        let snapshot = phigate_catalog::read(&mut admin).await.unwrap();
        Self {
            _cluster: cluster,
            admin,
            analyst,
            snapshot,
        }
    }

    /// Makes the policy's views, under the base tables' own names.
    async fn harden(&mut self, profile: Profile, rules: &str, scoped: bool, named: &[&str]) {
        let named: BTreeSet<_> = named.iter().map(|code| code.parse().unwrap()).collect();
        let rows = RowRules::parse(rules, "f").unwrap().policy(scoped, &named);
        let columns = Classification::parse(CLASSES, "f").unwrap();
        let policy =
            EffectivePolicy::derive(&columns, profile, &[], &[], Unclassified::Refuse).unwrap();
        let policy = policy.with_rows(rows.unwrap());
        let cx = ReleaseContext::new(profile, "", KeyAccess::Slot);
        let bound = BoundPolicy::bind(&policy, &self.snapshot, &cx);
        for view in bound.masked_views(&self.snapshot) {
            let relation = self.snapshot.relation(view.relation).unwrap();
            if relation.schema != "public" {
                continue;
            }
            let sql = format!(
                "DROP VIEW IF EXISTS shown.{name}; CREATE VIEW shown.{name} WITH (security_barrier = {barrier}) AS {sql}; \
                 GRANT SELECT ON shown.{name} TO analyst",
                name = relation.name,
                barrier = view.barrier,
                sql = view.sql,
            );
            run(&mut self.admin, &sql).await;
        }
    }

    /// A column of what the analyst sees, sorted, as text.
    async fn sees(&mut self, column: &str, table: &str) -> Vec<String> {
        let sql = format!("SELECT ({column})::text FROM {table} ORDER BY 1");
        let rows = sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&mut self.analyst)
            .await;
        let rows = rows.unwrap_or_else(|error| panic!("{table}: {error}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How PostgreSQL would answer the analyst.
    async fn plan(&mut self, sql: &str) -> String {
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN (COSTS OFF) {sql}")))
            .fetch_all(&mut self.analyst)
            .await
            .unwrap();
        let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        lines.join("\n")
    }

    async fn error(&mut self, sql: &str) -> Option<String> {
        let answer = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.analyst);
        answer.await.err().map(|error| error.to_string())
    }
}

async fn run(connection: &mut PgConnection, sql: &str) {
    if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
        panic!("{error}: {sql}");
    }
}

#[tokio::test]
async fn each_shape_of_path_lets_the_cohort_through_and_nobody_else() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &["VIP", "HIV"])
        .await;
    for (column, table, expected) in [
        ("person_id", "person", &["1", "3"][..]),
        ("location_id", "location", &["1"]),
        ("note_id", "note", &["10", "30"]),
        ("note_nlp_id", "note_nlp", &["100", "300"]),
        ("measurement_id", "measurement", &["7", "9"]),
        ("episode_id", "episode_event", &["70", "90"]),
        ("subject_id", "cohort", &["1", "3"]),
        ("cost_id", "cost", &["1", "3"]),
        (
            "(domain_concept_id_1, fact_id_1, fact_id_2)",
            "fact_relationship",
            &["(21,7,1)", "(56,1,3)", "(57,2,1)"],
        ),
        ("concept_id", "concept", &["56"]),
        ("right(id::text, 1)", "device", &["a"]),
    ] {
        assert_eq!(clinic.sees(column, table).await, expected, "{table}");
    }
}

#[tokio::test]
async fn keys_of_every_type_are_compared_as_what_they_are() {
    let mut clinic = Clinic::new().await;
    for path in ["patient", "bearer", "bearer_code"] {
        let rules = format!("[table.device]\npatient = \"{path}\"");
        clinic
            .harden(Profile::LimitedDataset, &rules, true, &[])
            .await;
        assert_eq!(
            clinic.sees("right(id::text, 1)", "device").await,
            ["a"],
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_sensitive_stays_out_unless_named() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::LimitedDataset, RULES, false, &[])
        .await;
    // 3 is a VIP; of 4 nobody knows, and unknown is not sensitive.
    assert_eq!(clinic.sees("person_id", "person").await, ["1", "2", "4"]);
    assert_eq!(clinic.sees("note_nlp_id", "note_nlp").await, ["100", "200"]);
    assert_eq!(clinic.sees("measurement_id", "measurement").await, ["8"]);
    // Both facts must be somebody's who is no VIP.
    assert_eq!(
        clinic
            .sees("(fact_id_1, fact_id_2)", "fact_relationship")
            .await,
        ["(1,2)", "(2,1)", "(2,1)", "(7,1)", "(8,1)"]
    );
    clinic
        .harden(Profile::LimitedDataset, RULES, false, &["VIP"])
        .await;
    assert_eq!(clinic.sees("person_id", "person").await.len(), 4);
    assert_eq!(
        clinic.sees("measurement_id", "measurement").await,
        ["8", "9"]
    );
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &[])
        .await;
    assert_eq!(clinic.sees("person_id", "person").await, ["1"]);
}

/// A login that nothing is assigned to sees no patient; neither does one whose assignment changed.
#[tokio::test]
async fn without_an_assignment_there_is_no_cohort() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &["VIP", "HIV"])
        .await;
    run(
        &mut clinic.admin,
        "UPDATE phigate.slot SET assignment = 'b'",
    )
    .await;
    assert_eq!(clinic.sees("person_id", "person").await, ["2", "4"]);
    run(
        &mut clinic.admin,
        "UPDATE phigate.slot SET assignment = NULL",
    )
    .await;
    assert!(clinic.sees("person_id", "person").await.is_empty());
    run(&mut clinic.admin, "DELETE FROM phigate.slot").await;
    assert!(clinic.sees("person_id", "person").await.is_empty());
    for table in ["phigate.patient", "phigate.slot", "public.person"] {
        let error = clinic.error(&format!("SELECT * FROM {table}")).await;
        assert!(error.unwrap().contains("permission denied"), "{table}");
    }
}

/// The oracle that a derived table is: what a statement asks of rows that are out of scope fails, and the
/// error shows their values.
#[tokio::test]
async fn an_error_never_tells_of_a_row_that_is_out_of_scope() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &["VIP", "HIV"])
        .await;
    for sql in [
        "SELECT measurement_id FROM measurement WHERE value::int = 0",
        "SELECT count(*) FROM measurement WHERE 1 / (CASE WHEN value LIKE 'D1%' THEN 0 ELSE 1 END) = 1",
        "SELECT m.measurement_id FROM measurement m JOIN person p ON p.person_id = m.person_id AND p.name::date IS NULL AND m.value::int > 0 WHERE p.name < 'A'",
        "SELECT measurement_id FROM measurement WHERE has_table_privilege('analyst', 'person', CASE WHEN value LIKE 'D1%' THEN 'nonsense' ELSE 'select' END)",
        "SELECT measurement_id FROM measurement ORDER BY value::int",
        "SELECT value::int, count(*) FROM measurement GROUP BY 1",
        "SELECT max(value::int) OVER (), min(value) FILTER (WHERE value::int > 0) OVER () FROM measurement",
        "SELECT 1 FROM measurement m WHERE EXISTS (SELECT 1 FROM note n WHERE n.person_id = m.person_id AND n.note_text::int = 1 AND m.value = 'D1-secret')",
        "SELECT total::int / (total - 99) FROM cost",
        "SELECT note_id FROM note WHERE note_text = 'secret' AND 1 / (length(note_text) - 6) = 1",
        "SELECT lexical_variant::xml FROM note_nlp WHERE lexical_variant::json IS NULL AND note_nlp_id = 200",
    ] {
        let error = clinic.error(sql).await.unwrap_or_default();
        assert!(
            !error.contains("D1") && !error.contains("secret") && !error.contains("division"),
            "{sql}: {error}"
        );
    }
    // The oracle works where there is no barrier, or this test shows nothing.
    run(
        &mut clinic.admin,
        "ALTER VIEW shown.measurement SET (security_barrier = false)",
    )
    .await;
    run(
        &mut clinic.admin,
        "ALTER FUNCTION pg_catalog.int4in(cstring) COST 1",
    )
    .await;
    let sql = "SELECT measurement_id FROM measurement WHERE value::int = 0";
    let error = clinic.error(sql).await.unwrap_or_default();
    assert!(error.contains("D1-secret"), "{error}");
}

#[tokio::test]
async fn an_index_on_the_key_stays_usable() {
    let mut clinic = Clinic::new().await;
    run(
        &mut clinic.admin,
        "INSERT INTO person SELECT g, NULL, 'x', false FROM generate_series(100, 30000) g; \
         INSERT INTO note SELECT g, g, 'x' FROM generate_series(100, 30000) g; ANALYZE",
    )
    .await;
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &["VIP", "HIV"])
        .await;
    for sql in [
        "SELECT name FROM person WHERE person_id = 1",
        "SELECT note_text FROM note WHERE note_id = 10",
        "SELECT p.name FROM person p JOIN note n USING (person_id) WHERE n.note_id = 10",
        "SELECT count(*) FROM person",
    ] {
        let plan = clinic.plan(sql).await;
        assert!(!plan.contains("Seq Scan on person"), "{sql}\n{plan}");
        assert!(!plan.contains("Seq Scan on note "), "{sql}\n{plan}");
    }
}

/// Rows in scope are not taken for few: joined without an index, they would be scanned again for each of
/// the others.
#[tokio::test]
async fn two_tables_of_a_cohort_are_joined_as_large_ones_are() {
    let mut clinic = Clinic::new().await;
    run(
        &mut clinic.admin,
        "INSERT INTO person SELECT g, NULL, 'x', false FROM generate_series(100, 20000) g; \
         INSERT INTO note SELECT g, g / 10, 'x' FROM generate_series(1000, 20000) g; \
         INSERT INTO phigate.patient SELECT 'a', g FROM generate_series(100, 2000) g; ANALYZE",
    )
    .await;
    clinic
        .harden(Profile::LimitedDataset, RULES, true, &["VIP", "HIV"])
        .await;
    for sql in [
        "SELECT count(*) FROM person p JOIN note n USING (person_id)",
        "SELECT count(*) FROM person p LEFT JOIN note n USING (person_id)",
        "SELECT count(*) FROM note n WHERE NOT EXISTS (SELECT FROM person p WHERE p.person_id = n.person_id)",
        "SELECT a.person_id, count(*) FROM note a JOIN note b ON a.person_id = b.person_id AND a.note_id < b.note_id GROUP BY 1",
    ] {
        let plan = clinic.plan(sql).await;
        assert!(!plan.contains("Nested Loop"), "{sql}\n{plan}");
    }
}

/// Intervals survive: a patient's dates move by the same days wherever the path finds the patient.
#[tokio::test]
async fn dates_move_together_across_tables() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::Expert, RULES, false, &["VIP", "HIV"])
        .await;
    run(&mut clinic.admin, "DELETE FROM cohort WHERE subject_id <> 1; DELETE FROM episode_event WHERE episode_id <> 70").await;
    let gap = clinic
        .sees("happened - cohort_start_date", "episode_event, cohort")
        .await;
    assert_eq!(gap, ["33"]);
    let moved = clinic
        .sees("cohort_start_date <> '2020-01-01'", "cohort")
        .await;
    assert_eq!(moved, ["true"]);
}

/// Of a reference's meanings the one that counts moves the date, whatever type its key has; where none
/// does, the year is left.
#[tokio::test]
async fn the_meaning_that_counts_moves_the_date() {
    let mut clinic = Clinic::new().await;
    clinic
        .harden(Profile::Expert, RULES, false, &["VIP", "HIV"])
        .await;
    let gaps = "SELECT string_agg(concat_ws(':', c.total, c.paid - o.cohort_start_date), ' ' ORDER BY c.total)
        FROM cost c JOIN public.owner w ON w.total = c.total JOIN cohort o ON o.subject_id = w.code";
    // Whose cost it is, by the code that stands for the patient.
    run(
        &mut clinic.admin,
        "CREATE TABLE owner AS SELECT v.total, phigate.pseudonym(v.person, '\\x00'::bytea) AS code
         FROM (VALUES (10::numeric, 1::int8), (99, 2), (11, 1), (98, 2)) v(total, person);
         GRANT SELECT ON owner TO analyst",
    )
    .await;
    let row = sqlx::query(gaps)
        .fetch_one(&mut clinic.analyst)
        .await
        .unwrap();
    assert_eq!(row.get::<String, _>(0), "10:126 11:126 98:126 99:126");
    let nobodys = clinic.sees("paid", "cost WHERE total = 97").await;
    assert_eq!(nobodys, ["2020-01-01"]);
}
