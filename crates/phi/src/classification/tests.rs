use super::*;

const HEADER_LINE: &str = "table,column,pg_type,identifier,safe_harbor,limited_dataset";

fn error(rows: &str) -> String {
    Classification::parse(&format!("{HEADER_LINE}\n{rows}"), "clinic.phi.csv")
        .unwrap_err()
        .to_string()
}

#[test]
fn a_file_is_read() {
    let text = "\u{feff}table,column,pg_type,identifier,safe_harbor,limited_dataset,expert\r\n\
                # people\r\n\
                Patients,SSN,text,ssn,null,null,\r\n\
                \r\n\
                icu.stays, intime ,timestamp(0),date,year,keep,date_shift\r\n\
                patients,zip,\"varchar(5)\",zip,zip3,keep,\r\n";
    let classification = Classification::parse(text, "f").unwrap();
    let names: Vec<String> = classification.iter().map(|c| c.name.to_string()).collect();
    assert_eq!(
        names,
        [
            "icu.stays.intime",
            "public.patients.ssn",
            "public.patients.zip"
        ]
    );
    let ssn = classification
        .get(&ColumnName::new("public", "patients", "ssn"))
        .unwrap();
    assert_eq!((ssn.line, ssn.identifier), (3, IdentifierClass::Ssn));
    let intime = classification.iter().next().unwrap();
    let by_profile = Profile::ALL.map(|profile| intime.transform(profile));
    let expected = [
        Transform::Year,
        Transform::Keep,
        Transform::DateShift,
        Transform::Keep,
    ];
    assert_eq!(by_profile, expected);
    assert!(classification.has_table("icu", "stays") && !classification.has_table("icu", "x"));
}

#[test]
fn expert_follows_the_class_where_the_file_is_silent() {
    let text = format!("{HEADER_LINE}\nnotes,body,text,free_text,text_block,text_scrub\n");
    let classification = Classification::parse(&text, "f").unwrap();
    let body = classification.iter().next().unwrap();
    assert_eq!(body.transform(Profile::Expert), Transform::TextBlock);
}

#[test]
fn each_mistake_names_its_place_and_what_was_expected() {
    for (rows, expected) in [
        (
            "p,ssn,text,sssn,null,null",
            r#"clinic.phi.csv:2: column "identifier": unknown identifier class "sssn"; one of name,"#,
        ),
        (
            "p,ssn,text,ssn,nul,null",
            r#"clinic.phi.csv:2: column "safe_harbor": unknown transform "nul"; one of keep,"#,
        ),
        (
            "p,ssn,text,ssn,null,",
            r#"clinic.phi.csv:2: column "limited_dataset": unknown transform """#,
        ),
        (
            "p,ssn,text,ssn,null",
            r#"clinic.phi.csv:2: column "": expected 6 cells, found 5"#,
        ),
        (
            "p,ssn,,ssn,null,null",
            r#"clinic.phi.csv:2: column "pg_type": expected a PostgreSQL type"#,
        ),
        (
            "p,b,boolean,date,year,keep",
            r#"clinic.phi.csv:2: column "safe_harbor": a column of type boolean cannot be released as year"#,
        ),
        (
            "a.b.c,x,text,ssn,null,null",
            r#"clinic.phi.csv:2: column "table": expected a table or schema.table, found "a.b.c""#,
        ),
        (
            "p,a b,text,ssn,null,null",
            r#"clinic.phi.csv:2: column "column": expected a column name, found "a b""#,
        ),
        (
            "p,ssn,text,ssn,null,null\n\nP,SSN,text,ssn,null,null",
            r#"clinic.phi.csv:4: column "column": public.p.ssn is already on line 2"#,
        ),
    ] {
        let found = error(rows);
        assert!(found.starts_with(expected), "{found}");
    }
    let header = Classification::parse("table,column\n", "f")
        .unwrap_err()
        .to_string();
    assert!(
        header.starts_with("f:1: column \"\": expected the header table,column,pg_type,"),
        "{header}"
    );
    assert!(Classification::parse("", "f").is_err());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        let _ = Classification::parse(&text, "f");
        let _ = Classification::parse(&format!("{HEADER_LINE}\n{text}"), "f");
    }
}

#[test]
fn a_document_is_released_by_paths_that_a_cell_names() {
    let parse = |cells: &str| {
        let text = format!("{HEADER_LINE}\nclaims,details,{cells}\n");
        Classification::parse(&text, "clinic.phi.csv")
    };
    let file = parse("jsonb,free_text,text_block,json_paths(payer.kind status)").unwrap();
    let column = file.iter().next().unwrap();
    assert_eq!(column.limited_dataset, Transform::JsonPaths);
    let of = |profile| column.json_paths(profile).to_string();
    assert_eq!(of(Profile::LimitedDataset), "payer.kind status");
    assert_eq!(of(Profile::SafeHarbor), "");
    assert_eq!(of(Profile::Identified), "");
    assert_eq!(
        column.word(Profile::LimitedDataset),
        "json_paths(payer.kind status)"
    );
    assert_eq!(column.word(Profile::SafeHarbor), "text_block");
    for cells in [
        "jsonb,free_text,text_block,json_paths",
        "jsonb,free_text,text_block,json_paths()",
        "jsonb,free_text,text_block,json_paths(a",
        "jsonb,free_text,text_block,json_paths(a[0])",
        "jsonb,free_text,text_block,json_paths(a a.b)",
        "jsonb,free_text,text_block,keep(a)",
        "text,free_text,text_block,json_paths(a)",
    ] {
        let error = parse(cells).unwrap_err();
        assert_eq!(
            (error.line, error.column.as_str()),
            (2, "limited_dataset"),
            "{cells}"
        );
    }
}
