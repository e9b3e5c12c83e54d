//! The second line: PostgreSQL itself, asked as a slot login, with no gateway in between. Whatever a
//! parser could be made to overlook, this is what it would meet.

use phigate_testkit::client::{Answer, Client};
use phigate_testkit::clinic;
use phigate_tests::attack::{self, Attack, Expect};
use phigate_tests::canary::World;
use phigate_tests::{Enforcement, House, Phigate};

/// Every attack there is.
const FILES: [&str; 10] = [
    include_str!("../attacks/second_line.sql"),
    include_str!("../attacks/copies.sql"),
    include_str!("../attacks/functions.sql"),
    include_str!("../attacks/inference.sql"),
    include_str!("../attacks/keys.sql"),
    include_str!("../attacks/lexical.sql"),
    include_str!("../attacks/names.sql"),
    include_str!("../attacks/readers.sql"),
    include_str!("../attacks/sessions.sql"),
    include_str!("../attacks/statements.sql"),
];

/// A slot login that was assigned to a session under `limited_dataset`, which goes on, as does one
/// under `identified`.
struct Slot<'h> {
    house: &'h Phigate,
    login: String,
    /// What makes a session's names mean masked views.
    shadows: String,
}

impl<'h> Slot<'h> {
    async fn of(house: &'h Phigate) -> Self {
        let url = house.cluster.url(clinic::DATABASE);
        let found = phigate_tests::analyst::direct(
            &url,
            "SELECT s.login, string_agg(format('CREATE TEMP VIEW %I AS SELECT * FROM %s', c.relname, m.view::regclass), '; ')
             FROM phigate.slot s JOIN phigate.login l ON l.login = s.login
             JOIN phigate.policy p ON p.policy = l.policy AND p.profile = 'limited_dataset'
             JOIN phigate.masked m ON m.policy = p.policy JOIN pg_class c ON c.oid = m.relation
             GROUP BY 1",
        )
        .await;
        let text = |column: usize| found[0][column].clone().expect("a slot is assigned");
        Self {
            house,
            login: text(0),
            shadows: text(1),
        }
    }

    /// A session in which `patients` means the masked view, or else, as it is, the table.
    async fn connect(&self, masked: bool) -> Client {
        let address = format!("127.0.0.1:{}", self.house.cluster.port());
        let mut client = Client::connect(address.parse().expect("an address")).await;
        let password = self.house.slot_password(&self.login);
        let session = client.login(&self.login, &password, clinic::DATABASE).await;
        session.expect("the slot's own password");
        client.query("SET statement_timeout = '3s'").await;
        if masked {
            let shadowed = client.query(&self.shadows).await;
            assert!(shadowed.errors().is_empty(), "{shadowed:?}");
        }
        client
    }

    async fn attack(&self, attack: &Attack, masked: bool) -> Vec<Answer> {
        let mut client = self.connect(masked).await;
        let mut answers = Vec::new();
        for sql in &attack.statements {
            answers.push(client.query(sql).await);
            if answers.last().is_some_and(Answer::closed) {
                break;
            }
        }
        answers
    }
}

fn bytes(answers: &[Answer]) -> Vec<u8> {
    let frames = answers.iter().flat_map(Answer::frames);
    frames.flat_map(|frame| frame.bytes().to_vec()).collect()
}

/// A canary in an answer is a leak, unless the statement said it: PostgreSQL quotes what it is told.
fn leak(attack: &Attack, answers: &[Answer]) -> Option<String> {
    let found = World::One.find(&bytes(answers))?;
    let said = attack.statements.concat();
    let own = World::One.find(said.as_bytes()).is_some();
    (!own).then(|| format!("{}: LEAK: {found}", attack.name))
}

async fn house() -> Phigate {
    let house = House::default().enforcement(Enforcement::Views);
    house.sql(World::One.sql()).start().await
}

#[tokio::test]
async fn a_slot_login_by_itself_gets_masked_values_or_nothing() {
    let house = house().await;
    let alice = house.grant("alice").connect().await;
    alice.rows("SELECT patient_id FROM patients LIMIT 1").await;
    let bob = house.grant("bob").profile("identified").connect().await;
    bob.rows("SELECT ssn FROM patients LIMIT 1").await;
    let slot = Slot::of(&house).await;
    let mut failures = Vec::new();
    let (mut count, mut refused) = (0, 0);
    for (index, text) in FILES.iter().enumerate() {
        for attack in attack::parse(text) {
            for masked in [false, true] {
                let answers = slot.attack(&attack, masked).await;
                count += 1;
                failures.extend(leak(&attack, &answers).map(|leak| format!("{masked} {leak}")));
                let errors = answers.last().is_some_and(|last| !last.errors().is_empty());
                refused += u32::from(errors);
                // Only the file for this test says what PostgreSQL itself must do.
                if index == 0 && attack.expect == Expect::Refused && !errors {
                    failures.push(format!(
                        "{masked} {}: not refused: {answers:?}",
                        attack.name
                    ));
                }
            }
        }
    }
    // Whoever was there before is there still, with what they may see.
    alice.rows("SELECT patient_id FROM patients LIMIT 1").await;
    bob.rows("SELECT ssn FROM patients LIMIT 1").await;
    println!("{count} attacks, {refused} refused by PostgreSQL");
    assert!(count > 1_300, "{count}");
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[tokio::test]
async fn a_database_that_would_undo_its_masked_views_is_not_served() {
    let house = house().await;
    let alice = house.grant("alice").connect().await;
    alice.rows("SELECT patient_id FROM patients LIMIT 1").await;
    let sql = |sql: &'static str| house.cluster.execute(clinic::DATABASE, sql);
    sql("GRANT SELECT ON patients TO PUBLIC").await.unwrap();
    let refused = phigate_testkit::eventually("the gateway sees the grant", async || {
        alice
            .query("SELECT patient_id FROM patients LIMIT 1")
            .await
            .err()
    })
    .await;
    assert_eq!(refused.code, "57P03");
    assert!(
        refused.hint.contains("phictl database doctor clinic"),
        "{refused:?}"
    );
    let bob = house.grant("bob").create().await.try_connect().await;
    let refused = bob.expect_err("nobody gets in");
    assert_eq!(refused.code, "57P03");
    sql("REVOKE SELECT ON patients FROM PUBLIC").await.unwrap();
    phigate_testkit::eventually("the gateway sees it revoked", async || {
        alice
            .query("SELECT patient_id FROM patients LIMIT 1")
            .await
            .ok()
    })
    .await;
}
