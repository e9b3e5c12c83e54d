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

/// Each cohort has a login of its own while it has a session, whoever else asks, and nobody gets one that
/// was given to another a moment ago: it may be on its way to be used.
#[tokio::test]
async fn logins_run_out_are_never_shared_and_come_back() {
    let house = House::default()
        .rows(RULES)
        .enforcement(Enforcement::Views)
        .start()
        .await;
    house.harden_rows("limited_dataset", RULES, true, &[]).await;
    let cohort = async |patient: usize| {
        let patient = patient.to_string();
        let grant = house.grant("alice").patients(&[&patient]);
        grant.create().await
    };
    let own = "select string_agg(distinct patient_id::text, ',') from encounters";
    let mut sessions = Vec::new();
    let refused = loop {
        let patient = 10 + sessions.len();
        match cohort(patient).await.try_connect().await {
            Ok(session) => {
                assert_eq!(session.value(own).await, patient.to_string());
                sessions.push(session);
            }
            Err(refused) => break refused,
        }
        assert!(sessions.len() < 100, "logins never run out");
    };
    assert_eq!(refused.code, "53300", "{refused:?}");
    assert!(refused.hint.contains("--slots"), "{refused:?}");
    // A second session of a cohort takes no other login.
    let again = cohort(10).await.connect().await;
    assert_eq!(again.value(own).await, "10");

    // One that nobody has any more is given away only when it was not asked for lately.
    let last = sessions.len() - 1;
    drop(sessions.pop());
    let url = house.cluster.url(phigate_testkit::clinic::DATABASE);
    let logins =
        "select count(distinct usename) from pg_stat_activity where usename like 'phigate_s_%'";
    phigate_testkit::eventually("the session is gone", async || {
        let rows = phigate_tests::analyst::direct(&url, logins).await;
        (rows[0][0].as_deref() == Some(&*last.to_string())).then_some(())
    })
    .await;
    let refused = cohort(200).await.try_connect().await.err();
    assert_eq!(
        refused.map(|refused| refused.code).as_deref(),
        Some("53300")
    );
    let age = "update phigate.slot set assigned_at = assigned_at - interval '2 minutes'";
    phigate_tests::analyst::direct(&url, age).await;
    let other = cohort(200).await.connect().await;
    assert_eq!(other.value(own).await, "200");
    for (index, session) in sessions.iter().enumerate() {
        assert_eq!(session.value(own).await, (10 + index).to_string());
    }
}
