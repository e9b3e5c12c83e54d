//! What is put right before anybody is answered: restored backups, changed classifications.

use phigate_audit::replay::{Told, last_told};
use phigate_audit::{AuditError, Log, LogConfig};
use phigate_grant::Ended;
use phigate_lease::control::Earlier;
use phigate_phi::{EffectivePolicy, Transform, Treatment};
use phigate_proto::v1;
use phigate_store::{Fence, SYSTEM, Store, Stored};
use phigate_types::Version;
use prost::Message as _;

use crate::databases::Databases;
use crate::{ControlError, clock};

/// Opens the log and finds how far it tells of the store.
pub(crate) async fn open_log(config: LogConfig) -> Result<(Log, Told), ControlError> {
    let dir = config.dir.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let (log, report) = Log::open(config)?;
        if let Some(damage) = &report.quarantined {
            tracing::error!(
                ?damage,
                "the control plane's audit log is damaged; it goes on in a new epoch"
            );
        }
        Ok::<_, AuditError>((log, last_told(&dir)?))
    });
    Ok(opened
        .await
        .map_err(|_| ControlError::Stopped("the audit log could not be opened"))??)
}

/// Compares store and log; returns who may hold a lease from before.
pub(crate) async fn fence(store: &Store, told: Told) -> Result<Earlier, ControlError> {
    let known = store.known_gateways().await?;
    let known = known
        .into_iter()
        .map(|gateway| (gateway.id, gateway.instance));
    match store
        .fence(told.sequence, told.version, clock::now())
        .await?
    {
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

/// Grants whose policy would be another one under today's classification: what they release is not
/// what was approved. Where the new policy only withholds more, the grant goes on in a new epoch;
/// otherwise it is revoked.
///
/// Returns the last change that gateways have to carry out for it, if there is any.
pub(crate) async fn reclassify(
    store: &Store,
    databases: &Databases,
) -> Result<Option<Version>, ControlError> {
    let mut last = None;
    for stored in store.active_grants().await? {
        let grant = &stored.grant;
        let policy = match databases.policy(&grant.terms) {
            None => {
                tracing::warn!(grant = %grant.id, database = %grant.terms.database,
                    "a live grant is for a database that is not configured");
                continue;
            }
            Some(Ok(policy)) if policy.id == stored.policy => continue,
            Some(policy) => policy.ok(),
        };
        let now = clock::now();
        if let Some(policy) = policy
            && let Some(before) = current_policy(store, &stored).await?
            && let Some(after) = decode(&policy.body)
            && only_withholds_more(&before, &after)
        {
            tracing::warn!(grant = %grant.id, "a grant is narrowed: its classification changed");
            let narrowed = store
                .reclassify_grant(grant.id, &policy.id, &policy.body, now)
                .await?;
            last = last.max(narrowed.map(|narrowed| narrowed.version));
            continue;
        }
        tracing::warn!(grant = %grant.id, "a grant is revoked: its classification changed");
        let ended = Ended {
            at: now,
            by: SYSTEM.to_owned(),
            reason: "the classification of the database changed; ask for a new grant".to_owned(),
        };
        let end = store.revoke_grant(grant.id, ended).await?;
        last = last.max(Some(end.version));
    }
    Ok(last)
}

async fn current_policy(
    store: &Store,
    stored: &Stored,
) -> Result<Option<EffectivePolicy>, ControlError> {
    let body = store.policy(&stored.policy, clock::now()).await?;
    Ok(body.and_then(|body| decode(&body)))
}

fn decode(body: &[u8]) -> Option<EffectivePolicy> {
    let sent = v1::GetPolicyResponse::decode(body).ok()?;
    EffectivePolicy::try_from(sent).ok()
}

/// Whether every column is treated as before, or is withheld now. Nothing else is narrower for certain:
/// a pseudonym in the place of the value joins what was seen before to what is pseudonymous elsewhere,
/// and two transforms of one column tell more than either.
fn only_withholds_more(before: &EffectivePolicy, after: &EffectivePolicy) -> bool {
    let withheld = |treatment| {
        matches!(
            treatment,
            Treatment::Block | Treatment::Release(Transform::Null)
        )
    };
    before.profile == after.profile
        && before.unclassified == after.unclassified
        && before.rows == after.rows
        && before.rules.len() == after.rules.len()
        && before.rules.iter().zip(&after.rules).all(|(old, new)| {
            old.column == new.column
                && (old.treatment == new.treatment && new.json_paths.is_within(&old.json_paths)
                    || withheld(new.treatment) && old.treatment != Treatment::Block)
        })
}
