//! What every connection of one gateway shares.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use phigate_audit::Log;
use phigate_types::{DatabaseName, GatewayId};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::authorise::Policies;
use crate::cancel::CancelKeys;
use crate::cohort::Cohorts;
use crate::control::Control;
use crate::database::Database;
use crate::enforce::Plans;
use crate::events::Events;
use crate::live::Live;
use crate::tls::Acceptor;
use crate::{Limits, Timeouts};

/// See the module.
pub(crate) struct Gateway {
    pub(crate) id: GatewayId,
    /// This process, among all that ever had the id.
    pub(crate) instance: String,
    /// `host:port` as analysts see it.
    pub(crate) advertised: String,
    pub(crate) limits: Limits,
    pub(crate) timeouts: Timeouts,
    /// How TLS is accepted; `None` where it is off.
    pub(crate) tls: Option<ArcSwap<Acceptor>>,
    pub(crate) control: Control,
    pub(crate) live: Arc<Live>,
    pub(crate) databases: HashMap<DatabaseName, Arc<Database>>,
    pub(crate) log: Log,
    pub(crate) events: Arc<Events>,
    pub(crate) policies: Policies,
    pub(crate) cohorts: Cohorts,
    pub(crate) plans: Plans,
    pub(crate) cancels: Arc<CancelKeys>,
    /// A backend is expensive to start: so many at a time.
    pub(crate) upstream_logins: Semaphore,
    /// So are ending one and telling the control plane of it.
    pub(crate) teardowns: Semaphore,
    /// Everything that runs for clients.
    pub(crate) tasks: TaskTracker,
    /// Cancelled when nobody is even told any more why there is no session.
    pub(crate) closing: CancellationToken,
    /// How long transactions may go on when it stops.
    pub(crate) patience: ArcSwap<Duration>,
}

/// Why a step of a login came to nothing.
pub(crate) enum NotInTime {
    /// It took too long.
    Late,
    /// The gateway has stopped meanwhile.
    Stopping,
}

impl Gateway {
    /// How the next connection is accepted.
    pub(crate) fn acceptor(&self) -> Option<Arc<Acceptor>> {
        self.tls.as_ref().map(ArcSwap::load_full)
    }

    /// What a client does before it has a session, as long as it may take. To be boxed: a session is not to
    /// keep the room for its login.
    pub(crate) async fn at_login<T>(&self, step: impl Future<Output = T>) -> Result<T, NotInTime> {
        tokio::select! {
            biased;
            () = self.closing.cancelled() => Err(NotInTime::Stopping),
            done = tokio::time::timeout(self.timeouts.login, step) => {
                done.map_err(|_| NotInTime::Late)
            }
        }
    }
}
