//! One database behind the gateway: where it is, and its catalog as it is now.

use std::sync::Arc;
use std::time::Duration;

use phigate_catalog::{Slots, Watcher};
use phigate_sql::Snapshot;
use phigate_types::DatabaseName;

use crate::columns::Columns;
use crate::limits;
use crate::upstream::Address;

/// See the module.
pub(crate) struct Database {
    pub(crate) name: DatabaseName,
    pub(crate) address: Address,
    pub(crate) passthrough: bool,
    /// In views mode, where sessions' logins come from.
    pub(crate) slots: Option<Slots>,
    /// Which column each classified name meant at first.
    pub(crate) columns: Columns,
    watcher: Watcher,
}

impl Database {
    pub(crate) fn new(
        name: DatabaseName,
        address: Address,
        passthrough: bool,
        slots: Option<Slots>,
        columns: Columns,
        watcher: Watcher,
    ) -> Self {
        Self {
            name,
            address,
            passthrough,
            slots,
            columns,
            watcher,
        }
    }

    /// Waits for the first attempt at the catalog; an error says why there is none yet.
    pub(crate) async fn first_look(&self, within: Duration) -> Result<(), String> {
        let attempt = self.watcher.first_attempt(within).await;
        attempt.map(drop).map_err(|stale| stale.reason)
    }

    /// The catalog; an error when it could not be read for too long.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, ()> {
        self.watcher.current().map_err(|_| ())
    }

    /// Whether its clients are served: its catalog is known, and nothing leads round its masked views.
    pub(crate) fn is_fit(&self) -> bool {
        self.watcher.current().is_ok() && self.is_sound()
    }

    /// The epoch of the catalog; costs next to nothing.
    pub(crate) fn epoch(&self) -> u64 {
        self.watcher.epoch()
    }

    /// Whether nothing in the database lets a session get round its masked views.
    pub(crate) fn is_sound(&self) -> bool {
        self.watcher.unsound().is_empty()
    }

    /// Has the catalog read now, so that what was changed before this call is in the next
    /// [`Database::snapshot`]; gives up after a short while.
    pub(crate) async fn refresh(&self) {
        let read = self.watcher.refreshed(limits::CATALOG_REFRESH).await;
        if let Err(stale) = read {
            tracing::warn!(database = %self.name, %stale, "the catalog could not be read again");
        }
    }
}
