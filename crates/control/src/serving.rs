//! A control plane that serves, as the daemon around it sees it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use phigate_pki::Identity;
use phigate_types::PrincipalName;
use phigate_vitals::{Check, Pulse};

use crate::events::Now;
use crate::incoming::{self, Tls};
use crate::plane::Plane;
use crate::{ControlError, DatabaseSpec, clock, startup};

/// Clones are the same control plane.
#[derive(Clone)]
pub struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) plane: Arc<Plane>,
    pub(crate) tls: Tls,
    pub(crate) accepting: Pulse,
}

/// What can be changed while it serves.
#[derive(Debug)]
pub struct Renewal {
    /// The certificate that admins and gateways see from their next connection on.
    pub identity: Identity,
    /// The CA that gateways' certificates are held against from their next connection on, in PEM.
    pub client_ca_pem: String,
    /// The same databases with what they hold: classification, row rules, what becomes of columns that
    /// are not classified, the login that hardens.
    pub databases: Vec<DatabaseSpec>,
    /// Who may be granted access from now on.
    pub principals: Option<Vec<PrincipalName>>,
}

impl Serving {
    /// Where admins and gateways connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes the renewal over. Grants that another classification narrows lose their sessions, those that
    /// it would change otherwise are revoked; returns when no gateway serves them any more.
    ///
    /// # Errors
    /// Certificates that cannot be used: everything stays as it was. A store that fails: the new
    /// classification holds for new grants, and the reload is to be repeated.
    pub async fn renew(&self, renewal: Renewal) -> Result<(), ControlError> {
        let tls = incoming::tls(&renewal.identity, &renewal.client_ca_pem)?;
        self.tls.store(Arc::new(tls));
        let plane = &self.plane;
        let alone = plane.classified.write().await;
        plane.databases.replace(renewal.databases);
        plane.principals.store(Arc::new(renewal.principals));
        drop(alone);
        let called = clock::boottime();
        if let Some(version) = startup::reclassify(&plane.store, &plane.databases).await? {
            let passed = plane.barrier(version, called, (None, None), None).await;
            tracing::info!(
                barrier_ms = passed.barrier_ms,
                "grants of another classification have ended"
            );
        }
        Ok(())
    }

    /// Resolves when the listener's loop has turned since the call. Cancel safe.
    pub async fn turned(&self) {
        self.accepting.felt().await;
    }

    /// What serving needs: a store that answers, a log that takes records.
    pub async fn checks(&self) -> Vec<Check> {
        let now = self.now().await;
        vec![
            Check::new("not stopping", !self.plane.shutdown.is_cancelled()),
            Check::new("store", now.store_answers),
            Check::new("log", !now.log_failed),
        ]
    }

    /// Its metrics as they are now, in the OpenMetrics text format without its end mark.
    ///
    /// # Errors
    /// As the writer says.
    pub async fn metrics(&self, out: &mut String) -> fmt::Result {
        let now = self.now().await;
        self.plane.events.write(out, now)
    }

    async fn now(&self) -> Now {
        let plane = &self.plane;
        Now {
            gateways: plane.gateways.attached(),
            store_answers: plane.store.head().await.is_ok(),
            log_failed: plane.recorder.check().is_err(),
        }
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
