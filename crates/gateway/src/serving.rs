//! A gateway that serves, as the daemon around it sees it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use phigate_vitals::{Check, Pulse};

use crate::gateway::Gateway;
use crate::{ControlEndpoint, GatewayError, TlsMode, acceptor, clock};

/// Clones are the same gateway.
#[derive(Clone)]
pub struct Serving {
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    /// The loops that must turn: the listener's and the lease's.
    pub(crate) pulses: [Pulse; 2],
}

/// What can be changed while it serves.
#[derive(Debug)]
pub struct Renewal {
    /// The certificate that clients see from their next connection on. Whether there is TLS at all
    /// cannot be changed.
    pub tls: TlsMode,
    /// The certificates towards the control plane; not its address.
    pub control: ControlEndpoint,
    /// [`crate::Timeouts::drain`].
    pub drain: Duration,
}

impl Serving {
    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes the renewal over, all of it or nothing. The control plane is asked whether it takes the new
    /// certificate; sessions go on.
    ///
    /// # Errors
    /// Why everything stays as it was.
    pub async fn renew(&self, renewal: Renewal) -> Result<(), GatewayError> {
        let acceptor = acceptor(&renewal.tls, self.address)?;
        let (tls, acceptor) = match (&self.gateway.tls, acceptor) {
            (None, None) => (None, None),
            (Some(tls), Some(acceptor)) => (Some(tls), Some(acceptor)),
            (Some(_), None) | (None, Some(_)) => return Err(GatewayError::TlsOnOrOff),
        };
        self.gateway.control.renew(&renewal.control).await?;
        if let (Some(tls), Some(acceptor)) = (tls, acceptor) {
            tls.store(Arc::new(acceptor));
        }
        self.gateway.patience.store(Arc::new(renewal.drain));
        Ok(())
    }

    /// Resolves when every loop that must turn has turned since the call. Cancel safe.
    pub async fn turned(&self) {
        for pulse in &self.pulses {
            pulse.felt().await;
        }
    }

    /// What serving needs: no drain, a lease, a log that takes records, databases that are known.
    pub fn checks(&self) -> Vec<Check> {
        let Gateway {
            live,
            log,
            databases,
            ..
        } = &*self.gateway;
        let mut checks = vec![
            Check::new("not stopping", !live.is_draining()),
            Check::new("lease", live.is_live(clock::now())),
            Check::new("log", log.failed().is_none() && !log.is_disk_low()),
        ];
        let mut names: Vec<_> = databases.iter().collect();
        names.sort_by(|one, other| one.0.cmp(other.0));
        checks.extend(
            names
                .iter()
                .map(|(name, database)| Check::new(format!("database {name}"), database.is_fit())),
        );
        checks
    }

    /// Its metrics as they are now, in the OpenMetrics text format without its end mark.
    ///
    /// # Errors
    /// As the writer says.
    pub fn metrics(&self, out: &mut String) -> fmt::Result {
        self.gateway.events.write(out, &self.gateway)
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
