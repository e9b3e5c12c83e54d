//! Names mean what they mean to PostgreSQL.

use super::listing;
use crate::testing::World;

#[test]
fn scopes() {
    shown!(listing(
        &World::limited(),
        &[
            // Aliases, with column lists; blocked and unclassified ones keep their place.
            "select x.b, x.d from patients as x(a, b, c, d)",
            "select x.b from visits as x(a, b)",
            "select q.a from (select id, ward from visits) q(a)",
            "select id from visits v, wards",
            "select id from visits, patients",
            "select ward from visits, wards",
            "select v.id from visits v, visits v",
            "select public.visits.id, visits.ward from public.visits",
            "select clinic.public.visits.id from clinic.public.visits",
            "select visits.id from visits v",
            // Correlated, shadowed, lateral.
            "select (select ward from wards w where w.ward = v.ward) from visits v",
            "select (select v.ward from wards v) from visits v",
            "select (select patient_id from wards visits limit 1) from visits",
            "select * from visits v, lateral (select beds from wards where ward = v.ward) w",
            "select * from visits v, (select beds from wards where ward = v.ward) w",
            "select * from visits v, generate_series(1, v.id) g",
            "select * from visits v join wards w on v.ward = w.ward join patients p on p.id = v.patient_id",
            "select 1 from visits v, patients p join wards w on v.ward = w.ward",
            // USING and NATURAL.
            "select * from visits join wards using (ward)",
            "select ward, visits.ward from visits full join wards using (ward)",
            "select * from visits natural join wards",
            "select * from visits natural join secrets",
            "select * from patients natural join archive.patients a",
            "select j.ward from (visits join wards using (ward)) as j",
            "select visits.id from (visits join wards using (ward)) as j",
            // Output names.
            "select id as x from visits order by x",
            "select id as ward from visits order by ward",
            "select id as ward from visits group by ward, id",
            "select upper(ward) u, count(*) from visits group by u order by 2 desc",
            "select ward from visits union select ward from wards order by ward",
            "select ward from visits union select ward from wards order by id",
            "select distinct on (w) ward as w from visits order by w",
            "select column1 from (values (1, 2), (3, 4)) v order by column2",
        ]
    ));
}

#[test]
fn common_table_expressions() {
    shown!(listing(
        &World::limited(),
        &[
            // A CTE shadows the relation of its name, but not inside itself.
            "with patients as (select * from patients) select ssn from patients",
            "with patients as (select 1 as ssn) select ssn from patients",
            "with patients as (select 1 as ssn) select ssn from public.patients",
            "with a as (select 1 as x), b as (select x from a) select x from b",
            "with a as (select x from b), b as (select 1 as x) select x from a",
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < 9) select i from n",
            "with recursive patients as (select ssn from patients) select * from patients",
            "with recursive p as (select id from patients union select p.id from p join visits on p.id = visits.id) select * from p",
            "with a as (select 1), a as (select 2) select * from a",
            "select (with v as (select ward from wards where beds = o.id) select ward from v) from visits o",
            "select * from (with patients as (select 1 as x) select * from patients) q, patients",
            "with a as materialized (select 1 as x) select * from a union (with a as (select 2 as y) select * from a)",
        ]
    ));
}

#[test]
fn unquoted_names_of_columns_without_alias() {
    shown!(listing(
        &World::limited(),
        &[
            "select 1, 'x', true, null, $1, -id, id + 1, not true from visits",
            "select count(*), upper(ward), coalesce(ward), nullif(ward, ''), greatest(1, 2) from visits group by ward",
            "select id::text, '1'::int, cast(1 as double precision), date '2020-01-01', interval '1 day' from visits",
            "select case when true then 1 end, case when true then 1 else id end, array[1], row(1), exists (select 1) from visits",
            "select (select ward from wards), array(select 1), current_date, extract(year from admitted), position('a' in ward) from visits",
            "select trim(both 'x' from ward), trim(leading from ward), substring(ward from 1 for 2), substring(ward for 2), substring(ward, 1), overlay(ward placing 'x' from 1), admitted at time zone 'UTC' from visits",
            "select \"year\" from (select extract(year from admitted) as \"year\" from visits) x",
        ]
    ));
}

#[test]
fn rows_as_values() {
    shown!(listing(
        &World::limited(),
        &[
            "select p from patients p",
            "select (p).ssn from patients p",
            "select (p).pg_read_file from patients p",
            "select p.pg_read_file from patients p",
            "select row_to_json(p.*) from patients p",
            "select count(p.*) from patients p",
            "select (p).* from patients p",
            "select (json_each('{}')).key",
            "select (json_each('{}')).md5",
            "select (information_schema._pg_expandarray(array[1])).n",
            "select (r.e).x from (select information_schema._pg_expandarray(array[1]) as e) r",
            "select (ward).length from visits",
        ]
    ));
}

#[test]
fn grouping_by_a_primary_key() {
    let world = World::limited();
    let grouped = |text: &str| {
        let sql = world.admit(text);
        let (_, by) = sql.rsplit_once(" GROUP BY ").unwrap();
        by.to_owned()
    };
    for (text, by) in [
        (
            "select p.id, p.zip, count(v.id) from patients p join visits v on v.patient_id = p.id group by p.id",
            r#""p"."id", "p"."zip""#,
        ),
        (
            "select id, upper(name), max(ssn), count(*) filter (where diagnosis = 'x') from patients group by id having zip > '1' order by birth_date",
            r#""patients"."id", "patients"."name", "patients"."zip", "patients"."birth_date" HAVING ("patients"."zip" OPERATOR(pg_catalog.>) '1') ORDER BY "patients"."birth_date""#,
        ),
        (
            "select p.id as k, (select p.zip || ward from wards limit 1) from patients p group by 1",
            r#"1, "p"."zip""#,
        ),
        (
            "select zip, max(name) from patients group by zip",
            r#""patients"."zip""#,
        ),
        (
            "select id, max(name) from patients where ssn = '1' group by id",
            r#""patients"."id""#,
        ),
        (
            "select zip from patients group by zip, rollup(id)",
            r#""patients"."zip", ROLLUP ("patients"."id")"#,
        ),
    ] {
        assert_eq!(grouped(text), by, "{text}");
    }
}

/// A star of a star of a star: without an end the columns double at each level, until memory is gone.
#[test]
fn stars_do_not_double_without_end() {
    let doubling = |levels: usize| {
        let level = |level: usize| match level {
            0 => "c0 as (select * from visits)".to_owned(),
            _ => format!(
                "c{level} as (select a.*, b.* from c{0} a, c{0} b)",
                level - 1
            ),
        };
        let ctes: Vec<_> = (0..=levels).map(level).collect();
        let with = ctes.join(", ");
        format!("with {with} select count(*) from c{levels}")
    };
    let joined: Vec<_> = (0..500).map(|n| format!("visits v{n}")).collect();
    let joined = joined.join(" cross join ");
    let world = World::limited();
    // Four columns: 1,024 of them.
    world.admit(&doubling(8));
    for text in [
        doubling(9),
        doubling(1_000),
        format!("select * from {joined}"),
        format!("select {} from visits", vec!["*"; 417].join(", ")),
        format!("select {} from visits", vec!["visits.*"; 417].join(", ")),
        format!("select {}", vec!["1"; 1_665].join(", ")),
        format!(
            "select id from visits order by {}",
            vec!["id"; 1_665].join(", ")
        ),
        format!(
            "select id from visits group by {}",
            vec!["id"; 1_665].join(", ")
        ),
    ] {
        assert_eq!(world.refuse(&text), "too_complex", "{}", text.len());
    }
    world.admit(&format!("select {}", vec!["1"; 1_664].join(", ")));
}

#[test]
fn nothing_follows_the_brackets_of_rollup_and_cube() {
    let world = World::limited();
    for text in [
        "select 1 from visits group by rollup (id) filter (where true)",
        "select 1 from visits group by cube (id) over ()",
        "select 1 from visits group by grouping sets (rollup (id) over (partition by id))",
        "select 1 from visits group by rollup (id order by id)",
        "select 1 from visits group by rollup (distinct id)",
        "select 1 from visits group by cube (id => 1)",
    ] {
        assert_eq!(world.refuse(text), "construct", "{text}");
    }
    world.admit("select 1 from visits group by grouping sets (rollup (id), cube ((id)::text)), rollup ((id + 1) * 2)");
}
