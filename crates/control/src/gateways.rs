//! The attached gateways: their leases, their streams, and the barriers that wait for them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phigate_lease::control::{Ack, Barrier, Earlier, Fenced, Holding, Leases, Progress};
use phigate_store::Notice;
use phigate_types::{DatabaseName, GatewayId, Version};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

use crate::clock::boottime;

/// Changes that may wait for one stream. One that falls behind further has to attach again.
const PUSH_QUEUE: usize = 1024;

/// Acknowledgements of one gateway that are remembered for barriers that begin after them.
const ACKS_KEPT: usize = 1024;

/// Everybody who may be serving, behind one lock that is never held across a wait.
pub(crate) struct Gateways(Mutex<Inner>);

struct Inner {
    leases: Leases,
    streams: HashMap<GatewayId, Stream>,
    barriers: HashMap<u64, Waiting>,
    next: u64,
}

struct Waiting {
    barrier: Barrier,
    wake: Arc<Notify>,
}

struct Stream {
    number: u64,
    about: About,
    push: mpsc::Sender<Notice>,
    /// Ends the stream: another process took its place, or it fell behind.
    end: CancellationToken,
    applied: VecDeque<(Version, u32)>,
}

/// What a gateway said in its Hello.
#[derive(Debug, Clone)]
pub(crate) struct About {
    /// Its id, from its certificate.
    pub(crate) gateway: GatewayId,
    /// Its process.
    pub(crate) instance: String,
    /// Where analysts connect.
    pub(crate) advertised: Option<(String, u16)>,
    /// What it serves.
    pub(crate) databases: Vec<DatabaseName>,
}

/// An attached stream's ends.
pub(crate) struct Attached {
    /// Tells this stream from others of the same gateway.
    pub(crate) number: u64,
    /// Changes as they are made, in order; some may be missing at the beginning only.
    pub(crate) pushed: mpsc::Receiver<Notice>,
    /// Cancelled when the stream has to end.
    pub(crate) end: CancellationToken,
}

/// One barrier that is being waited for; forgotten when dropped.
pub(crate) struct Pending<'a> {
    gateways: &'a Gateways,
    id: u64,
    wake: Arc<Notify>,
}

impl Gateways {
    /// At the start, with those who may hold a lease from before.
    pub(crate) fn new(lease: Duration, earlier: Earlier) -> Self {
        Self(Mutex::new(Inner {
            leases: Leases::new(lease, boottime(), earlier),
            streams: HashMap::new(),
            barriers: HashMap::new(),
            next: 0,
        }))
    }

    /// A Hello arrived: its lease runs from now, a process with the same id is fenced, and
    /// changes are queued for it from here on. Before the changes for its Welcome are read.
    pub(crate) fn attach(&self, about: &About, applied: Version) -> Result<Attached, Fenced> {
        let mut inner = self.lock();
        let now = boottime();
        inner.leases.attach(now, &about.gateway, &about.instance)?;
        let (push, pushed) = mpsc::channel(PUSH_QUEUE);
        let end = CancellationToken::new();
        let number = inner.number();
        let stream = Stream {
            number,
            about: about.clone(),
            push,
            end: end.clone(),
            applied: VecDeque::new(),
        };
        if let Some(other) = inner.streams.insert(about.gateway.clone(), stream) {
            other.end.cancel();
        }
        inner.acknowledged(&about.gateway, &about.instance, applied, 0);
        Ok(Attached {
            number,
            pushed,
            end,
        })
    }

    /// A Renew arrived. Before the head for its answer is read.
    pub(crate) fn renew(&self, about: &About) -> Result<(), Fenced> {
        let mut inner = self.lock();
        inner
            .leases
            .renew(boottime(), &about.gateway, &about.instance)
    }

    /// Every session that the changes up to `version` end is ended there.
    pub(crate) fn applied(&self, about: &About, version: Version, sessions_ended: u32) {
        self.lock()
            .acknowledged(&about.gateway, &about.instance, version, sessions_ended);
    }

    /// The stream is gone; its lease runs on. True when another process has taken its place.
    pub(crate) fn detach(&self, about: &About, number: u64) -> bool {
        let mut inner = self.lock();
        if inner
            .streams
            .get(&about.gateway)
            .is_some_and(|stream| stream.number == number)
        {
            inner.streams.remove(&about.gateway);
        }
        // The same process may have a newer stream already.
        let next = inner
            .streams
            .get(&about.gateway)
            .map(|stream| &stream.about.instance);
        let (again, fenced) = (next == Some(&about.instance), next.is_some());
        if !again {
            inner.leases.detach(&about.gateway, &about.instance);
        }
        fenced && !again
    }

    /// Queues what is, or will be, changed for every stream. Never waits.
    pub(crate) fn announce(&self, notice: &Notice) {
        for stream in self.lock().streams.values() {
            if stream.push.try_send(notice.clone()).is_err() {
                stream.end.cancel();
            }
        }
    }

    /// How many are attached.
    pub(crate) fn attached(&self) -> usize {
        self.lock().streams.len()
    }

    /// Whether this process of the gateway is attached: who is not may not open sessions.
    pub(crate) fn is_attached(&self, gateway: &GatewayId, instance: &str) -> bool {
        self.lock()
            .streams
            .get(gateway)
            .is_some_and(|stream| stream.about.instance == instance && !stream.end.is_cancelled())
    }

    /// Whether a process may still be serving.
    pub(crate) fn may_serve(&self, gateway: &GatewayId, instance: &str) -> bool {
        let inner = self.lock();
        let same = |holding: &&Holding| {
            holding.gateway.as_ref() == Some(gateway) && holding.instance == instance
        };
        inner.leases.holders(boottime()).filter(same).count() > 0
    }

    /// Where to connect for a database: the address of a gateway that is attached and serves it.
    pub(crate) fn address(&self, database: &DatabaseName) -> Option<(String, u16)> {
        let inner = self.lock();
        let mut serving: Vec<&Stream> = inner
            .streams
            .values()
            .filter(|stream| stream.about.databases.contains(database))
            .collect();
        serving.sort_by(|a, b| a.about.gateway.cmp(&b.about.gateway));
        serving
            .iter()
            .find_map(|stream| stream.about.advertised.clone())
    }

    /// Begins to wait for a change that has just been committed: for everybody who may be
    /// serving, or only for one gateway.
    pub(crate) fn barrier(&self, target: Version, only: Option<&GatewayId>) -> Pending<'_> {
        let mut inner = self.lock();
        let now = boottime();
        let concerned = |holding: &&Holding| match (only, &holding.gateway) {
            (Some(only), Some(gateway)) => only == gateway,
            (None, _) | (_, None) => true,
        };
        let holders: Vec<Holding> = inner
            .leases
            .holders(now)
            .filter(concerned)
            .cloned()
            .collect();
        let mut barrier = Barrier::new(target, now, holders);
        // Some were faster than the disk.
        for stream in inner.streams.values() {
            for (version, sessions_ended) in &stream.applied {
                let about = &stream.about;
                barrier.acknowledged(
                    now,
                    &about.gateway,
                    &about.instance,
                    *version,
                    *sessions_ended,
                );
            }
        }
        let id = inner.number();
        let wake = Arc::new(Notify::new());
        let waiting = Waiting {
            barrier,
            wake: Arc::clone(&wake),
        };
        inner.barriers.insert(id, waiting);
        Pending {
            gateways: self,
            id,
            wake,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn acknowledged(
        &mut self,
        gateway: &GatewayId,
        instance: &str,
        version: Version,
        sessions_ended: u32,
    ) {
        let Some(stream) = self.streams.get_mut(gateway) else {
            return;
        };
        if stream.about.instance != instance {
            return;
        }
        if stream.applied.len() == ACKS_KEPT {
            stream.applied.pop_front();
        }
        stream.applied.push_back((version, sessions_ended));
        let now = boottime();
        for Waiting { barrier, wake } in self.barriers.values_mut() {
            barrier.acknowledged(now, gateway, instance, version, sessions_ended);
            wake.notify_one();
        }
    }
}

impl Pending<'_> {
    /// Waits until nobody serves what the change ended: bounded by the lease, whatever fails.
    pub(crate) async fn passed(self) -> Vec<Ack> {
        loop {
            let progress = {
                let mut inner = self.gateways.lock();
                match inner.barriers.get_mut(&self.id) {
                    Some(waiting) => waiting.barrier.poll(boottime()),
                    None => Progress::Done(Vec::new()),
                }
            };
            match progress {
                Progress::Done(acks) => return acks,
                Progress::Waiting { until } => {
                    let left = until.saturating_sub(boottime());
                    // Woken by an acknowledgement, or when the next lease is over.
                    let _ = tokio::time::timeout(left, self.wake.notified()).await;
                }
            }
        }
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.gateways.lock().barriers.remove(&self.id);
    }
}
