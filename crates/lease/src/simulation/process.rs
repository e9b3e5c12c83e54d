//! One gateway process.

use std::collections::{BTreeMap, BTreeSet};

use phigate_types::{Epoch, GatewayId, GrantId, SessionId};

use super::net::{AtProcess, AtReplica, Clock, Net, SECOND};
use super::store::Store;
use super::{Tally, session};
use crate::gateway::{Effect, Holder, Refused, StreamError};
use crate::{Instant, RENEW_EVERY};

pub(super) struct Process {
    index: usize,
    /// Of the gateway.
    pub(super) number: u64,
    pub(super) gateway: GatewayId,
    pub(super) instance: String,
    clock: Clock,
    holder: Holder,
    /// Rises with each new holder.
    holders: u64,
    /// And the replica it leads to.
    stream: Option<(u64, usize)>,
    /// Live ones: whatever is here may write while the lease holds.
    pub(super) sessions: BTreeMap<SessionId, (GrantId, Epoch)>,
    /// Those that were there when the lease was over: they never serve again.
    doomed: BTreeSet<SessionId>,
    dead: bool,
    /// Stopped until then.
    asleep: u64,
    opened: u64,
    /// The deadline that a tick waits for.
    ticking: Option<Instant>,
}

impl Process {
    pub(super) fn new(net: &mut Net, index: usize, number: u64) -> Self {
        net.at_process(net.now % 7, index, AtProcess::Connect);
        net.at_process(SECOND / 2, index, AtProcess::Open);
        Self {
            index,
            number,
            gateway: format!("gateway-{number}").parse().expect("a name"),
            instance: format!("process-{index}"),
            clock: net.clock(),
            holder: Holder::new(),
            holders: 0,
            stream: None,
            sessions: BTreeMap::new(),
            doomed: BTreeSet::new(),
            dead: false,
            asleep: 0,
            opened: 0,
            ticking: None,
        }
    }

    /// Whether its sessions can write at this moment.
    pub(super) fn serves(&self, net: &Net) -> bool {
        !self.dead && net.now >= self.asleep && self.holder.is_live(self.clock.read(net))
    }

    /// A session that serves although it saw the end of its lease.
    pub(super) fn outlived(&mut self, net: &Net) -> Option<SessionId> {
        if !self.holder.is_live(self.clock.read(net)) {
            self.doomed.extend(self.sessions.keys());
            return None;
        }
        let outlived = self.sessions.keys().find(|id| self.doomed.contains(id));
        outlived.filter(|_| self.serves(net)).copied()
    }

    pub(super) fn kill(&mut self) {
        self.dead = true;
    }

    pub(super) fn pause(&mut self, net: &mut Net, length: u64) {
        self.asleep = self.asleep.max(net.now + length);
    }

    /// Both ends notice, each in its own time.
    pub(super) fn lose_stream(&mut self, net: &mut Net, tally: &mut Tally) {
        if let Some((stream, replica)) = self.stream {
            tally.streams_broken += 1;
            net.break_stream(stream);
            let delay = net.delay();
            net.at_process(delay, self.index, AtProcess::Lost { stream });
            let delay = net.delay();
            net.at_replica(delay, replica, AtReplica::Lost { stream });
        }
    }

    pub(super) fn happen(
        &mut self,
        net: &mut Net,
        store: &Store,
        what: AtProcess,
        tally: &mut Tally,
    ) {
        if self.dead {
            return;
        }
        if net.now < self.asleep {
            // All at once when it wakes, in no particular order.
            let later = self.asleep - net.now + net.below(50);
            return net.at_process(later, self.index, what);
        }
        let now = self.clock.read(net);
        match what {
            AtProcess::Connect if self.stream.is_none() => {
                let stream = net.new_stream();
                self.stream = Some((stream, net.any_replica()));
                let applied = self.holder.hello(now);
                let hello = AtReplica::Hello {
                    process: self.index,
                    who: (self.gateway.clone(), self.instance.clone()),
                    stream,
                    applied,
                };
                self.tell(net, hello);
                net.at_process(SECOND, self.index, AtProcess::Renew { stream });
            }
            AtProcess::Connect => {}
            AtProcess::Renew { stream } if self.is_on(stream) => {
                if let Some(sequence) = self.holder.start_renewal(now) {
                    self.tell(net, AtReplica::Renew { stream, sequence });
                }
                let next = self.clock.until(net, now + RENEW_EVERY);
                net.at_process(next, self.index, AtProcess::Renew { stream });
            }
            AtProcess::Tick => {
                if let Some(effect) = self.holder.tick(now) {
                    self.carry_out(net, effect, tally);
                }
            }
            AtProcess::Open => {
                self.opened += 1;
                let new = session(self.index as u64 * 1_000_000 + self.opened);
                let open = AtReplica::Open {
                    process: self.index,
                    session: new,
                    grant: store.grant(net.below(3)),
                };
                let replica = net.any_replica();
                net.send_replica(self.index, replica, open);
                let pause = net.between(SECOND / 100, SECOND);
                net.at_process(pause, self.index, AtProcess::Open);
            }
            AtProcess::Opened(admission) => match self.holder.may_admit(now, &admission) {
                Ok(()) => {
                    tally.admitted += 1;
                    self.sessions
                        .insert(admission.session, (admission.grant, admission.epoch));
                }
                Err(Refused::Ended) => tally.refused += 1,
                Err(Refused::NoLease | Refused::AskAgain) => {}
            },
            AtProcess::CarriedOut { holder, effect } => {
                if holder == self.holders {
                    let before = self.sessions.len();
                    self.end(&effect);
                    let ended = (before - self.sessions.len()) as u32;
                    tally.ended += u64::from(ended);
                    self.holder.carried_out(now, &effect, ended);
                }
            }
            AtProcess::Welcome {
                stream,
                lease,
                changes,
                head,
            } if self.is_on(stream) => {
                let effects = self.holder.welcomed(now, lease, &changes, head);
                self.take(net, effects, tally);
            }
            AtProcess::Renewed {
                stream,
                sequence,
                changes,
                head,
            } if self.is_on(stream) => {
                let effects = self.holder.renewed(now, sequence, &changes, head);
                self.take(net, effects, tally);
            }
            AtProcess::Pushed { stream, change } if self.is_on(stream) => {
                let effects = self.holder.pushed(now, &change);
                self.take(net, effects, tally);
            }
            AtProcess::Ahead { stream, ending } if self.is_on(stream) => {
                let effects = self.holder.ahead(now, ending);
                self.take(net, effects, tally);
            }
            AtProcess::Lost { stream } if self.is_on(stream) => self.reconnect(net),
            AtProcess::Renew { .. }
            | AtProcess::Welcome { .. }
            | AtProcess::Renewed { .. }
            | AtProcess::Pushed { .. }
            | AtProcess::Ahead { .. }
            | AtProcess::Lost { .. } => {}
        }
        for applied in self.holder.acknowledgements() {
            if let Some((stream, _)) = self.stream {
                let acknowledgement = AtReplica::Applied {
                    stream,
                    version: applied.version,
                    sessions_ended: applied.sessions_ended,
                };
                self.tell(net, acknowledgement);
            }
        }
        let deadline = self.holder.deadline();
        if let (true, Some(instant)) = (deadline != self.ticking, deadline) {
            let wait = self.clock.until(net, instant);
            net.at_process(wait, self.index, AtProcess::Tick);
        }
        self.ticking = deadline;
    }

    fn take(
        &mut self,
        net: &mut Net,
        effects: Result<Vec<Effect>, StreamError>,
        tally: &mut Tally,
    ) {
        match effects {
            Ok(effects) => {
                for effect in effects {
                    self.carry_out(net, effect, tally);
                }
            }
            Err(StreamError::Regressed { .. }) => {
                self.sessions.clear();
                self.holder = Holder::new();
                self.holders += 1;
                self.reconnect(net);
            }
            Err(StreamError::Gap { .. } | StreamError::OutOfOrder) => self.reconnect(net),
        }
    }

    /// Takes its time; until it is done the sessions go on as far as the lease lets them.
    fn carry_out(&mut self, net: &mut Net, effect: Effect, tally: &mut Tally) {
        tally.lapses += u64::from(effect == Effect::EndAll);
        let ending = net.ending();
        let holder = self.holders;
        net.at_process(ending, self.index, AtProcess::CarriedOut { holder, effect });
    }

    fn end(&mut self, effect: &Effect) {
        self.sessions.retain(|id, (of, at)| match effect {
            Effect::EndGrant { grant, epoch, .. } => of != grant || *at >= *epoch,
            Effect::EndSession { session, .. } => id != session,
            Effect::EndAll => false,
        });
    }

    fn reconnect(&mut self, net: &mut Net) {
        if let Some((stream, replica)) = self.stream.take() {
            net.break_stream(stream);
            let delay = net.delay();
            net.at_replica(delay, replica, AtReplica::Lost { stream });
        }
        self.holder.detached();
        let pause = net.between(SECOND / 100, 2 * SECOND);
        net.at_process(pause, self.index, AtProcess::Connect);
    }

    fn tell(&mut self, net: &mut Net, what: AtReplica) {
        if let Some((_, replica)) = self.stream {
            net.send_replica(self.index, replica, what);
        }
    }

    fn is_on(&self, stream: u64) -> bool {
        self.stream.is_some_and(|(own, _)| own == stream)
    }
}
