//! Real time, chance, and the network.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use phigate_lease::gateway::{Admission, Effect};
use phigate_lease::{Change, Instant};
use phigate_types::{Epoch, GrantId, SessionId, Version};

/// In microseconds, the unit of real time here.
pub(crate) const SECOND: u64 = 1_000_000;

pub(crate) enum Event {
    AtProcess {
        process: usize,
        what: AtProcess,
    },
    AtPlane {
        process: usize,
        stream: u64,
        what: AtPlane,
    },
    Open {
        process: usize,
        session: SessionId,
        grant: GrantId,
    },
    Revoke,
    Barrier {
        target: Version,
        grant: GrantId,
        epoch: Epoch,
    },
    Poll,
    Mishap,
}

pub(crate) enum AtProcess {
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
    Lost {
        stream: u64,
    },
}

#[derive(Clone, Copy)]
pub(crate) enum AtPlane {
    Hello {
        applied: Version,
    },
    Renew {
        sequence: u64,
    },
    Applied {
        version: Version,
        sessions_ended: u32,
    },
    /// The control plane gets round to answering a Hello (`None`) or a Renew.
    Answer {
        sequence: Option<u64>,
    },
    Lost,
}

pub(crate) struct Net {
    pub(crate) now: u64,
    seed: u64,
    drift: f64,
    queue: BTreeMap<(u64, u64), Event>,
    queued: u64,
    streams: u64,
    broken: BTreeSet<u64>,
}

/// A clock that runs at its own rate from its own origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: f64,
    rate: f64,
}

impl Net {
    pub(crate) fn new(seed: u64, drift: f64) -> Self {
        Self {
            now: 0,
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            drift,
            queue: BTreeMap::new(),
            queued: 0,
            streams: 0,
            broken: BTreeSet::new(),
        }
    }

    /// The next event, unless it is after `end`.
    pub(crate) fn next(&mut self, end: u64) -> Option<Event> {
        let ((now, _), event) = self.queue.pop_first()?;
        self.now = now;
        (now <= end).then_some(event)
    }

    pub(crate) fn after(&mut self, delay: u64, event: Event) {
        self.queued += 1;
        self.queue.insert((self.now + delay, self.queued), event);
    }

    pub(crate) fn at_process(&mut self, delay: u64, process: usize, what: AtProcess) {
        self.after(delay, Event::AtProcess { process, what });
    }

    pub(crate) fn at_plane(&mut self, delay: u64, process: usize, stream: u64, what: AtPlane) {
        self.after(
            delay,
            Event::AtPlane {
                process,
                stream,
                what,
            },
        );
    }

    /// How long a message takes: mostly a moment, now and then very long. Messages overtake each
    /// other, which a real stream does not allow.
    pub(crate) fn delay(&mut self) -> u64 {
        match self.below(20) {
            0 => self.between(SECOND / 10, 8 * SECOND),
            1..=3 => self.between(SECOND / 100, SECOND),
            _ => self.between(100, SECOND / 100),
        }
    }

    /// How long work takes in a process.
    pub(crate) fn work(&mut self) -> u64 {
        match self.below(20) {
            0 => self.between(SECOND / 100, 3 * SECOND),
            _ => self.between(0, SECOND / 100),
        }
    }

    pub(crate) fn new_stream(&mut self) -> u64 {
        self.streams += 1;
        self.streams
    }

    /// What is under way on it is lost.
    pub(crate) fn break_stream(&mut self, stream: u64) {
        self.broken.insert(stream);
    }

    pub(crate) fn is_broken(&self, stream: u64) -> bool {
        self.broken.contains(&stream)
    }

    pub(crate) fn clock(&mut self) -> Clock {
        let extremes = [1.0 - self.drift, 1.0 + self.drift, 1.0];
        let rate = extremes[self.below(3) as usize];
        Clock {
            origin: self.below(1_000_000 * SECOND) as f64,
            rate,
        }
    }

    /// Below `limit`, evenly enough. SplitMix64.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least)
    }
}

impl Clock {
    pub(crate) fn read(self, net: &Net) -> Instant {
        Duration::from_micros((self.origin + net.now as f64 * self.rate) as u64)
    }

    /// How much real time passes until the clock shows `instant`.
    pub(crate) fn until(self, net: &Net, instant: Instant) -> u64 {
        let left = instant.saturating_sub(self.read(net)).as_micros() as f64;
        (left / self.rate).ceil() as u64 + 1
    }
}
