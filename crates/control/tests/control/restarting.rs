//! What a restart keeps, and what a restored backup must not bring back.

use std::time::Instant;

use phigate_audit::record::{Action, Record};
use phigate_control::ControlError;
use phigate_proto::v1::{self, attach_request};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::rig::{self, CLASSIFICATION, LEASE, Rig, id_of, request, within};

#[tokio::test]
async fn grants_token_and_tombstones_survive_and_every_change_is_recorded() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let (one, two) = (
        admin.create(request()).await.unwrap(),
        admin.create(request()).await.unwrap(),
    );
    admin.revoke(&id_of(&two)).await;
    let token = rig.token();
    let directory = rig.stop().await;
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    assert_eq!(rig.token(), token);
    let mut admin = rig.admin();
    assert_eq!(
        admin.get(&id_of(&one)).await.unwrap().state(),
        v1::GrantState::Active
    );
    assert_eq!(
        admin.get(&id_of(&two)).await.unwrap().state(),
        v1::GrantState::Revoked
    );
    let directory = rig.stop().await;
    let told = actions(directory.path());
    let of = |found: fn(&Action) -> bool| told.iter().filter(|action| found(action)).count();
    assert_eq!(
        of(|action| matches!(action, Action::GrantCreated { .. })),
        2
    );
    assert_eq!(
        of(|action| matches!(action, Action::GrantRevoked { .. })),
        1
    );
    assert_eq!(
        of(|action| matches!(action, Action::BarrierPassed { .. })),
        1
    );
    assert_eq!(
        of(|action| matches!(action, Action::StoreRolledBack { .. })),
        0
    );
}

#[tokio::test]
async fn a_gateway_from_before_the_restart_is_waited_for() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let gateway = rig.attach("gw-1", "i").await;
    let directory = rig.stop().await;
    drop(gateway);
    let begun = Instant::now();
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let revoked = rig.admin().revoke(&id_of(&created)).await;
    assert!(begun.elapsed() >= phigate_lease::with_drift(LEASE));
    assert_eq!(revoked.gateways.len(), 1);
    assert!(revoked.gateways[0].lease_over);
}

#[tokio::test]
async fn a_restored_older_backup_revives_nothing() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let one = admin.create(request()).await.unwrap();
    let two = admin.create(request()).await.unwrap();
    let directory = rig.stop().await;
    let backup = std::fs::read(directory.path().join("control.db")).unwrap();
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    rig.admin().revoke(&id_of(&one)).await;
    let directory = rig.stop().await;
    for leftover in ["control.db-wal", "control.db-shm"] {
        let _ = std::fs::remove_file(directory.path().join(leftover));
    }
    std::fs::write(directory.path().join("control.db"), backup).unwrap();
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let mut admin = rig.admin();
    for created in [&one, &two] {
        let grant = admin.get(&id_of(created)).await.unwrap();
        assert_eq!(grant.state(), v1::GrantState::Revoked);
    }
    let told = actions(rig.stop().await.path());
    assert!(
        told.iter()
            .any(|action| matches!(action, Action::StoreRolledBack { .. }))
    );
}

#[tokio::test]
async fn leaves_that_were_not_written_are_written_at_the_next_start() {
    let directory = tempfile::tempdir().unwrap();
    // What a kill between the commit and the leaf leaves behind: an outbox that is not empty.
    let (config, _) = rig::config(directory.path(), CLASSIFICATION);
    let now = std::time::SystemTime::now().into();
    let store = phigate_store::Store::open(&config.store).await.unwrap();
    let ended = phigate_grant::Ended {
        at: now,
        by: "admin".into(),
        reason: "done".into(),
    };
    let id = phigate_types::GrantId::from_random([5; 8]);
    store.revoke_grant(id, ended).await.unwrap();
    store.close().await;
    drop(store);
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    // A later call returns after its own leaf, and leaves are in order.
    rig.admin().create(request()).await.unwrap();
    let told = actions(rig.stop().await.path());
    let grants: Vec<bool> = told
        .iter()
        .filter_map(|action| match action {
            Action::GrantRevoked {
                grant, tombstone, ..
            } => Some(*grant == id && *tombstone),
            Action::GrantCreated { .. } => Some(false),
            _ => None,
        })
        .collect();
    assert_eq!(grants, [true, false]);
}

#[tokio::test]
async fn a_changed_classification_ends_the_grants_it_changes() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let directory = rig.stop().await;
    let narrower = CLASSIFICATION.replace("zip3,keep", "zip3,zip3");
    let rig = Rig::start_in(directory, &narrower, |_| {}).await;
    let grant = rig.admin().get(&id_of(&created)).await.unwrap();
    assert_eq!(grant.state(), v1::GrantState::Revoked);
}

#[tokio::test]
async fn a_grant_whose_policy_only_withholds_more_goes_on_in_a_new_epoch() {
    let rig = Rig::start().await;
    let created = rig.admin().create(request()).await.unwrap();
    let before = created.grant.as_ref().unwrap().epoch;
    let directory = rig.stop().await;
    let narrower = CLASSIFICATION.replace("zip3,keep", "zip3,null");
    let rig = Rig::start_in(directory, &narrower, |_| {}).await;
    let grant = rig.admin().get(&id_of(&created)).await.unwrap();
    assert_eq!(grant.state(), v1::GrantState::Active);
    assert!(grant.epoch > before);
    let directory = rig.stop().await;
    let told = actions(directory.path());
    assert!(told.iter().any(|action| matches!(action,
        Action::GrantReclassified { grant, epoch, .. }
            if grant.to_string() == id_of(&created) && epoch.0 > before)));
    // Back again would release more than is approved now.
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let grant = rig.admin().get(&id_of(&created)).await.unwrap();
    assert_eq!(grant.state(), v1::GrantState::Revoked);
}

#[tokio::test]
async fn no_leaf_is_written_twice() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = rig::config(directory.path(), CLASSIFICATION);
    let now = std::time::SystemTime::now().into();
    let ended = phigate_grant::Ended {
        at: now,
        by: "admin".into(),
        reason: "done".into(),
    };
    let id = phigate_types::GrantId::from_random([5; 8]);
    let store = phigate_store::Store::open(&config.store).await.unwrap();
    store.revoke_grant(id, ended).await.unwrap();
    store.close().await;
    drop(store);
    // With the leaf in the outbox, before and after it is in the log.
    let full = std::fs::read(&config.store).unwrap();
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let directory = rig.stop().await;
    std::fs::write(&config.store, full).unwrap();
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let directory = rig.stop().await;
    let timeline =
        phigate_audit::replay::events(&directory.path().join("audit/control"), None).unwrap();
    let mut last = 0;
    let mut buried = 0;
    for step in timeline.steps {
        if let Record::Control(event) = step.record {
            assert!(event.sequence > last, "{event:?}");
            last = event.sequence;
            buried += u64::from(matches!(
                event.action,
                Action::GrantRevoked {
                    tombstone: true,
                    ..
                }
            ));
        }
    }
    assert_eq!(buried, 1);
}

#[tokio::test]
async fn a_gateway_too_far_behind_begins_anew_and_a_new_one_is_told_nothing_old() {
    let directory = tempfile::tempdir().unwrap();
    let (config, _) = rig::config(directory.path(), CLASSIFICATION);
    let now = std::time::SystemTime::now().into();
    let store = phigate_store::Store::open(&config.store).await.unwrap();
    for number in 0..8 {
        let ended = phigate_grant::Ended {
            at: now,
            by: "admin".into(),
            reason: "done".into(),
        };
        let id = phigate_types::GrantId::from_random([number; 8]);
        store.revoke_grant(id, ended).await.unwrap();
    }
    let head = store.head().await.unwrap();
    store.prune_changes(2).await.unwrap();
    assert_eq!(store.head().await.unwrap(), head);
    store.close().await;
    drop(store);
    let rig = Rig::start_in(directory, CLASSIFICATION, |_| {}).await;
    let behind = rig.attach_with("gw-1", "i", 3, &[]).await.unwrap();
    assert_eq!(behind.welcome.head_version, 0);
    assert!(behind.welcome.changes.is_empty());
    let new = rig.attach("gw-1", "j").await;
    assert_eq!(new.welcome.head_version, head.0);
    assert!(new.welcome.changes.is_empty(), "{:?}", new.welcome);
    let kept = rig.attach_with("gw-2", "i", head.0 - 1, &[]).await.unwrap();
    assert_eq!(kept.welcome.changes[0].version, head.0);
    assert!(kept.welcome.head_version >= head.0);
    // Sessions that nothing can be told about are not served.
    let held = ["0000000000s7".to_owned()];
    let odd = rig.attach_with("gw-3", "i", 0, &held).await.err().unwrap();
    assert_eq!(odd.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn the_head_of_a_gateways_log_is_noted() {
    let rig = Rig::start().await;
    let mut gateway = rig.attach("gw-1", "i").await;
    let heads = ["1/4:", "1/9:"].map(|size| format!("{size}{}", "ab".repeat(32)));
    for (sequence, head) in heads.iter().enumerate() {
        let (sequence, log_head) = (sequence as u64 + 1, head.clone());
        gateway
            .say(attach_request::Message::Renew(v1::Renew {
                sequence,
                log_head,
            }))
            .await;
        gateway.next().await.unwrap();
    }
    let wrong = rig.attach("gw-2", "i").await;
    wrong
        .say(attach_request::Message::Renew(v1::Renew {
            sequence: 1,
            log_head: "far".into(),
        }))
        .await;
    let directory = rig.stop().await;
    // The first at once, the last when the stream ended; those in between not each.
    let told = actions(directory.path());
    let noted: Vec<_> = told
        .iter()
        .filter_map(|action| match action {
            Action::GatewayHead { gateway, head } if gateway.as_str() == "gw-1" => Some(head),
            _ => None,
        })
        .collect();
    assert_eq!(noted, heads.iter().collect::<Vec<_>>());
    let last = phigate_audit::replay::noted_heads(&directory.path().join("audit/control")).unwrap();
    assert_eq!(last.len(), 1);
    assert_eq!(last[&"gw-1".parse().unwrap()].to_string(), heads[1]);
}

#[tokio::test]
async fn a_gateway_that_holds_an_unknown_session_is_told_to_end_it() {
    let rig = Rig::start().await;
    let held = ["0000000000s7".to_owned()];
    let gateway = rig.attach_with("gw-1", "i", 0, &held).await.unwrap();
    assert!(gateway.welcome.changes.iter().any(|change| matches!(
        &change.change,
        Some(v1::change::Change::SessionKilled(killed)) if killed.session_id == held[0]
    )));
    let absurd = rig
        .attach_with("gw-2", "i", u64::MAX, &[])
        .await
        .err()
        .unwrap();
    assert_eq!(absurd.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said() {
    let rig = Rig::start().await;
    let failure = async |change: fn(&mut phigate_control::ControlConfig)| {
        let directory = tempfile::tempdir().unwrap();
        let (mut config, _) = rig::config(directory.path(), CLASSIFICATION);
        config.listen = rig.address;
        change(&mut config);
        let (ready, _) = oneshot::channel();
        let served = phigate_control::serve(config, CancellationToken::new(), ready);
        within(Box::pin(served)).await.unwrap_err()
    };
    let taken = failure(|_| {}).await;
    assert!(matches!(taken, ControlError::Listen { .. }), "{taken}");
    assert!(taken.to_string().contains("in use"), "{taken}");
    let store = failure(|config| config.store = "/nonexistent/control.db".into()).await;
    assert!(
        store.to_string().contains("/nonexistent/control.db"),
        "{store}"
    );
    let token = failure(|config| std::fs::write(&config.admin_token, "short").unwrap()).await;
    assert!(
        token
            .to_string()
            .contains("admin.token can be read by others"),
        "{token}"
    );
}

fn actions(directory: &std::path::Path) -> Vec<Action> {
    let timeline = phigate_audit::replay::events(&directory.join("audit/control"), None).unwrap();
    let actions = timeline
        .steps
        .into_iter()
        .filter_map(|step| match step.record {
            Record::Control(event) => Some(event.action),
            _ => None,
        });
    actions.collect()
}
