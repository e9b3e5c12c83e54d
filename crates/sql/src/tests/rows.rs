//! Which rows a grant shows: key paths, cohorts, sensitivities.

use phigate_types::Profile;

use crate::testing::World;
use crate::{Field, Reason, row_condition};

const RULES: &str = r#"
[table.stays]
patient = "visit_id -> visits(id).patient_id"

[table."archive.patients"]
patient = "none"

[table.measurements]
sensitivity = [ { code = "HIV", where = "value > 5 AND (id IN (7, 8) OR id IS NULL)" } ]

[table.patients]
sensitivity = [ { code = "VIP", where = "lower(name) LIKE 'vip%'", of = "patient" } ]
"#;

/// What a row of the relation must meet, or why it is refused.
fn condition(world: &World, relation: &str) -> String {
    let (schema, name) = relation.split_once('.').unwrap_or(("public", relation));
    let relation = world.snapshot.find(schema, name).unwrap();
    match row_condition(relation, &world.effective, &world.snapshot) {
        Ok(None) => "every row".to_owned(),
        Ok(Some(sql)) => sql,
        Err(refusal) => format!("{}: {}", refusal.reason(), refusal.message()),
    }
}

#[test]
fn a_cohort_reaches_each_table_by_its_path() {
    let world = World::with_rows(Profile::LimitedDataset, RULES, true, &["HIV", "VIP"]);
    let tables = [
        "patients",
        "stays",
        "measurements_2024",
        "archive.patients",
        "wards",
        "secrets",
    ];
    let shown: Vec<_> = tables
        .iter()
        .map(|table| format!("{table}\n  => {}\n", condition(&world, table)))
        .collect();
    shown!(shown.concat());
}

#[test]
fn what_the_grant_does_not_name_is_out_of_scope() {
    let world = World::with_rows(Profile::LimitedDataset, RULES, false, &[]);
    let tables = [
        "patients",
        "stays",
        "measurements",
        "measurements_2024",
        "wards",
    ];
    let shown: Vec<_> = tables
        .iter()
        .map(|table| format!("{table}\n  => {}\n", condition(&world, table)))
        .collect();
    shown!(shown.concat());
    let world = World::with_rows(Profile::LimitedDataset, RULES, false, &["VIP", "HIV"]);
    for table in tables {
        assert_eq!(condition(&world, table), "every row", "{table}");
    }
}

#[test]
fn a_table_with_phi_and_no_path_is_refused_under_a_cohort() {
    let world = World::with_rows(Profile::LimitedDataset, "", true, &[]);
    assert_eq!(world.refuse("select began from stays"), "no_key_path");
    assert!(world.admit("select * from wards").contains("\"wards\""));
    let error = world.show("select began from stays");
    assert!(
        error.starts_with("42501") && error.contains("row rules"),
        "{error}"
    );
}

/// A derived table is no barrier: PostgreSQL may compute what a statement asks of rows that are out
/// of scope, and say what it found in an error.
#[test]
fn without_masked_views_a_restricted_table_is_refused() {
    let world = World::with_rows(Profile::Identified, RULES, true, &["HIV", "VIP"]);
    let error = world.show("select id from patients");
    assert!(
        error.starts_with("0A000") && error.contains("views"),
        "{error}"
    );
    let world = World::with_rows(Profile::Identified, RULES, false, &["VIP"]);
    assert_eq!(world.refuse("select id from measurements"), "row_scope");
    assert!(world.admit("select id from patients").contains("\"id\""));
}

#[test]
fn a_shift_of_dates_follows_the_path() {
    let world = World::with_rows(Profile::Expert, RULES, false, &["HIV", "VIP"]);
    let shifted = world.admit("select began from stays");
    assert!(
        shifted.contains(
            "(SELECT k1.\"patient_id\" FROM \"public\".\"visits\" AS k1 WHERE \
             (k1.\"id\" OPERATOR(pg_catalog.=) \"t\".\"visit_id\") ORDER BY 1 LIMIT 1)"
        ),
        "{shifted}"
    );
    let year = World::new(Profile::Expert).admit("select began from stays");
    assert!(
        !year.contains("k_days"),
        "without a path: the year only: {year}"
    );
}

/// An error of a rule would tell of rows that are out of scope, so nothing that may fail is one.
#[test]
fn a_rule_can_only_be_true_false_or_null() {
    let of = |predicate: &str| {
        let rules = format!(
            "[table.patients]\nsensitivity = [ {{ code = \"VIP\", where = '''{predicate}''' }} ]"
        );
        let world = World::with_rows(Profile::LimitedDataset, &rules, false, &[]);
        condition(&world, "patients")
    };
    for sound in [
        "id = 7",
        "name ~ '^a' or ssn is null",
        "birth_date between date '2001-01-01' and '2002-01-01'",
        "coalesce(diagnosis, '') like 'B20%'",
        "case when id > 3 then name = 'x' else false end",
        "id::text like '9%' and not (zip in ('02139', '02138'))",
        "left(upper(name), 1) = 'A' collate \"C\"",
        "birth_date is distinct from '2001-01-01'",
    ] {
        let condition = of(sound);
        assert!(condition.contains("IS NOT TRUE"), "{sound}: {condition}");
    }
    for unsound in [
        "name::int = 7",
        "1 / id = 1",
        "id + 1 = 2",
        "pg_sleep(1) is null",
        "exists (select 1)",
        "id = (select 1)",
        "id in (select id from visits)",
        "nowhere = 1",
        "public.leak(name) = 'x'",
        "true) from patients union select (ssn = 'x'",
        "true), (false",
        "true) -- ",
        "current_date > birth_date",
        "patients is null",
        "substr(name, 1, id) = 'x'",
        "name[1] = 'x'",
        "name like $1",
    ] {
        let condition = of(unsound);
        assert!(
            condition.starts_with(Reason::RowRule.as_str()),
            "{unsound}: {condition}"
        );
    }
}

#[test]
fn a_path_that_the_database_does_not_have_refuses_its_table() {
    for (path, expected) in [
        ("nowhere", "\"nowhere\""),
        ("visit_id -> nothing(id).patient_id", "does not exist"),
        ("visit_id -> visits(nothing).patient_id", "\"nothing\""),
        (
            "visit_id -> visits(ward).patient_id",
            "compares columns of types",
        ),
        (
            "visit_id -> pg_catalog.pg_class(oid).relname",
            "does not exist",
        ),
        ("began", "names no patient"),
    ] {
        let rules = format!("[table.stays]\npatient = \"{path}\"");
        let world = World::with_rows(Profile::LimitedDataset, &rules, true, &[]);
        let condition = condition(&world, "stays");
        assert!(
            condition.starts_with("row_rule") && condition.contains(expected),
            "{path}: {condition}"
        );
    }
}

/// A parent shows its children's rows; where these have rules over columns of their own, it cannot hold
/// them.
#[test]
fn a_child_with_rules_of_its_own_closes_its_parent() {
    let rules =
        "[table.measurements_2024]\nsensitivity = [ { code = \"HIV\", where = \"id = 1\" } ]";
    let world = World::with_rows(Profile::LimitedDataset, rules, false, &[]);
    assert!(condition(&world, "measurements").starts_with("row_rule"));
    assert!(condition(&world, "measurements_2024").contains("IS NOT TRUE"));
}

/// A view reads its relations through their conditions, behind a barrier of its own and behind one
/// against its own conditions.
#[test]
fn a_masked_view_holds_the_condition_and_is_a_barrier() {
    let world = World::with_rows(Profile::Identified, RULES, true, &["HIV", "VIP"]).slot();
    let views = world.policy.masked_views(&world.snapshot);
    let view = |name: &str| {
        let oid = world.snapshot.find("public", name).unwrap().oid;
        views.iter().find(|view| view.relation == oid).unwrap()
    };
    let patients = view("patients");
    assert!(patients.barrier && !patients.writable);
    assert!(
        patients
            .sql
            .contains(" WHERE (EXISTS (SELECT FROM phigate.patient"),
        "{}",
        patients.sql
    );
    assert!(!view("wards").barrier);
    let over = view("v_patients");
    assert!(
        over.barrier && over.sql.contains(" OFFSET 0)"),
        "{}",
        over.sql
    );
    assert!(view("v_twice").barrier);
    assert_eq!(
        world.policy.field(20_001, 1),
        Field::Masked,
        "an open column too"
    );
    assert_eq!(world.policy.field(20_003, 1), Field::AsItIs);
}
