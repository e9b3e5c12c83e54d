//! The control plane: a log, its leases, its barriers.

use std::collections::BTreeMap;
use std::time::Duration;

use phigate_lease::control::{Barrier, Earlier, Leases, Progress};
use phigate_lease::gateway::Admission;
use phigate_lease::{Change, LEASE, with_drift};
use phigate_types::{Epoch, GatewayId, GrantId, SessionId, Version};

use crate::net::{AtPlane, AtProcess, Clock, Event, Net};
use crate::{Tally, grant};

const GRANTS: u64 = 3;

/// A barrier is polled when it asks to be; the rest is rounding between clocks.
const PATIENCE: Duration = Duration::from_millis(1);

type Who<'a> = (usize, &'a GatewayId, &'a str);

pub(crate) struct Plane {
    clock: Clock,
    log: Vec<Change>,
    epochs: BTreeMap<GrantId, Epoch>,
    leases: Leases,
    streams: BTreeMap<u64, Stream>,
    barriers: Vec<(Barrier, GrantId, Epoch, Duration, Option<Duration>)>,
}

struct Stream {
    process: usize,
    gateway: GatewayId,
    instance: String,
    /// Up to here the changes were sent on it.
    sent: Version,
}

impl Plane {
    pub(crate) fn new(net: &mut Net) -> Self {
        let clock = net.clock();
        Self {
            clock,
            log: Vec::new(),
            epochs: (0..GRANTS)
                .map(|number| (grant(number), Epoch(1)))
                .collect(),
            leases: Leases::new(LEASE, clock.read(net), Earlier::Nobody),
            streams: BTreeMap::new(),
            barriers: Vec::new(),
        }
    }

    /// Starts again with nothing but its log; revocations under way fail.
    pub(crate) fn restart(&mut self, net: &mut Net) {
        let now = self.clock.read(net);
        let known = self.leases.holders(now);
        let known = known.map(|holding| Some((holding.gateway.clone()?, holding.instance.clone())));
        let earlier = match (net.below(2), known.collect::<Option<Vec<_>>>()) {
            (0, Some(known)) => Earlier::Known(known),
            _ => Earlier::Unknown,
        };
        self.leases = Leases::new(LEASE, now, earlier);
        self.barriers.clear();
        for (stream, of) in std::mem::take(&mut self.streams) {
            net.break_stream(stream);
            let delay = net.delay();
            net.at_process(delay, of.process, AtProcess::Lost { stream });
        }
    }

    pub(crate) fn happen(
        &mut self,
        net: &mut Net,
        who: Who<'_>,
        stream: u64,
        what: AtPlane,
        tally: &mut Tally,
    ) {
        let now = self.clock.read(net);
        let (process, gateway, instance) = who;
        if let AtPlane::Lost = what {
            if self.streams.remove(&stream).is_some() && !self.has_stream(gateway, instance) {
                self.leases.detach(gateway, instance);
            }
            return;
        }
        if net.is_broken(stream) {
            return;
        }
        match what {
            AtPlane::Hello { applied } => {
                let Ok(fenced) = self.leases.attach(now, gateway, instance) else {
                    return Self::refuse(net, process, stream);
                };
                tally.fenced += fenced.len() as u64;
                self.close(net, gateway, &fenced);
                let (gateway, instance) = (gateway.clone(), instance.to_owned());
                for (barrier, ..) in &mut self.barriers {
                    barrier.acknowledged(now, &gateway, &instance, applied, 0);
                }
                self.streams.insert(
                    stream,
                    Stream {
                        process,
                        gateway,
                        instance,
                        sent: applied,
                    },
                );
                let work = net.work();
                net.at_plane(work, process, stream, AtPlane::Answer { sequence: None });
            }
            AtPlane::Renew { sequence } => match self.leases.renew(now, gateway, instance) {
                Ok(()) => {
                    let work = net.work();
                    let answer = AtPlane::Answer {
                        sequence: Some(sequence),
                    };
                    net.at_plane(work, process, stream, answer);
                }
                Err(_) => Self::refuse(net, process, stream),
            },
            AtPlane::Answer { sequence } => self.answer(net, stream, sequence),
            AtPlane::Applied {
                version,
                sessions_ended,
            } => {
                for (barrier, ..) in &mut self.barriers {
                    barrier.acknowledged(now, gateway, instance, version, sessions_ended);
                }
            }
            AtPlane::Lost => {}
        }
        net.after(0, Event::Poll);
    }

    /// Authorises on what is true now.
    pub(crate) fn open(&self, net: &mut Net, process: usize, session: SessionId, of: GrantId) {
        let admission = Admission {
            session,
            grant: of,
            epoch: self.epochs[&of],
            read_version: self.head(),
        };
        let delay = net.delay();
        net.at_process(delay, process, AtProcess::Opened(admission));
    }

    /// Commits, then tells, then waits; each a moment later.
    pub(crate) fn revoke(&mut self, net: &mut Net) {
        if net.below(3) == 0 {
            let version = self.head().next();
            return self.log.push(Change::Advance { version });
        }
        let of = grant(net.below(GRANTS));
        let epoch = self.epochs[&of].next();
        self.epochs.insert(of, epoch);
        let version = self.head().next();
        let reason = String::new();
        self.log.push(Change::GrantEnded {
            version,
            grant: of,
            epoch,
            reason,
        });
        let pushed: Vec<_> = self.streams.keys().copied().collect();
        for stream in pushed {
            if net.below(4) > 0 {
                self.push(net, stream);
            }
        }
        let work = net.work();
        net.after(
            work,
            Event::Barrier {
                target: version,
                grant: of,
                epoch,
            },
        );
    }

    pub(crate) fn start_barrier(
        &mut self,
        net: &mut Net,
        target: Version,
        of: GrantId,
        epoch: Epoch,
    ) {
        let now = self.clock.read(net);
        self.barriers
            .push((self.leases.barrier(target, now), of, epoch, now, None));
        net.after(0, Event::Poll);
    }

    /// The revocations that return now.
    pub(crate) fn poll(
        &mut self,
        net: &mut Net,
        tally: &mut Tally,
    ) -> Result<Vec<(GrantId, Epoch)>, String> {
        let now = self.clock.read(net);
        let mut returned = Vec::new();
        for (barrier, of, epoch, since, polled) in &mut self.barriers {
            match barrier.poll(now) {
                Progress::Waiting { until } => {
                    if now > *since + with_drift(LEASE) + PATIENCE {
                        return Err(format!(
                            "a revocation has waited since {since:?} at {now:?}"
                        ));
                    }
                    if *polled != Some(until) {
                        *polled = Some(until);
                        let wait = self.clock.until(net, until);
                        net.after(wait, Event::Poll);
                    }
                }
                Progress::Done(acks) => {
                    tally.barriers += 1;
                    let over = acks.iter().filter(|ack| ack.lease_over).count() as u64;
                    tally.lease_over += over;
                    tally.acknowledged += acks.len() as u64 - over;
                    returned.push((*of, *epoch));
                }
            }
        }
        self.barriers
            .retain(|(_, of, epoch, ..)| !returned.contains(&(*of, *epoch)));
        Ok(returned)
    }

    fn head(&self) -> Version {
        Version(self.log.len() as u64)
    }

    fn has_stream(&self, gateway: &GatewayId, instance: &str) -> bool {
        self.streams
            .values()
            .any(|of| of.gateway == *gateway && of.instance == instance)
    }

    fn answer(&mut self, net: &mut Net, stream: u64, sequence: Option<u64>) {
        let head = self.head();
        let Some(of) = self.streams.get_mut(&stream) else {
            return;
        };
        let process = of.process;
        let changes = self.log[of.sent.0.min(head.0) as usize..].to_vec();
        of.sent = head;
        let what = match sequence {
            None => AtProcess::Welcome {
                stream,
                lease: LEASE,
                changes,
                head,
            },
            Some(sequence) => AtProcess::Renewed {
                stream,
                sequence,
                changes,
                head,
            },
        };
        let delay = net.delay();
        net.at_process(delay, process, what);
    }

    fn push(&mut self, net: &mut Net, stream: u64) {
        let Some(of) = self.streams.get_mut(&stream) else {
            return;
        };
        for change in &self.log[of.sent.0 as usize..] {
            let delay = net.delay();
            let change = change.clone();
            net.at_process(delay, of.process, AtProcess::Pushed { stream, change });
        }
        of.sent = Version(self.log.len() as u64);
    }

    fn close(&mut self, net: &mut Net, gateway: &GatewayId, fenced: &[String]) {
        let of_fenced = |of: &Stream| of.gateway == *gateway && fenced.contains(&of.instance);
        for (stream, of) in self.streams.extract_if(.., |_, of| of_fenced(of)) {
            let delay = net.delay();
            net.at_process(delay, of.process, AtProcess::Lost { stream });
        }
    }

    fn refuse(net: &mut Net, process: usize, stream: u64) {
        let delay = net.delay();
        net.at_process(delay, process, AtProcess::Lost { stream });
    }
}
