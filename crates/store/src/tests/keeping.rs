//! What was committed is kept, in order and without gaps.

use phigate_types::Version;

use super::*;
use crate::GrantFilter;

#[tokio::test]
async fn a_grant_survives_a_restart_as_it_was() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let before = bench.store.grant(id(1)).await.unwrap().unwrap();
    let salt_key = bench.store.salt_key().expose().clone();
    assert_eq!(before.grant, grant(1, "alice"));
    let bench = bench.reopen().await;
    assert_eq!(bench.store.grant(id(1)).await.unwrap().unwrap(), before);
    assert_eq!(*bench.store.salt_key().expose(), salt_key);
    assert_eq!(bench.events().await.len(), 1, "the leaf waits");
    assert_eq!(
        bench.store.policy("p1", START).await.unwrap().unwrap(),
        b"body"
    );
    assert_eq!(
        bench.store.policy("p1", later(60)).await.unwrap(),
        None,
        "no live grant has it"
    );
}

#[tokio::test]
async fn versions_and_leaves_have_no_gaps() {
    let bench = Bench::new().await;
    for number in 1..=5 {
        bench.create(number).await;
        bench
            .store
            .revoke_grant(id(number), ended(later(1)))
            .await
            .unwrap();
    }
    let bench = bench.reopen().await;
    bench.create(6).await;
    let log = bench.store.changes_after(Version(0), 1000).await.unwrap();
    let versions: Vec<u64> = log
        .changes
        .iter()
        .map(|change| change.version().0)
        .collect();
    assert_eq!(versions, (1..=log.head.0).collect::<Vec<_>>());
    let leaves = bench.store.leaves_after(0, 1000).await.unwrap();
    let numbers: Vec<u64> = leaves.iter().map(|leaf| leaf.sequence).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    bench.store.leaves_durable(10).await.unwrap();
    assert_eq!(
        bench.store.leaves_after(0, 1000).await.unwrap()[0].sequence,
        11
    );
    bench.store.leaves_durable(11).await.unwrap();
    assert_eq!(
        bench.create(7).await.sequence,
        12,
        "numbers are never used twice"
    );
}

#[tokio::test]
async fn one_process_to_a_file() {
    let bench = Bench::new().await;
    let error = Store::open(&bench.file()).await.err().unwrap().to_string();
    assert!(error.contains("in use by another control plane"), "{error}");
}

#[tokio::test]
async fn what_is_no_store_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("control.db");
    std::fs::write(&path, "not a database, whatever its name says ........").unwrap();
    let error = Store::open(&path).await.err().unwrap().to_string();
    assert!(error.contains("control.db cannot be used"), "{error}");
    let error = Store::open(Path::new("/nonexistent/control.db"))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let bench = Bench::new().await;
    for number in 1..=5 {
        bench.create(number).await;
    }
    bench
        .store
        .revoke_grant(id(4), ended(later(1)))
        .await
        .unwrap();
    let mut filter = GrantFilter {
        limit: 2,
        ..GrantFilter::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = bench.store.grants(&filter, later(1)).await.unwrap();
        seen.extend(page.items.iter().map(|stored| stored.grant.id));
        match page.next {
            Some(next) => filter.before = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, [5, 3, 2, 1].map(id));
    let all = GrantFilter {
        limit: 10,
        include_ended: true,
        ..GrantFilter::default()
    };
    assert_eq!(
        bench
            .store
            .grants(&all, later(1))
            .await
            .unwrap()
            .items
            .len(),
        5
    );
    let others = GrantFilter {
        principal: Some("bob".parse().unwrap()),
        ..all
    };
    assert_eq!(
        bench.store.grants(&others, later(1)).await.unwrap().items,
        []
    );
}

#[tokio::test]
async fn at_most_sixteen_live_grants() {
    let bench = Bench::new().await;
    for number in 1..=16 {
        bench.create(number).await;
    }
    let error = bench.create_grant(&grant(17, "alice")).await.unwrap_err();
    assert!(matches!(error, StoreError::TooManyGrants(16)), "{error}");
    bench.create_grant(&grant(17, "bob")).await.unwrap();
    bench
        .store
        .revoke_grant(id(3), ended(later(1)))
        .await
        .unwrap();
    bench.create_grant(&grant(18, "alice")).await.unwrap();
    let error = bench.create_grant(&grant(18, "carol")).await.unwrap_err();
    assert!(matches!(error, StoreError::GrantTaken(_)), "{error}");
    let keys = bench
        .store
        .credentials("alice", "clinic", None, later(1))
        .await
        .unwrap();
    assert_eq!(keys.len(), 16);
    assert_eq!(keys[0].0, id(18), "newest first");
    assert!(
        keys.iter().all(|(grant, _)| *grant != id(3)),
        "a verifier dies with its grant"
    );
    let one = bench
        .store
        .credentials("alice", "clinic", Some(id(5)), later(1))
        .await
        .unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(
        bench
            .store
            .credentials("alice", "clinic", None, later(60))
            .await
            .unwrap(),
        []
    );
}

/// SQLite ends a transaction by itself when the disk is full, and sqlx's own ROLLBACK fails then.
#[tokio::test]
async fn a_transaction_that_the_disk_ended_does_not_end_the_store() {
    let bench = Bench::new().await;
    let mut transaction = bench.store.writer().await.unwrap();
    sqlx::query("ROLLBACK")
        .execute(&mut *transaction)
        .await
        .unwrap();
    drop(transaction);
    bench.create(1).await;
    assert!(bench.store.grant(id(1)).await.unwrap().is_some());
}
