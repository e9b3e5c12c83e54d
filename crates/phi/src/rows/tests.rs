use super::*;
use crate::{Classification, EffectivePolicy, Unclassified};
use phigate_types::Profile;

/// The shapes that the OMOP common data model has.
const OMOP: &str = r#"
[table.note_nlp]
patient = "note_id -> note.person_id"

[table.episode_event]
patient = "episode_id -> episode.person_id"

[table."cohort"]
patient = "subject_id"

[table.fact_relationship]
patient = [
  [ { when = "domain_concept_id_1 = 56", path = "fact_id_1" },
    { when = "domain_concept_id_1 = 57", path = "none" },
    { when = "domain_concept_id_1 = 21", path = "fact_id_1 -> measurement(measurement_id).person_id" } ],
  [ { when = "domain_concept_id_2 = 56", path = "fact_id_2" } ],
]

[table.cost]
patient = [ [ { when = "cost_domain_id = 'Visit'", path = "cost_event_id -> cdm.visit_occurrence(visit_occurrence_id).person_id" } ] ]
sensitivity = [ { code = "EMP", where = "payer_plan_period_id = 7" } ]

[table.person]
sensitivity = [ { code = "VIP", where = "person_source_value LIKE 'V%'", of = "patient" } ]
"#;

fn refused(text: &str) -> (usize, String, String) {
    let error = RowRules::parse(text, "clinic.rows.toml").unwrap_err();
    assert_eq!(error.file, "clinic.rows.toml");
    (error.line, error.key, error.message)
}

#[test]
fn the_shapes_of_omop_are_read() {
    let rules = RowRules::parse(OMOP, "omop.rows.toml").unwrap();
    let path = |table: &str| &rules.paths()[&TableName::new("public", table)];
    let chain = path("note_nlp").chain().unwrap();
    assert_eq!(chain.column, "note_id");
    assert_eq!(
        chain.steps,
        [Step {
            schema: "public".into(),
            table: "note".into(),
            key: "note_id".into(),
            column: "person_id".into()
        }]
    );
    assert_eq!(path("cohort"), &KeyPath::column("subject_id"));
    let facts = path("fact_relationship");
    assert_eq!(facts.references().len(), 2);
    assert_eq!(facts.references()[0].alternatives().len(), 3);
    assert!(facts.chain().is_none() && !facts.is_nobody());
    assert_eq!(rules.sensitivities().count(), 2);
}

#[test]
fn a_path_reads_back_from_what_it_writes() {
    let rules = RowRules::parse(OMOP, "omop.rows.toml").unwrap();
    let more = [
        "none",
        r#""none""#,
        r#""when" -> "Odd ""x""".t("k.1")."->""#,
        "a -> b.c -> d(e).f -> s.g(h).i",
        "größe -> ärzte.größe",
    ];
    let written = rules.paths().values().cloned();
    for path in written.chain(more.map(|text| text.parse::<KeyPath>().unwrap())) {
        assert_eq!(
            path.to_string().parse::<KeyPath>().as_ref(),
            Ok(&path),
            "{path}"
        );
    }
    // A condition cannot imitate what follows it.
    let sly = Alternative {
        when: Some("a): b | when 1(x".to_owned()),
        route: Route::Nobody,
    };
    let path = KeyPath::new(vec![Reference::new(vec![sly]).unwrap()]).unwrap();
    assert_eq!(path.to_string().parse::<KeyPath>(), Ok(path));
}

#[test]
fn each_mistake_is_named_with_its_line() {
    let (line, key, message) = refused("\n[table.note_nlp]\npatient = \"note_id ->\"\n");
    assert_eq!((line, key.as_str()), (3, "table.note_nlp.patient"));
    assert!(message.contains("ends too early"), "{message}");

    let cases = [
        ("[table.t]\npatient = 7", ".patient", "found a integer"),
        ("[table.t]\npatient = \"a b\"", ".patient", "from \"b\" on"),
        ("[table.t]\npatient = []", ".patient", "is empty"),
        (
            "[table.t]\npatient = \"a -> b\"",
            ".patient",
            "a step is written",
        ),
        (
            "[table.t]\npatient = \"a -> b(c\"",
            ".patient",
            "ends too early",
        ),
        (
            "[table.t]\npatient = [[\"a\", \"b\"]]",
            ".patient",
            "must come last",
        ),
        (
            "[table.t]\npatient = { when = \"a\", pth = \"b\" }",
            ".patient",
            "pth",
        ),
        (
            "[table.t]\npatient = { when = \" \", path = \"b\" }",
            ".patient",
            "SQL condition",
        ),
        ("[table.\"a.b.c\"]\npatient = \"x\"", "", "schema.table"),
        ("[table.t]\npatients = \"x\"", "table", "patients"),
        (
            "[table.t]\nsensitivity = [{ code = \"hiv\", where = \"a\" }]",
            ".code",
            "HIV",
        ),
        (
            "[table.t]\nsensitivity = [{ code = \"HIV\", where = \"\" }]",
            ".where",
            "SQL condition",
        ),
        (
            "[table.t]\nsensitivity = [{ code = \"HIV\", where = \"a\", of = \"x\" }]",
            ".of",
            "patient",
        ),
        ("[table.T]\n[table.t]", "", "twice"),
    ];
    for (text, key, expected) in cases {
        let (_, at, message) = refused(text);
        assert!(
            at.ends_with(key) && message.contains(expected),
            "{text}: {at}: {message}"
        );
    }
    let deep = format!("[table.t]\npatient = \"a{}\"", " -> b.c".repeat(9));
    assert!(refused(&deep).2.contains("at most 8 steps"));
}

#[test]
fn a_grant_sees_what_it_names() {
    let rules = RowRules::parse(OMOP, "omop.rows.toml").unwrap();
    let policy = |codes: &[&str]| {
        rules.policy(
            false,
            &codes.iter().map(|code| code.parse().unwrap()).collect(),
        )
    };
    assert_eq!(policy(&[]).unwrap().withheld.len(), 2);
    assert!(policy(&[]).unwrap().restricts());
    assert_eq!(policy(&["VIP"]).unwrap().withheld[0].code.as_str(), "EMP");
    assert!(!policy(&["VIP", "EMP"]).unwrap().restricts());
    let error = policy(&["HIV"]).unwrap_err().to_string();
    assert!(
        error.contains("HIV") && error.contains("it has EMP, VIP"),
        "{error}"
    );
}

/// Two policies that show other rows have other names; one that says nothing of rows has the name it
/// had before there were row rules.
#[test]
fn row_rules_are_part_of_a_policys_name() {
    let text = "table,column,pg_type,identifier,safe_harbor,limited_dataset\n\
                patients,id,integer,person_key,pseudonym,keep\n";
    let columns = Classification::parse(text, "clinic.csv").unwrap();
    let plain = EffectivePolicy::derive(
        &columns,
        Profile::LimitedDataset,
        &[],
        &[],
        Unclassified::Refuse,
    )
    .unwrap();
    let rules = RowRules::parse(OMOP, "omop.rows.toml").unwrap();
    let none = std::collections::BTreeSet::new();
    let vip = std::iter::once("VIP".parse().unwrap()).collect();
    let ids: std::collections::BTreeSet<_> = [
        RowPolicy::default(),
        RowPolicy {
            scoped: true,
            ..RowPolicy::default()
        },
        rules.policy(false, &none).unwrap(),
        rules.policy(true, &none).unwrap(),
        rules.policy(false, &vip).unwrap(),
    ]
    .into_iter()
    .map(|rows| plain.clone().with_rows(rows).id)
    .collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(plain.clone().with_rows(RowPolicy::default()).id, plain.id);
}

#[test]
fn a_table_with_one_patient_column_has_a_path_without_saying_so() {
    let text = "table,column,pg_type,identifier,safe_harbor,limited_dataset\n\
                patients,id,integer,person_key,pseudonym,keep\n\
                visits,patient_id,integer,person_key,pseudonym,keep\n\
                visits,mother_id,integer,person_key,pseudonym,keep\n\
                notes,text,text,free_text,text_block,text_block\n\
                doctors,name,text,provider_name,redact,redact\n";
    let columns = Classification::parse(text, "clinic.csv").unwrap();
    let policy =
        EffectivePolicy::derive(&columns, Profile::Expert, &[], &[], Unclassified::Refuse).unwrap();
    let path = |policy: &EffectivePolicy, table| {
        policy
            .key_path("public", table)
            .map(|path| path.to_string())
    };
    assert_eq!(path(&policy, "patients").as_deref(), Some("id"));
    assert_eq!(
        path(&policy, "visits"),
        None,
        "whose is a visit with two patients?"
    );
    assert_eq!(path(&policy, "notes"), None);
    let rules = RowRules::parse("[table.visits]\npatient = \"mother_id\"", "f").unwrap();
    let policy = policy.with_rows(
        rules
            .policy(true, &std::collections::BTreeSet::new())
            .unwrap(),
    );
    assert_eq!(path(&policy, "visits").as_deref(), Some("mother_id"));
    assert!(policy.is_about_patients("public", "notes"));
    assert!(!policy.is_about_patients("public", "doctors"));
    assert!(!policy.is_about_patients("public", "nothing"));
}
