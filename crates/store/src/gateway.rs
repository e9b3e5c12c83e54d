//! Gateways that may hold a lease, and the sessions they say they hold.

use std::collections::HashSet;
use std::time::Duration;

use phigate_grant::EndReason;
use phigate_lease::Change;
use phigate_types::{GatewayId, SessionId, Timestamp};

use crate::event::Event;
use crate::store::within;
use crate::write::Write;
use crate::{Sequence, Store, StoreError, session};

/// A session this young may be on its way to the gateway that does not name it yet.
const YOUNG: Duration = Duration::from_secs(30);

/// A gateway that may hold a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownGateway {
    /// Which.
    pub id: GatewayId,
    /// The process that attached last.
    pub instance: String,
}

impl Store {
    /// Gateways whose lease is not known to be over: what a control plane that starts has to
    /// wait for.
    pub async fn known_gateways(&self) -> Result<Vec<KnownGateway>, StoreError> {
        within(async {
            let known: Vec<(String, String)> =
                sqlx::query_as("SELECT id, instance FROM gateway ORDER BY id")
                    .fetch_all(self.readers())
                    .await?;
            known
                .into_iter()
                .map(|(id, instance)| match id.parse() {
                    Ok(id) => Ok(KnownGateway { id, instance }),
                    Err(_) => Err(StoreError::Damaged {
                        what: "id",
                        row: format!("gateway {id}"),
                    }),
                })
                .collect()
        })
        .await?
    }

    /// A gateway attached, holding these sessions. Sessions that the store thinks it holds and
    /// it does not are over; sessions that it holds and the store does not know, or thinks are
    /// over, are killed: their grants may be lost with a restored backup.
    pub async fn gateway_attached(
        &self,
        gateway: &GatewayId,
        instance: &str,
        held: &[SessionId],
        now: Timestamp,
    ) -> Result<Sequence, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            sqlx::query(
                "INSERT INTO gateway (id, instance, attached_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (id) DO UPDATE
                 SET instance = ?2, attached_at = ?3, detached_at = NULL",
            )
            .bind(gateway.as_str())
            .bind(instance)
            .bind(now.as_micros())
            .execute(&mut **write)
            .await?;
            reconcile(&mut write, gateway, instance, held).await?;
            let event = Event::GatewayAttached {
                gateway: gateway.clone(),
                instance: instance.to_owned(),
                version: write.head(),
            };
            write.event(&event).await?;
            write.commit().await
        })
        .await?
    }

    /// A gateway's stream ended; its lease may run on. `fenced` when another process took its
    /// place.
    pub async fn gateway_detached(
        &self,
        gateway: &GatewayId,
        instance: &str,
        fenced: bool,
        now: Timestamp,
    ) -> Result<Sequence, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            sqlx::query("UPDATE gateway SET detached_at = ? WHERE id = ? AND instance = ?")
                .bind(now.as_micros())
                .bind(gateway.as_str())
                .bind(instance)
                .execute(&mut **write)
                .await?;
            let version = write.head();
            let (gateway, instance) = (gateway.clone(), instance.to_owned());
            let event = if fenced {
                Event::GatewayFenced {
                    gateway,
                    instance,
                    version,
                }
            } else {
                Event::GatewayDetached {
                    gateway,
                    instance,
                    version,
                }
            };
            write.event(&event).await?;
            write.commit().await
        })
        .await?
    }

    /// The lease of a process of a gateway is over and it did not come back: its sessions are
    /// over too. Returns how many.
    pub async fn gateway_lost(
        &self,
        gateway: &GatewayId,
        instance: &str,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        within(async {
            let mut write = self.begin(now).await?;
            sqlx::query("DELETE FROM gateway WHERE id = ? AND instance = ?")
                .bind(gateway.as_str())
                .bind(instance)
                .execute(&mut **write)
                .await?;
            let lost = live(&mut write, gateway).await?;
            let mut count = 0;
            for (id, opened_by, _) in lost {
                if opened_by == instance {
                    close(&mut write, id, gateway).await?;
                    count += 1;
                }
            }
            write.commit().await?;
            Ok(count)
        })
        .await?
    }
}

async fn reconcile(
    write: &mut Write,
    gateway: &GatewayId,
    instance: &str,
    held: &[SessionId],
) -> Result<(), StoreError> {
    let held: HashSet<SessionId> = held.iter().copied().collect();
    let mut known = HashSet::new();
    for (id, opened_by, opened_at) in live(write, gateway).await? {
        let young = opened_at.until(write.now()) < YOUNG;
        if opened_by == instance && (held.contains(&id) || young) {
            known.insert(id);
        } else {
            close(write, id, gateway).await?;
        }
    }
    let mut unknown: Vec<SessionId> = held.difference(&known).copied().collect();
    unknown.sort();
    for session in unknown {
        let reason = "the control plane does not know this session".to_owned();
        let told = reason.clone();
        let version = write
            .change(|version| Change::SessionKilled {
                version,
                session,
                reason: told,
            })
            .await?;
        let actor = crate::SYSTEM.to_owned();
        write
            .event(&Event::SessionKilled {
                actor,
                version,
                session,
                reason,
            })
            .await?;
    }
    Ok(())
}

async fn live(
    write: &mut Write,
    gateway: &GatewayId,
) -> Result<Vec<(SessionId, String, Timestamp)>, StoreError> {
    use sqlx::Row as _;
    let rows = sqlx::query("SELECT * FROM session WHERE gateway = ? AND ended_at IS NULL")
        .bind(gateway.as_str())
        .fetch_all(&mut ***write)
        .await?;
    rows.iter()
        .map(|row| {
            let session = session::session(row)?;
            Ok((session.id, row.try_get("instance")?, session.opened_at))
        })
        .collect()
}

async fn close(write: &mut Write, id: SessionId, gateway: &GatewayId) -> Result<(), StoreError> {
    let now = write.now().as_micros();
    sqlx::query("UPDATE session SET ended_at = ?, end_reason = ? WHERE id = ?")
        .bind(now)
        .bind(EndReason::GatewayLost.as_str())
        .bind(id.as_str())
        .execute(&mut ***write)
        .await?;
    let event = Event::SessionClosed {
        session: id,
        gateway: gateway.clone(),
        reason: EndReason::GatewayLost.as_str().to_owned(),
        version: write.head(),
    };
    write.event(&event).await?;
    Ok(())
}
