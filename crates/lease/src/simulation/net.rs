//! Real time, chance, and the network.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use phigate_types::{Epoch, GrantId, SessionId, Version};

use super::store::Who;
use crate::gateway::{Admission, Effect};
use crate::{Change, Ending, Instant};

/// In microseconds, the unit of real time here.
pub(super) const SECOND: u64 = 1_000_000;

pub(super) enum Event {
    AtProcess { process: usize, what: AtProcess },
    AtReplica { replica: usize, what: AtReplica },
    Revoke,
    Mishap,
}

pub(super) enum AtProcess {
    Connect,
    Renew {
        stream: u64,
    },
    Tick,
    Open,
    Opened(Admission),
    CarriedOut {
        holder: u64,
        effect: Effect,
    },
    Welcome {
        stream: u64,
        lease: Duration,
        changes: Vec<Change>,
        head: Version,
    },
    Renewed {
        stream: u64,
        sequence: u64,
        changes: Vec<Change>,
        head: Version,
    },
    Pushed {
        stream: u64,
        change: Change,
    },
    Ahead {
        stream: u64,
        ending: Ending,
    },
    Lost {
        stream: u64,
    },
}

pub(super) enum AtReplica {
    Hello {
        process: usize,
        who: Who,
        stream: u64,
        applied: Version,
    },
    Renew {
        stream: u64,
        sequence: u64,
    },
    Applied {
        stream: u64,
        version: Version,
        sessions_ended: u32,
    },
    Lost {
        stream: u64,
    },
    Open {
        process: usize,
        session: SessionId,
        grant: GrantId,
    },
    Revoke {
        grant: GrantId,
    },
    /// Of the process that was in this place then.
    Own {
        life: u64,
        what: Own,
    },
}

/// What a replica gets round to.
pub(super) enum Own {
    Poll,
    Beat,
    /// To write down that somebody attached; then, unless it was answered, to answer.
    Seat {
        stream: u64,
        answered: bool,
    },
    /// To answer a Hello (`None`) or a Renew.
    Answer {
        stream: u64,
        sequence: Option<u64>,
    },
    Note {
        stream: u64,
    },
    Acknowledge {
        who: Who,
        version: Version,
        sessions_ended: u32,
    },
    Unseat {
        who: Who,
        number: Option<u64>,
    },
    Commit {
        grant: GrantId,
    },
    Barrier {
        target: Version,
        grant: GrantId,
        epoch: Epoch,
        since: Option<Instant>,
    },
    Look,
    Push,
}

pub(super) struct Net {
    pub(super) now: u64,
    seed: u64,
    drift: f64,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    streams: u64,
    broken: BTreeSet<u64>,
    replicas: usize,
    /// Processes that no message reaches, and until when.
    cut: BTreeMap<usize, u64>,
}

/// A clock that runs at its own rate from its own origin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    origin: f64,
    rate: f64,
}

impl Net {
    pub(super) fn new(seed: u64, drift: f64, replicas: usize) -> Self {
        Self {
            now: 0,
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            drift,
            queue: BTreeMap::new(),
            queued: 0,
            streams: 0,
            broken: BTreeSet::new(),
            replicas,
            cut: BTreeMap::new(),
        }
    }

    /// The next event, unless it is after `end`.
    pub(super) fn next(&mut self, end: u64) -> Option<Event> {
        let ((now, _), event) = self.queue.pop_first()?;
        self.now = now;
        (now <= end).then_some(event)
    }

    pub(super) fn after(&mut self, delay: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now + delay, self.queued), event);
    }

    pub(super) fn at_process(&mut self, delay: u64, process: usize, what: AtProcess) {
        self.after(delay, Event::AtProcess { process, what });
    }

    pub(super) fn at_replica(&mut self, delay: u64, replica: usize, what: AtReplica) {
        self.after(delay, Event::AtReplica { replica, what });
    }

    /// A message to a process, unless it is cut off.
    pub(super) fn send_process(&mut self, process: usize, what: AtProcess) {
        let delay = self.delay();
        if !self.is_cut(process) {
            self.at_process(delay, process, what);
        }
    }

    /// A message of a process to a replica, unless it is cut off.
    pub(super) fn send_replica(&mut self, process: usize, replica: usize, what: AtReplica) {
        let delay = self.delay();
        if !self.is_cut(process) {
            self.at_replica(delay, replica, what);
        }
    }

    /// Which replica somebody turns to.
    pub(super) fn any_replica(&mut self) -> usize {
        self.below(self.replicas as u64) as usize
    }

    pub(super) fn cut_off(&mut self, process: usize, length: u64) {
        self.cut.insert(process, self.now + length);
    }

    fn is_cut(&self, process: usize) -> bool {
        self.cut
            .get(&process)
            .is_some_and(|until| self.now < *until)
    }

    /// How long a message takes: mostly a moment, now and then very long. Messages overtake each
    /// other, which a real stream does not allow.
    pub(super) fn delay(&mut self) -> u64 {
        match self.below(20) {
            0 => self.between(SECOND / 10, 8 * SECOND),
            1..=3 => self.between(SECOND / 100, SECOND),
            _ => self.between(100, SECOND / 100),
        }
    }

    /// How long work takes in a process.
    pub(super) fn work(&mut self) -> u64 {
        match self.below(20) {
            0 => self.between(SECOND / 100, 3 * SECOND),
            _ => self.between(0, SECOND / 100),
        }
    }

    /// How long it takes to end sessions: longer than a lease when something is stuck.
    pub(super) fn ending(&mut self) -> u64 {
        match self.below(20) {
            0 => self.between(SECOND, 12 * SECOND),
            _ => self.work(),
        }
    }

    pub(super) fn new_stream(&mut self) -> u64 {
        self.streams += 1;
        self.streams
    }

    /// What is under way on it is lost.
    pub(super) fn break_stream(&mut self, stream: u64) {
        self.broken.insert(stream);
    }

    pub(super) fn is_broken(&self, stream: u64) -> bool {
        self.broken.contains(&stream)
    }

    pub(super) fn clock(&mut self) -> Clock {
        let extremes = [1.0 - self.drift, 1.0 + self.drift, 1.0];
        let rate = extremes[self.below(3) as usize];
        Clock {
            origin: self.below(1_000_000 * SECOND) as f64,
            rate,
        }
    }

    /// Below `limit`, evenly enough. SplitMix64.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(super) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least)
    }
}

impl Clock {
    pub(super) fn read(self, net: &Net) -> Instant {
        Duration::from_micros((self.origin + net.now as f64 * self.rate) as u64)
    }

    /// How much real time passes until the clock shows `instant`.
    pub(super) fn until(self, net: &Net, instant: Instant) -> u64 {
        let left = instant.saturating_sub(self.read(net)).as_micros() as f64;
        (left / self.rate).ceil() as u64 + 1
    }
}
