//! Grants end once, and stay ended.

use std::sync::{Arc, Mutex};

use phigate_grant::State;

use super::*;
use crate::Notice;
use phigate_lease::Change;

#[tokio::test]
async fn what_a_revocation_ends_is_told_ahead_of_the_change_and_once() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let told = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&told);
    bench
        .store
        .observe(move |notice| ear.lock().unwrap().push(notice.clone()));
    let first = bench
        .store
        .revoke_grant(id(1), ended(later(5)))
        .await
        .unwrap();
    let second = bench
        .store
        .revoke_grant(id(1), ended(later(9)))
        .await
        .unwrap();
    assert!(first.changed && !second.changed);
    assert_eq!(
        (first.version, &first.grant),
        (second.version, &second.grant)
    );
    let stored = second.grant.unwrap();
    assert_eq!(
        (stored.grant.epoch.0, stored.grant.state(later(9))),
        (2, State::Revoked)
    );
    let told = told.lock().unwrap().clone();
    let Notice::Changed(change) = &told[1] else {
        panic!("{told:?}")
    };
    assert_eq!(change.version(), first.version);
    assert!(matches!(change, Change::GrantEnded { reason, .. } if reason == "done"));
    assert_eq!(told[0], Notice::Ahead(change.ending().unwrap()));
    assert_eq!(told.len(), 2);
    assert_eq!(bench.events().await.len(), 2);
}

#[tokio::test]
async fn a_tombstone_keeps_an_id_from_ever_being_granted() {
    let bench = Bench::new().await;
    let first = bench
        .store
        .revoke_grant(id(9), ended(later(1)))
        .await
        .unwrap();
    assert!(first.changed && first.grant.is_none());
    let bench = bench.reopen().await;
    let error = bench.create_grant(&grant(9, "alice")).await.unwrap_err();
    assert!(matches!(error, StoreError::GrantTaken(_)), "{error}");
    let again = bench
        .store
        .revoke_grant(id(9), ended(later(2)))
        .await
        .unwrap();
    assert_eq!((again.changed, again.version), (false, first.version));
}

#[tokio::test]
async fn expiry_is_recorded_when_it_is_due_and_not_before() {
    let bench = Bench::new().await;
    bench.create(1).await;
    assert_eq!(bench.store.next_expiry().await.unwrap(), Some(later(60)));
    assert_eq!(bench.store.expire_due(later(59)).await.unwrap(), []);
    let ends = bench.store.expire_due(later(60)).await.unwrap();
    assert_eq!(ends.len(), 1);
    assert_eq!(bench.store.expire_due(later(61)).await.unwrap(), []);
    let late = bench
        .store
        .revoke_grant(id(1), ended(later(61)))
        .await
        .unwrap();
    assert_eq!((late.changed, late.version), (false, ends[0].version));
    assert_eq!(bench.store.next_expiry().await.unwrap(), None);
}

#[tokio::test]
async fn revoking_what_is_due_records_the_expiry() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let end = bench
        .store
        .revoke_grant(id(1), ended(later(60)))
        .await
        .unwrap();
    assert!(end.changed);
    assert_eq!(end.grant.unwrap().grant.state(later(60)), State::Expired);
    assert!(matches!(
        bench.events().await.last(),
        Some(Event::GrantExpired { .. })
    ));
}

#[tokio::test]
async fn the_database_itself_refuses_to_revive_a_grant() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench.create(2).await;
    bench
        .store
        .revoke_grant(id(1), ended(later(1)))
        .await
        .unwrap();
    for statement in [
        "UPDATE grants SET state = 'active', ended_at = NULL, ended_version = NULL WHERE serial = 1",
        "UPDATE grants SET epoch = 0 WHERE serial = 2",
    ] {
        let mut tx = bench.store.writer().await.unwrap();
        let error = sqlx::query(statement)
            .execute(&mut *tx)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("its epoch only rises"), "{error}");
    }
}

#[tokio::test]
async fn a_narrower_classification_is_a_new_epoch() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let done = bench
        .store
        .reclassify_grant(id(1), "p2", b"other", later(1))
        .await
        .unwrap();
    let stored = bench.store.grant(id(1)).await.unwrap().unwrap();
    assert_eq!((stored.grant.epoch.0, stored.policy.as_str()), (2, "p2"));
    assert!(stored.is_live(later(1)));
    let log = bench
        .store
        .changes_after(phigate_types::Version(done.unwrap().version.0 - 1), 10);
    assert!(matches!(
        log.await.unwrap().changes.last(),
        Some(Change::GrantEnded { epoch, .. }) if epoch.0 == 2
    ));
    assert_eq!(
        bench
            .store
            .reclassify_grant(id(1), "p2", b"", later(1))
            .await
            .unwrap(),
        None
    );
    assert_eq!(bench.store.policy("p1", later(1)).await.unwrap(), None);
}
