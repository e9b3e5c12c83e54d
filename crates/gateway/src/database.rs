//! One database behind the gateway: where it is, and its catalog as it is now.

use std::sync::Arc;
use std::time::Duration;

use phigate_catalog::{Slots, Watcher};
use phigate_sql::Snapshot;
use phigate_types::DatabaseName;

use crate::upstream::Address;

/// See the module.
pub(crate) struct Database {
    pub(crate) name: DatabaseName,
    pub(crate) address: Address,
    pub(crate) passthrough: bool,
    /// In views mode, where sessions' logins come from.
    pub(crate) slots: Option<Slots>,
    watcher: Watcher,
}

impl Database {
    pub(crate) fn new(
        name: DatabaseName,
        address: Address,
        passthrough: bool,
        slots: Option<Slots>,
        watcher: Watcher,
    ) -> Self {
        Self {
            name,
            address,
            passthrough,
            slots,
            watcher,
        }
    }

    /// Waits for the first attempt at the catalog; an error says why there is none yet.
    pub(crate) async fn first_look(&self, within: Duration) -> Result<(), String> {
        let attempt = self.watcher.first_attempt(within).await;
        attempt.map(drop).map_err(|stale| stale.reason)
    }

    /// Waits until the catalog is another than that of this epoch. Cancel safe.
    pub(crate) async fn changed(&self, epoch: u64) {
        self.watcher.changed(epoch).await;
    }

    /// The catalog; an error when it could not be read for too long.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, ()> {
        self.watcher.current().map_err(|_| ())
    }
}
