//! What the control plane does by itself: grants that are due, calls that were refused.

use std::sync::Arc;
use std::time::Duration;

use phigate_store::Event;

use crate::access::Refusals;
use crate::clock;
use crate::plane::Plane;

/// How often it looks. Gateways end sessions by their own timers; this writes it down.
const EVERY: Duration = Duration::from_millis(500);

/// How many changes are kept: a gateway that was away for more begins anew.
const CHANGES_KEPT: u64 = 100_000;

/// How often changes that nobody needs are forgotten.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// Runs until the control plane stops.
pub(crate) async fn run(plane: Arc<Plane>, refusals: Refusals) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut prunings = tokio::time::interval(PRUNE_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = prunings.tick() => {
                if let Err(error) = plane.store.prune_changes(CHANGES_KEPT).await {
                    tracing::error!(%error, "old changes were not forgotten");
                }
            }
            () = plane.shutdown.cancelled() => return,
        }
        if let Err(error) = expire(&plane).await {
            tracing::error!(%error, "grants that are due were not recorded; they are not live all the same");
        }
        if let Err(error) = record_refusals(&plane, &refusals).await {
            tracing::error!(%error, "refused calls were not recorded");
        }
    }
}

async fn expire(plane: &Plane) -> Result<(), phigate_store::StoreError> {
    let now = clock::now();
    while plane
        .store
        .next_expiry()
        .await?
        .is_some_and(|due| due <= now)
    {
        for end in plane.store.expire_due(now).await? {
            if let Some(stored) = end.grant {
                tracing::info!(grant = %stored.grant.id, "grant expired");
            }
        }
    }
    Ok(())
}

async fn record_refusals(
    plane: &Plane,
    refusals: &Refusals,
) -> Result<(), phigate_store::StoreError> {
    for (reason, count) in refusals.take() {
        plane.events.calls_refused(reason, count);
        let event = Event::CallsRefused {
            call: "admin".to_owned(),
            reason: reason.to_owned(),
            count,
            version: plane.store.head().await?,
        };
        plane.store.record(&event, clock::now()).await?;
    }
    Ok(())
}
