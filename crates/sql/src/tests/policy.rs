//! What a policy makes of each kind of relation.

use phigate_phi::Unclassified;
use phigate_types::Profile;

use super::listing;
use crate::testing::World;

const RELATIONS: &[&str] = &[
    "select * from patients",
    "select count(*) from patients",
    "select nickname from patients",
    "select initial from patients",
    "select * from visits",
    "select * from measurements",
    "select value from measurements_2024",
    "select * from archive.patients",
    "select * from secrets",
    "select last_value from patients_id_seq",
    "select * from v_patients",
    "select * from v_twice",
    "select * from v_wards",
    "select * from v_secrets",
    "select * from v_function",
    "select * from m_patients",
    "select * from classified_view",
    "select score from classified_view",
];

#[test]
fn limited_dataset() {
    shown!(listing(&World::limited(), RELATIONS));
}

#[test]
fn safe_harbor() {
    let world = World::new(Profile::SafeHarbor);
    shown!(listing(
        &world,
        &["select * from patients", "select * from visits"]
    ));
}

#[test]
fn identified_leaves_classified_relations_as_they_are() {
    let world = World::new(Profile::Identified);
    shown!(listing(&world, RELATIONS));
}

#[test]
fn unclassified_may_be_masked_or_released() {
    let mask = World::with(Profile::LimitedDataset, Unclassified::Mask, &[], &[]);
    let release = World::with(Profile::LimitedDataset, Unclassified::Release, &[], &[]);
    let statements = &[
        "select nickname from patients",
        "select * from secrets",
        // Somebody has to look at these, whatever the default.
        "select * from m_patients",
    ];
    shown!(format!(
        "mask:\n{}\nrelease:\n{}",
        listing(&mask, statements),
        listing(&release, statements)
    ));
}

#[test]
fn reveal_and_block_single_columns() {
    let world = World::with(
        Profile::LimitedDataset,
        Unclassified::Refuse,
        &["patients.ssn"],
        &["patients.name", "visits.ward"],
    );
    shown!(listing(
        &world,
        &[
            "select * from patients",
            "select ssn from patients",
            "select name from patients",
            "select * from visits",
            "select ward from visits join wards using (ward)",
            "select * from visits natural join wards",
            // Computed of a blocked column.
            "select initial from patients",
            "select who from v_patients",
        ]
    ));
}

#[test]
fn the_tripwire_watches_what_is_masked_and_nothing_else() {
    let world = World::limited();
    let patients = world.snapshot.find("public", "patients").unwrap();
    let watched: Vec<_> = patients
        .columns
        .iter()
        .filter(|column| world.policy.is_masked_field(patients.oid, column.attnum))
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(
        watched,
        ["mrn", "name", "ssn", "notes", "nickname", "initial"]
    );
    assert!(
        world.policy.is_masked_field(patients.oid, 0),
        "the whole row"
    );
    let visits = world.snapshot.find("public", "visits").unwrap();
    assert!(!world.policy.is_masked_field(visits.oid, 1));
    assert!(!world.policy.is_masked_field(visits.oid, 0));
    // Views and refused relations are never described by their own oid.
    for name in ["v_patients", "secrets", "m_patients"] {
        let relation = world.snapshot.find("public", name).unwrap();
        assert!(world.policy.is_masked_field(relation.oid, 1), "{name}");
    }
}

#[test]
fn touches_say_what_was_done_to_each_column() {
    let world = World::limited();
    let batch = world
        .analyse("select p.ssn, who, ward from patients p, v_patients v, visits where v.id = p.id")
        .unwrap();
    let touches = batch.permits[0].touches();
    let text: Vec<_> = touches
        .iter()
        .map(|touch| {
            let columns: Vec<_> = touch
                .columns
                .iter()
                .map(|(name, how)| format!("{name}={how}"))
                .collect();
            format!("{}({})", touch.relation, columns.join(" "))
        })
        .collect();
    assert_eq!(
        text,
        [
            "public.patients(id=keep ssn=null name=redact)",
            "public.v_patients(id=keep who=keep)",
            "public.visits(ward=keep)",
        ]
    );
}

#[test]
fn describe_counts_columns_not_values() {
    assert_eq!(
        World::limited().policy.describe(),
        "limited_dataset: 8 columns masked (null 6, redact 1, text_block 1), 2 not released"
    );
}
