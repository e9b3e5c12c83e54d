//! The catalogs of the configured databases, each watched from the first question about it on.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use phigate_catalog::doctor::{self, Facts};
use phigate_catalog::{CatalogError, POLL_EVERY, Upstream, Watcher};
use phigate_sql::Snapshot;
use phigate_types::{DatabaseName, Secret};
use tokio::sync::OnceCell;
use tonic::Status;

use crate::DatabaseSpec;

/// How long the first look at a catalog may take.
const FIRST_LOOK: Duration = Duration::from_secs(10);

/// How long reading a whole catalog may take.
const FRESH_LOOK: Duration = Duration::from_secs(30);

/// Catalogs by database.
pub(crate) struct Catalogs(HashMap<DatabaseName, Catalog>);

struct Catalog {
    upstream: Secret<String>,
    /// Started by the first question: a control plane that is never asked reads no database.
    watcher: OnceCell<Watcher>,
}

impl Catalogs {
    pub(crate) fn new(specs: &[DatabaseSpec]) -> Self {
        let catalogs = specs.iter().map(|spec| {
            let catalog = Catalog {
                upstream: spec.upstream.clone(),
                watcher: OnceCell::new(),
            };
            (spec.name.clone(), catalog)
        });
        Self(catalogs.collect())
    }

    /// Where a database is.
    pub(crate) fn upstream(&self, name: &DatabaseName) -> Result<Upstream, Status> {
        let catalog = self.0.get(name).ok_or_else(|| unknown(name))?;
        Upstream::parse(catalog.upstream.expose())
            .map_err(|error| Status::failed_precondition(format!("database {name}: {error}")))
    }

    /// What its doctor finds in a database. Cancel safe.
    pub(crate) async fn facts(&self, name: &DatabaseName) -> Result<Facts, Status> {
        let upstream = self.upstream(name)?;
        asked(name, doctor::examine(&upstream)).await
    }

    /// A database's catalog, read for this question alone: what was committed before is in it. Cancel
    /// safe.
    pub(crate) async fn fresh(&self, name: &DatabaseName) -> Result<Arc<Snapshot>, Status> {
        let upstream = self.upstream(name)?;
        let reading = async {
            let mut connection = upstream.connect().await?;
            phigate_catalog::read(&mut connection).await
        };
        asked(name, reading).await.map(Arc::new)
    }

    /// A database's catalog as it is now. Cancel safe.
    pub(crate) async fn snapshot(&self, name: &DatabaseName) -> Result<Arc<Snapshot>, Status> {
        let catalog = self.0.get(name).ok_or_else(|| unknown(name))?;
        let upstream = self.upstream(name)?;
        let watcher = catalog
            .watcher
            .get_or_init(async || Watcher::start(upstream, POLL_EVERY))
            .await;
        let current = match watcher.current() {
            Ok(snapshot) => return Ok(snapshot),
            Err(_) => watcher.first_attempt(FIRST_LOOK).await,
        };
        current.map_err(|stale| Status::unavailable(format!("database {name}: {}", stale.reason)))
    }
}

/// An answer of the database, in time.
async fn asked<T>(
    name: &DatabaseName,
    asking: impl Future<Output = Result<T, CatalogError>>,
) -> Result<T, Status> {
    tokio::time::timeout(FRESH_LOOK, asking)
        .await
        .map_err(|_| Status::unavailable(format!("database {name}: it did not answer in time")))?
        .map_err(|error| Status::unavailable(format!("database {name}: {error}")))
}

/// Nobody configured this database.
pub(crate) fn unknown(name: &DatabaseName) -> Status {
    Status::not_found(format!("database: {name} is not configured"))
}
