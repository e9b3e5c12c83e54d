use super::*;

fn facts(version: i32, rows: &[(&'static str, &str, &str)]) -> Facts {
    let own = |(name, object, word): &(&'static str, &str, &str)| {
        (*name, (*object).to_owned(), (*word).to_owned())
    };
    Facts {
        version,
        rows: rows.iter().map(own).collect(),
    }
}

#[test]
fn a_finding_says_what_and_what_to_do() {
    let found = findings(&facts(
        150_018,
        &[
            ("schema_create", "public", "PUBLIC"),
            ("base_privilege", "public.patients", "PUBLIC has SELECT"),
        ],
    ));
    assert_eq!(found[0].key(), "base_privilege public.patients");
    assert_eq!(found[0].severity, Severity::Error);
    assert!(
        found[0]
            .problem
            .starts_with("PUBLIC has SELECT on the relation")
    );
    assert!(found[0].remedy.contains("public.patients"));
    assert_eq!(found[1].severity, Severity::Warning);
    assert_eq!(found.len(), 2);
}

#[test]
fn an_old_minor_is_an_error() {
    for (version, is_old) in [
        (140_018, true),
        (140_019, false),
        (150_013, true),
        (150_018, false),
        (180_000, false),
    ] {
        assert_eq!(
            !findings(&facts(version, &[])).is_empty(),
            is_old,
            "{version}"
        );
    }
}

#[test]
fn no_check_stands_twice_and_each_has_words() {
    for (index, check) in CHECKS.iter().enumerate() {
        assert!(
            CHECKS
                .iter()
                .skip(index + 1)
                .all(|other| other.name != check.name),
            "{}",
            check.name
        );
        assert!(
            check.problem.contains("{}") && check.remedy.contains("{}")
                || check.name == "role_member",
            "{}",
            check.name
        );
    }
}
