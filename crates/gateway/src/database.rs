//! One database behind the gateway: where it is, and its catalog as it is now.

use std::sync::Arc;

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

    /// The catalog; an error when it could not be read for too long.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, ()> {
        self.watcher.current().map_err(|_| ())
    }
}
