//! Sizes and shapes that break readers: each is answered or refused, and the session and everybody
//! else's go on.

use phigate_tests::Phigate;
use phigate_tests::hostile::{ANSWERED, Too};
use phigate_types::SqlState;
use phigate_wire::backend::TransactionStatus;

/// What a defect of the gateway would be told as.
const DEFECT: SqlState = SqlState::INTERNAL_ERROR;

/// Tells what was being said when a wait is given up.
struct Saying(&'static str);

impl Drop for Saying {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("while saying: {}", self.0);
        }
    }
}

async fn survive(too: Too) {
    let phigate = Phigate::start().await;
    let neighbour = phigate.grant("alice").connect().await;
    let login = phigate.grant("mallory").create().await;
    let mut client = login.connect_raw().await;
    for hostile in too.much() {
        let name = hostile.name;
        let _saying = Saying(name);
        let answer = client.converse(&hostile.messages, hostile.ends).await;
        for error in answer.errors() {
            assert_ne!(error.code(), DEFECT, "{name}: {answer:?}");
        }
        if ANSWERED.contains(&name) {
            assert!(answer.errors().is_empty(), "{name}: {answer:?}");
        }
        if answer.closed() {
            let [last] = &answer.errors()[..] else {
                panic!("{name}: {answer:?}");
            };
            assert!(last.is_fatal(), "{name}: {answer:?}");
            client = login.connect_raw().await;
        } else {
            assert_eq!(answer.status(), Some(TransactionStatus::Idle), "{name}");
        }
        let rows = client.query("select 1").await.ok().rows();
        assert_eq!(rows, [[Some("1".to_owned())]], "{name}");
    }
    assert_eq!(neighbour.value("select 1").await, "1");
}

#[tokio::test]
async fn texts_of_megabytes_are_answered_or_refused() {
    survive(Too::Long).await;
}

#[tokio::test]
async fn lists_of_tens_of_thousands_are_answered_or_refused() {
    survive(Too::Wide).await;
}

#[tokio::test]
async fn chains_of_thousands_are_answered_or_refused() {
    survive(Too::Chained).await;
}

#[tokio::test]
async fn nests_of_thousands_are_answered_or_refused() {
    survive(Too::Deep).await;
}

#[tokio::test]
async fn messages_with_tens_of_thousands_of_parts_are_answered_or_refused() {
    survive(Too::Many).await;
}
