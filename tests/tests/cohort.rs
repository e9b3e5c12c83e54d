//! Grants for listed patients, and sensitive rows: from the request to what a client sees, with masked
//! views.

use phigate_tests::{Enforcement, House};

const RULES: &str = r#"
[table.patients]
sensitivity = [ { code = "VIP", where = "patient_id IN (3, 4)", of = "patient" } ]
"#;

#[tokio::test]
async fn two_cohorts_of_one_policy_see_their_own_patients() {
    let house = House::default()
        .rows(RULES)
        .enforcement(Enforcement::Views)
        .start()
        .await;
    house
        .harden_rows("limited_dataset", RULES, true, &["VIP"])
        .await;
    house.harden_rows("limited_dataset", RULES, true, &[]).await;
    house
        .harden_rows("limited_dataset", RULES, false, &[])
        .await;
    let one = house
        .grant("alice")
        .sensitivity("VIP")
        .patients(&["1", "2", "3"]);
    let other = house.grant("bob").sensitivity("VIP").patients(&["7"]);
    let (one, other) = (one.connect().await, other.connect().await);
    let patients = "select patient_id from patients order by 1";
    let ids = |rows: Vec<Vec<Option<String>>>| -> Vec<String> {
        rows.into_iter().flatten().flatten().collect()
    };
    assert_eq!(ids(one.rows(patients).await), ["1", "2", "3"]);
    assert_eq!(ids(other.rows(patients).await), ["7"]);
    for table in ["encounters", "observations", "notes", "claims"] {
        let sql =
            format!("select distinct patient_id from {table} where patient_id not in (1, 2, 3)");
        assert!(one.rows(&sql).await.is_empty(), "{table}");
        let sql = format!("select count(*) > 0 from {table}");
        assert_eq!(ids(one.rows(&sql).await), ["t"], "{table}");
    }
    // Nothing of the others in errors: a name of theirs is no number either.
    let sql = "select patient_id from patients where city::int > 0 and patient_id > 10";
    assert!(one.rows(sql).await.is_empty());

    // The same list without the sensitivity, and no list.
    let careful = house.grant("carol").patients(&["1", "3"]).connect().await;
    assert_eq!(ids(careful.rows(patients).await), ["1"]);
    let all = house.grant("dave").connect().await;
    let vip = "select count(*) from patients where patient_id in (1, 3, 4)";
    assert_eq!(ids(all.rows(vip).await), ["1"]);
    let of_vip = "select count(*) from encounters where patient_id in (3, 4)";
    assert_eq!(ids(all.rows(of_vip).await), ["0"]);
}
