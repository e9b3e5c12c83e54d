//! The sessions that are live, and the lease that lets them be: one lock for both, so that no
//! change falls between the judgement of an admission and its entry in the table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use phigate_lease::gateway::{Admission, Effect, Holder, Refused};
use phigate_types::{Epoch, GrantId, SessionId, Version};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::session::End;
use crate::{clock, limits};

/// The table and the lease.
#[derive(Default)]
pub(crate) struct Live {
    inner: Mutex<Inner>,
    /// The end of the lease on CLOCK_BOOTTIME, in nanoseconds, 0 for none: read before each write
    /// to a client, so without the lock.
    deadline: AtomicU64,
    /// The end of the last lease there was, likewise.
    last_deadline: AtomicU64,
    /// When it was last extended, likewise.
    extended: AtomicU64,
    /// Nobody is admitted any more: written under the lock, read before each wait of a session.
    draining: AtomicBool,
    /// Cancelled with it, to wake the sessions.
    drain: CancellationToken,
    /// Notified when the last session is gone.
    emptied: Notify,
    /// Notified when something was carried out that may have to be acknowledged.
    carried: Notify,
}

#[derive(Default)]
struct Inner {
    holder: Holder,
    /// Rises with each new holder: what an earlier one asked for is not reported to this one.
    holders: u64,
    sessions: HashMap<SessionId, Entry>,
}

struct Entry {
    grant: GrantId,
    epoch: Epoch,
    leash: Arc<Leash>,
}

/// How one session is told to end, and how it tells that its client's side is closed.
#[derive(Default)]
pub(crate) struct Leash {
    cause: OnceLock<End>,
    pull: CancellationToken,
    closed: CancellationToken,
    /// What its session is doing: bytes of those that are busy may be on their way.
    state: AtomicU8,
    /// When it was told to end, on CLOCK_BOOTTIME.
    told: OnceLock<Duration>,
    /// Cancelled when all that were ended together are closed.
    together: OnceLock<CancellationToken>,
}

/// What a session is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Its server's side is being opened.
    Opening,
    /// Nothing, between transactions.
    Idle,
    /// Nothing, in a transaction.
    InTransaction,
    /// It waits for replies or passes them on.
    Busy,
}

/// Sessions that are being ended together.
pub(crate) struct Ending {
    leashes: Vec<Arc<Leash>>,
    /// How many of them had no other cause to end before.
    fresh: u32,
    together: CancellationToken,
    /// Which holder asked for it.
    holder: u64,
}

/// A session's place in the table; given up when dropped.
pub(crate) struct Registration {
    live: Arc<Live>,
    session: SessionId,
    leash: Arc<Leash>,
}

impl Live {
    /// Whether sessions may be served now.
    pub(crate) fn is_live(&self, now: Duration) -> bool {
        u128::from(self.deadline.load(Ordering::Acquire)) > now.as_nanos()
    }

    /// When the lease ends, if there is one.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        match self.deadline.load(Ordering::Acquire) {
            0 => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    /// The newest change seen.
    pub(crate) fn seen(&self) -> Version {
        self.lock().holder.seen()
    }

    /// Lets a session in, or says why not.
    pub(crate) fn admit(self: &Arc<Self>, admission: &Admission) -> Result<Registration, Refused> {
        let mut inner = self.lock();
        inner.holder.may_admit(clock::now(), admission)?;
        if self.is_draining() {
            return Err(Refused::NoLease);
        }
        let leash = Arc::new(Leash::default());
        let Admission {
            session,
            grant,
            epoch,
            ..
        } = *admission;
        inner.sessions.insert(
            session,
            Entry {
                grant,
                epoch,
                leash: Arc::clone(&leash),
            },
        );
        drop(inner);
        Ok(Registration {
            live: Arc::clone(self),
            session,
            leash,
        })
    }

    /// How many sessions are in each state.
    pub(crate) fn states(&self) -> [(State, usize); 4] {
        let mut counts = State::ALL.map(|state| (state, 0));
        for entry in self.lock().sessions.values() {
            let state = usize::from(entry.leash.state.load(Ordering::Relaxed));
            if let Some((_, count)) = counts.get_mut(state) {
                *count += 1;
            }
        }
        counts
    }

    /// How long ago the lease was extended; since the machine's start when it never was.
    pub(crate) fn lease_age(&self, now: Duration) -> Duration {
        now.saturating_sub(Duration::from_nanos(self.extended.load(Ordering::Relaxed)))
    }

    /// The sessions there are.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.lock().sessions.keys().copied().collect()
    }

    /// Admits nobody from now on. Sessions end by themselves as soon as they are between transactions.
    pub(crate) fn begin_drain(&self) {
        let inner = self.lock();
        self.draining.store(true, Ordering::Release);
        drop(inner);
        self.drain.cancel();
    }

    /// Whether nobody is admitted because the gateway stops.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Completes when the gateway begins to stop.
    pub(crate) fn drained(&self) -> WaitForCancellationFutureOwned {
        self.drain.clone().cancelled_owned()
    }

    /// Resolves when there is no session. Cancel safe.
    pub(crate) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            if self.lock().sessions.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Ends every session that is left; says how many there were.
    pub(crate) async fn end_the_rest(&self) -> u32 {
        let ending = self.pull(|_, _| true, &End::Stopped);
        ending.closed().await;
        ending.release();
        ending.count()
    }

    /// Uses the lease. What may be done until when is taken over from it afterwards.
    pub(crate) fn with_holder<T>(&self, act: impl FnOnce(&mut Holder) -> T) -> T {
        let mut inner = self.lock();
        let result = act(&mut inner.holder);
        self.take_over(&inner.holder);
        result
    }

    /// Forgets the lease and every change seen, when every session of before is ended.
    pub(crate) fn begin_anew(&self) {
        let mut inner = self.lock();
        inner.holder = Holder::new();
        inner.holders += 1;
        self.take_over(&inner.holder);
    }

    /// Tells the sessions that an effect names to end. None of them begins to write another byte of a
    /// result after this.
    pub(crate) fn end(&self, effect: &Effect) -> Ending {
        match effect {
            Effect::EndGrant {
                grant,
                epoch,
                reason,
                ..
            } => self.pull(
                |_, entry| entry.grant == *grant && entry.epoch < *epoch,
                &End::Revoked(*grant, reason.clone()),
            ),
            Effect::EndSession {
                session, reason, ..
            } => self.pull(|id, _| id == session, &End::Killed(reason.clone())),
            Effect::EndAll => self.pull(|_, _| true, &End::LeaseLost),
        }
    }

    /// The last byte of each of these sessions is with its client or discarded: reports it.
    pub(crate) fn carried_out(&self, effect: &Effect, ending: &Ending) {
        let mut inner = self.lock();
        if inner.holders == ending.holder {
            inner
                .holder
                .carried_out(clock::now(), effect, ending.count());
            self.take_over(&inner.holder);
        }
        drop(inner);
        self.carried.notify_one();
    }

    /// Resolves after something was carried out.
    pub(crate) async fn carried(&self) {
        self.carried.notified().await;
    }

    /// How long ago the last lease ended; `None` while one holds, or when there never was one.
    pub(crate) fn lapsed_for(&self, now: Duration) -> Option<Duration> {
        let last = Duration::from_nanos(self.last_deadline.load(Ordering::Acquire));
        (!self.is_live(now) && !last.is_zero()).then(|| now.saturating_sub(last))
    }

    fn take_over(&self, holder: &Holder) {
        let deadline = holder.deadline().map_or(0, |deadline| deadline.as_nanos());
        let deadline = u64::try_from(deadline).unwrap_or(u64::MAX);
        if self.last_deadline.fetch_max(deadline, Ordering::AcqRel) < deadline {
            let now = u64::try_from(clock::now().as_nanos()).unwrap_or(u64::MAX);
            self.extended.store(now, Ordering::Relaxed);
        }
        self.deadline.store(deadline, Ordering::Release);
    }

    fn pull(&self, select: impl Fn(&SessionId, &Entry) -> bool, end: &End) -> Ending {
        let inner = self.lock();
        let holder = inner.holders;
        let selected = inner
            .sessions
            .iter()
            .filter(|(id, entry)| select(id, entry));
        let mut leashes: Vec<_> = selected
            .map(|(_, entry)| Arc::clone(&entry.leash))
            .collect();
        drop(inner);
        // Those that may be sending come first, and all are condemned before any is woken: a session
        // looks at its cause before each write, whenever its task gets its turn.
        let busy = |leash: &Leash| leash.state.load(Ordering::Relaxed) == State::Busy as u8;
        leashes.sort_by_key(|leash| !busy(leash));
        let now = clock::now();
        let together = CancellationToken::new();
        let mut fresh = 0;
        for leash in &leashes {
            let _ = leash.together.set(together.clone());
            let _ = leash.told.set(now);
            fresh += u32::from(leash.cause.set(end.clone()).is_ok());
        }
        for leash in &leashes {
            leash.pull.cancel();
        }
        Ending {
            leashes,
            fresh,
            together,
            holder,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 4] = [Self::Opening, Self::Idle, Self::InTransaction, Self::Busy];

    /// The word in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Idle => "idle",
            Self::InTransaction => "in_transaction",
            Self::Busy => "busy",
        }
    }
}

// === impl Ending ===

impl Ending {
    /// How many sessions it ended; those that ended for another cause are only waited for.
    pub(crate) fn count(&self) -> u32 {
        self.fresh
    }

    /// Whether there is nobody to wait for.
    pub(crate) fn is_empty(&self) -> bool {
        self.leashes.is_empty()
    }

    /// Resolves when the last byte of each is either with its client or discarded.
    pub(crate) async fn closed(&self) {
        for leash in &self.leashes {
            leash.closed.cancelled().await;
        }
    }

    /// Lets them take the other side down, which costs more than all that went before.
    pub(crate) fn release(&self) {
        self.together.cancel();
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.release();
    }
}

// === impl Leash ===

impl Leash {
    /// Notes what the session is doing.
    pub(crate) fn note(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// How long ago the session was told to end, if it was.
    pub(crate) fn told(&self) -> Option<Duration> {
        self.told
            .get()
            .map(|told| clock::now().saturating_sub(*told))
    }

    /// Waits until all that were ended together with this one have closed their client's side, for
    /// [`limits::TEARDOWN_WAIT`] at most: nobody's last byte waits for the teardown of others.
    pub(crate) async fn after_the_others(&self) {
        let released = async {
            match self.together.get() {
                Some(together) => together.cancelled().await,
                None => std::future::pending().await,
            }
        };
        let _ = tokio::time::timeout(limits::TEARDOWN_WAIT, released).await;
    }

    /// Why the session has to end, once it has to.
    pub(crate) fn cause(&self) -> Option<&End> {
        self.cause.get()
    }

    /// Completes when the session has to end.
    pub(crate) fn pulled(&self) -> tokio_util::sync::WaitForCancellationFutureOwned {
        self.pull.clone().cancelled_owned()
    }
}

// === impl Registration ===

impl Registration {
    /// How the session learns that it has to end.
    pub(crate) fn leash(&self) -> &Arc<Leash> {
        &self.leash
    }

    /// The client's side is closed: nothing under this session reaches the wire any more.
    pub(crate) fn client_closed(&self) {
        self.leash.closed.cancel();
    }
}

impl Drop for Registration {
    /// However the session's task ends, nobody waits for it for ever: its sockets are gone with it.
    fn drop(&mut self) {
        let mut inner = self.live.lock();
        inner.sessions.remove(&self.session);
        if inner.sessions.is_empty() {
            self.live.emptied.notify_waiters();
        }
        drop(inner);
        self.leash.closed.cancel();
    }
}

#[cfg(test)]
mod tests {
    use phigate_lease::{Change, LEASE};

    use super::*;

    fn attached() -> Arc<Live> {
        let live = Arc::new(Live::default());
        live.with_holder(|holder| {
            let now = clock::now();
            holder.hello(now);
            holder.welcomed(now, LEASE, &[], Version(0)).unwrap();
        });
        live
    }

    fn admission(grant: GrantId) -> Admission {
        Admission {
            session: SessionId::from_random(*b"session1"),
            grant,
            epoch: Epoch(1),
            read_version: Version(0),
        }
    }

    #[tokio::test]
    async fn a_revocation_waits_for_the_clients_side_and_no_longer() {
        let live = attached();
        let grant = GrantId::from_random(*b"grant 1 ");
        let registration = live.admit(&admission(grant)).unwrap();
        let change = Change::GrantEnded {
            version: Version(1),
            grant,
            epoch: Epoch(2),
            reason: "left the study".to_owned(),
        };
        let effects = live
            .with_holder(|holder| holder.pushed(clock::now(), &change))
            .unwrap();
        let effect = effects.first().unwrap();
        let ending = live.end(effect);
        let closed = ending.closed();
        tokio::pin!(closed);
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(closed.as_mut().poll(cx)))
                .await
                .is_pending()
        );
        registration.leash().pulled().await;
        assert_eq!(
            registration.leash().cause(),
            Some(&End::Revoked(grant, "left the study".to_owned()))
        );
        registration.client_closed();
        closed.await;
        assert_eq!(ending.count(), 1);
        assert!(
            live.admit(&admission(grant)).is_err(),
            "its epoch has ended"
        );
    }

    #[test]
    fn without_a_lease_nobody_is_admitted() {
        let live = Arc::new(Live::default());
        let grant = GrantId::from_random(*b"grant 1 ");
        assert!(live.admit(&admission(grant)).is_err());
        assert!(!live.is_live(clock::now()));
    }
}
