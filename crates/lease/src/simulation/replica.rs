//! One replica of the control plane: its streams, its leases, its barriers. It may be stopped, cut off from
//! the store, or replaced by a new process.

use std::collections::BTreeMap;
use std::time::Duration;

use phigate_types::{Epoch, GrantId, Version};

use super::Tally;
use super::net::{AtProcess, AtReplica, Clock, Net, Own, SECOND};
use super::store::{Store, Who};
use crate::control::{Barrier, Earlier, Leases, Peers, Progress, Seat};
use crate::flaw::{Flaw, breaks};
use crate::gateway::Admission;
use crate::{Ending, Instant, LEASE, with_drift};

/// A barrier is polled when it asks to be; the rest is rounding between clocks.
const PATIENCE: Duration = Duration::from_millis(1);

/// How often a replica shows that it lives.
const BEAT: Duration = Duration::from_secs(1);

pub(super) struct Replica {
    index: usize,
    /// Rises with each process in this place.
    life: u64,
    name: String,
    clock: Clock,
    /// Stopped until then.
    asleep: u64,
    /// Cut off from the store until then.
    cut: u64,
    leases: Leases,
    peers: Peers,
    /// Fenced replicas whose gateways are watched here, and until when.
    adopted: BTreeMap<String, Instant>,
    streams: BTreeMap<u64, Stream>,
    barriers: Vec<Wait>,
    /// What a revocation would wait for if it looked before its commit.
    early: Option<(Vec<Seat>, Barrier)>,
}

struct Stream {
    process: usize,
    who: Who,
    /// Up to here the changes were sent on it.
    sent: Version,
}

struct Wait {
    barrier: Barrier,
    grant: GrantId,
    epoch: Epoch,
    since: Instant,
    polled: Option<Instant>,
}

impl Replica {
    pub(super) fn new(net: &mut Net, store: &Store, index: usize) -> Self {
        let clock = net.clock();
        let mut replica = Self {
            index,
            life: 0,
            name: String::new(),
            clock,
            asleep: 0,
            cut: 0,
            leases: Leases::new(LEASE, clock.read(net), Earlier::Nobody),
            peers: Peers::new(LEASE),
            adopted: BTreeMap::new(),
            streams: BTreeMap::new(),
            barriers: Vec::new(),
            early: None,
        };
        replica.begin(net, store);
        replica
    }

    /// A new process in this place; revocations under way fail.
    pub(super) fn restart(&mut self, net: &mut Net, store: &Store) {
        let now = self.clock.read(net);
        let known = self.leases.holders(now);
        let known = known.map(|holding| Some((holding.gateway.clone()?, holding.instance.clone())));
        let earlier = match (
            store.shared,
            net.below(2),
            known.collect::<Option<Vec<_>>>(),
        ) {
            (true, ..) => Earlier::Nobody,
            (false, 0, Some(known)) => Earlier::Known(known),
            (false, ..) => Earlier::Unknown,
        };
        self.leases = Leases::new(LEASE, now, earlier);
        self.begin(net, store);
    }

    fn begin(&mut self, net: &mut Net, store: &Store) {
        self.life += 1;
        self.name = format!("replica-{}-{}", self.index, self.life);
        self.peers = Peers::new(LEASE);
        self.adopted.clear();
        self.barriers.clear();
        self.early = None;
        for (stream, of) in std::mem::take(&mut self.streams) {
            net.break_stream(stream);
            net.send_process(of.process, AtProcess::Lost { stream });
        }
        if store.shared {
            self.own(net, 0, Own::Beat);
        }
    }

    pub(super) fn pause(&mut self, net: &Net, length: u64) {
        self.asleep = self.asleep.max(net.now + length);
    }

    pub(super) fn cut_off(&mut self, net: &Net, length: u64) {
        self.cut = self.cut.max(net.now + length);
    }

    /// Something was committed, here or elsewhere.
    pub(super) fn wake(&self, net: &mut Net, delay: u64) {
        self.own(net, delay, Own::Push);
    }

    /// What happens; the revocations that return.
    pub(super) fn happen(
        &mut self,
        net: &mut Net,
        store: &mut Store,
        what: AtReplica,
        tally: &mut Tally,
    ) -> Result<Vec<(GrantId, Epoch)>, String> {
        if net.now < self.asleep {
            let later = self.asleep - net.now + net.below(50);
            net.at_replica(later, self.index, what);
            return Ok(Vec::new());
        }
        match what {
            AtReplica::Own { life, what } if life == self.life => self.act(net, store, what, tally),
            AtReplica::Own { .. } => {}
            AtReplica::Lost { stream } => self.lost(store, stream),
            AtReplica::Hello { stream, .. }
            | AtReplica::Renew { stream, .. }
            | AtReplica::Applied { stream, .. }
                if net.is_broken(stream) => {}
            AtReplica::Hello {
                process,
                who,
                stream,
                applied,
            } => self.hello(net, (process, who), stream, applied, tally),
            AtReplica::Renew { stream, sequence } => self.renew(net, stream, sequence),
            AtReplica::Applied {
                stream,
                version,
                sessions_ended,
            } => {
                if let Some(of) = self.streams.get(&stream) {
                    let who = of.who.clone();
                    self.acknowledged(net, &who, version, sessions_ended);
                    let work = net.work();
                    let own = Own::Acknowledge {
                        who,
                        version,
                        sessions_ended,
                    };
                    self.own(net, work, own);
                }
            }
            AtReplica::Open {
                process,
                session,
                grant,
            } => {
                let epoch = store.epoch(grant).filter(|_| !self.is_cut(net));
                if let Some(epoch) = epoch {
                    let admission = Admission {
                        session,
                        grant,
                        epoch,
                        read_version: store.head(),
                    };
                    net.send_process(process, AtProcess::Opened(admission));
                }
            }
            AtReplica::Revoke { grant } => self.revoke(net, store, grant),
        }
        self.poll(net, tally)
    }

    fn act(&mut self, net: &mut Net, store: &mut Store, what: Own, tally: &mut Tally) {
        let now = self.clock.read(net);
        let cut = self.is_cut(net);
        match what {
            Own::Poll => {}
            Own::Beat => {
                if !cut {
                    self.beat(net, store, tally);
                }
                let next = self.clock.until(net, now + BEAT);
                self.own(net, next, Own::Beat);
            }
            Own::Seat { stream, answered } => {
                let Some(who) = self.streams.get(&stream).map(|of| of.who.clone()) else {
                    return;
                };
                if cut || (store.shared && !store.seat(&self.name, &who)) {
                    return self.close(net, store, stream);
                }
                if store.shared {
                    self.leases.adopt(now, [who]);
                }
                if !answered {
                    let work = net.work();
                    let sequence = None;
                    self.own(net, work, Own::Answer { stream, sequence });
                }
            }
            Own::Answer { stream, sequence } => {
                if cut {
                    return self.close(net, store, stream);
                }
                self.answer(net, store, stream, sequence);
            }
            Own::Note { stream } => {
                if let Some(of) = self.streams.get(&stream) {
                    let (gateway, instance) = of.who.clone();
                    let _ = self.leases.renew(now, &gateway, &instance);
                }
            }
            Own::Acknowledge {
                who,
                version,
                sessions_ended,
            } => {
                if !cut {
                    store.acknowledge(&who, version, sessions_ended);
                }
            }
            Own::Unseat { who, number } => {
                if !cut {
                    store.unseat(&self.name, &who, number);
                }
            }
            Own::Commit { grant } => {
                if cut || (store.shared && store.is_fenced(&self.name)) {
                    return;
                }
                let Some((target, epoch)) = store.narrow(grant) else {
                    return;
                };
                tally.committed += 1;
                let work = net.work();
                let barrier = Own::Barrier {
                    target,
                    grant,
                    epoch,
                    since: None,
                };
                self.own(net, work, barrier);
            }
            Own::Barrier {
                target,
                grant,
                epoch,
                since,
            } => {
                let since = since.unwrap_or(now);
                if cut && store.shared {
                    let since = Some(since);
                    let again = Own::Barrier {
                        target,
                        grant,
                        epoch,
                        since,
                    };
                    return self.own(net, SECOND / 10, again);
                }
                self.wait(store, (target, grant, epoch), since);
                self.own(net, 0, Own::Look);
            }
            Own::Look => {
                if self.barriers.is_empty() {
                    return;
                }
                if !cut {
                    for (who, version, ended) in store.acknowledgements() {
                        self.acknowledged(net, &who, version, ended);
                    }
                }
                let pause = net.between(SECOND / 50, SECOND / 3);
                self.own(net, pause, Own::Look);
            }
            Own::Push => {
                if !cut {
                    let streams: Vec<_> = self.streams.keys().copied().collect();
                    for stream in streams {
                        if net.below(4) > 0 {
                            self.push(net, store, stream);
                        }
                    }
                }
            }
        }
    }

    fn hello(
        &mut self,
        net: &mut Net,
        (process, who): (usize, Who),
        stream: u64,
        applied: Version,
        tally: &mut Tally,
    ) {
        let now = self.clock.read(net);
        let Ok(fenced) = self.leases.attach(now, &who.0, &who.1) else {
            return net.send_process(process, AtProcess::Lost { stream });
        };
        tally.fenced += fenced.len() as u64;
        let of_fenced = |of: &Stream| of.who.0 == who.0 && fenced.contains(&of.who.1);
        for (stream, of) in self.streams.extract_if(.., |_, of| of_fenced(of)) {
            net.send_process(of.process, AtProcess::Lost { stream });
        }
        self.acknowledged(net, &who, applied, 0);
        let sent = applied;
        self.streams.insert(
            stream,
            Stream {
                process,
                who: who.clone(),
                sent,
            },
        );
        let work = net.work();
        if breaks(Flaw::SeatsLate) {
            let sequence = None;
            self.own(net, work, Own::Answer { stream, sequence });
            let late = work + net.between(1, SECOND);
            self.own(
                net,
                late,
                Own::Seat {
                    stream,
                    answered: true,
                },
            );
        } else {
            self.own(
                net,
                work,
                Own::Seat {
                    stream,
                    answered: false,
                },
            );
        }
        let own = Own::Acknowledge {
            who,
            version: applied,
            sessions_ended: 0,
        };
        self.own(net, work, own);
    }

    fn renew(&mut self, net: &mut Net, stream: u64, sequence: u64) {
        let now = self.clock.read(net);
        let Some(of) = self.streams.get(&stream) else {
            return;
        };
        let ((gateway, instance), process) = (of.who.clone(), of.process);
        let late = breaks(Flaw::NotesLeaseLate);
        if !late && self.leases.renew(now, &gateway, &instance).is_err() {
            return net.send_process(process, AtProcess::Lost { stream });
        }
        let work = net.work();
        let sequence = Some(sequence);
        self.own(net, work, Own::Answer { stream, sequence });
        if late {
            self.own(net, work + SECOND / 10, Own::Note { stream });
        }
    }

    fn answer(&mut self, net: &mut Net, store: &mut Store, stream: u64, sequence: Option<u64>) {
        let Some(of) = self.streams.get_mut(&stream) else {
            return;
        };
        let (process, who, head) = (of.process, of.who.clone(), store.head());
        if store.shared && !store.may_answer(&self.name, &who) {
            return self.close(net, store, stream);
        }
        let new = sequence.is_none() && of.sent == Version(0);
        let changes = if new {
            Some(Vec::new())
        } else {
            store.changes_after(of.sent)
        };
        let what = match (sequence, changes) {
            (Some(_), None) => return self.close(net, store, stream),
            // It begins anew.
            (None, None) => AtProcess::Welcome {
                stream,
                lease: LEASE,
                changes: Vec::new(),
                head: Version(0),
            },
            (None, Some(changes)) => AtProcess::Welcome {
                stream,
                lease: LEASE,
                changes,
                head,
            },
            (Some(sequence), Some(changes)) => AtProcess::Renewed {
                stream,
                sequence,
                changes,
                head,
            },
        };
        of.sent = head;
        if new {
            // It holds nothing, so all that ended before is ended there.
            self.acknowledged(net, &who, head, 0);
            store.acknowledge(&who, head, 0);
        }
        net.send_process(process, what);
    }

    fn push(&mut self, net: &mut Net, store: &Store, stream: u64) {
        let Some(of) = self.streams.get_mut(&stream) else {
            return;
        };
        for change in store.changes_after(of.sent).unwrap_or_default() {
            of.sent = change.version();
            net.send_process(of.process, AtProcess::Pushed { stream, change });
        }
    }

    fn lost(&mut self, store: &mut Store, stream: u64) {
        let Some(of) = self.streams.remove(&stream) else {
            return;
        };
        if self.streams.values().any(|other| other.who == of.who) {
            return;
        }
        self.leases.detach(&of.who.0, &of.who.1);
        if breaks(Flaw::UnseatsEarly) {
            store.unseat(&self.name, &of.who, None);
        }
    }

    fn close(&mut self, net: &mut Net, store: &mut Store, stream: u64) {
        if let Some(of) = self.streams.get(&stream) {
            net.break_stream(stream);
            net.send_process(of.process, AtProcess::Lost { stream });
            self.lost(store, stream);
        }
    }

    /// Tells its own gateways ahead, then commits.
    fn revoke(&mut self, net: &mut Net, store: &Store, grant: GrantId) {
        if breaks(Flaw::LooksBeforeCommit) {
            let now = self.clock.read(net);
            let barrier = self.leases.barrier(store.head().next(), now);
            self.early = Some((store.roster(), barrier));
        }
        if let Some(epoch) = store.epoch(grant) {
            for (stream, of) in &self.streams {
                let ending = Ending::Grant {
                    grant,
                    epoch: epoch.next(),
                    reason: String::new(),
                };
                if net.below(2) == 0 {
                    let stream = *stream;
                    net.send_process(of.process, AtProcess::Ahead { stream, ending });
                }
            }
        }
        let work = net.work();
        self.own(net, work, Own::Commit { grant });
    }

    fn wait(&mut self, store: &Store, change: (Version, GrantId, Epoch), since: Instant) {
        let (target, grant, epoch) = change;
        let early = self.early.take();
        let barrier = if store.shared {
            let mut roster = early.map_or_else(|| store.roster(), |(roster, _)| roster);
            if breaks(Flaw::WaitsForOwnOnly) {
                roster.retain(|seat| seat.replica == self.name);
            }
            self.leases.barrier_among(target, since, roster)
        } else {
            match early {
                Some((_, barrier)) => barrier,
                None => self.leases.barrier(target, since),
            }
        };
        self.barriers.push(Wait {
            barrier,
            grant,
            epoch,
            since,
            polled: None,
        });
        for (who, version, ended) in store.acknowledgements() {
            for wait in &mut self.barriers {
                wait.barrier
                    .acknowledged(since, &who.0, &who.1, version, ended);
            }
        }
    }

    fn acknowledged(&mut self, net: &mut Net, who: &Who, version: Version, ended: u32) {
        let now = self.clock.read(net);
        for wait in &mut self.barriers {
            wait.barrier
                .acknowledged(now, &who.0, &who.1, version, ended);
        }
    }

    /// The revocations that return now.
    fn poll(&mut self, net: &mut Net, tally: &mut Tally) -> Result<Vec<(GrantId, Epoch)>, String> {
        let now = self.clock.read(net);
        let mut returned = Vec::new();
        let mut again = Vec::new();
        for wait in &mut self.barriers {
            match wait.barrier.poll(now) {
                Progress::Waiting { until } => {
                    if now > wait.since + with_drift(LEASE) + PATIENCE {
                        return Err(format!(
                            "a revocation waits since {:?} at {now:?}",
                            wait.since
                        ));
                    }
                    if wait.polled != Some(until) {
                        wait.polled = Some(until);
                        again.push(self.clock.until(net, until));
                    }
                }
                Progress::Done(acks) => {
                    tally.barriers += 1;
                    let over = acks.iter().filter(|ack| ack.lease_over).count() as u64;
                    tally.lease_over += over;
                    tally.acknowledged += acks.len() as u64 - over;
                    returned.push((wait.grant, wait.epoch));
                }
            }
        }
        for wait in again {
            self.own(net, wait, Own::Poll);
        }
        self.barriers
            .retain(|wait| !returned.contains(&(wait.grant, wait.epoch)));
        Ok(returned)
    }

    /// Shows that it lives, looks after the others, and takes off the roster whose lease is over.
    fn beat(&mut self, net: &mut Net, store: &mut Store, tally: &mut Tally) {
        if store.is_fenced(&self.name) {
            tally.replicas_fenced += 1;
            let now = self.clock.read(net);
            self.leases = Leases::new(LEASE, now, Earlier::Nobody);
            return self.begin(net, store);
        }
        store.beat(&self.name);
        let now = self.clock.read(net);
        for silent in self.peers.observe(now, store.counts(&self.name)) {
            store.fence(&silent);
        }
        let adopted: Vec<String> = self.adopted.keys().cloned().collect();
        for orphaned in store.orphaned() {
            if !adopted.contains(&orphaned) {
                let seats = store.seats_of(&orphaned).into_iter().map(|(who, _)| who);
                self.leases.adopt(now, seats);
                self.adopted.insert(orphaned, now + with_drift(LEASE));
            }
        }
        for (name, _) in self.adopted.extract_if(.., |_, until| now >= *until) {
            for (who, number) in store.seats_of(&name) {
                store.unseat(&name, &who, Some(number));
            }
        }
        for (who, number) in store.seats_of(&self.name) {
            let of = |holding: &crate::control::Holding| {
                holding.gateway.as_ref() == Some(&who.0) && holding.instance == who.1
            };
            if !self.leases.holders(now).any(of) {
                let number = Some(number);
                let work = net.work();
                self.own(net, work, Own::Unseat { who, number });
            }
        }
    }

    fn is_cut(&self, net: &Net) -> bool {
        net.now < self.cut
    }

    fn own(&self, net: &mut Net, delay: u64, what: Own) {
        let life = self.life;
        net.at_replica(delay, self.index, AtReplica::Own { life, what });
    }
}
