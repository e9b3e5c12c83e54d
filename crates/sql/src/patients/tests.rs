//! What is said of statements over the clinic: patients, visits and measurements have a key, stays
//! are about somebody, wards about nobody.

use phigate_types::Profile;

use crate::temporary::TemporaryRelation;
use crate::testing::World;
use crate::{Patients, RelationKind, Temporary};

/// `[0,2] [1] +2`: a patient by columns 0 or 2, one by column 1, and two more.
fn said(patients: &Patients) -> String {
    let mut said: Vec<String> = patients
        .keys
        .iter()
        .map(|key| format!("{:?}", key.columns).replace(' ', ""))
        .collect();
    if patients.others > 0 || said.is_empty() {
        said.push(format!("+{}", patients.others));
    }
    said.join(" ")
}

fn of(world: &World, sql: &str) -> String {
    let batch = world
        .analyse(sql)
        .unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"));
    let permit = batch.permits.first().unwrap();
    let countable = match permit.check_countable() {
        Ok(()) => "",
        Err(refusal) => {
            assert_eq!(refusal.reason().sqlstate().as_str(), "53400");
            " refused"
        }
    };
    format!("{}{countable}", said(permit.patients()))
}

fn all(world: &World, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (sql, expected) in cases {
        let found = of(world, sql);
        if found != *expected {
            wrong.push(format!("{sql}\n  {found}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_that_is_an_output_column_as_it_is_tells_the_patient() {
    all(
        &World::limited(),
        &[
            ("SELECT id, zip FROM patients", "[0]"),
            ("SELECT zip, id AS x FROM patients", "[1]"),
            ("SELECT * FROM patients", "[0]"),
            ("TABLE visits", "[1]"),
            ("SELECT p.* FROM patients AS p (a, b)", "[0]"),
            ("SELECT x FROM (SELECT id AS x FROM patients) AS s", "[0]"),
            (
                "WITH c (k, z) AS (SELECT id, zip FROM patients) SELECT z, k FROM c",
                "[1]",
            ),
            ("SELECT id, id FROM patients ORDER BY zip LIMIT 3", "[0,1]"),
            ("(SELECT patient_id FROM visits)", "[0]"),
            // Anything else is somebody.
            ("SELECT zip FROM patients", "+1"),
            ("SELECT id::text FROM patients", "+1"),
            ("SELECT id + 0 FROM patients", "+1"),
            ("SELECT CASE WHEN true THEN id END FROM patients", "+1"),
            ("SELECT coalesce(id, 0) FROM patients", "+1"),
            ("SELECT p FROM patients AS p", "+1"),
            ("SELECT ROW(id, zip) FROM patients", "+1"),
            ("SELECT 1 FROM patients", "+1"),
            ("SELECT (SELECT p.id) FROM patients AS p", "+1"),
            ("SELECT began FROM stays", "+1"),
            ("SELECT ward FROM wards", "+0"),
            ("SELECT 1", "+0"),
            ("SELECT relname FROM pg_class", "+0"),
        ],
    );
}

#[test]
fn keys_that_a_statement_says_are_equal_are_one_patients() {
    all(
        &World::limited(),
        &[
            (
                "SELECT p.id, v.ward FROM patients p JOIN visits v ON v.patient_id = p.id",
                "[0]",
            ),
            (
                "SELECT v.ward, p.id FROM patients p, visits v WHERE p.id = v.patient_id AND ward > 'a'",
                "[1]",
            ),
            (
                "SELECT patient_id, ward, value FROM visits JOIN measurements USING (patient_id)",
                "[0]",
            ),
            (
                "SELECT * FROM visits JOIN measurements USING (patient_id)",
                "[0]",
            ),
            (
                "SELECT p.id, v.patient_id FROM patients p LEFT JOIN visits v ON v.patient_id = p.id",
                "[0,1]",
            ),
            (
                "SELECT j.x FROM (visits JOIN measurements USING (patient_id)) AS j (x)",
                "[0]",
            ),
            (
                "WITH c AS (SELECT id FROM patients) SELECT a.id FROM c a JOIN c b ON a.id = b.id",
                "[0]",
            ),
            // Two, and which of them leaves.
            ("SELECT a.id, b.zip FROM patients a, patients b", "[0] +1"),
            ("SELECT a.id, b.id FROM patients a, patients b", "[0] [1]"),
            (
                "SELECT a.zip, b.zip FROM patients a CROSS JOIN patients b",
                "+2",
            ),
            (
                "SELECT a.id, b.zip FROM patients a JOIN patients b ON a.id = b.id OR true",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM patients a JOIN patients b ON a.id = b.id + 1",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM patients a JOIN patients b ON a.zip = b.zip",
                "[0] +1",
            ),
            ("SELECT p.id, s.began FROM patients p, stays s", "[0] +1"),
            ("SELECT p.id, w.beds FROM patients p, wards w", "[0]"),
            (
                "WITH c AS (SELECT id, zip FROM patients) SELECT a.id, b.zip FROM c a, c b",
                "[0] +1",
            ),
            (
                "SELECT a.id, d.zip FROM patients a, (SELECT zip FROM patients) d",
                "[0] +1",
            ),
        ],
    );
}

#[test]
fn an_outer_join_shows_rows_that_do_not_meet_its_condition() {
    all(
        &World::limited(),
        &[
            // The condition is over the side that is shown all the same.
            (
                "SELECT a.id, b.zip FROM (patients a CROSS JOIN patients b) LEFT JOIN wards w ON a.id = b.id",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM wards w RIGHT JOIN (patients a CROSS JOIN patients b) ON a.id = b.id",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM (patients a CROSS JOIN patients b) FULL JOIN visits v ON v.patient_id = a.id AND a.id = b.id",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM (patients a CROSS JOIN patients b) LEFT JOIN visits v ON v.patient_id = a.id AND a.id = b.id",
                "[0] +1",
            ),
            (
                "SELECT a.id, b.zip FROM (patients a JOIN patients b ON a.id = b.id) LEFT JOIN wards w ON true",
                "[0]",
            ),
            (
                "SELECT coalesce(v.ward, 'x'), p.id FROM patients p FULL JOIN visits v ON v.patient_id = p.id",
                "[1]",
            ),
        ],
    );
}

#[test]
fn names_mean_what_postgresql_takes_them_for() {
    all(
        &World::limited(),
        &[
            // Not the neighbour of its own FROM but the one further out.
            (
                "SELECT (SELECT count(*) FROM patients p, (SELECT v.ward FROM visits v WHERE v.patient_id = p.id) s) FROM patients p",
                "+2",
            ),
            (
                "SELECT p.id, s.ward FROM patients p, LATERAL (SELECT v.ward FROM visits v WHERE v.patient_id = p.id) s",
                "[0]",
            ),
            (
                "SELECT x.id, p.zip FROM patients p, json_to_recordset('[]') AS x(id int)",
                "+1",
            ),
            (
                "SELECT (SELECT p.zip FROM json_to_recordset('[]') AS x(patient_id int), patients p WHERE p.id = patient_id) FROM visits",
                "+2",
            ),
            (
                "SELECT s.id FROM (SELECT zip AS id, id AS other FROM patients) s",
                "+1",
            ),
            (
                "SELECT s.b FROM (SELECT zip, id FROM patients) s (a, b)",
                "[0]",
            ),
        ],
    );
}

#[test]
fn of_grouped_rows_only_a_key_that_is_grouped_by_is_left() {
    all(
        &World::limited(),
        &[
            (
                "SELECT patient_id, count(*) FROM visits GROUP BY patient_id",
                "[0]",
            ),
            (
                "SELECT patient_id AS k, max(ward) FROM visits GROUP BY k",
                "[0]",
            ),
            ("SELECT patient_id, max(ward) FROM visits GROUP BY 1", "[0]"),
            ("SELECT count(*) FROM visits", "+1"),
            ("SELECT ward, count(*) FROM visits GROUP BY ward", "+1"),
            (
                "SELECT patient_id, count(*) FROM visits GROUP BY ROLLUP (patient_id)",
                "+1",
            ),
            ("SELECT max(patient_id) FROM visits", "+1"),
            (
                "SELECT p.id, count(v.id) FROM patients p LEFT JOIN visits v ON v.patient_id = p.id GROUP BY p.id",
                "[0]",
            ),
            ("SELECT DISTINCT patient_id FROM visits", "[0]"),
        ],
    );
}

#[test]
fn one_value_is_not_made_of_several_patients_rows() {
    all(
        &World::limited(),
        &[
            ("SELECT array_agg(id) FROM patients", "+1 refused"),
            ("SELECT string_agg(zip, ',') FROM patients", "+1 refused"),
            (
                "SELECT upper(string_agg(zip, ',')) FROM patients",
                "+1 refused",
            ),
            ("SELECT json_agg(p) FROM patients p", "+1 refused"),
            (
                "SELECT jsonb_object_agg(id, zip) FROM patients",
                "+1 refused",
            ),
            (
                "SELECT ward, array_agg(patient_id) FROM visits GROUP BY ward",
                "+1 refused",
            ),
            (
                "SELECT patient_id, array_agg(ward) FROM visits GROUP BY ROLLUP (patient_id)",
                "+1 refused",
            ),
            (
                "SELECT patient_id, array_agg(ward) FROM visits GROUP BY patient_id",
                "[0]",
            ),
            (
                "SELECT x FROM (SELECT array_agg(id) AS x FROM patients) s",
                "+1 refused",
            ),
            ("SELECT ARRAY(SELECT id FROM patients)", "+1 refused"),
            (
                "SELECT p.id, ARRAY(SELECT zip FROM patients) FROM patients p",
                "[0] +1 refused",
            ),
            (
                "SELECT p.id, ARRAY(SELECT v.ward FROM visits v WHERE v.patient_id = p.id) FROM patients p",
                "[0]",
            ),
            (
                "SELECT p.id, (SELECT string_agg(v.ward, ',') FROM visits v WHERE v.patient_id = p.id) FROM patients p",
                "[0]",
            ),
            // An aggregate of the outer query, written in an inner one.
            (
                "SELECT (SELECT string_agg(p.zip, ',')) FROM patients p",
                "+1 refused",
            ),
            ("SELECT array_agg(ward) FROM wards", "+0"),
            (
                "SELECT id, string_agg(zip, ',') OVER () FROM patients",
                "[0] refused",
            ),
            (
                "SELECT patient_id, array_agg(ward) OVER (PARTITION BY patient_id) FROM visits",
                "[0]",
            ),
            (
                "SELECT patient_id, array_agg(ward) OVER w FROM visits WINDOW v AS (PARTITION BY patient_id), w AS (v ORDER BY admitted)",
                "[0]",
            ),
            (
                "SELECT id, lag(zip) OVER (ORDER BY id) FROM patients",
                "[0] +1",
            ),
            (
                "SELECT patient_id, lag(ward) OVER (PARTITION BY patient_id ORDER BY admitted) FROM visits",
                "[0]",
            ),
            ("SELECT id, rank() OVER (ORDER BY zip) FROM patients", "[0]"),
            (
                "SELECT unnest(ARRAY(SELECT zip FROM patients))",
                "+1 refused",
            ),
            (
                "SELECT z FROM unnest(ARRAY(SELECT zip FROM patients)) AS u(z)",
                "+1 refused",
            ),
        ],
    );
}

#[test]
fn what_conditions_read_does_not_leave_but_is_somebodys() {
    all(
        &World::limited(),
        &[
            (
                "SELECT p.id FROM patients p WHERE EXISTS (SELECT FROM visits v WHERE v.patient_id = p.id)",
                "[0]",
            ),
            (
                "SELECT p.id FROM patients p WHERE id IN (SELECT patient_id FROM visits)",
                "[0]",
            ),
            ("SELECT 1 WHERE EXISTS (SELECT FROM patients)", "+1"),
            (
                "SELECT ward FROM wards WHERE ward IN (SELECT ward FROM visits)",
                "+1",
            ),
            ("SELECT EXISTS (SELECT FROM patients)", "+1"),
            // A value does.
            (
                "SELECT p.id, (SELECT max(ward) FROM visits) FROM patients p",
                "[0] +1",
            ),
            (
                "SELECT p.id, (SELECT max(v.ward) FROM visits v WHERE v.patient_id = p.id) FROM patients p",
                "[0]",
            ),
            (
                "VALUES ((SELECT max(zip) FROM patients), (SELECT max(ward) FROM visits))",
                "+2",
            ),
        ],
    );
}

#[test]
fn set_operations_have_a_key_where_all_their_parts_have_it() {
    all(
        &World::limited(),
        &[
            (
                "SELECT id FROM patients UNION ALL SELECT patient_id FROM visits",
                "[0]",
            ),
            (
                "SELECT id, zip FROM patients UNION SELECT patient_id, ward FROM visits",
                "[0]",
            ),
            ("SELECT id FROM patients UNION ALL SELECT 1", "+1"),
            (
                "SELECT 1, ward FROM wards UNION ALL SELECT id, zip FROM patients",
                "+1",
            ),
            (
                "SELECT a.id, b.id FROM patients a, patients b UNION SELECT id, id FROM patients",
                "[0] +1",
            ),
            (
                "SELECT zip FROM patients UNION SELECT a.zip FROM patients a, patients b",
                "+2",
            ),
            (
                "SELECT id FROM patients EXCEPT SELECT patient_id FROM visits",
                "[0]",
            ),
            ("SELECT id FROM patients INTERSECT SELECT 1", "[0]"),
        ],
    );
}

#[test]
fn recursion_does_not_gather_patients() {
    all(
        &World::limited(),
        &[
            (
                "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 9) SELECT n FROM n",
                "+0",
            ),
            (
                "WITH RECURSIVE n AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM n WHERE n < 9) SELECT p.id, n FROM n, patients p",
                "[0]",
            ),
            (
                "WITH RECURSIVE r AS (SELECT id, zip::text AS z FROM patients UNION ALL SELECT r.id, r.z || p.zip FROM r JOIN patients p ON p.id = length(r.z)) SELECT * FROM r",
                "[0] +1 refused",
            ),
            (
                "WITH RECURSIVE r AS (SELECT id, 1 AS n FROM patients UNION ALL SELECT r.id, n + 1 FROM r JOIN visits v ON v.patient_id = r.id WHERE n < 3) SELECT * FROM r",
                "[0]",
            ),
            // The key does not go through unchanged.
            (
                "WITH RECURSIVE r AS (SELECT id, zip FROM patients UNION ALL SELECT 1, zip FROM r) SELECT * FROM r",
                "+1 refused",
            ),
        ],
    );
}

#[test]
fn what_is_kept_for_later_is_of_one_patient_a_row() {
    let mut world = World::limited();
    all(
        &world,
        &[
            ("DECLARE c CURSOR FOR SELECT id, zip FROM patients", "[0]"),
            (
                "DECLARE c CURSOR FOR SELECT a.id, b.zip FROM patients a, patients b",
                "[0] +1 refused",
            ),
            (
                "DECLARE c CURSOR FOR SELECT a.id, b.id FROM patients a, patients b",
                "[0] [1] refused",
            ),
            ("PREPARE s AS SELECT zip FROM patients", "+1"),
            (
                "PREPARE s AS SELECT array_agg(zip) FROM patients",
                "+1 refused",
            ),
            (
                "CREATE TEMP TABLE t AS SELECT p.id, v.ward FROM patients p JOIN visits v ON v.patient_id = p.id",
                "[0]",
            ),
            (
                "CREATE TEMP TABLE t AS SELECT a.id, b.zip FROM patients a, patients b",
                "[0] +1 refused",
            ),
            (
                "CREATE TEMP VIEW t AS SELECT string_agg(zip, ',') FROM patients",
                "+1 refused",
            ),
            (
                "SELECT a.id, b.zip INTO TEMP t FROM patients a, patients b",
                "[0] +1 refused",
            ),
            ("COPY (SELECT id, zip FROM patients) TO STDOUT", "[0]"),
            ("COPY patients TO STDOUT", "[0]"),
            (
                "COPY (SELECT array_agg(id) FROM patients) TO STDOUT",
                "+1 refused",
            ),
            // A plan is nobody's.
            ("EXPLAIN SELECT array_agg(id) FROM patients", "+1"),
        ],
    );
    world.temporary = Temporary::new([TemporaryRelation {
        name: "t".to_owned(),
        kind: RelationKind::Table,
        columns: vec!["id".to_owned(), "zip".to_owned()],
        vanishes: false,
    }]);
    all(
        &world,
        &[
            ("SELECT id, zip FROM t", "+1"),
            (
                "SELECT p.id, t.zip FROM patients p JOIN t ON t.id = p.id",
                "[0] +1",
            ),
            ("SELECT string_agg(zip, ',') FROM t", "+1 refused"),
            // The session's own rows count when they leave.
            (
                "CREATE TEMP TABLE u AS SELECT p.id, t.zip FROM patients p JOIN t ON t.id = p.id",
                "[0] +1",
            ),
            ("INSERT INTO t SELECT id, zip FROM patients", "+1"),
            (
                "INSERT INTO t SELECT a.id, b.zip FROM patients a, patients b",
                "+2 refused",
            ),
            ("INSERT INTO t VALUES (1, 'x') RETURNING zip", "+1"),
            (
                "UPDATE t SET zip = p.zip FROM patients p WHERE p.id = t.id",
                "+2",
            ),
            (
                "UPDATE t SET zip = zip || (SELECT string_agg(zip, ',') FROM patients)",
                "+2 refused",
            ),
            (
                "DELETE FROM t WHERE id IN (SELECT id FROM patients) RETURNING *",
                "+1",
            ),
        ],
    );
}

#[test]
fn views_are_whose_their_definitions_say() {
    all(
        &World::limited(),
        &[
            ("SELECT * FROM v_patients", "[0]"),
            ("SELECT who, id FROM v_patients", "[1]"),
            (
                "SELECT v.id, p.zip FROM v_twice v JOIN patients p ON p.id = v.id",
                "[0]",
            ),
            ("SELECT shout FROM v_twice", "+1"),
            ("SELECT ward FROM v_wards", "+0"),
        ],
    );
}

#[test]
fn a_key_counts_where_it_is_released_so_that_it_tells_patients_apart() {
    // Pseudonyms do; a key that is withheld, or a column beside it, does not.
    let world = World::new(Profile::SafeHarbor);
    all(
        &world,
        &[
            ("SELECT id, zip FROM patients", "[0]"),
            (
                "SELECT p.id FROM patients p JOIN visits v ON v.patient_id = p.id",
                "[0]",
            ),
        ],
    );
    let blocked = World::with(
        Profile::LimitedDataset,
        phigate_phi::Unclassified::Refuse,
        &[],
        &["patients.id"],
    );
    all(
        &blocked,
        &[
            ("SELECT * FROM patients", "+1"),
            ("SELECT zip FROM patients", "+1"),
        ],
    );
}

#[test]
fn both_ways_of_enforcement_say_the_same() {
    let (inline, views) = (
        World::limited(),
        World::limited().through_views_without(&[]),
    );
    for sql in [
        "SELECT * FROM patients",
        "SELECT p.id, v.ward FROM patients p JOIN visits v ON v.patient_id = p.id",
        "SELECT a.id, b.zip FROM patients a, patients b",
        "SELECT * FROM v_patients",
        "SELECT patient_id, value FROM measurements",
        "SELECT array_agg(id) FROM patients",
    ] {
        assert_eq!(of(&inline, sql), of(&views, sql), "{sql}");
    }
}

/// An aggregate that keeps its inputs and is not on the list would hide patients.
#[test]
fn every_aggregate_that_collects_is_known() {
    for name in crate::allow::aggregates() {
        let collects = name.contains("agg") && name != "range_intersect_agg";
        assert_eq!(super::expr::COLLECTING.contains(&name), collects, "{name}");
    }
}
