//! `phictl explain` says beforehand what a session is told afterwards.

use phigate_proto::v1::{ExplainStatementRequest, ExplainStatementResponse};
use phigate_tests::{Enforcement, House, Phigate};
use tonic::Code;

fn question(profile: &str, sql: &str) -> ExplainStatementRequest {
    ExplainStatementRequest {
        database: "clinic".to_owned(),
        profile: profile.to_owned(),
        sql: sql.to_owned(),
        ..ExplainStatementRequest::default()
    }
}

async fn explained(phigate: &Phigate, profile: &str, sql: &str) -> ExplainStatementResponse {
    phigate.admin.explain(question(profile, sql)).await.unwrap()
}

#[tokio::test]
async fn each_column_is_told_with_its_treatment_and_the_reason() {
    let phigate = House::default().start().await;
    let mut asked = question(
        "limited_dataset",
        "SELECT upper(last_name), ssn, zip FROM patients WHERE phone LIKE '555%' AND patient_id = 7",
    );
    asked.reveal = vec!["patients.ssn".to_owned()];
    let answer = phigate.admin.explain(asked).await.unwrap();
    let [statement] = answer.statements.as_slice() else {
        panic!("{answer:?}")
    };
    let [patients] = statement.relations.as_slice() else {
        panic!("{statement:?}")
    };
    let custom = phigate.enforcement() == Enforcement::Views;
    assert_eq!(
        answer.remark.contains("database harden"),
        custom,
        "{answer:?}"
    );
    assert_eq!(patients.relation, "public.patients");
    let told = |name: &str| {
        let column = patients.columns.iter().find(|c| c.column == name).unwrap();
        (column.treatment.as_str(), column.why.as_str())
    };
    assert_eq!(told("last_name"), ("redact", "name under limited_dataset"));
    assert_eq!(told("ssn"), ("keep", "revealed by the grant"));
    assert_eq!(told("phone"), ("null", "phone under limited_dataset"));
    assert_eq!(told("zip").0, "keep");
    assert_eq!(statement.functions, ["upper"]);
    let outputs: Vec<_> = statement
        .outputs
        .iter()
        .map(|column| (column.name.as_str(), column.r#type.as_str()))
        .collect();
    assert_eq!(outputs.len(), 3, "{}", statement.outputs_unknown);
    assert_eq!(outputs[0], ("upper", "text"));
    assert!(statement.masked && statement.kind == "query");
}

/// Under safe harbor a key is a code of the crosswalk, and NULL where there is none; a session is told so
/// beforehand, and finds it so.
#[tokio::test]
async fn keys_under_safe_harbor_are_random_codes_where_there_is_a_crosswalk() {
    let phigate = House::default().start().await;
    let sql = "SELECT (count(*) > 0 AND count(p.patient_id) = count(*) AND count(DISTINCT p.patient_id) > 1)::text
        FROM patients p JOIN encounters e ON p.patient_id = e.patient_id";
    let answer = explained(&phigate, "safe_harbor", sql).await;
    let columns = &answer.statements[0].relations[0].columns;
    let key = columns.iter().find(|c| c.column == "patient_id").unwrap();
    let views = phigate.enforcement() == Enforcement::Views;
    let why = if views {
        "person_key under safe_harbor: a random code, NULL until one is drawn"
    } else {
        "person_key under safe_harbor: NULL, for random codes need masked views"
    };
    assert_eq!(
        (key.treatment.as_str(), key.why.as_str()),
        ("pseudonym", why)
    );

    let alice = phigate
        .grant("alice")
        .profile("safe_harbor")
        .connect()
        .await;
    assert_eq!(alice.value(sql).await, views.to_string());
}

/// What explain promises is what a session gets: the same text, the same refusal.
#[tokio::test]
async fn a_session_is_told_the_same() {
    let phigate = House::default().start().await;
    let alice = phigate
        .grant("alice")
        .block("patients.email")
        .connect()
        .await;
    for sql in [
        "SELECT email FROM patients",
        "SELECT lenght(last_name) FROM patients",
        "SELECT last_name FROM patients; DROP TABLE patients",
        "SELECT * FROM pg_authid",
        "SELECT ctid FROM patients",
        "SELECT nothing FROM patients",
        "SELECT 'it''s",
    ] {
        let mut asked = question("limited_dataset", sql);
        asked.block = vec!["patients.email".to_owned()];
        let told = phigate.admin.explain(asked).await.unwrap();
        let told = told.refusal.expect(sql);
        let refused = alice.refused(sql).await;
        assert_eq!(
            (told.sqlstate, told.message, told.hint),
            (refused.code, refused.message, refused.hint),
            "{sql}"
        );
        assert!(!told.reason.is_empty(), "{sql}");
    }
    let refused = explained(&phigate, "limited_dataset", "SELECT ssn, x FROM patients").await;
    let refused = refused.refusal.unwrap();
    assert_eq!(
        (refused.position, refused.reason.as_str()),
        (13, "unknown_column")
    );
}

#[tokio::test]
async fn what_would_run_holds_no_key_and_is_not_run() {
    let phigate = House::default().start().await;
    let sql = "SELECT patient_id, birth_date, pg_sleep(3600) FROM patients";
    let answer = explained(&phigate, "expert", sql).await;
    let statement = &answer.statements[0];
    assert_eq!(statement.outputs.len(), 3, "{}", statement.outputs_unknown);
    assert!(!statement.sql.contains("upstream"), "{}", statement.sql);
    let typed = explained(
        &phigate,
        "expert",
        "SELECT patient_id + 'x'::text FROM patients",
    )
    .await;
    let unknown = &typed.statements[0].outputs_unknown;
    assert!(unknown.contains("42883"), "{unknown}");
}

#[tokio::test]
async fn wrong_questions_are_named() {
    let phigate = House::default().start().await;
    for (request, code, word) in [
        (
            question("nonesuch", "SELECT 1"),
            Code::InvalidArgument,
            "profile",
        ),
        (
            ExplainStatementRequest {
                database: "nowhere".to_owned(),
                ..question("expert", "SELECT 1")
            },
            Code::NotFound,
            "nowhere",
        ),
        (
            ExplainStatementRequest {
                reveal: vec!["patients.shoe_size".to_owned()],
                ..question("expert", "SELECT 1")
            },
            Code::InvalidArgument,
            "shoe_size",
        ),
    ] {
        let status = phigate.admin.explain(request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(word), "{status}");
    }
    let passthrough = House::default().passthrough().start().await;
    let mut asked = question("identified", "DROP TABLE patients");
    asked.write = true;
    assert!(passthrough.admin.explain(asked).await.unwrap().passthrough);
}

/// A list of patients changes the policy: explain judges by that one, as a session would.
#[tokio::test]
async fn a_list_of_patients_is_taken_into_account() {
    let phigate = House::default().enforcement("inline").start().await;
    let mut asked = question("limited_dataset", "SELECT count(*) FROM patients");
    let whole = phigate.admin.explain(asked.clone()).await.unwrap();
    asked.patients = true;
    let scoped = phigate.admin.explain(asked).await.unwrap();
    assert_ne!(whole.policy_id, scoped.policy_id);
    assert!(whole.refusal.is_none());
    let refusal = scoped.refusal.expect("inline cannot hold rows back");
    assert_eq!(refusal.reason, "row_scope", "{refusal:?}");
    assert!(refusal.hint.contains("views"), "{refusal:?}");
}
