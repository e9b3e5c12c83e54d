use super::*;

const FILE: &str = "\
table,column,pg_type,identifier,safe_harbor,limited_dataset
patients,id,integer,person_key,pseudonym,keep
patients,ssn,text,ssn,null,null
patients,born,date,birth_date,year_cap90,keep
links,a,integer,person_key,pseudonym,keep
links,b,integer,person_key,pseudonym,keep
";

fn derive(
    profile: Profile,
    reveal: &[&str],
    block: &[&str],
) -> Result<EffectivePolicy, PolicyError> {
    let names = |texts: &[&str]| -> Vec<ColumnName> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let classification = Classification::parse(FILE, "f").unwrap();
    let (reveal, block) = (names(reveal), names(block));
    EffectivePolicy::derive(
        &classification,
        profile,
        &reveal,
        &block,
        Unclassified::Refuse,
    )
}

fn treatment(policy: &EffectivePolicy, column: &str) -> &'static str {
    policy
        .rule(&column.parse().unwrap())
        .unwrap()
        .treatment
        .as_str()
}

#[test]
fn profile_then_reveal_then_block() {
    let plain = derive(Profile::SafeHarbor, &[], &[]).unwrap();
    assert_eq!(treatment(&plain, "patients.ssn"), "null");
    assert_eq!(treatment(&plain, "patients.born"), "year_cap90");
    let custom = derive(Profile::SafeHarbor, &["patients.born"], &["patients.ssn"]).unwrap();
    assert_eq!(treatment(&custom, "patients.ssn"), "block");
    assert_eq!(treatment(&custom, "patients.born"), "keep");
    let identified = derive(Profile::Identified, &[], &["patients.ssn"]).unwrap();
    assert_eq!(treatment(&identified, "patients.ssn"), "block");
    assert_eq!(treatment(&identified, "patients.id"), "keep");
}

#[test]
fn wrong_lists_are_refused() {
    let name = |text: &str| text.parse::<ColumnName>().unwrap();
    assert_eq!(
        derive(Profile::SafeHarbor, &["patients.snn"], &[]),
        Err(PolicyError::UnknownColumn(name("patients.snn")))
    );
    assert_eq!(
        derive(Profile::SafeHarbor, &[], &["s.patients.ssn"]),
        Err(PolicyError::UnknownColumn(name("s.patients.ssn")))
    );
    assert_eq!(
        derive(Profile::SafeHarbor, &["patients.ssn"], &["patients.ssn"]),
        Err(PolicyError::RevealedAndBlocked(name("patients.ssn")))
    );
}

#[test]
fn the_id_is_what_the_policy_does() {
    let policy = derive(Profile::LimitedDataset, &[], &[]).unwrap();
    let mut rules = policy.rules.clone();
    rules.reverse();
    let again = EffectivePolicy::from_parts(policy.profile, policy.unclassified, rules).unwrap();
    assert_eq!(again, policy);
    assert_eq!(policy.id.as_str().len(), 64);

    let mut ids = vec![
        policy.id.clone(),
        derive(Profile::SafeHarbor, &[], &[]).unwrap().id,
        derive(Profile::LimitedDataset, &["patients.ssn"], &[])
            .unwrap()
            .id,
        derive(Profile::LimitedDataset, &[], &["patients.ssn"])
            .unwrap()
            .id,
    ];
    let released =
        EffectivePolicy::from_parts(policy.profile, Unclassified::Release, policy.rules.clone());
    ids.push(released.unwrap().id);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);

    let twice = [policy.rules.clone(), policy.rules.clone()].concat();
    assert!(EffectivePolicy::from_parts(policy.profile, policy.unclassified, twice).is_err());
}

#[test]
fn names_cannot_imitate_each_other_in_the_id() {
    let rule = |table: &str, column: &str| Rule {
        column: ColumnName::new("public", table, column),
        identifier: IdentifierClass::Ssn,
        treatment: Treatment::Release(Transform::Null),
        json_paths: JsonPaths::default(),
    };
    let id = |rule| {
        EffectivePolicy::from_parts(Profile::Expert, Unclassified::Refuse, vec![rule])
            .unwrap()
            .id
    };
    assert_ne!(id(rule("a 1:b", "c")), id(rule("a", "b 1:c")));
}

#[test]
fn a_table_has_one_patient_column_or_none() {
    let policy = derive(Profile::Expert, &[], &[]).unwrap();
    let key = policy.patient_key("public", "patients").unwrap();
    assert_eq!(key.column, "id");
    assert_eq!(policy.patient_key("public", "links"), None);
    assert_eq!(policy.patient_key("public", "visits"), None);
}

#[test]
fn treatments_read_back() {
    let all = Transform::ALL
        .map(Treatment::Release)
        .into_iter()
        .chain([Treatment::Block]);
    for treatment in all {
        assert_eq!(treatment.as_str().parse(), Ok(treatment));
    }
    assert!(
        "blocked"
            .parse::<Treatment>()
            .unwrap_err()
            .to_string()
            .ends_with("or block")
    );
}

#[test]
fn the_paths_of_a_document_are_part_of_what_the_policy_does() {
    let of = |cell: &str, reveal: &[ColumnName]| {
        let text = format!(
            "table,column,pg_type,identifier,safe_harbor,limited_dataset\nclaims,details,jsonb,free_text,text_block,{cell}\n"
        );
        let classification = Classification::parse(&text, "x").unwrap();
        EffectivePolicy::derive(
            &classification,
            Profile::LimitedDataset,
            reveal,
            &[],
            Unclassified::Refuse,
        )
        .unwrap()
    };
    let policies = [
        of("text_block", &[]),
        of("json_paths(a)", &[]),
        of("json_paths(a b)", &[]),
        of("json_paths(a.b)", &[]),
        of(
            "json_paths(a)",
            &[ColumnName::new("public", "claims", "details")],
        ),
    ];
    let mut ids: Vec<_> = policies.iter().map(|policy| &policy.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), policies.len());
    assert_eq!(of("json_paths(b a)", &[]).id, of("json_paths(a b)", &[]).id);
    assert!(policies[4].rules[0].json_paths.is_empty(), "revealed");
}
