//! Views mode with the gateway's SQL layer switched off: what a client says goes to PostgreSQL as it
//! is. The login that a policy has must read nothing that the policy does not release, whatever else
//! the same gateway serves at the same time. Run it with `cargo xtask sql-off`.

use phigate_testkit::client::Answer;
use phigate_tests::attack;
use phigate_tests::canary::World;
use phigate_tests::{Enforcement, House};

use super::attacks::simple;

/// No attack is worth waiting for.
const PATIENCE: &str = "ALTER DATABASE clinic SET statement_timeout = '5s'";

/// What says that the session may not: no privilege, or no such thing for it.
const DENIED: &str = "42501";

#[tokio::test]
async fn the_login_of_a_policy_reads_nothing_that_is_masked() {
    let phigate = House::default()
        .enforcement(Enforcement::Views)
        .sql(World::One.sql())
        .sql(PATIENCE)
        .start()
        .await;
    // The same gateway serves grants that see everything, before and while it is attacked.
    let identified = phigate
        .grant("treater")
        .profile("identified")
        .create()
        .await;
    let mut everything = identified.connect_raw().await;
    let policy = identified_view(&phigate).await;
    let seen = everything
        .query(&format!("SELECT last_name FROM {policy} LIMIT 1"))
        .await;
    assert!(
        World::One.find(&bytes(&[seen])).is_some(),
        "nothing to find"
    );

    let login = phigate.grant("mallory").create().await;
    let (mut count, mut denied, mut failures) = (0, 0, Vec::new());
    for attack in attack::corpus() {
        count += 1;
        let answers = simple(&login, &attack).await;
        let own = World::One
            .find(attack.statements.concat().as_bytes())
            .is_some();
        if let Some(around) = World::One.find(&bytes(&answers))
            && (!own || answers.iter().any(|answer| !answer.rows().is_empty()))
        {
            failures.push(format!("{}: LEAK: {around}", attack.name));
        }
        let codes = answers.iter().flat_map(Answer::errors);
        denied += usize::from(
            codes
                .into_iter()
                .any(|error| error.code().as_str() == DENIED),
        );
    }
    // By name, too: the other policy's views, the machinery, every table there is.
    for sql in [
        format!("SELECT last_name FROM {policy}"),
        "SELECT * FROM phigate.slot".to_owned(),
        "SELECT * FROM phigate.patient".to_owned(),
        "SELECT phigate.assign('', '', current_date, '{}', '{}', false)".to_owned(),
        "SELECT * FROM patients".to_owned(),
        "COPY patients TO STDOUT".to_owned(),
        "COPY (SELECT ssn FROM ONLY patients) TO STDOUT".to_owned(),
        "SELECT ssn FROM patients p WHERE patient_id = 1".to_owned(),
        "UPDATE patients SET zip = ssn RETURNING *".to_owned(),
        "CREATE TABLE mine AS SELECT * FROM patients".to_owned(),
        "SET ROLE phigate_definer".to_owned(),
        "SET SESSION AUTHORIZATION postgres".to_owned(),
        "TABLE notes".to_owned(),
    ] {
        let mut client = login.connect_raw().await;
        let answer = client.query(&sql).await;
        let errors = answer.errors();
        let code = errors.first().map(|error| error.code().as_str().to_owned());
        if code.as_deref() != Some(DENIED) {
            failures.push(format!("{sql}: {code:?} {answer:?}"));
        }
    }
    assert!(count >= 600, "{count}");
    assert!(denied * 2 > count, "only {denied} of {count} denied");
    assert!(
        failures.is_empty(),
        "{}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    println!("{count} attacks, {denied} denied by PostgreSQL, none answered with what is masked");
}

/// The masked view of `patients` under `identified`, by name.
async fn identified_view(phigate: &phigate_tests::Phigate) -> String {
    let url = phigate.cluster.url(phigate_testkit::clinic::DATABASE);
    let rows = phigate_tests::analyst::direct(
        &url,
        "SELECT m.view::regclass::text FROM phigate.masked m JOIN phigate.policy p USING (policy) \
         WHERE p.profile = 'identified' AND m.relation = 'patients'::regclass",
    )
    .await;
    rows[0][0].clone().expect("a view")
}

fn bytes(answers: &[Answer]) -> Vec<u8> {
    let frames = answers.iter().flat_map(Answer::frames);
    frames.flat_map(|frame| frame.bytes().to_vec()).collect()
}
