//! Many gateways, one control plane, and a network that loses, delays and reorders: no gateway serves
//! under a grant once its revocation has returned, and every revocation returns in time.
//!
//! One seed, one run: `LEASE_SEED=7 cargo test -p phigate-lease --test simulation`, and
//! `LEASE_SEEDS=100000` for more of them.
#![allow(clippy::expect_used)]

mod net;
mod plane;
mod process;

use std::collections::BTreeMap;
use std::time::Duration;

use phigate_lease::DRIFT_PPM;
use phigate_types::{Epoch, GrantId, SessionId};

use net::{Event, Net, SECOND};
use plane::Plane;
use process::Process;

/// What a run is like.
#[derive(Debug, Clone, Copy)]
struct Setting {
    /// Clocks run between 1 - drift and 1 + drift.
    drift: f64,
    length: u64,
}

/// Both clocks off by this much, in opposite directions, is the bound.
const WITHIN: f64 = 0.0909;

const SEEDS: u64 = 200;

/// What happened, to show that the runs are not idle.
#[derive(Debug, Default)]
struct Tally {
    admitted: u64,
    refused: u64,
    ended: u64,
    lapses: u64,
    acknowledged: u64,
    lease_over: u64,
    barriers: u64,
    fenced: u64,
    streams_broken: u64,
    control_restarts: u64,
}

struct World {
    net: Net,
    plane: Plane,
    processes: Vec<Process>,
    /// Grants whose sessions with a smaller epoch must be gone, since their revocation returned.
    returned: BTreeMap<GrantId, Epoch>,
    tally: Tally,
}

#[test]
fn no_session_outlives_the_return_of_its_revocation() {
    assert!((1.0 + WITHIN) / (1.0 - WITHIN) <= 1.0 + f64::from(DRIFT_PPM) / 1e6);
    let setting = Setting {
        drift: WITHIN,
        length: 90 * SECOND,
    };
    let mut total = Tally::default();
    for seed in seeds() {
        let tally = run(seed, setting).unwrap_or_else(|violation| {
            panic!("seed {seed}: {violation}; LEASE_SEED={seed} runs it again")
        });
        total.add(&tally);
    }
    println!("{total:?}");
    // Every way a session or a revocation can go is gone many times.
    let least = total
        .admitted
        .min(total.refused)
        .min(total.ended)
        .min(total.lapses);
    let least = least
        .min(total.acknowledged)
        .min(total.lease_over)
        .min(total.fenced);
    assert!(least.min(total.control_restarts) >= 10, "{total:?}");
}

/// The simulation can tell: clocks beyond the bound break the promise.
#[test]
fn clocks_beyond_the_bound_are_found_out() {
    let setting = Setting {
        drift: 0.5,
        length: 90 * SECOND,
    };
    assert!((0..200).any(|seed| run(seed, setting).is_err()));
}

fn seeds() -> Box<dyn Iterator<Item = u64>> {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    match number("LEASE_SEED") {
        Some(seed) => Box::new(std::iter::once(seed)),
        None => Box::new(0..number("LEASE_SEEDS").unwrap_or(SEEDS)),
    }
}

fn run(seed: u64, setting: Setting) -> Result<Tally, String> {
    let mut net = Net::new(seed, setting.drift);
    let plane = Plane::new(&mut net);
    let mut world = World {
        net,
        plane,
        processes: Vec::new(),
        returned: BTreeMap::new(),
        tally: Tally::default(),
    };
    for gateway in 0..=world.net.below(4) {
        world.start_process(gateway);
    }
    world.net.after(SECOND, Event::Revoke);
    world.net.after(SECOND, Event::Mishap);
    while let Some(event) = world.net.next(setting.length) {
        world.happen(event)?;
        world.check()?;
    }
    Ok(world.tally)
}

impl World {
    fn start_process(&mut self, gateway: u64) {
        let process = Process::new(&mut self.net, self.processes.len(), gateway);
        self.processes.push(process);
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        let Self {
            net,
            plane,
            processes,
            returned,
            tally,
        } = self;
        match event {
            Event::AtProcess { process, what } => {
                processes[process].happen(net, what, tally);
            }
            Event::AtPlane {
                process,
                stream,
                what,
            } => {
                let who = &processes[process];
                let (gateway, instance) = (who.gateway.clone(), who.instance.clone());
                plane.happen(net, (process, &gateway, &instance), stream, what, tally);
            }
            Event::Open {
                process,
                session,
                grant,
            } => {
                plane.open(net, process, session, grant);
            }
            Event::Revoke => {
                plane.revoke(net);
                let pause = net.between(SECOND / 10, 3 * SECOND);
                net.after(pause, Event::Revoke);
            }
            Event::Barrier {
                target,
                grant,
                epoch,
            } => plane.start_barrier(net, target, grant, epoch),
            Event::Poll => {
                for (grant, epoch) in plane.poll(net, tally)? {
                    returned.insert(grant, epoch);
                }
            }
            Event::Mishap => {
                self.mishap();
                let pause = self.net.between(SECOND / 10, 4 * SECOND);
                self.net.after(pause, Event::Mishap);
            }
        }
        Ok(())
    }

    fn mishap(&mut self) {
        let which = self.net.below(self.processes.len() as u64) as usize;
        match self.net.below(10) {
            0..=3 => self.processes[which].lose_stream(&mut self.net, &mut self.tally),
            4..=6 => {
                let pause = self.net.between(SECOND / 100, 15 * SECOND);
                self.processes[which].pause(&mut self.net, pause);
            }
            7 => {
                self.processes[which].kill();
                let gateway = self.processes[which].number;
                self.start_process(gateway);
            }
            // A second process with the same gateway id, beside the first.
            8 => {
                let gateway = self.processes[which].number;
                self.start_process(gateway);
            }
            _ => {
                self.plane.restart(&mut self.net);
                self.tally.control_restarts += 1;
            }
        }
    }

    /// G3: once a revocation has returned, nobody is serving what it ended.
    fn check(&self) -> Result<(), String> {
        for process in self
            .processes
            .iter()
            .filter(|process| process.serves(&self.net))
        {
            for (session, (grant, epoch)) in &process.sessions {
                if self
                    .returned
                    .get(grant)
                    .is_some_and(|returned| epoch < returned)
                {
                    let at = Duration::from_micros(self.net.now);
                    let who = (&process.gateway, &process.instance);
                    return Err(format!(
                        "{session} of {grant} is served by {who:?} at {at:?}"
                    ));
                }
            }
        }
        Ok(())
    }
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.admitted += other.admitted;
        self.refused += other.refused;
        self.ended += other.ended;
        self.lapses += other.lapses;
        self.acknowledged += other.acknowledged;
        self.lease_over += other.lease_over;
        self.barriers += other.barriers;
        self.fenced += other.fenced;
        self.streams_broken += other.streams_broken;
        self.control_restarts += other.control_restarts;
    }
}

fn grant(number: u64) -> GrantId {
    GrantId::from_random(number.to_be_bytes())
}

fn session(number: u64) -> SessionId {
    SessionId::from_random(number.to_be_bytes())
}
