//! INSERT, UPDATE, DELETE, MERGE: what is relayed as what, and what is not.

use phigate_phi::Unclassified;
use phigate_types::Profile;

use crate::snapshot::{ForeignKey, SnapshotBuilder, WriteFacts};
use crate::temporary::{Temporary, TemporaryRelation};
use crate::testing::World;
use crate::{RelationKind, StatementKind};

const WARDS: u32 = 20_003;
const PATIENTS: u32 = 20_001;
const VISITS: u32 = 20_002;

fn writer() -> World {
    let mut world = World::limited();
    world.write = true;
    world
}

/// A writing session over a catalog with more in it.
fn with(more: impl FnOnce(&mut SnapshotBuilder)) -> World {
    let mut world = World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, more);
    world.write = true;
    world
}

fn facts(change: impl FnOnce(&mut WriteFacts)) -> WriteFacts {
    let mut facts = WriteFacts::default();
    change(&mut facts);
    facts
}

fn reader_with_own_table() -> World {
    let mut world = World::limited();
    world.temporary = Temporary::new([
        TemporaryRelation {
            name: "own".to_owned(),
            kind: RelationKind::Table,
            columns: vec!["a".to_owned(), "b".to_owned()],
            vanishes: false,
        },
        TemporaryRelation {
            name: "own_view".to_owned(),
            kind: RelationKind::View,
            columns: vec!["ward".to_owned()],
            vanishes: false,
        },
    ]);
    world
}

#[test]
fn what_is_written() {
    shown!(super::listing(
        &writer(),
        &[
            "insert into wards values ('a', 1, 'calm'), ('b', default, null)",
            "insert into wards (ward, beds) select name, id from patients returning *",
            "insert into wards as w (ward) values ('x') on conflict (ward) do update set beds = excluded.beds + w.beds where w.beds > 1 returning w.ward, beds as n",
            "insert into wards default values on conflict do nothing",
            "insert into wards (ward) with p as (select ssn from patients) select ssn from p",
            "update wards set beds = beds + 1, mood = default where ward = 'a'",
            "update only wards w set (ward, beds) = (select p.ssn, 1 from patients p limit 1), mood = 'calm' from visits v where v.ward = w.ward returning w.*, v.id",
            "update wards set (ward, beds) = ('x', default)",
            "delete from wards using patients p where p.diagnosis = wards.ward and p.ssn is null",
            "merge into wards w using (select ssn, id from patients) p on p.id = w.beds when matched and p.ssn is null then delete when matched then update set ward = p.ssn when not matched then insert (ward, beds) values (p.ssn, default) when not matched then do nothing",
            "with gone as (delete from wards returning *) insert into visits (id, ward) select beds, ward from gone returning id",
            "with x as (select 1 as n) update wards set beds = n from x",
            "explain delete from wards",
            "prepare p (text) as insert into wards (ward) values ($1)",
            "copy (delete from wards returning ward) to stdout",
        ],
    ));
}

#[test]
fn a_write_is_recorded_as_one() {
    let batch = writer()
        .analyse("WITH x AS (INSERT INTO wards (ward) SELECT ssn FROM patients RETURNING ward) SELECT * FROM x")
        .unwrap();
    let permit = &batch.permits[0];
    assert_eq!(permit.kind(), StatementKind::Write);
    assert!(permit.masked());
    let written: Vec<_> = permit
        .touches()
        .iter()
        .filter(|t| t.written)
        .map(|t| t.relation.as_str())
        .collect();
    assert_eq!(written, ["public.wards"]);
}

#[test]
fn a_reading_grant_writes_nothing_but_its_own() {
    let world = reader_with_own_table();
    for text in [
        "INSERT INTO wards VALUES ('a')",
        "UPDATE wards SET beds = 1",
        "DELETE FROM wards",
        "MERGE INTO wards w USING visits v ON v.ward = w.ward WHEN MATCHED THEN DELETE",
        "WITH x AS (DELETE FROM wards RETURNING *) SELECT * FROM x",
        "EXPLAIN DELETE FROM wards",
        "PREPARE p AS DELETE FROM wards",
        "COPY (DELETE FROM wards RETURNING *) TO STDOUT",
        "INSERT INTO own_view VALUES ('a')",
        "UPDATE own_view SET ward = 'a'",
        "DELETE FROM own_view",
        "MERGE INTO own_view o USING visits v ON v.ward = o.ward WHEN MATCHED THEN DELETE",
    ] {
        assert_eq!(world.refuse(text), "not_granted", "{text}");
    }
    for text in [
        "INSERT INTO own VALUES (1, default)",
        "INSERT INTO own (a) SELECT ssn FROM patients",
        "UPDATE own SET a = b WHERE own.a > 1 RETURNING *",
        "DELETE FROM own USING patients p WHERE p.id = own.a",
        "MERGE INTO own USING patients p ON p.id = own.a WHEN MATCHED THEN DELETE",
        "PREPARE p AS INSERT INTO own VALUES ($1)",
    ] {
        let sql = world.admit(text);
        assert!(sql.contains("\"pg_temp\".\"own\""), "{sql}");
    }
    // Its shape may be another one when it runs.
    assert_eq!(
        world.refuse("PREPARE p AS UPDATE own SET a = own.b"),
        "construct"
    );
    let batch = world.analyse("UPDATE own SET a = own.b").unwrap();
    assert!(batch.permits[0].shape_bound());
}

#[test]
fn overriding_and_current_of_are_sent_where_nothing_is_masked() {
    let world = writer();
    for (text, part) in [
        (
            "INSERT INTO visits (id, ward) OVERRIDING SYSTEM VALUE VALUES (1, 'a')",
            "(\"id\", \"ward\") OVERRIDING SYSTEM VALUE VALUES",
        ),
        (
            "insert into visits overriding user value select 1",
            "\"visits\" OVERRIDING USER VALUE SELECT",
        ),
        (
            "UPDATE visits SET ward = 'x' WHERE CURRENT OF c",
            "WHERE CURRENT OF \"c\"",
        ),
        (
            "DELETE FROM visits v WHERE CURRENT OF C",
            "WHERE CURRENT OF \"c\"",
        ),
    ] {
        let sql = world.admit(text);
        assert!(sql.contains(part), "{sql}");
    }
    for text in [
        "SELECT 1 FROM visits WHERE CURRENT OF c",
        "SELECT 1 FROM visits OVERRIDING USER VALUE",
        "UPDATE visits SET ward = 'x' WHERE CURRENT OF c OR true",
        "SELECT current OF c",
        "UPDATE visits SET ward = 'x' WHERE CURRENT OF a.b",
    ] {
        world.refuse(text);
    }
}

#[test]
fn a_masked_column_is_neither_read_nor_written() {
    let world = writer();
    for text in [
        "UPDATE patients SET diagnosis = ssn",
        "UPDATE patients SET diagnosis = 'x' WHERE ssn = '900'",
        "UPDATE patients SET diagnosis = 'x' WHERE patients.name LIKE 'A%'",
        "UPDATE patients SET diagnosis = 'x' RETURNING ssn",
        "UPDATE patients SET diagnosis = 'x' RETURNING *",
        "UPDATE patients p SET diagnosis = 'x' RETURNING p.*",
        "UPDATE patients p SET diagnosis = 'x' RETURNING p",
        "UPDATE patients p SET diagnosis = p::text",
        "UPDATE patients p SET diagnosis = ROW(p.*, 1)::text",
        "UPDATE patients p SET diagnosis = ROW(p)::text",
        "UPDATE patients p SET diagnosis = ARRAY[p]::text",
        "UPDATE patients p SET diagnosis = x.ssn FROM LATERAL (SELECT p.*) x",
        "UPDATE patients p SET diagnosis = (SELECT (p).ssn)",
        "UPDATE patients p SET diagnosis = 'x' RETURNING (p).*",
        "UPDATE patients p SET diagnosis = concat(p)",
        "UPDATE patients p SET diagnosis = ssn(p)",
        "UPDATE patients p SET diagnosis = row_to_json(p)::text",
        "UPDATE patients p SET diagnosis = (SELECT p.ssn)",
        "UPDATE patients p SET diagnosis = (SELECT x.ssn FROM (SELECT p.ssn) x)",
        "UPDATE patients SET ssn = 'x'",
        "UPDATE patients SET (diagnosis, ssn) = ('a', 'b')",
        "UPDATE patients SET nickname = 'x'",
        "DELETE FROM patients WHERE ssn LIKE '9%'",
        "DELETE FROM patients RETURNING name",
        "DELETE FROM patients p USING visits v WHERE v.ward = p.ssn",
        "INSERT INTO patients (id, ssn) VALUES (1, 'x')",
        "INSERT INTO patients VALUES (1, 'm')",
        "INSERT INTO patients SELECT * FROM patients",
        "INSERT INTO patients (id) VALUES (1) RETURNING *",
        "INSERT INTO patients (id) VALUES (1) RETURNING ssn",
        "INSERT INTO patients (id) VALUES (1) ON CONFLICT (ssn) DO NOTHING",
        "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET diagnosis = patients.ssn",
        "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET diagnosis = excluded.ssn",
        "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1 WHERE patients.ssn = '9'",
        "MERGE INTO patients p USING visits v ON p.ssn = v.ward WHEN MATCHED THEN DO NOTHING",
        "MERGE INTO patients p USING visits v ON p.id = v.id WHEN MATCHED AND p.ssn = 'x' THEN DELETE",
        "MERGE INTO patients p USING visits v ON p.id = v.id WHEN MATCHED THEN UPDATE SET diagnosis = p.ssn",
        "MERGE INTO patients p USING visits v ON p.id = v.id WHEN NOT MATCHED THEN INSERT (ssn) VALUES ('x')",
        "DELETE FROM patients WHERE ctid = '(0,1)'",
        "UPDATE patients SET diagnosis = xmin::text",
        "WITH x AS (UPDATE patients SET diagnosis = 'y' RETURNING ssn) SELECT * FROM x",
        "UPDATE patients SET diagnosis = 'x' WHERE CURRENT OF c",
        "INSERT INTO patients (id) TABLE patients RETURNING initial",
    ] {
        world.refuse(text);
    }
    // Whatever is read beside the target is masked as ever.
    let sql =
        world.admit("UPDATE patients p SET diagnosis = q.name FROM patients q WHERE q.id = p.id");
    assert!(sql.contains("UPDATE \"public\".\"patients\" AS \"p\" SET \"diagnosis\" = \"q\".\"name\" FROM (SELECT"), "{sql}");
    let sql = world.admit("DELETE FROM patients WHERE id = 1 RETURNING id, diagnosis");
    assert!(
        sql.ends_with("RETURNING \"patients\".\"id\", \"patients\".\"diagnosis\""),
        "{sql}"
    );
}

#[test]
fn triggers_rules_constraints_and_defaults_stand_in_the_way() {
    let insert = "INSERT INTO patients (id) VALUES (1)";
    let update = "UPDATE patients SET diagnosis = 'x' WHERE id = 1";
    let delete = "DELETE FROM patients WHERE id = 1";
    let refused = |world: &World, texts: &[&str]| {
        for text in texts {
            assert_eq!(world.refuse(text), "not_granted", "{text}");
        }
    };
    writer().admit(update);
    writer().admit(insert);
    refused(
        &with(|b| {
            b.write_facts(PATIENTS, facts(|f| f.triggers = true));
        }),
        &[insert, update, delete],
    );
    refused(
        &with(|b| {
            b.write_facts(PATIENTS, facts(|f| f.row_security = true));
        }),
        &[insert, update, delete],
    );
    let constrained = with(|b| {
        b.write_facts(PATIENTS, facts(|f| f.constrained = vec![4]));
    });
    refused(&constrained, &[insert, update]);
    constrained.admit(delete);
    refused(
        &with(|b| {
            b.write_facts(PATIENTS, facts(|f| f.constrained = vec![0]));
        }),
        &[update],
    );
    refused(
        &with(|b| {
            b.write_facts(WARDS, facts(|f| f.triggers = true));
        }),
        &["INSERT INTO wards (ward) VALUES ('x')", "DELETE FROM wards"],
    );
    refused(
        &with(|b| {
            b.write_facts(WARDS, facts(|f| f.runs_code = true));
        }),
        &[
            "INSERT INTO wards (ward) VALUES ('x')",
            "UPDATE wards SET beds = 1",
        ],
    );
    // As if a number were checked by code.
    refused(
        &with(|b| {
            b.runs_code(23, true);
        }),
        &["INSERT INTO wards (ward) VALUES ('x')"],
    );
    let default = with(|b| {
        b.write_facts(
            WARDS,
            facts(|f| f.defaults = vec![(2, "public.evil()".to_owned())]),
        );
    });
    refused(
        &default,
        &[
            "INSERT INTO wards (ward) VALUES ('x')",
            "INSERT INTO wards (ward, beds) VALUES ('x', 1), ('y', DEFAULT)",
            "INSERT INTO wards SELECT ward FROM visits",
            "INSERT INTO wards DEFAULT VALUES",
            "UPDATE wards SET beds = DEFAULT",
            "MERGE INTO wards w USING visits v ON v.ward = w.ward WHEN NOT MATCHED THEN INSERT (ward) VALUES ('x')",
        ],
    );
    default.admit("INSERT INTO wards (ward, beds) VALUES ('x', 1)");
    with(|b| {
        let next = "nextval('public.wards_seq'::regclass)".to_owned();
        b.write_facts(
            WARDS,
            facts(|f| f.defaults = vec![(2, next), (1, "CURRENT_USER".to_owned())]),
        );
    })
    .admit("INSERT INTO wards (mood) VALUES ('calm')");
    refused(
        &with(|b| {
            b.write_facts(20_006, facts(|f| f.triggers = true));
        }),
        &[
            "INSERT INTO measurements (id) VALUES (1)",
            "DELETE FROM measurements",
        ],
    );
}

#[test]
fn a_masked_generated_column_is_not_computed_anew() {
    // An error of the expression would quote the name.
    let world = World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |b| {
        let mut patients = b.relation_of(PATIENTS);
        patients.columns[9].generated = Some("(name || diagnosis)::integer::text".to_owned());
        b.relation(patients);
    });
    let world = World {
        write: true,
        ..world
    };
    assert_eq!(
        world.refuse("UPDATE patients SET diagnosis = 'x'"),
        "not_granted"
    );
    assert_eq!(
        world.refuse(
            "INSERT INTO patients (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET diagnosis = 'x'"
        ),
        "not_granted"
    );
    world.admit("UPDATE patients SET zip = '1'");
    world.admit("INSERT INTO patients (id) VALUES (1)");
}

#[test]
fn a_foreign_key_is_a_question_about_its_other_end() {
    let key = |from: u32, columns: Vec<i16>, to: u32, referenced: Vec<i16>| {
        with(|b| {
            b.foreign_key(&ForeignKey {
                from,
                columns,
                to,
                referenced,
                acts: false,
            });
        })
    };
    // visits.ward references patients.ssn: is there such a number?
    let masked = key(VISITS, vec![4], PATIENTS, vec![4]);
    assert_eq!(
        masked.refuse("INSERT INTO visits (id, ward) VALUES (1, '900-00-0001')"),
        "not_granted"
    );
    assert_eq!(
        masked.refuse("DELETE FROM patients WHERE id = 1"),
        "not_granted"
    );
    // visits.patient_id references patients.id, which is released as it is.
    let kept = key(VISITS, vec![2], PATIENTS, vec![1]);
    kept.admit("INSERT INTO visits (id, patient_id) VALUES (1, 1)");
    kept.admit("DELETE FROM visits");
    kept.admit("UPDATE patients SET diagnosis = 'x'");
    // Deleting a ward would delete visits.
    let acting = with(|b| {
        b.foreign_key(&ForeignKey {
            from: VISITS,
            columns: vec![4],
            to: WARDS,
            referenced: vec![1],
            acts: true,
        });
    });
    assert_eq!(acting.refuse("DELETE FROM wards"), "not_granted");
    assert_eq!(acting.refuse("UPDATE wards SET ward = 'x'"), "not_granted");
    acting.admit("INSERT INTO wards (ward) VALUES ('x')");
    acting.admit("DELETE FROM visits");
    // secrets is not classified.
    let unknown = key(20_004, vec![1], WARDS, vec![2]);
    assert_eq!(unknown.refuse("DELETE FROM wards"), "not_granted");
}

#[test]
fn what_is_no_table_is_not_written() {
    let world = writer();
    for text in [
        "INSERT INTO v_wards VALUES ('a')",
        "UPDATE v_patients SET who = 'x'",
        "DELETE FROM v_patients",
        "DELETE FROM pg_class",
        "UPDATE pg_catalog.pg_authid SET rolsuper = true",
        "INSERT INTO secrets VALUES (1)",
        "DELETE FROM patients_id_seq",
        "INSERT INTO information_schema.sql_features DEFAULT VALUES",
    ] {
        world.refuse(text);
    }
    let inner = "SELECT * FROM (DELETE FROM wards RETURNING *) x";
    world.refuse(inner);
    world.refuse("SELECT * FROM wards WHERE ward IN (WITH x AS (DELETE FROM wards RETURNING ward) SELECT ward FROM x)");
    world.refuse("CREATE TEMP VIEW v AS SELECT (SELECT 1 FROM (INSERT INTO wards DEFAULT VALUES RETURNING 1) x)");
}

#[test]
fn copy_from_is_an_insert() {
    let world = writer();
    shown!(super::listing(
        &world,
        &[
            "copy wards from stdin",
            "copy wards (ward, beds) from stdin with (format csv, header, null '', force_null (ward))",
            "copy wards from stdin csv header",
            "copy patients (id, diagnosis) from stdin",
            "copy patients from stdin",
            "copy patients (id, ssn) from stdin",
            "copy v_wards from stdin",
            "copy wards from '/etc/passwd'",
            "copy wards from program 'id'",
            "copy wards from stdin (freeze)",
        ],
    ));
    let world = reader_with_own_table();
    assert_eq!(
        world.admit("COPY own FROM STDIN"),
        "COPY \"pg_temp\".\"own\" FROM STDIN"
    );
    assert_eq!(world.refuse("COPY own_view FROM STDIN"), "not_granted");
    assert_eq!(world.refuse("COPY wards FROM STDIN"), "not_granted");
    world.admit("COPY own (a) TO STDOUT");
}
