//! The control plane's side: who may hold a lease, and when a revocation has reached everybody.

mod barrier;
mod roster;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use phigate_types::{GatewayId, Version};

use crate::flaw::{Flaw, breaks};
use crate::{Instant, with_drift};

pub use barrier::{Ack, Barrier, Progress};
pub use roster::{Peers, Seat};

/// How many fenced processes of one gateway are remembered.
const FENCED_MAX: usize = 64;

/// Every process that may hold a lease. Behind one lock; rule 2 says in which order it is used.
#[derive(Debug)]
pub struct Leases {
    lease: Duration,
    holders: Vec<Holding>,
    fenced: VecDeque<(GatewayId, String)>,
}

/// One gateway process that may be serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Its gateway id; `None` for whoever attached to this control plane before it started.
    pub gateway: Option<GatewayId>,
    /// The process: `Hello.instance_id`.
    pub instance: String,
    /// Not before its lease ends, on this machine's clock.
    pub lease_end: Instant,
    /// Whether a stream is open.
    pub attached: bool,
}

/// Who may hold a lease from before this control plane started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// Nobody: the store is new.
    Nobody,
    /// Anybody.
    Unknown,
    /// These gateways and instances, and nobody else: the store kept them.
    Known(Vec<(GatewayId, String)>),
}

/// Another process with this gateway id has attached since. This one must not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process has attached with this gateway id; this one is fenced")]
pub struct Fenced;

impl Leases {
    /// At the start of a control plane that gives leases of this length.
    pub fn new(lease: Duration, now: Instant, earlier: Earlier) -> Self {
        let holding = |gateway, instance| Holding {
            gateway,
            instance,
            lease_end: now + with_drift(lease),
            attached: false,
        };
        let holders = match earlier {
            _ if breaks(Flaw::ForgetsEarlier) => Vec::new(),
            Earlier::Nobody => Vec::new(),
            Earlier::Unknown => vec![holding(None, String::new())],
            Earlier::Known(known) => known
                .into_iter()
                .map(|(gateway, instance)| holding(Some(gateway), instance))
                .collect(),
        };
        Self {
            lease,
            holders,
            fenced: VecDeque::new(),
        }
    }

    /// How long a renewal is good for: `Welcome.lease`.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// A Hello arrived at `now`; it counts as a renewal. To be called before the changes for the
    /// Welcome are read. Returns the instances that this one fences: their streams are to be closed.
    pub fn attach(
        &mut self,
        now: Instant,
        gateway: &GatewayId,
        instance: &str,
    ) -> Result<Vec<String>, Fenced> {
        if self
            .fenced
            .iter()
            .any(|(of, which)| of == gateway && which == instance)
        {
            return Err(Fenced);
        }
        self.forget(now);
        let mut fenced = Vec::new();
        for other in &mut self.holders {
            if other.gateway.as_ref() == Some(gateway) && other.instance != instance {
                other.attached = false;
                fenced.push(other.instance.clone());
            }
        }
        for which in &fenced {
            let entry = (gateway.clone(), which.clone());
            if !self.fenced.contains(&entry) {
                if self.fenced.len() == FENCED_MAX {
                    self.fenced.pop_front();
                }
                self.fenced.push_back(entry);
            }
        }
        let lease_end = self.end_of_lease(now);
        match self.find(gateway, instance) {
            Some(holding) => {
                holding.attached = true;
                holding.lease_end = holding.lease_end.max(lease_end);
            }
            None => self.holders.push(Holding {
                gateway: Some(gateway.clone()),
                instance: instance.to_owned(),
                lease_end,
                attached: true,
            }),
        }
        Ok(fenced)
    }

    /// A Renew arrived at `now`. To be called before the head is read for the answer: rule 2.
    pub fn renew(
        &mut self,
        now: Instant,
        gateway: &GatewayId,
        instance: &str,
    ) -> Result<(), Fenced> {
        let lease_end = self.end_of_lease(now);
        let holding = self
            .find(gateway, instance)
            .filter(|holding| holding.attached);
        let holding = holding.ok_or(Fenced)?;
        holding.lease_end = holding.lease_end.max(lease_end);
        Ok(())
    }

    /// The stream of this process is gone. Its lease runs on.
    pub fn detach(&mut self, gateway: &GatewayId, instance: &str) {
        if let Some(holding) = self.find(gateway, instance) {
            holding.attached = false;
        }
    }

    /// Everybody who may be serving at `now`: whom a revocation waits for.
    pub fn holders(&self, now: Instant) -> impl Iterator<Item = &Holding> {
        self.holders
            .iter()
            .filter(move |holding| holding.attached || now < holding.lease_end)
    }

    /// When the last lease of this gateway ends, drift included; `None` when it has none.
    pub fn lease_end(&self, gateway: &GatewayId) -> Option<Instant> {
        let of = |holding: &&Holding| holding.gateway.as_ref() == Some(gateway);
        self.holders
            .iter()
            .filter(of)
            .map(|holding| holding.lease_end)
            .max()
    }

    /// These sat with another replica just before `now`: they may serve for one more lease, unless they
    /// attach elsewhere. That replica was fenced; or a process has taken a seat here, when this is to be
    /// called after the seat is written, whatever was noted at its Hello.
    pub fn adopt(&mut self, now: Instant, seats: impl IntoIterator<Item = (GatewayId, String)>) {
        let lease_end = self.end_of_lease(now);
        for (gateway, instance) in seats {
            match self.find(&gateway, &instance) {
                Some(holding) => holding.lease_end = holding.lease_end.max(lease_end),
                None => self.holders.push(Holding {
                    gateway: Some(gateway),
                    instance,
                    lease_end,
                    attached: false,
                }),
            }
        }
    }

    /// The barrier of one of several replicas, for a change that it committed just before `now`: for
    /// everybody on the roster, which was read after the commit. What this replica noted of their leases
    /// does not shorten the wait: a process may have had a later answer elsewhere and be here again since.
    pub fn barrier_among(
        &self,
        target: Version,
        now: Instant,
        roster: impl IntoIterator<Item = Seat>,
    ) -> Barrier {
        let member = |seat: Seat| Holding {
            gateway: Some(seat.gateway),
            instance: seat.instance,
            lease_end: self.end_of_lease(now),
            attached: true,
        };
        Barrier::new(target, now, roster.into_iter().map(member))
    }

    /// The barrier for a change that was committed just before `now`.
    pub fn barrier(&self, target: Version, now: Instant) -> Barrier {
        // What was noted since the commit is for an answer that carries the change.
        let member = |holding: &Holding| Holding {
            lease_end: holding.lease_end.min(self.end_of_lease(now)),
            ..holding.clone()
        };
        Barrier::new(target, now, self.holders(now).map(member))
    }

    /// When a lease that is asked for at `now` is over on every clock.
    fn end_of_lease(&self, now: Instant) -> Instant {
        if breaks(Flaw::ForgetsDrift) {
            return now + self.lease;
        }
        now + with_drift(self.lease)
    }

    fn find(&mut self, gateway: &GatewayId, instance: &str) -> Option<&mut Holding> {
        self.holders.iter_mut().find(|holding| {
            holding.gateway.as_ref() == Some(gateway) && holding.instance == instance
        })
    }

    fn forget(&mut self, now: Instant) {
        self.holders
            .retain(|holding| holding.attached || now < holding.lease_end);
    }
}
