//! Drains the outbox into the control plane's own log, in order.

use std::time::Duration;

use phigate_audit::{AuditError, Log};
use phigate_store::{Sequence, Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::leaf;

/// Leaves that are read and written together.
const BATCH: u32 = 256;

/// How long the outbox rests before what is durable is taken out of it; in the way of nobody then.
const REST: Duration = Duration::from_millis(200);

/// How long a store that did not answer is left alone.
const ASK_AGAIN: Duration = Duration::from_millis(500);

/// How long a call waits for its leaf.
const LEAF_DEADLINE: Duration = Duration::from_secs(10);

/// How far the log tells of what the store did.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Recorded {
    Through(Sequence),
    /// The log failed; it stays so until the process starts again.
    Failed(String),
}

/// What calls wait on.
#[derive(Clone)]
pub(crate) struct Recorder(watch::Receiver<Recorded>);

impl Recorder {
    /// Starts to drain, after the last event that the log tells of: a leaf that was in the log when
    /// the process died, but not yet taken out of the outbox, is not written a second time.
    pub(crate) fn start(
        store: Store,
        log: Log,
        after: Sequence,
        stop: CancellationToken,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (tell, told) = watch::channel(Recorded::Through(after));
        let task = tokio::spawn(async move {
            if let Err(error) = keep_draining(&store, &log, &tell, &stop).await {
                tracing::error!(%error, "the control plane's audit log failed: nothing is granted until it is repaired");
                tell.send_replace(Recorded::Failed(error.to_string()));
            }
        });
        (Self(told), task)
    }

    /// Fails when nothing can be recorded: what widens access is refused then.
    pub(crate) fn check(&self) -> Result<(), Status> {
        match &*self.0.borrow() {
            Recorded::Through(_) => Ok(()),
            Recorded::Failed(why) => Err(failed(why)),
        }
    }

    /// Waits until this leaf is durable. Cancel safe.
    pub(crate) async fn wait(&self, sequence: Sequence) -> Result<(), Status> {
        let mut told = self.0.clone();
        let reached = told.wait_for(|recorded| match recorded {
            Recorded::Through(through) => *through >= sequence,
            Recorded::Failed(_) => true,
        });
        match tokio::time::timeout(LEAF_DEADLINE, reached).await {
            Ok(Ok(recorded)) => match &*recorded {
                Recorded::Through(_) => Ok(()),
                Recorded::Failed(why) => Err(failed(why)),
            },
            Ok(Err(_)) => Err(Status::unavailable("the control plane is stopping")),
            Err(_) => Err(failed("it did not answer within its deadline")),
        }
    }
}

fn failed(why: &str) -> Status {
    Status::unavailable(format!("the control plane's audit log failed: {why}"))
}

#[derive(Debug, thiserror::Error)]
enum DrainError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// Drains until `stop`. A log that failed is final; a store that did not answer is asked again: what
/// was told so far is published, so that nothing is told twice.
async fn keep_draining(
    store: &Store,
    log: &Log,
    tell: &watch::Sender<Recorded>,
    stop: &CancellationToken,
) -> Result<(), AuditError> {
    loop {
        match drain(store, log, tell, stop).await {
            Ok(()) => return Ok(()),
            Err(DrainError::Audit(error)) => return Err(error),
            Err(DrainError::Store(error)) => {
                tracing::warn!(%error, "the outbox cannot be read; it is tried again");
                if stop.is_cancelled() {
                    return Ok(());
                }
                tokio::time::sleep(ASK_AGAIN).await;
            }
        }
    }
}

async fn drain(
    store: &Store,
    log: &Log,
    tell: &watch::Sender<Recorded>,
    stop: &CancellationToken,
) -> Result<(), DrainError> {
    let Recorded::Through(mut through) = *tell.borrow() else {
        return Ok(());
    };
    let mut marked = 0;
    loop {
        let leaves = store.leaves_after(through, BATCH).await?;
        let Some(last) = leaves.last().map(|leaf| leaf.sequence) else {
            if stop.is_cancelled() {
                return Ok(store.leaves_durable(through).await?);
            }
            tokio::select! {
                () = store.recorded() => {}
                () = stop.cancelled() => {}
                () = tokio::time::sleep(REST), if marked < through => {
                    store.leaves_durable(through).await?;
                    marked = through;
                }
            }
            continue;
        };
        let mut position = log.durable();
        for leaf in leaves {
            position = log.append(leaf::entry(leaf))?;
        }
        log.wait_durable(position).await?;
        through = last;
        tell.send_replace(Recorded::Through(through));
    }
}
