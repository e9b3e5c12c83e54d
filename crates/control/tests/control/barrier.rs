//! Revocations return when no gateway serves the grant any more.

use std::time::{Duration, Instant};

use phigate_proto::v1::{self, attach_request, attach_response};
use tonic::Code;

use super::rig::{Attached, LEASE, Rig, id_of, request};

/// Reads changes and acknowledges each that ends something.
fn obedient(mut gateway: Attached, sessions_ended: u32) -> tokio::task::JoinHandle<v1::Change> {
    tokio::spawn(async move {
        let change = gateway.change().await;
        gateway.acknowledge(change.version, sessions_ended).await;
        // The stream stays open until the test is over.
        tokio::spawn(async move { while gateway.next().await.is_ok() {} });
        change
    })
}

#[tokio::test]
async fn without_gateways_a_revocation_returns_at_once_and_only_once_changes_anything() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let id = id_of(&admin.create(request()).await.unwrap());
    let first = admin.revoke(&id).await;
    assert_eq!(first.gateways, []);
    let grant = first.grant.unwrap();
    assert_eq!((grant.state(), grant.epoch), (v1::GrantState::Revoked, 2));
    let second = admin.revoke(&id).await;
    assert_eq!(second.grant.unwrap(), grant);
    let buried = admin.revoke("0000000000zz").await;
    assert!(buried.grant.is_none());
    assert_eq!(
        admin.get("0000000000zz").await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn every_gateway_is_waited_for_and_reported() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let one = obedient(rig.attach("gw-1", "i").await, 2);
    let two = obedient(rig.attach("gw-2", "i").await, 3);
    let mut revoked = admin.revoke(&id_of(&created)).await;
    revoked
        .gateways
        .sort_by(|a, b| a.gateway_id.cmp(&b.gateway_id));
    let said: Vec<_> = revoked
        .gateways
        .iter()
        .map(|ack| (ack.gateway_id.as_str(), ack.sessions_ended, ack.lease_over))
        .collect();
    assert_eq!(said, [("gw-1", 2, false), ("gw-2", 3, false)]);
    assert!(
        revoked
            .gateways
            .iter()
            .all(|ack| ack.ms <= revoked.barrier_ms)
    );
    let change = one.await.unwrap();
    assert_eq!(change, two.await.unwrap());
    let Some(v1::change::Change::GrantEnded(ended)) = change.change else {
        panic!("{change:?}")
    };
    assert_eq!(
        (ended.grant_id, ended.epoch, ended.reason),
        (id_of(&created), 2, "done".into())
    );
}

#[tokio::test]
async fn a_silent_gateways_lease_is_waited_out() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let one = obedient(rig.attach("gw-1", "i").await, 1);
    let begun = Instant::now();
    let _silent = rig.attach("gw-2", "i").await;
    let mut revoked = admin.revoke(&id_of(&created)).await;
    // Its lease runs from its Hello on the control plane's clock, with the drift bound on top.
    assert!(begun.elapsed() >= phigate_lease::with_drift(LEASE));
    revoked
        .gateways
        .sort_by(|a, b| a.gateway_id.cmp(&b.gateway_id));
    let over: Vec<bool> = revoked.gateways.iter().map(|ack| ack.lease_over).collect();
    assert_eq!(over, [false, true]);
    one.await.unwrap();
}

#[tokio::test]
async fn an_acknowledgement_of_something_older_does_not_count() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let mut gateway = rig.attach("gw-1", "i").await;
    let head = gateway.welcome.head_version;
    let late = tokio::spawn(async move {
        gateway.acknowledge(head, 0).await;
        let change = gateway.change().await;
        gateway.acknowledge(change.version, 4).await;
        gateway
    });
    let revoked = admin.revoke(&id_of(&created)).await;
    assert_eq!(revoked.gateways.len(), 1);
    assert_eq!(
        (
            revoked.gateways[0].sessions_ended,
            revoked.gateways[0].lease_over
        ),
        (4, false)
    );
    let gateway = late.await.unwrap();
    gateway.acknowledge(u64::MAX, 0).await;
    let mut gateway = gateway;
    let refused = loop {
        match gateway.next().await {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(
        refused.code(),
        Code::InvalidArgument,
        "what was never sent was not carried out"
    );
}

#[tokio::test]
async fn a_renewal_carries_the_head_and_a_re_attachment_what_was_missed() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let mut gateway = rig.attach("gw-1", "i").await;
    let head = gateway.welcome.head_version;
    gateway
        .say(attach_request::Message::Renew(v1::Renew {
            sequence: 7,
            log_head: String::new(),
        }))
        .await;
    let attach_response::Message::Renewed(renewed) = gateway.next().await.unwrap() else {
        panic!("not a renewal");
    };
    assert_eq!((renewed.sequence, renewed.head_version), (7, head));
    drop(gateway);
    admin.revoke(&id_of(&created)).await;
    let again = rig.attach_with("gw-1", "i", head, &[]).await.unwrap();
    let versions: Vec<u64> = again
        .welcome
        .changes
        .iter()
        .map(|change| change.version)
        .collect();
    assert_eq!(
        versions,
        (head + 1..=again.welcome.head_version).collect::<Vec<_>>()
    );
    assert!(
        again
            .welcome
            .changes
            .iter()
            .any(|change| matches!(change.change, Some(v1::change::Change::GrantEnded(_))))
    );
}

#[tokio::test]
async fn a_kill_waits_for_the_sessions_gateway_only() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let created = admin.create(request()).await.unwrap();
    let mut gateway = rig.attach("gw-1", "i").await;
    gateway.open("0000000000s1", &created).await.unwrap();
    let _silent = rig.attach("gw-2", "i").await;
    let obeyed = obedient(gateway, 1);
    let kill = admin.with_token(v1::KillSessionRequest {
        session_id: "0000000000s1".into(),
        reason: String::new(),
    });
    let killed = admin
        .sessions
        .kill_session(kill)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(killed.gateways.len(), 1);
    assert_eq!(
        (
            killed.gateways[0].sessions_ended,
            killed.gateways[0].lease_over
        ),
        (1, false)
    );
    assert!(matches!(
        obeyed.await.unwrap().change,
        Some(v1::change::Change::SessionKilled(_))
    ));
    let unknown = admin.with_token(v1::KillSessionRequest {
        session_id: "0000000000s9".into(),
        reason: String::new(),
    });
    assert_eq!(
        admin
            .sessions
            .kill_session(unknown)
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn expiry_is_written_down_and_told() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let mut gateway = rig.attach("gw-1", "i").await;
    let mut short = request();
    short.duration = Some(prost_types::Duration {
        seconds: 1,
        nanos: 0,
    });
    let created = admin.create(short).await.unwrap();
    // A gateway that renews, as one does.
    let change = loop {
        gateway
            .say(attach_request::Message::Renew(v1::Renew {
                sequence: 1,
                log_head: String::new(),
            }))
            .await;
        let told = tokio::time::timeout(Duration::from_millis(300), gateway.change()).await;
        if let Ok(change) = told {
            break change;
        }
    };
    assert!(matches!(
        change.change,
        Some(v1::change::Change::GrantEnded(_))
    ));
    let grant = admin.get(&id_of(&created)).await.unwrap();
    assert_eq!(grant.state(), v1::GrantState::Expired);
    assert_eq!(
        gateway
            .open("0000000000s1", &created)
            .await
            .unwrap_err()
            .code(),
        Code::PermissionDenied
    );
}
