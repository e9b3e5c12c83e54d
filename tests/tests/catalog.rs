//! `phictl catalog`: what is classified, what another file would change, what is proposed; nothing is
//! applied.

use phigate_proto::v1::{
    CompareClassificationRequest, DiscoverClassificationRequest, ShowClassificationRequest,
};
use phigate_testkit::{clinic, within};
use phigate_tests::House;
use tonic::Code;

#[tokio::test]
async fn a_proposal_is_made_compared_and_not_applied() {
    let phigate = House::default()
        .sql("CREATE TABLE extra (id int, phone text); GRANT SELECT ON extra TO broker")
        .start()
        .await;
    let alice = phigate.grant("alice").connect().await;
    let mut catalog = phigate.admin.catalog();
    let request = DiscoverClassificationRequest {
        database: "clinic".to_owned(),
        ..DiscoverClassificationRequest::default()
    };
    let asked = catalog.discover_classification(phigate.admin.with_token(request));
    let proposed = within("DiscoverClassification", asked).await.unwrap();
    let proposed = proposed.into_inner();
    let of = |table: &str, column: &str| {
        let mut columns = proposed.columns.iter();
        let found = columns.find(|c| c.table == table && c.column == column);
        found.unwrap_or_else(|| panic!("{table}.{column}")).clone()
    };
    let ssn = of("patients", "ssn");
    assert_eq!(
        (ssn.identifier.as_str(), ssn.current.as_str()),
        ("ssn", "ssn")
    );
    assert!(
        ssn.confidence > 0.9 && ssn.because.contains("values:"),
        "{ssn:?}"
    );
    assert_eq!(of("extra", "phone").identifier, "phone");
    assert!(of("extra", "phone").current.is_empty());

    let compare = CompareClassificationRequest {
        database: "clinic".to_owned(),
        csv: clinic::CLASSIFICATION.replace(
            "patients,ssn,char(11),ssn,null,null",
            "patients,ssn,char(11),ssn,null,keep",
        ) + "extra,id,integer,none,keep,keep\nextra,phone,text,phone,null,null\n",
        file: "new.csv".to_owned(),
    };
    let asked = catalog.compare_classification(phigate.admin.with_token(compare.clone()));
    let compared = within("CompareClassification", asked)
        .await
        .unwrap()
        .into_inner();
    let told: Vec<_> = compared
        .changes
        .iter()
        .filter(|change| change.profile == "limited_dataset")
        .map(|c| format!("{} {}>{} {}", c.column, c.before, c.after, c.effect))
        .collect();
    assert_eq!(
        told,
        [
            "public.extra.id unclassified>keep wider",
            "public.extra.phone unclassified>null wider",
            "public.patients.ssn null>keep wider",
        ]
    );
    assert_eq!(compared.live_grants, 1);
    let wrong = CompareClassificationRequest {
        csv: compare.csv.replace(",phone,null,null", ",phone,nil,null"),
        ..compare
    };
    let asked = catalog.compare_classification(phigate.admin.with_token(wrong));
    let status = within("CompareClassification", asked).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("new.csv:"), "{status}");

    let request = ShowClassificationRequest {
        database: "clinic".to_owned(),
    };
    let asked = catalog.show_classification(phigate.admin.with_token(request));
    let shown = within("ShowClassification", asked)
        .await
        .unwrap()
        .into_inner();
    let extra = shown
        .columns
        .iter()
        .find(|c| c.column == "public.extra.phone")
        .unwrap();
    assert!(
        extra.identifier.is_empty() && extra.safe_harbor.is_empty(),
        "{extra:?}"
    );
    assert!(
        shown
            .findings
            .iter()
            .any(|finding| finding.contains("extra")),
        "{:?}",
        shown.findings
    );

    let refused = alice.refused("SELECT phone FROM extra").await;
    assert_eq!(refused.code, "42501", "nothing was applied: {refused}");
    let masked = alice.rows("SELECT count(ssn) FROM patients").await;
    assert_eq!(masked[0][0].as_deref(), Some("0"), "nothing was applied");
}
