//! What every service shares.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use phigate_lease::control::Ack;
use phigate_lease::with_drift;
use phigate_proto::v1;
use phigate_store::{Confirmation, Event, Store, StoreError};
use phigate_types::{GatewayId, GrantId, PrincipalName, SessionId, Version};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::catalogs::Catalogs;
use crate::clock;
use crate::databases::Databases;
use crate::error::status;
use crate::events::Events;
use crate::gateways::Gateways;
use crate::recorder::Recorder;

/// The actor of calls with the admin's token.
pub(crate) const ADMIN: &str = "admin";

/// One control plane.
pub(crate) struct Plane {
    pub(crate) store: Store,
    pub(crate) databases: Databases,
    pub(crate) catalogs: Catalogs,
    pub(crate) principals: ArcSwap<Option<Vec<PrincipalName>>>,
    /// Held by those who make grants, and alone by who changes what grants are judged by.
    pub(crate) classified: RwLock<()>,
    pub(crate) gateways: Arc<Gateways>,
    pub(crate) recorder: Recorder,
    pub(crate) events: Arc<Events>,
    pub(crate) lease: Duration,
    pub(crate) shutdown: CancellationToken,
}

/// How a change reached the gateways.
pub(crate) struct Passed {
    pub(crate) barrier_ms: f64,
    pub(crate) gateways: Vec<v1::GatewayAck>,
}

impl Plane {
    /// Waits for the barrier of a change that has just been committed, and records how it went.
    /// `called` is when the call came in.
    pub(crate) async fn barrier(
        &self,
        target: Version,
        called: phigate_lease::Instant,
        about: (Option<GrantId>, Option<SessionId>),
        only: Option<&GatewayId>,
    ) -> Passed {
        let committed = clock::boottime();
        let acks = self.gateways.barrier(target, only).passed().await;
        let before = committed.saturating_sub(called);
        let over = clock::boottime().saturating_sub(called);
        let leases_over = acks.iter().filter(|ack| ack.lease_over).count();
        self.events.barrier_passed(over, leases_over);
        let event = Event::BarrierPassed {
            version: target,
            grant: about.0,
            session: about.1,
            gateways: acks
                .iter()
                .filter_map(|ack| confirmation(ack, before))
                .collect(),
        };
        if let Err(error) = self.store.record(&event, clock::now()).await {
            tracing::error!(%error, "a barrier that passed could not be recorded");
        }
        Passed {
            barrier_ms: millis(over),
            gateways: acks.iter().map(|ack| gateway_ack(ack, before)).collect(),
        }
    }

    /// Watches a process whose stream is gone: when its lease is over and it did not come back,
    /// its sessions are over too.
    pub(crate) fn watch_lost(self: &Arc<Self>, gateway: GatewayId, instance: String) {
        let plane = Arc::clone(self);
        tokio::spawn(async move {
            while plane.gateways.may_serve(&gateway, &instance) {
                tokio::select! {
                    () = tokio::time::sleep(with_drift(plane.lease) / 4) => {}
                    () = plane.shutdown.cancelled() => return,
                }
                if plane.gateways.is_attached(&gateway, &instance) {
                    return;
                }
            }
            match plane
                .store
                .gateway_lost(&gateway, &instance, clock::now())
                .await
            {
                Ok(0) => {}
                Ok(sessions) => tracing::warn!(%gateway, sessions, "a gateway was lost"),
                Err(error) => tracing::error!(%gateway, %error, "a lost gateway was not recorded"),
            }
        });
    }
}

/// What a caller is told when the store fails.
pub(crate) fn stored<T>(result: Result<T, StoreError>) -> Result<T, Status> {
    result.map_err(|error| status(&error))
}

fn confirmation(ack: &Ack, before: Duration) -> Option<Confirmation> {
    Some(Confirmation {
        gateway: ack.gateway.clone()?,
        sessions_ended: ack.sessions_ended,
        after_us: u64::try_from((before + ack.after).as_micros()).unwrap_or(u64::MAX),
        lease_over: ack.lease_over,
    })
}

fn gateway_ack(ack: &Ack, before: Duration) -> v1::GatewayAck {
    v1::GatewayAck {
        gateway_id: ack
            .gateway
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        sessions_ended: ack.sessions_ended,
        ms: millis(before + ack.after),
        lease_over: ack.lease_over,
    }
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1000.0
}
