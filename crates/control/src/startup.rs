//! What is put right before anybody is answered: restored backups, changed classifications.

use std::path::Path;

use phigate_audit::record::Record;
use phigate_audit::{AuditError, Log, LogConfig, replay};
use phigate_grant::Ended;
use phigate_lease::control::Earlier;
use phigate_store::{Fence, SYSTEM, Store};
use phigate_types::Version;

use crate::databases::Databases;
use crate::{ControlError, clock};

/// Opens the log and finds the newest version of the store that it tells of.
pub(crate) async fn open_log(config: LogConfig) -> Result<(Log, Version), ControlError> {
    let dir = config.dir.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let (log, report) = Log::open(config)?;
        if let Some(damage) = &report.quarantined {
            tracing::error!(
                ?damage,
                "the control plane's audit log is damaged; it goes on in a new epoch"
            );
        }
        Ok::<_, AuditError>((log, newest_version(&dir)?))
    });
    Ok(opened
        .await
        .map_err(|_| ControlError::Stopped("the audit log could not be opened"))??)
}

fn newest_version(dir: &Path) -> Result<Version, AuditError> {
    let versions = replay::events(dir, None)?
        .steps
        .into_iter()
        .filter_map(|step| match step.record {
            Record::Control(event) => Some(event.version),
            _ => None,
        });
    Ok(versions.max().unwrap_or_default())
}

/// Compares store and log; returns who may hold a lease from before.
pub(crate) async fn fence(store: &Store, told: Version) -> Result<Earlier, ControlError> {
    let known = store.known_gateways().await?;
    let known = known
        .into_iter()
        .map(|gateway| (gateway.id, gateway.instance));
    match store.fence(0, told, clock::now()).await? {
        Fence::Current => Ok(Earlier::Known(known.collect())),
        Fence::RolledBack {
            store,
            seen,
            revoked,
        } => {
            tracing::error!(%store, %seen, revoked,
                "the store is older than the audit log (a restored backup?): every grant was revoked");
            Ok(Earlier::Unknown)
        }
    }
}

/// Grants whose policy would be another one under today's classification are revoked: what they
/// release is not what was approved.
pub(crate) async fn reclassify(store: &Store, databases: &Databases) -> Result<(), ControlError> {
    for stored in store.active_grants().await? {
        let grant = &stored.grant;
        let changed = match databases.policy(&grant.terms) {
            None => {
                tracing::warn!(grant = %grant.id, database = %grant.terms.database,
                    "a live grant is for a database that is not configured");
                false
            }
            Some(Ok(policy)) => policy.id != stored.policy,
            Some(Err(_)) => true,
        };
        if changed {
            tracing::warn!(grant = %grant.id, "a grant is revoked: its classification changed");
            let ended = Ended {
                at: clock::now(),
                by: SYSTEM.to_owned(),
                reason: "the classification of the database changed; ask for a new grant"
                    .to_owned(),
            };
            store.revoke_grant(grant.id, ended).await?;
        }
    }
    Ok(())
}
