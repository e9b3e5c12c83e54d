use super::*;
use crate::keys;

fn ty(oid: u32, typmod: i32, name: &str) -> ColumnType {
    ColumnType::builtin(oid, typmod, name)
}

fn cx(profile: Profile) -> ReleaseContext {
    ReleaseContext::new(profile, "2026-06-15", KeyAccess::Settings)
}

fn expression(transform: Transform, ty: &ColumnType) -> String {
    release(transform, "\"t\".\"c\"", ty, &cx(Profile::Expert)).unwrap()
}

const TEXT: &str = "pg_catalog.text";

#[test]
fn constants_are_typed_and_cut() {
    let text = ty(25, -1, TEXT);
    assert_eq!(expression(Transform::Keep, &text), "\"t\".\"c\"");
    assert_eq!(
        expression(Transform::Null, &ty(1043, 24, "character varying(20)")),
        "(CAST(NULL AS character varying(20)) COLLATE pg_catalog.\"default\")"
    );
    assert_eq!(
        expression(Transform::Redact, &ty(23, -1, "integer")),
        "CAST(NULL AS integer)"
    );
    assert_eq!(
        expression(Transform::Redact, &ty(1042, 8, "character(4)")),
        "(CAST('[red' AS character(4)) COLLATE pg_catalog.\"default\")"
    );
}

#[test]
fn a_domain_is_released_as_its_base_and_a_collation_stays() {
    let domain = ColumnType {
        base: Some("character varying(5)".to_owned()),
        collation: Some("pg_catalog.\"C\"".to_owned()),
        not_null_domain: true,
        ..ty(1043, 9, "public.zip")
    };
    assert_eq!(
        expression(Transform::Null, &domain),
        "(CAST(NULL AS character varying(5)) COLLATE pg_catalog.\"C\")"
    );
}

/// Everything that a search path could capture: a bare function, type, operator or collation.
#[test]
fn everything_is_qualified() {
    let types = [
        ty(21, -1, "smallint"),
        ty(20, -1, "bigint"),
        ty(1700, -1, "numeric"),
        ty(25, -1, TEXT),
        ty(1082, -1, "pg_catalog.date"),
        ty(1114, -1, "timestamp without time zone"),
        ty(1184, -1, "timestamp with time zone"),
        ty(2950, -1, "pg_catalog.uuid"),
    ];
    let keyed = cx(Profile::Expert).with_patient_key(Some(PatientKey {
        sql: "\"t\".\"k\"".to_owned(),
        kind: TypeKind::Text,
        or_nobody: true,
    }));
    for transform in Transform::ALL {
        for ty in types.iter().filter(|ty| transform.type_supported(ty)) {
            let sql = release(transform, "\"t\".\"c\"", ty, &keyed).unwrap();
            let bare = without_strings(&sql);
            for operator in ["||", "<", ">", "=", "~", "#", "%", "&", "::"] {
                let count = bare.matches(operator).count();
                let qualified = bare.matches("OPERATOR(pg_catalog.").count();
                assert!(count <= qualified * 2, "{operator} in {sql}");
                assert!(
                    !bare.contains(&format!(" {operator} ")),
                    "{operator} in {sql}"
                );
            }
            for (at, _) in bare.match_indices('(') {
                let before = &bare[..at];
                let word = before.rsplit(|c: char| !(c.is_alphanumeric() || "._\"".contains(c)));
                let word = word.into_iter().next().unwrap_or_default();
                let allowed = word.is_empty()
                    || word.starts_with("pg_catalog.")
                    || [
                        "CAST", "OPERATOR", "GREATEST", "AS", "WHEN", "THEN", "ELSE", "FROM",
                        "NOT", "AND", "SELECT",
                    ]
                    .contains(&word);
                assert!(allowed, "{word} in {sql}");
            }
        }
    }
}

#[test]
fn no_key_is_in_the_text() {
    let text = expression(Transform::Pseudonym, &ty(25, -1, TEXT));
    assert!(text.contains(keys::CODE_INNER) && text.contains(keys::CODE_OUTER));
    assert!(expression(Transform::Pseudonym, &ty(20, -1, "bigint")).contains(keys::INTEGER));
}

#[test]
fn safe_harbor_allows_no_derived_code() {
    let types = [
        (ty(21, -1, "smallint"), "code_int2"),
        (ty(23, -1, "integer"), "code_int"),
        (ty(1700, -1, "numeric"), "code_int"),
        (ty(2950, -1, "pg_catalog.uuid"), "code_uuid"),
        (ty(17, -1, "pg_catalog.bytea"), "code_text"),
        (ty(25, -1, TEXT), "code_text"),
    ];
    for (ty, table) in types {
        // No table of codes is there in the inline mode.
        let inline = release(Transform::Pseudonym, "c", &ty, &cx(Profile::SafeHarbor)).unwrap();
        assert!(inline.starts_with("CAST(NULL AS ") || inline.starts_with("(CAST(NULL AS "));
        let cx = ReleaseContext::new(Profile::SafeHarbor, "", KeyAccess::Slot);
        let code = release(Transform::Pseudonym, "\"t\".\"c\"", &ty, &cx).unwrap();
        assert!(
            code.contains(&format!("FROM phigate.{table} AS x")),
            "{code}"
        );
        assert!(!code.contains("s.k_"), "a key in {code}");
    }
}

#[test]
fn what_cannot_be_is_an_error() {
    let boolean = ty(16, -1, "boolean");
    let error = release(Transform::Year, "c", &boolean, &cx(Profile::Expert)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a column of type boolean cannot be released as year"
    );
    let date = ty(1082, -1, "pg_catalog.date");
    for as_of in [
        "",
        "2026",
        "2026-6-15",
        "2026-06-15T00",
        "2026-13-01",
        "0001-01-01",
        "１０26-01-01",
    ] {
        let cx = ReleaseContext::new(Profile::Expert, as_of, KeyAccess::Settings);
        assert_eq!(
            release(Transform::YearCap90, "c", &date, &cx),
            Err(Unsupported::AsOf),
            "{as_of}"
        );
    }
    assert_eq!(cap_year("2026-06-15"), Ok(1936));
}

/// The text without what stands between quotes.
fn without_strings(sql: &str) -> String {
    sql.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

#[test]
fn a_slot_without_keys_or_date_releases_nothing() {
    let cx = ReleaseContext::new(Profile::LimitedDataset, "", KeyAccess::Slot);
    let date = ty(1082, -1, "pg_catalog.date");
    let capped = release(Transform::YearCap90, "\"t\".\"c\"", &date, &cx).unwrap();
    // GREATEST passes over NULL.
    assert!(capped.contains("make_date(COALESCE((SELECT "), "{capped}");
    let code = release(
        Transform::Pseudonym,
        "\"t\".\"c\"",
        &ty(20, -1, "bigint"),
        &cx,
    )
    .unwrap();
    assert!(
        code.contains("phigate.pseudonym(") && code.contains("SELECT s.k_integer FROM"),
        "{code}"
    );
    assert!(!code.contains("current_setting"), "{code}");
}
