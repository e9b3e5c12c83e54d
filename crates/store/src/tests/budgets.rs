//! Budgets are drawn in parts; patients one by one, and once.

use phigate_grant::{Amounts, Budget, Counted, EndReason, PatientKey, Wanted};

use super::*;
use crate::{DrawRefused, Drawn};

const NOTHING: Wanted = Wanted {
    rows: false,
    patients: false,
    identifiers: false,
    bytes: false,
};

async fn limited(bench: &Bench, number: u8, budget: Budget) {
    let mut grant = grant(number, "alice");
    grant.terms.budget = budget;
    bench.create_grant(&grant).await.unwrap();
}

async fn open(bench: &Bench, session: u8, grant: u8) -> Amounts {
    let request = request(session, grant);
    let opened = bench.store.open_session(&request, START).await;
    opened.unwrap().unwrap().budget_left
}

async fn draw(
    bench: &Bench,
    session: u8,
    wanted: Wanted,
    keys: &[PatientKey],
) -> Result<Drawn, DrawRefused> {
    let gateway = "gw".parse().unwrap();
    let drawn = bench
        .store
        .draw(session_id(session), &gateway, wanted, keys, START);
    drawn.await.unwrap()
}

fn patient(number: u8) -> PatientKey {
    [number; 16]
}

#[tokio::test]
async fn a_patient_is_counted_once_over_all_sessions_and_restarts() {
    let bench = Bench::new().await;
    let three = Budget {
        patients: Some(3),
        ..Budget::default()
    };
    limited(&bench, 1, three).await;
    open(&bench, 1, 1).await;
    let drawn = draw(&bench, 1, NOTHING, &[patient(1), patient(2), patient(1)]).await;
    let drawn = drawn.unwrap();
    assert_eq!((drawn.keys, drawn.left.patients), (3, 1));
    assert_eq!(drawn.part, Amounts::default());
    // Another session, another process.
    let bench = bench.reopen().await;
    assert_eq!(open(&bench, 2, 1).await.patients, 1);
    let drawn = draw(
        &bench,
        2,
        NOTHING,
        &[patient(2), patient(3), patient(4), patient(1)],
    )
    .await;
    // In their order: what comes after the one without room is not looked at.
    assert_eq!(drawn.unwrap().keys, 2);
    let known = draw(&bench, 2, NOTHING, &[patient(1)]).await.unwrap();
    assert_eq!((known.keys, known.left.patients), (1, 0));
    let spent = DrawRefused::Spent(Counted::Patients);
    assert_eq!(draw(&bench, 2, NOTHING, &[patient(4)]).await, Err(spent));
    let somebody = Wanted {
        patients: true,
        ..NOTHING
    };
    assert_eq!(draw(&bench, 2, somebody, &[]).await, Err(spent));
}

#[tokio::test]
async fn patients_with_and_without_a_key_share_a_budget() {
    let bench = Bench::new().await;
    let budget = Budget {
        patients: Some(20),
        bytes: Some(1_600),
        ..Budget::default()
    };
    limited(&bench, 1, budget).await;
    open(&bench, 1, 1).await;
    let wanted = Wanted {
        patients: true,
        bytes: true,
        ..NOTHING
    };
    let drawn = draw(&bench, 1, wanted, &[patient(1)]).await.unwrap();
    assert_eq!((drawn.part.patients, drawn.part.bytes), (2, 100));
    assert_eq!((drawn.left.patients, drawn.left.bytes), (17, 1_500));
    let many: Vec<_> = (0..100).map(patient).collect();
    assert_eq!(draw(&bench, 1, NOTHING, &many).await.unwrap().keys, 18);
    // What was not used comes back; who was seen does not.
    let used = Amounts {
        patients: 1,
        bytes: 40,
        ..Amounts::default()
    };
    let gateway = "gw".parse().unwrap();
    let close = bench.store.close_session(
        session_id(1),
        &gateway,
        EndReason::ClientLeft,
        Some(used),
        START,
    );
    close.await.unwrap();
    let left = open(&bench, 2, 1).await;
    assert_eq!((left.patients, left.bytes), (1, 1_560));
}

#[tokio::test]
async fn grants_do_not_know_of_each_others_patients_and_none_outlives_its_grant() {
    let bench = Bench::new().await;
    let one = Budget {
        patients: Some(1),
        ..Budget::default()
    };
    limited(&bench, 1, one).await;
    limited(&bench, 2, one).await;
    open(&bench, 1, 1).await;
    open(&bench, 2, 2).await;
    for session in [1, 2] {
        let drawn = draw(&bench, session, NOTHING, &[patient(1)]).await.unwrap();
        assert_eq!((drawn.keys, drawn.left.patients), (1, 0));
    }
    let known = async || -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM patient_seen")
            .fetch_one(bench.store.readers())
            .await
            .unwrap()
    };
    assert_eq!(known().await, 2);
    bench.store.revoke_grant(id(1), ended(START)).await.unwrap();
    assert_eq!(known().await, 1);
    let refused = draw(&bench, 1, NOTHING, &[patient(1)]).await;
    assert_eq!(refused, Err(DrawRefused::NoSession));
}
