//! The standard's functions of JSON, where the server has them.

use phigate_types::Profile;

use super::{listing, reads_only_through_masks};
use crate::testing::World;

fn on(profile: Profile, major: u16) -> World {
    let mut world = World::new(profile);
    world.snapshot.major = major;
    world
}

#[test]
fn what_is_computed_is_computed_of_released_values() {
    let world = on(Profile::LimitedDataset, 17);
    shown!(listing(
        &world,
        &[
            "select json_object('ssn': ssn, ssn: 1) from patients",
            "select json_object(ssn value diagnosis, 'x' || id value null absent on null returning jsonb) from patients",
            "select json_object(), json_object(returning text), json_object('{a,b}')",
            "select json_array(ssn, p, (select ssn from patients limit 1) null on null) from patients p",
            "select json_value(to_jsonb(p), '$.ssn' returning char(11)), json_query(to_jsonb(p), '$'), json_exists(to_jsonb(p), '$.ssn') from patients p",
            "select json_value('{}', ssn::jsonpath returning mood) from patients",
            "select diagnosis is json, ssn is not json object with unique keys, notes is json array from patients",
            "select a.json_value from (select json_value('{\"a\": 1}', '$.a')) a",
            // Names that only look so.
            "select \"json_array\"(1)",
            "select pg_catalog.json_array(1)",
        ]
    ));
    for text in [
        "select json_object('a': nickname) from patients",
        "select json_object('a': p.*) from patients p",
        "select json_array(select ssn from patients)",
        "select json_array(1 order by 2)",
        "select json_array(distinct 1)",
        "select json_array(1) over ()",
        "select json_array(1) filter (where true)",
        "select json_value('{}', '$', 1)",
        "select json_value('{}')",
        "select json_value('{}', '$' null on null)",
        "select json_value('{}', '$' default (select ssn from patients) on empty)",
        "select json_value('{}', '$.a' passing ssn as a) from patients",
        "select json_exists('{}', '$' returning bool)",
        "select json_query('{}', '$' returning patients)",
        "select json_object('a': 1 returning patients)",
        "select json_object('a' => 1)",
        "select json_array('a': 1)",
    ] {
        world.refuse(text);
    }
}

#[test]
fn no_form_reads_beside_a_mask() {
    let world = on(Profile::LimitedDataset, 18);
    for text in [
        "select json_object('a': ssn, 'b': p) from patients p",
        "select json_array((select ssn from patients limit 1), ssn) from patients",
        "select 1 from visits where json_exists((select to_jsonb(p) from patients p limit 1), '$.ssn')",
        "select 1 from patients order by json_value(to_jsonb(patients), '$.ssn')",
        "select json_query(json_object('a': (select json_array(ssn) from patients limit 1)), '$.a')",
        "select 1 from patients group by diagnosis is json having count(*) filter (where max(ssn) is json) > 1",
        "select 1 from patients where ssn is not json scalar",
    ] {
        let Ok(batch) = world.analyse(text) else {
            continue;
        };
        assert!(reads_only_through_masks(&batch.sql()), "{text}");
    }
}

#[test]
fn each_is_there_from_its_major_version_on() {
    for (text, since) in [
        ("select json_object('a': 1)", 16),
        ("select json_array(1)", 16),
        ("select '1' is json", 16),
        ("select json_value('{}', '$')", 17),
        ("select json_query('{}', '$')", 17),
        ("select json_exists('{}', '$')", 17),
    ] {
        assert_eq!(
            on(Profile::LimitedDataset, since - 1).refuse(text),
            "construct"
        );
        on(Profile::LimitedDataset, since).admit(text);
    }
}

#[test]
fn what_is_sent_reads_back_as_the_same() {
    let world = on(Profile::Identified, 17);
    for text in [
        "select json_object('a': id, ward value 1 absent on null returning jsonb), json_object() from visits",
        "select json_array(id, ward null on null returning varchar(9)), json_array(returning text) from visits",
        "select json_value('{}', '$.a' returning numeric(5, 2)), json_query('{}', '$'), json_exists('{}', '$')",
        "select ward is json, ward is not json value with unique keys from visits where ward is json array",
    ] {
        let once = world.admit(text);
        assert_eq!(world.admit(&once), once);
    }
}
