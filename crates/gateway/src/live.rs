//! The sessions that are live, and the lease that lets them be: one lock for both, so that no
//! change falls between the judgement of an admission and its entry in the table.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use phigate_lease::gateway::{Admission, Effect, Holder, Refused};
use phigate_types::{Epoch, GrantId, SessionId, Version};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::session::End;

/// The table and the lease.
#[derive(Default)]
pub(crate) struct Live {
    inner: Mutex<Inner>,
    /// The end of the lease on CLOCK_BOOTTIME, in nanoseconds, 0 for none: read before each write
    /// to a client, so without the lock.
    deadline: AtomicU64,
    draining: AtomicBool,
}

#[derive(Default)]
struct Inner {
    holder: Holder,
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
        if self.draining.load(Ordering::Acquire) {
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

    /// The sessions there are.
    pub(crate) fn sessions(&self) -> Vec<SessionId> {
        self.lock().sessions.keys().copied().collect()
    }

    /// Ends every session and admits none from now on.
    pub(crate) async fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        let ended = self.pull(|_, _| true, &End::Drained);
        Self::wait(ended).await;
    }

    /// Uses the lease. What may be done until when is taken over from it afterwards.
    pub(crate) fn with_holder<T>(&self, act: impl FnOnce(&mut Holder) -> T) -> T {
        let mut inner = self.lock();
        let result = act(&mut inner.holder);
        let deadline = inner
            .holder
            .deadline()
            .map_or(0, |deadline| deadline.as_nanos());
        self.deadline.store(
            u64::try_from(deadline).unwrap_or(u64::MAX),
            Ordering::Release,
        );
        result
    }

    /// Ends the sessions that an effect names; returns how many when the last byte of each is
    /// either with its client or discarded.
    pub(crate) async fn carry_out(&self, effect: &Effect) -> u32 {
        let ended = match effect {
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
        };
        let count = u32::try_from(ended.len()).unwrap_or(u32::MAX);
        Self::wait(ended).await;
        count
    }

    fn pull(&self, select: impl Fn(&SessionId, &Entry) -> bool, end: &End) -> Vec<Arc<Leash>> {
        let inner = self.lock();
        let selected = inner
            .sessions
            .iter()
            .filter(|(id, entry)| select(id, entry));
        let leashes: Vec<_> = selected
            .map(|(_, entry)| Arc::clone(&entry.leash))
            .collect();
        drop(inner);
        for leash in &leashes {
            leash.end(end.clone());
        }
        leashes
    }

    async fn wait(leashes: Vec<Arc<Leash>>) {
        for leash in leashes {
            leash.closed.cancelled().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Leash ===

impl Leash {
    /// Ends the session; the first cause stands.
    pub(crate) fn end(&self, cause: End) {
        let _ = self.cause.set(cause);
        self.pull.cancel();
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
        self.live.lock().sessions.remove(&self.session);
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
        let carried_out = live.carry_out(effect);
        tokio::pin!(carried_out);
        assert!(
            std::future::poll_fn(|cx| std::task::Poll::Ready(carried_out.as_mut().poll(cx)))
                .await
                .is_pending()
        );
        registration.leash().pulled().await;
        assert_eq!(
            registration.leash().cause(),
            Some(&End::Revoked(grant, "left the study".to_owned()))
        );
        registration.client_closed();
        assert_eq!(carried_out.await, 1);
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
