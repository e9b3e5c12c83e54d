//! The attack list, in the simple and the extended protocol: nothing that a mask hides may be in any
//! byte that comes back, and what must be refused is.

use phigate_testkit::client::{Answer, Client};
use phigate_tests::attack::{self, Attack, Expect};
use phigate_tests::canary::World;
use phigate_tests::{House, Login, Phigate};

/// What an administrator left in the database, and attacks by way of it.
const OBJECTS: &str = include_str!("../attacks/upstream_objects.sql");
const BY_OBJECTS: &str = include_str!("../attacks/upstream.sql");
/// Attacks on copies that nobody classified; under `release` they are, by the operator's choice.
const ON_COPIES: &str = include_str!("../attacks/copies.sql");

/// Attacks that write, and what an administrator left for them to set off.
const WRITES: &str = include_str!("../attacks/writes.sql");
const WRITE_OBJECTS: &str = include_str!("../attacks/writes_objects.sql");

/// SQLSTATEs of refusals that are the gateway's own or the server's before any row.
const REFUSALS: [&str; 11] = [
    "42501", "0A000", "42601", "42883", "42P01", "42703", "42704", "54000", "54001", "26000",
    "22023",
];

async fn world_one() -> Phigate {
    House::default().sql(World::One.sql()).start().await
}

/// One statement after the other in a session of their own; the answers, and every byte of them.
pub(crate) async fn simple(login: &Login, attack: &Attack) -> Vec<Answer> {
    let mut client = login.connect_raw().await;
    let mut answers = Vec::new();
    for sql in &attack.statements {
        let answer = client.query(sql).await;
        let ended = answer.closed();
        answers.push(answer);
        if ended {
            break;
        }
    }
    answers
}

async fn extended(client: &mut Client, sql: &str) -> Answer {
    client.extended(sql, &[]).await
}

fn bytes(answers: &[Answer]) -> Vec<u8> {
    answers
        .iter()
        .flat_map(Answer::frames)
        .flat_map(|frame| frame.bytes().to_vec())
        .collect()
}

fn verdict(attack: &Attack, answers: &[Answer]) -> Result<(), String> {
    let name = &attack.name;
    // What a statement repeats from itself, in a literal or an error's position, is no leak.
    let said = attack.statements.concat();
    if let Some(around) = World::One.find(&bytes(answers)) {
        let own = World::One.find(said.as_bytes()).is_some();
        if !own || answers.iter().any(|answer| !answer.rows().is_empty()) {
            return Err(format!("{name}: LEAK: {around}"));
        }
    }
    let last = answers.last().ok_or_else(|| format!("{name}: no answer"))?;
    let codes: Vec<String> = last
        .errors()
        .iter()
        .map(|e| e.code().as_str().to_owned())
        .collect();
    let refused = codes.iter().any(|code| REFUSALS.contains(&code.as_str()));
    match attack.expect {
        Expect::Refused if !refused => Err(format!("{name}: not refused: {codes:?} {last:?}")),
        Expect::Answered if !codes.is_empty() => Err(format!("{name}: not answered: {last:?}")),
        _ if last.closed() => Err(format!("{name}: the session ended: {last:?}")),
        _ => Ok(()),
    }
}

async fn attack_all(profile: &str) {
    let phigate = world_one().await;
    let login = phigate.grant("mallory").profile(profile).create().await;
    let mut failures = Vec::new();
    let mut count = 0;
    for attack in attack::corpus() {
        count += 1;
        let answers = simple(&login, &attack).await;
        failures.extend(verdict(&attack, &answers).err());
        if let [sql] = attack.statements.as_slice() {
            let mut client = login.connect_raw().await;
            let answer = extended(&mut client, sql).await;
            let verdict = verdict(
                &Attack {
                    expect: lenient(&attack),
                    ..attack.clone()
                },
                &[answer],
            );
            failures.extend(verdict.err().map(|error| format!("extended {error}")));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(count >= 1_350, "{count}");
}

/// The extended protocol takes one statement at a time, so several at once are refused there.
fn lenient(attack: &Attack) -> Expect {
    if attack.statements[0].contains(';') {
        Expect::Either
    } else {
        attack.expect
    }
}

#[tokio::test]
async fn nothing_masked_leaves_under_limited_dataset() {
    attack_all("limited_dataset").await;
}

#[tokio::test]
async fn nothing_masked_leaves_under_safe_harbor() {
    attack_all("safe_harbor").await;
}

/// Under each thing that may become of columns without a class.
#[tokio::test]
async fn nothing_masked_leaves_by_what_an_administrator_left() {
    for (unclassified, files) in [
        ("refuse", [BY_OBJECTS, ON_COPIES]),
        ("mask", [BY_OBJECTS, ON_COPIES]),
        ("release", [BY_OBJECTS, ""]),
    ] {
        let house = House::default().unclassified(unclassified);
        let phigate = house.sql(World::One.sql()).sql(OBJECTS).start().await;
        let login = phigate.grant("mallory").create().await;
        let mut failures = Vec::new();
        for attack in files.iter().flat_map(|text| attack::parse(text)) {
            let answers = simple(&login, &attack).await;
            failures.extend(verdict(&attack, &answers).err());
        }
        let failures = failures.join("\n");
        assert!(failures.is_empty(), "{unclassified}:\n{failures}");
    }
}

/// Under a grant that may write: nothing masked leaves, and two worlds answer alike.
#[tokio::test]
async fn nothing_masked_leaves_by_writes() {
    let mut transcripts = Vec::new();
    for world in [World::One, World::Two] {
        let house = House::default().unclassified("release");
        let phigate = house.sql(world.sql()).sql(WRITE_OBJECTS).start().await;
        let login = phigate
            .grant("mallory")
            .reveal("patients.record_uuid")
            .write()
            .create()
            .await;
        let mut transcript = Vec::new();
        let mut failures = Vec::new();
        for attack in attack::parse(WRITES) {
            let answers = simple(&login, &attack).await;
            if world == World::One {
                failures.extend(verdict(&attack, &answers).err());
            }
            let said = String::from_utf8_lossy(&bytes(&answers)).into_owned();
            transcript.push((attack.name, said));
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        transcripts.push(transcript);
    }
    assert!(transcripts[0].len() >= 95, "{}", transcripts[0].len());
    for (one, two) in transcripts[0].iter().zip(&transcripts[1]) {
        assert_eq!(one, two);
    }
}

#[tokio::test]
async fn the_canaries_are_where_the_attacks_look() {
    let phigate = world_one().await;
    let login = phigate.grant("alice").profile("identified").create().await;
    let mut client = login.connect_raw().await;
    for sql in [
        "SELECT * FROM patients",
        "SELECT * FROM notes",
        "SELECT * FROM providers",
        "SELECT * FROM devices",
        "SELECT * FROM claims",
    ] {
        let answer = client.query(sql).await;
        assert!(World::One.find(&bytes(&[answer])).is_some(), "{sql}");
    }
}
