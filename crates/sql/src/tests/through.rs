//! Views mode: what stands in FROM, and what stays as it is inline.

use phigate_types::Profile;

use crate::Field;
use crate::testing::{MASKED_VIEWS, OWN_ROWS, World};

fn limited() -> World {
    World::limited().through_views_without(&[])
}

#[test]
fn statements_name_views_only() {
    let world = limited();
    for text in [
        "select * from patients",
        "select p.name, v.ward from patients p join visits v on v.patient_id = p.id",
        "select count(*) from only patients",
        "table visits",
        "select * from v_patients",
        "select * from v_wards",
        "copy visits to stdout",
        "copy patients to stdout",
        "declare c cursor for select * from visits",
        "prepare s as select ward from visits where id = $1",
        "explain select * from visits",
        "with v as (select * from visits) select * from v union all select * from visits",
        "select exists (select from archive.patients)",
    ] {
        let sql = world.admit(text);
        assert!(sql.contains("\"phigate_p_"), "{sql}");
        assert!(!sql.contains("\"public\"."), "{sql}");
        assert!(!sql.contains("\"archive\"."), "{sql}");
        assert!(!sql.contains("current_setting"), "{sql}");
    }
}

#[test]
fn a_masked_column_is_a_plain_column_of_the_view() {
    let sql = limited().admit("select name, zip from patients");
    assert!(
        sql.contains(
            "SELECT \"t\".\"name\" AS \"name\", \"t\".\"zip\" AS \"zip\" FROM \"phigate_p_"
        )
    );
    assert!(!sql.contains("redacted"), "{sql}");
}

#[test]
fn what_is_blocked_inline_is_blocked() {
    let world = World::with(
        Profile::LimitedDataset,
        phigate_phi::Unclassified::Refuse,
        &[],
        &["patients.zip"],
    );
    let world = world.through_views_without(&[]);
    assert!(world.analyse("select zip from patients").is_err());
    assert!(world.analyse("select nickname from patients").is_err());
    assert!(!world.admit("select * from patients").contains("zip"));
}

#[test]
fn a_relation_that_changed_is_refused_and_the_hint_is_the_command() {
    let world = World::limited().through_views_without(&["visits"]);
    let shown = world.show("select * from visits");
    assert!(
        shown.contains("has changed since it was hardened"),
        "{shown}"
    );
    assert!(
        shown.contains("phictl database harden clinic --table public.visits"),
        "{shown}"
    );
    world.admit("select * from patients");
    // In a view over it too, and in a subquery.
    assert!(world.analyse("select exists (select from visits)").is_err());
}

#[test]
fn only_reads_the_view_of_a_relations_own_rows() {
    let world = limited();
    assert!(
        world
            .admit("select * from only measurements")
            .contains("_only\"")
    );
    assert!(
        !world
            .admit("select * from measurements")
            .contains("_only\"")
    );
    assert!(!world.admit("select * from only wards").contains("_only\""));
}

#[test]
fn grouping_by_a_key_works_without_the_key() {
    let world = World::with_catalog(
        Profile::LimitedDataset,
        phigate_phi::Unclassified::Refuse,
        |more| {
            let visits = World::limited()
                .snapshot
                .find("public", "visits")
                .unwrap()
                .oid;
            more.primary_key(visits, vec![1]);
        },
    );
    let sql = world
        .through_views_without(&[])
        .admit("select id, ward from visits group by id");
    assert!(
        sql.contains("GROUP BY \"visits\".\"id\", \"visits\".\"ward\""),
        "{sql}"
    );
}

#[test]
fn views_have_no_samples() {
    let world = limited();
    let shown = world.show("select * from visits tablesample system (10)");
    assert!(shown.starts_with("0A000"), "{shown}");
}

#[test]
fn the_session_is_called_what_it_is_called_inline() {
    let world = limited();
    for text in [
        "select current_user",
        "select session_user",
        "select user",
        "select current_role",
        "select \"current_user\"()",
        "select 1 from pg_roles where rolname = current_user",
    ] {
        let sql = world.admit(text);
        assert!(sql.contains("'broker'"), "{sql}");
        assert!(!sql.contains("_USER"), "{sql}");
    }
    let sql = world.admit("select current_user, user");
    assert!(
        sql.contains("AS \"current_user\"") && sql.contains("AS \"user\""),
        "{sql}"
    );
}

#[test]
fn privileges_are_asked_for_the_owner_of_the_views() {
    let world = limited();
    for text in [
        "select has_table_privilege('patients', 'select')",
        "select has_table_privilege(current_user, 'patients', 'select')",
        "select has_column_privilege('patients', 'id', 'select')",
        "select pg_has_role('postgres', 'usage')",
        "select has_schema_privilege(session_user, 'public', 'usage')",
    ] {
        let sql = world.admit(text);
        assert!(sql.contains("(CAST('phigate_definer' AS"), "{sql}");
    }
    let other = world.admit("select has_table_privilege('alice', 'patients', 'select')");
    assert!(!other.contains("phigate_definer"), "{other}");
    let inline = World::limited().admit("select has_table_privilege('patients', 'select')");
    assert!(!inline.contains("phigate_definer"), "{inline}");
}

#[test]
fn catalogs_do_not_show_what_hardening_made() {
    let world = limited();
    for text in [
        "select relname from pg_class",
        "select nspname from pg_namespace",
        "select attname from pg_attribute",
        "select objid from pg_depend",
        "select rolname from pg_roles",
        "select viewname from pg_views",
        "select c.oid from pg_catalog.pg_class c where c.relname = 'patients' group by c.oid",
    ] {
        let sql = world.admit(text);
        assert!(sql.contains(" WHERE "), "{sql}");
        assert!(sql.contains("77777") || sql.contains("^phigate"), "{sql}");
    }
    // Nothing was made, nothing is hidden.
    let sql = World::limited().admit("select relname from pg_class");
    assert!(!sql.contains("WHERE"), "{sql}");
}

#[test]
fn fields_of_views_are_told_as_those_of_relations() {
    let world = limited();
    let relation = world.snapshot.find("public", "patients").unwrap();
    let view = world.policy.masked_views(&world.snapshot);
    assert!(!view.is_empty());
    let number = |name: &str| relation.column(name).unwrap().attnum;
    let place = |name: &str| {
        let shown: Vec<_> = relation
            .columns
            .iter()
            .filter(|column| {
                world
                    .admit("select * from patients")
                    .contains(&format!("\"{}\"", column.name))
            })
            .collect();
        let at = shown.iter().position(|column| column.name == name).unwrap();
        i16::try_from(at + 1).unwrap()
    };
    let field = |attnum| world.policy.field(relation.oid + MASKED_VIEWS, attnum);
    assert_eq!(field(place("id")), Field::Base(relation.oid, number("id")));
    assert_eq!(field(place("name")), Field::Computed);
    assert_eq!(field(0), Field::Computed);
    assert_eq!(field(99), Field::Computed);
    assert_eq!(
        world.policy.field(relation.oid, number("name")),
        Field::Masked
    );
    assert_eq!(world.policy.field(relation.oid, 0), Field::Masked);
    assert_eq!(world.policy.field(1259, 1), Field::AsItIs);
    let measurements = world.snapshot.find("public", "measurements").unwrap().oid;
    assert_eq!(
        world.policy.field(measurements + OWN_ROWS, 1),
        Field::Base(measurements, 1)
    );
}

#[test]
fn what_is_recorded_names_relations() {
    let batch = limited().analyse("select name from patients").unwrap();
    let permit = &batch.permits[0];
    assert_eq!(permit.touches()[0].relation, "public.patients");
    assert!(permit.masked());
    assert!(
        !permit.skeleton().contains("phigate_p_"),
        "{}",
        permit.skeleton()
    );
    let open = limited().analyse("select ward from visits").unwrap();
    assert!(!open.permits[0].skeleton().contains("phigate_p_"));
}
