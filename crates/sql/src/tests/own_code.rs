//! Code of the database's own that a statement would run without naming it.

use phigate_phi::Unclassified;
use phigate_types::Profile;

use crate::OwnCode;
use crate::testing::World;

/// Constructs that look their operator up by name, at the end of the path too.
const BARE: &[&str] = &[
    "select case ward when 'x' then 1 end from visits",
    "select nullif(ward, 'x') from visits",
    "select ward is distinct from 'x' from visits",
    "select ward in ('x', 'y') from visits",
    "select ward between 'x' and 'y' from visits",
    "select 1 from visits join wards using (ward)",
    "select 1 from visits natural join wards",
];

/// Those that name it, and those that take the type's own.
const QUALIFIED: &[&str] = &[
    "select case when ward = 'x' then 1 end from visits",
    "select ward = any (array['x']) from visits",
    "select 1 from visits v join wards w on v.ward = w.ward",
    "select distinct ward from visits order by ward",
];

fn comparison_in(schema: &str) -> World {
    World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |builder| {
        _ = builder.own_comparison(schema);
    })
}

#[test]
fn an_implied_operator_is_refused_where_it_might_not_be_postgresqls() {
    let world = World::limited();
    for statement in BARE.iter().chain(QUALIFIED) {
        world.admit(statement);
    }
    let world = comparison_in("public");
    for statement in BARE {
        assert_eq!(world.refuse(statement), "operator", "{statement}");
    }
    for statement in QUALIFIED {
        world.admit(statement);
    }
}

#[test]
fn an_operator_off_the_path_is_not_found() {
    let world = comparison_in("archive");
    for statement in BARE {
        world.admit(statement);
    }
}

/// A column of type `text`, as if its casts were code of somebody's own.
fn cast_by_code(profile: Profile) -> World {
    World::with_catalog(profile, Unclassified::Release, |builder| {
        _ = builder.runs_code(25, false);
    })
}

#[test]
fn a_column_whose_casts_run_code_is_not_read() {
    let world = cast_by_code(Profile::LimitedDataset);
    for statement in [
        "select text from secrets",
        "select text || 'x' from secrets",
        "select count(text) from secrets",
        "select id from secrets where text = 'x'",
        "select (s).text from secrets s",
    ] {
        assert_eq!(world.refuse(statement), "own_code", "{statement}");
    }
    // Not in a star, nor in a whole row, which `to_json` would cast column by column.
    for statement in [
        "select * from secrets",
        "select row_to_json(s) from secrets s",
    ] {
        let sql = world.admit(statement);
        assert!(!sql.contains("\"text\""), "{sql}");
    }
    let free = cast_by_code(Profile::Identified);
    assert!(free.admit("select text from secrets").contains("\"text\""));
}

#[test]
fn a_parameter_of_a_type_that_runs_code_is_refused() {
    let world = World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |builder| {
        _ = builder.runs_code(30_000, true);
    });
    let check = |types: &[u32]| world.policy.check_parameters(types, &world.snapshot);
    assert!(check(&[0, 25]).is_ok());
    let refusal = check(&[0, 30_000]).unwrap_err();
    assert_eq!(refusal.reason().as_str(), "own_code");
}

#[test]
fn where_postgresqls_own_types_and_names_lead_to_code_nothing_is_computed() {
    let world = |profile, code: &OwnCode| {
        World::with_catalog(profile, Unclassified::Refuse, |builder| {
            _ = builder.own_code(code.clone());
        })
    };
    let cast = OwnCode::Cast {
        from: "text".to_owned(),
        to: "integer".to_owned(),
    };
    let order = OwnCode::Order("json".to_owned());
    for code in [cast, order, OwnCode::Overload("left".to_owned())] {
        let masked = world(Profile::LimitedDataset, &code);
        for statement in [
            "select 1",
            "select ward from visits",
            "values ('1')",
            "copy visits to stdout",
            "declare c cursor for select 1",
            "explain select 1",
            "create temp table t as select 1 as x",
        ] {
            assert_eq!(masked.refuse(statement), "own_code", "{statement}");
        }
        for statement in ["begin", "set datestyle = 'ISO'", "rollback"] {
            masked.admit(statement);
        }
        world(Profile::Identified, &code).admit("select 1");
    }
}

#[test]
fn row_security_that_reads_what_is_masked_refuses_the_relation() {
    const PATIENTS: u32 = 20_001;
    let guarded = |profile, policies: &[&str]| {
        let row_policies = policies.iter().map(|policy| (*policy).to_owned()).collect();
        World::with_catalog(profile, Unclassified::Refuse, |builder| {
            let facts = crate::WriteFacts {
                row_security: true,
                row_policies,
                ..crate::WriteFacts::default()
            };
            _ = builder.write_facts(PATIENTS, facts);
        })
    };
    let refused = [
        "(ssn ~~ '9%'::text)",
        "(id IN ( SELECT visits.patient_id FROM public.visits))",
        "public.allowed(id)",
    ];
    for policy in refused {
        let world = guarded(Profile::LimitedDataset, &["true", policy]);
        assert_eq!(
            world.refuse("select id from patients"),
            "own_code",
            "{policy}"
        );
        guarded(Profile::Identified, &[policy]).admit("select id from patients");
    }
    for policies in [&[][..], &["true", "(id > 3)"]] {
        guarded(Profile::LimitedDataset, policies).admit("select id from patients");
    }
}

#[test]
fn a_column_that_holds_masked_rows_is_not_released_for_want_of_a_rule() {
    let holds = |relation: u32| {
        let world = World::with_catalog(
            Profile::LimitedDataset,
            Unclassified::Release,
            // As if `text` were a row type.
            |builder| _ = builder.row_within(25, relation),
        );
        world.admit("select text from secrets")
    };
    let masked = holds(20_001);
    assert!(masked.contains("CAST(NULL AS"), "{masked}");
    let open = holds(20_003);
    assert!(!open.contains("CAST(NULL AS"), "{open}");
}

/// A view is read by its own name only if its text would be sent as it is: what is hidden of a
/// catalog, or asked of a call, holds beneath a view too.
#[test]
fn a_view_over_what_is_rewritten_is_substituted() {
    let view = |definition: &str| {
        let world = World::with_catalog(Profile::LimitedDataset, Unclassified::Refuse, |builder| {
            _ = builder.relation(crate::testing::view(30_001, "v_own", "x", definition));
        });
        world.admit("select x from v_own")
    };
    let pages = view(" SELECT c.relpages AS x\n   FROM pg_catalog.pg_class c;");
    assert!(pages.contains("CAST(NULL AS"), "{pages}");
    let keys = view(" SELECT pg_catalog.current_setting(t.x::text) AS x FROM (VALUES ('a')) t(x);");
    assert!(keys.contains("substring"), "{keys}");
    let plain = view(" SELECT v.ward AS x\n   FROM public.visits v;");
    assert!(plain.contains("\"public\".\"v_own\""), "{plain}");
}
