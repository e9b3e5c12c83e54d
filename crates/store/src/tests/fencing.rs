//! A store restored from a backup revives nothing.

use phigate_lease::Change;
use phigate_types::Version;

use super::*;
use crate::Fence;

#[tokio::test]
async fn a_restored_backup_is_seen_and_every_grant_is_revoked() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench.create(2).await;
    let old = bench.directory.path().join("backup.db");
    bench.backup(&old).await;
    let end = bench
        .store
        .revoke_grant(id(1), ended(later(1)))
        .await
        .unwrap();
    let (sequence, version) = (end.sequence, end.version);
    assert_eq!(
        bench
            .store
            .fence(sequence, version, later(1))
            .await
            .unwrap(),
        Fence::Current
    );

    let restored = Store::open(&old).await.unwrap();
    assert!(
        restored
            .grant(id(1))
            .await
            .unwrap()
            .unwrap()
            .is_live(later(2)),
        "as it was"
    );
    let fence = restored.fence(sequence, version, later(2)).await.unwrap();
    assert!(
        matches!(fence, Fence::RolledBack { revoked: 2, .. }),
        "{fence:?}"
    );
    for number in [1, 2] {
        let stored = restored.grant(id(number)).await.unwrap().unwrap();
        assert!(!stored.is_live(later(2)));
        assert!(
            stored.ended_version.unwrap() > version,
            "gateways have seen up to there"
        );
    }
    let leaves = restored.leaves_after(0, 100).await.unwrap();
    let new = leaves
        .iter()
        .filter(|leaf| leaf.sequence > sequence)
        .count();
    assert_eq!(new, 3, "two revocations and the fence itself");
    assert_eq!(
        restored.fence(sequence, version, later(3)).await.unwrap(),
        Fence::Current
    );
}

#[tokio::test]
async fn a_restored_backup_ends_sessions_of_epochs_that_it_does_not_know() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let old = bench.directory.path().join("backup.db");
    bench.backup(&old).await;
    let narrowed = bench
        .store
        .reclassify_grant(id(1), "p2", b"narrower", later(1))
        .await
        .unwrap()
        .unwrap();
    let served = bench.store.grant(id(1)).await.unwrap().unwrap().grant.epoch;

    let restored = Store::open(&old).await.unwrap();
    let (sequence, version) = (narrowed.sequence, narrowed.version);
    restored.fence(sequence, version, later(2)).await.unwrap();
    let told = restored.changes_after(version, 10).await.unwrap().changes;
    let ended = told.iter().find_map(|change| match change {
        Change::GrantEnded { epoch, .. } => Some(*epoch),
        Change::SessionKilled { .. } | Change::Advance { .. } => None,
    });
    assert!(ended.unwrap() > served, "{told:?}");
}

#[tokio::test]
async fn one_lost_leaf_without_a_version_is_seen_too() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let head = bench.store.head().await.unwrap();
    let last = bench.store.last_sequence().await.unwrap();
    assert_eq!(
        bench.store.fence(last, head, START).await.unwrap(),
        Fence::Current
    );
    let fence = bench.store.fence(last + 1, head, START).await.unwrap();
    assert!(
        matches!(fence, Fence::RolledBack { revoked: 1, .. }),
        "{fence:?}"
    );
}

#[tokio::test]
async fn a_gateway_that_knows_more_than_the_store_raises_the_fence() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let head = bench.store.head().await.unwrap();
    assert_eq!(
        bench.store.fence_gateway(head, START).await.unwrap(),
        Fence::Current
    );
    let absurd = bench
        .store
        .fence_gateway(Version(u64::MAX), START)
        .await
        .unwrap_err();
    assert!(matches!(absurd, StoreError::TooFarAhead { .. }), "{absurd}");
    let applied = Version(head.0 + 40);
    let fence = bench.store.fence_gateway(applied, START).await.unwrap();
    assert!(
        matches!(fence, Fence::RolledBack { revoked: 1, .. }),
        "{fence:?}"
    );
    let told = bench
        .store
        .changes_after(applied, 10)
        .await
        .unwrap()
        .changes;
    assert_eq!(
        told.len(),
        1,
        "the revocation comes after what the gateway has applied"
    );
}
