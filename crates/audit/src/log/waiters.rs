//! How far the log is durable, and who waits for it to get further.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::Position;
use crate::error::AuditError;
use crate::leaf::Head;

/// The progress of a log.
pub(super) struct Progress {
    /// Leaves that are durable; only rises. Written under the lock.
    durable: AtomicU64,
    /// Whether nothing is recorded any more.
    failed: AtomicBool,
    state: Mutex<State>,
    /// For those who wait without a runtime.
    changed: Condvar,
}

struct State {
    head: Head,
    error: Option<AuditError>,
    /// By position, so that one advance wakes those it is for and nobody else.
    waiting: BTreeMap<(Position, u64), Waker>,
    tickets: u64,
}

impl Progress {
    pub(super) fn new(head: Head) -> Self {
        let state = State {
            head,
            error: None,
            waiting: BTreeMap::new(),
            tickets: 0,
        };
        Self {
            durable: AtomicU64::new(head.leaves),
            failed: AtomicBool::new(false),
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    pub(super) fn durable(&self) -> Position {
        Position(self.durable.load(Ordering::Acquire))
    }

    pub(super) fn failed(&self) -> Option<AuditError> {
        if self.failed.load(Ordering::Acquire) {
            self.state().error.clone()
        } else {
            None
        }
    }

    pub(super) fn head(&self) -> Head {
        self.state().head
    }

    /// The log is durable to here.
    pub(super) fn advance(&self, head: Head) {
        let mut state = self.state();
        state.head = head;
        self.durable.store(head.leaves, Ordering::Release);
        let later = state.waiting.split_off(&(Position(head.leaves), u64::MAX));
        let reached = std::mem::replace(&mut state.waiting, later);
        drop(state);
        self.changed.notify_all();
        reached.into_values().for_each(Waker::wake);
    }

    /// Nothing more is recorded. The first cause stands.
    pub(super) fn fail(&self, error: AuditError) {
        let mut state = self.state();
        state.error.get_or_insert(error);
        self.failed.store(true, Ordering::Release);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        waiting.into_values().for_each(Waker::wake);
    }

    /// Waits on a thread of its own.
    pub(super) fn wait_blocking(&self, position: Position) -> Result<(), AuditError> {
        let state = self
            .changed
            .wait_while(self.state(), |state| {
                state.head.leaves < position.0 && state.error.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        match &state.error {
            Some(error) if state.head.leaves < position.0 => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// Waits in a task.
    pub(super) fn wait(&self, position: Position) -> Wait<'_> {
        Wait {
            progress: self,
            position,
            ticket: None,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a position; gives its place back when it is dropped.
pub(super) struct Wait<'a> {
    progress: &'a Progress,
    position: Position,
    ticket: Option<u64>,
}

impl Future for Wait<'_> {
    type Output = Result<(), AuditError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (progress, position) = (self.progress, self.position);
        if progress.durable() >= position {
            return Poll::Ready(Ok(()));
        }
        let mut state = progress.state();
        if state.head.leaves >= position.0 {
            return Poll::Ready(Ok(()));
        }
        if let Some(error) = &state.error {
            return Poll::Ready(Err(error.clone()));
        }
        let ticket = if let Some(ticket) = self.ticket {
            ticket
        } else {
            state.tickets += 1;
            state.tickets
        };
        state
            .waiting
            .entry((position, ticket))
            .and_modify(|waker| waker.clone_from(cx.waker()))
            .or_insert_with(|| cx.waker().clone());
        drop(state);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.progress
                .state()
                .waiting
                .remove(&(self.position, ticket));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;
    use crate::leaf::Digest;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn head(leaves: u64) -> Head {
        Head {
            epoch: 1,
            leaves,
            hash: Digest::default(),
        }
    }

    #[test]
    fn an_advance_wakes_those_it_reaches_and_nobody_else() {
        let progress = Progress::new(head(0));
        let (near, far) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        let (near_waker, far_waker) = (near.clone().into(), far.clone().into());
        let mut first = pin!(progress.wait(Position(2)));
        let mut second = pin!(progress.wait(Position(3)));
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(&near_waker))
                .is_pending()
        );
        assert!(
            second
                .as_mut()
                .poll(&mut Context::from_waker(&far_waker))
                .is_pending()
        );
        progress.advance(head(2));
        assert_eq!(
            (
                near.0.load(Ordering::Relaxed),
                far.0.load(Ordering::Relaxed)
            ),
            (1, 0)
        );
        let ready = first.as_mut().poll(&mut Context::from_waker(&near_waker));
        assert_eq!(ready, Poll::Ready(Ok(())));
        progress.fail(AuditError::Closed);
        assert_eq!(far.0.load(Ordering::Relaxed), 1);
        let failed = second.as_mut().poll(&mut Context::from_waker(&far_waker));
        assert_eq!(failed, Poll::Ready(Err(AuditError::Closed)));
        // What was durable before the failure stays so.
        let mut late = pin!(progress.wait(Position(1)));
        assert!(
            late.as_mut()
                .poll(&mut Context::from_waker(&far_waker))
                .is_ready()
        );
    }

    #[test]
    fn a_wait_that_is_given_up_leaves_nothing_behind() {
        let progress = Progress::new(head(0));
        let waker = Arc::new(Counter::default()).into();
        for _ in 0..3 {
            let mut wait = Box::pin(progress.wait(Position(1)));
            for _ in 0..3 {
                assert!(
                    wait.as_mut()
                        .poll(&mut Context::from_waker(&waker))
                        .is_pending()
                );
            }
            assert_eq!(progress.state().waiting.len(), 1);
        }
        assert!(progress.state().waiting.is_empty());
    }
}
