//! What every connection of one gateway shares.

use std::collections::HashMap;
use std::sync::Arc;

use phigate_audit::Log;
use phigate_types::{DatabaseName, GatewayId};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::authorise::Policies;
use crate::cancel::CancelKeys;
use crate::cohort::Cohorts;
use crate::control::Control;
use crate::database::Database;
use crate::enforce::Plans;
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
    pub(crate) tls: Option<Acceptor>,
    pub(crate) control: Control,
    pub(crate) live: Arc<Live>,
    pub(crate) databases: HashMap<DatabaseName, Arc<Database>>,
    pub(crate) log: Log,
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
}
