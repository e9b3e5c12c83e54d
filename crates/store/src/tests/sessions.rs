//! Sessions are authorised on the live state.

use phigate_grant::EndReason;
use phigate_lease::Change;

use super::*;
use crate::{KillOutcome, OpenRefused, SessionFilter};

#[tokio::test]
async fn only_a_live_grant_of_this_principal_on_this_database_opens_one() {
    let bench = Bench::new().await;
    bench.create(1).await;
    let refused = |request: SessionRequest, at| {
        let store = bench.store.clone();
        async move { store.open_session(&request, at).await.unwrap().err() }
    };
    let other = |change: fn(&mut SessionRequest)| {
        let mut request = request(1, 1);
        change(&mut request);
        request
    };
    let no_grant = Some(OpenRefused::NoGrant);
    assert_eq!(refused(request(1, 2), START).await, no_grant);
    assert_eq!(
        refused(request(1, 1), later(60)).await,
        no_grant,
        "its time is over"
    );
    assert_eq!(
        refused(other(|r| r.principal = "bob".parse().unwrap()), START).await,
        no_grant
    );
    assert_eq!(
        refused(other(|r| r.database = "other".parse().unwrap()), START).await,
        no_grant
    );
    let opened = bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(opened.read_version, bench.store.head().await.unwrap());
    bench
        .store
        .revoke_grant(id(1), ended(later(1)))
        .await
        .unwrap();
    assert_eq!(refused(request(2, 1), later(1)).await, no_grant, "revoked");
}

#[tokio::test]
async fn the_number_of_sessions_is_held() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap()
        .unwrap();
    bench
        .store
        .open_session(&request(2, 1), START)
        .await
        .unwrap()
        .unwrap();
    let third = bench
        .store
        .open_session(&request(3, 1), START)
        .await
        .unwrap();
    assert_eq!(third.err(), Some(OpenRefused::TooManySessions(2)));
    let again = bench.store.open_session(&request(1, 1), START).await;
    assert!(again.is_ok_and(|result| result.is_err()));
    let (gateway, other) = ("gw".parse().unwrap(), "other".parse().unwrap());
    let close = |gateway, at| {
        bench
            .store
            .close_session(session_id(1), gateway, EndReason::Idle, None, at)
    };
    assert_eq!(
        close(&other, later(1)).await.unwrap(),
        None,
        "another gateway's session"
    );
    assert!(close(&gateway, later(1)).await.unwrap().is_some());
    assert_eq!(close(&gateway, later(2)).await.unwrap(), None, "once");
    bench
        .store
        .open_session(&request(3, 1), later(2))
        .await
        .unwrap()
        .unwrap();
    let live = SessionFilter {
        limit: 10,
        ..SessionFilter::default()
    };
    let live = bench.store.sessions(&live).await.unwrap();
    assert_eq!(
        live.items.iter().map(|s| s.id).collect::<Vec<_>>(),
        [3, 2].map(session_id)
    );
    let session = bench.store.session(session_id(1)).await.unwrap().unwrap();
    assert_eq!(session.ended, Some((later(1), EndReason::Idle)));
}

#[tokio::test]
async fn a_session_id_is_used_once() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap()
        .unwrap();
    let error = bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::SessionTaken(_)), "{error}");
}

#[tokio::test]
async fn a_kill_is_one_change_however_often_it_is_asked_for() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap()
        .unwrap();
    let kill = || {
        bench
            .store
            .kill_session(session_id(1), "admin", "", later(1))
    };
    let (first, second) = (kill().await.unwrap(), kill().await.unwrap());
    let version = |outcome: KillOutcome| match outcome {
        KillOutcome::Killed { version, .. } => version,
        other => panic!("{other:?}"),
    };
    assert_eq!(version(first), version(second));
    let unknown = bench
        .store
        .kill_session(session_id(2), "admin", "", later(1))
        .await
        .unwrap();
    assert_eq!(unknown, KillOutcome::Unknown);
    bench
        .store
        .open_session(&request(3, 1), START)
        .await
        .unwrap()
        .unwrap();
    let gateway = "gw".parse().unwrap();
    let reason = EndReason::ClientLeft;
    bench
        .store
        .close_session(session_id(3), &gateway, reason, None, later(1))
        .await
        .unwrap();
    let over = bench
        .store
        .kill_session(session_id(3), "admin", "", later(1))
        .await
        .unwrap();
    assert!(matches!(over, KillOutcome::Over(_)));
}

#[tokio::test]
async fn an_attaching_gateway_and_the_store_agree_on_sessions() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench.create(2).await;
    for (session, grant) in [(1, 1), (2, 1), (3, 2)] {
        bench
            .store
            .open_session(&request(session, grant), START)
            .await
            .unwrap()
            .unwrap();
    }
    let gateway = "gw".parse().unwrap();
    let head = bench.store.head().await.unwrap();
    // It holds 1, lost 2, says nothing of 3 which is young, and holds 9 that nobody knows.
    bench
        .store
        .open_session(&request(4, 2), later(29))
        .await
        .unwrap()
        .unwrap();
    let held = [session_id(1), session_id(9)];
    bench
        .store
        .gateway_attached(&gateway, "i1", &held, later(31))
        .await
        .unwrap();
    let live = SessionFilter {
        limit: 10,
        ..SessionFilter::default()
    };
    let live = bench.store.sessions(&live).await.unwrap();
    assert_eq!(
        live.items.iter().map(|s| s.id).collect::<Vec<_>>(),
        [4, 1].map(session_id)
    );
    let told = bench.store.changes_after(head, 10).await.unwrap().changes;
    assert_eq!(told.len(), 1);
    assert!(matches!(told[0], Change::SessionKilled { session, .. } if session == session_id(9)));
    // Another process of it holds none of them.
    bench
        .store
        .gateway_attached(&gateway, "i2", &[], later(32))
        .await
        .unwrap();
    let none = SessionFilter {
        limit: 10,
        ..SessionFilter::default()
    };
    assert_eq!(bench.store.sessions(&none).await.unwrap().items, []);
    let known = bench.store.known_gateways().await.unwrap();
    assert_eq!((known.len(), known[0].instance.as_str()), (1, "i2"));
    bench
        .store
        .gateway_lost(&gateway, "i1", later(40))
        .await
        .unwrap();
    assert_eq!(
        bench.store.known_gateways().await.unwrap().len(),
        1,
        "i1 is not i2"
    );
    bench
        .store
        .gateway_lost(&gateway, "i2", later(40))
        .await
        .unwrap();
    assert_eq!(bench.store.known_gateways().await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_lost_gateways_sessions_are_over() {
    let bench = Bench::new().await;
    bench.create(1).await;
    bench
        .store
        .open_session(&request(1, 1), START)
        .await
        .unwrap()
        .unwrap();
    let gateway = "gw".parse().unwrap();
    bench
        .store
        .gateway_attached(&gateway, "i1", &[session_id(1)], later(1))
        .await
        .unwrap();
    bench
        .store
        .gateway_detached(&gateway, "i1", false, later(2))
        .await
        .unwrap();
    assert_eq!(
        bench
            .store
            .gateway_lost(&gateway, "i1", later(8))
            .await
            .unwrap(),
        1
    );
    let session = bench.store.session(session_id(1)).await.unwrap().unwrap();
    assert_eq!(session.ended, Some((later(8), EndReason::GatewayLost)));
}
