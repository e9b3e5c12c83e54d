//! One revocation's wait.

use std::time::Duration;

use phigate_types::{GatewayId, Version};

use super::Holding;
use crate::Instant;
use crate::flaw::{Flaw, breaks};

/// Waits until a change has reached every process that could be serving when it was committed.
#[derive(Debug)]
pub struct Barrier {
    target: Version,
    committed: Instant,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    holding: Holding,
    ack: Option<Ack>,
}

/// How one of them was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The gateway; `None` for whoever attached before the control plane started.
    pub gateway: Option<GatewayId>,
    /// How many sessions the change ended there; 0 where it did not say.
    pub sessions_ended: u32,
    /// Since the commit.
    pub after: Duration,
    /// It did not answer: its lease ran out.
    pub lease_over: bool,
}

/// Whether the barrier is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Not before an acknowledgement, or this time.
    Waiting {
        /// When the next lease ends.
        until: Instant,
    },
    /// No gateway serves what the change ended.
    Done(Vec<Ack>),
}

impl Barrier {
    /// For the change at `target`, committed just before `now`, and those who may hold a lease,
    /// taken after the commit: rule 2. See [`Leases::barrier`](super::Leases::barrier).
    pub fn new(target: Version, now: Instant, holders: impl IntoIterator<Item = Holding>) -> Self {
        let members = holders
            .into_iter()
            .map(|holding| Member { holding, ack: None })
            .collect();
        Self {
            target,
            committed: now,
            members,
        }
    }

    /// The change's version.
    pub fn target(&self) -> Version {
        self.target
    }

    /// This process has carried out every change up to `version`: an Applied, or a Hello. Only the
    /// process that held the lease counts, not another with the same gateway id.
    pub fn acknowledged(
        &mut self,
        now: Instant,
        gateway: &GatewayId,
        instance: &str,
        version: Version,
        sessions_ended: u32,
    ) {
        if version < self.target {
            return;
        }
        let of_this_change = if version == self.target {
            sessions_ended
        } else {
            0
        };
        let after = now.saturating_sub(self.committed);
        for Member { holding, ack } in &mut self.members {
            let same = holding.gateway.as_ref() == Some(gateway)
                && (holding.instance == instance || breaks(Flaw::AcknowledgesForOthers));
            if same && ack.is_none() {
                *ack = Some(Ack {
                    gateway: Some(gateway.clone()),
                    sessions_ended: of_this_change,
                    after,
                    lease_over: false,
                });
            }
        }
    }

    /// Where it stands at `now`.
    pub fn poll(&mut self, now: Instant) -> Progress {
        let mut until: Option<Instant> = None;
        for Member { holding, ack } in self.members.iter_mut().filter(|m| m.ack.is_none()) {
            if now >= holding.lease_end {
                *ack = Some(Ack {
                    gateway: holding.gateway.clone(),
                    sessions_ended: 0,
                    after: now.saturating_sub(self.committed),
                    lease_over: true,
                });
            } else {
                until = Some(until.map_or(holding.lease_end, |until| until.min(holding.lease_end)));
            }
        }
        match until {
            Some(until) => Progress::Waiting { until },
            None => Progress::Done(self.members.iter().filter_map(|m| m.ack.clone()).collect()),
        }
    }
}
