//! The gateway's side: what it has seen, what it has carried out, how long it may serve.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use phigate_types::{Epoch, GrantId, SessionId, Version};

use crate::flaw::{Flaw, breaks};
use crate::{Change, Ending, Instant};

/// Renewals that may wait for an answer; the oldest is given up for a new one.
const OUTSTANDING_MAX: usize = 16;

/// How many of the last changes an admission can be judged against without asking again.
const RECENT_MAX: usize = 1024;

/// Endings told ahead whose sessions are remembered until the change itself comes.
const AHEAD_MAX: usize = 64;

/// One gateway process's lease, across all its streams. Behind one lock together with the table of
/// sessions: rule 6.
///
/// A stream: [`hello`](Self::hello), [`welcomed`](Self::welcomed), then
/// [`start_renewal`](Self::start_renewal) each second, [`renewed`](Self::renewed) and
/// [`pushed`](Self::pushed) as they arrive, [`detached`](Self::detached). The effects returned are
/// carried out at once and reported with [`carried_out`](Self::carried_out); after every call,
/// [`acknowledgements`](Self::acknowledgements) says what to tell the control plane.
#[derive(Debug, Default)]
pub struct Holder {
    /// Every change up to here has been received.
    seen: Version,
    /// Effects handed out and not carried out yet, by their change.
    unfinished: BTreeSet<Version>,
    /// All sessions have to end before the lease can be had again (rule 5).
    lapsed: bool,
    deadline: Option<Instant>,
    stream: Stream,
    /// Leases that are had as soon as their head is carried out (rule 3).
    earned: Vec<Earned>,
    recent: VecDeque<Change>,
    /// Sessions ended by changes carried out but not acknowledged.
    ended: BTreeMap<Version, u32>,
    /// Sessions ended ahead of their change.
    ended_ahead: VecDeque<(Which, u32)>,
    acknowledged: Version,
    last_sequence: u64,
    welcomed_once: bool,
}

#[derive(Debug, Default)]
enum Stream {
    #[default]
    Detached,
    /// Hello was sent then.
    Greeting(Instant),
    Attached {
        lease: Duration,
        /// Sequence and time of sending.
        outstanding: VecDeque<(u64, Instant)>,
    },
}

/// What an effect ends, to know the change again whose ending was told ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Grant(GrantId, Epoch),
    Session(SessionId),
}

#[derive(Debug)]
struct Earned {
    until: Instant,
    head: Version,
}

/// Something to be carried out now, then reported with [`Holder::carried_out`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// End the grant's sessions whose epoch is smaller.
    EndGrant {
        /// The change; `None` when it was told ahead.
        version: Option<Version>,
        /// The grant.
        grant: GrantId,
        /// Sessions with a smaller one end.
        epoch: Epoch,
        /// For the person.
        reason: String,
    },
    /// End this session.
    EndSession {
        /// The change; `None` when it was told ahead.
        version: Option<Version>,
        /// The session.
        session: SessionId,
        /// For the person.
        reason: String,
    },
    /// The lease is over: end all sessions.
    EndAll,
}

/// What to tell the control plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Every change up to here is carried out.
    pub version: Version,
    /// The sessions that the change at `version` ended.
    pub sessions_ended: u32,
}

/// What OpenSession said, to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// The session to be.
    pub session: SessionId,
    /// Its grant.
    pub grant: GrantId,
    /// The grant's epoch when it was read.
    pub epoch: Epoch,
    /// The head of the change log when it was read.
    pub read_version: Version,
}

/// Why a session is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The gateway may not serve.
    #[error("the gateway has no lease from the control plane")]
    NoLease,
    /// The grant or the session ended meanwhile.
    #[error("the grant ended while the session was being opened")]
    Ended,
    /// Read too long ago to tell; ask the control plane again.
    #[error("the authorisation was read before changes that are no longer remembered")]
    AskAgain,
}

/// What the control plane said cannot be. Drop the stream and attach again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A change is missing.
    #[error("change {expected} is missing before {got}")]
    Gap {
        /// The next version that was due.
        expected: Version,
        /// What came.
        got: Version,
    },
    /// The head is below what was seen: another history (rule 8). End all sessions and begin with a
    /// new [`Holder`].
    #[error("the control plane's head {head} is below {seen}, which was seen before")]
    Regressed {
        /// The head now.
        head: Version,
        /// What was seen.
        seen: Version,
    },
    /// A Welcome that was not waited for, or another message before it.
    #[error("a message of the attach stream came out of order")]
    OutOfOrder,
}

impl Holder {
    /// Without a lease, having seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// A stream opens and Hello is sent now. Answers to renewals of an earlier stream are void, and
    /// nothing that arrives on an earlier stream may be fed in any more: its Welcome would be taken
    /// for the answer to this Hello.
    /// Returns `Hello.applied_version`.
    pub fn hello(&mut self, now: Instant) -> Version {
        self.stream = Stream::Greeting(now);
        self.applied()
    }

    /// Welcome arrived: it answers Hello as a renewal.
    pub fn welcomed(
        &mut self,
        now: Instant,
        lease: Duration,
        changes: &[Change],
        head: Version,
    ) -> Result<Vec<Effect>, StreamError> {
        let Stream::Greeting(sent) = self.stream else {
            return Err(StreamError::OutOfOrder);
        };
        if head < self.seen && !breaks(Flaw::IgnoresRegression) {
            return Err(StreamError::Regressed {
                head,
                seen: self.seen,
            });
        }
        if !self.welcomed_once {
            // No session was ever admitted, so earlier changes have nothing to end here.
            self.seen = changes
                .first()
                .map_or(head, |first| Version(first.version().0.saturating_sub(1)));
            self.acknowledged = self.seen;
        }
        let effects = self.take(now, changes, head)?;
        self.welcomed_once = true;
        self.stream = Stream::Attached {
            lease,
            outstanding: VecDeque::new(),
        };
        self.earn(now, begins(sent, now) + lease, head);
        Ok(effects)
    }

    /// A Renew is sent now; its sequence. `None` when no stream is attached.
    pub fn start_renewal(&mut self, now: Instant) -> Option<u64> {
        let Stream::Attached { outstanding, .. } = &mut self.stream else {
            return None;
        };
        // Never reused, not even by a later stream: a late answer finds nothing.
        self.last_sequence += 1;
        if outstanding.len() == OUTSTANDING_MAX {
            outstanding.pop_front();
        }
        outstanding.push_back((self.last_sequence, now));
        Some(self.last_sequence)
    }

    /// Renewed arrived. The lease extends to the time its Renew was sent plus the lease, once the
    /// changes are carried out; an answer to a renewal that is not outstanding only brings changes.
    pub fn renewed(
        &mut self,
        now: Instant,
        sequence: u64,
        changes: &[Change],
        head: Version,
    ) -> Result<Vec<Effect>, StreamError> {
        let Stream::Attached { lease, outstanding } = &mut self.stream else {
            return Err(StreamError::OutOfOrder);
        };
        let lease = *lease;
        let sent = outstanding
            .iter()
            .position(|(of, _)| *of == sequence)
            .map(|at| {
                // Older ones are answered too, for less.
                outstanding
                    .drain(..=at)
                    .next_back()
                    .map_or(Duration::ZERO, |(_, sent)| sent)
            });
        let effects = self.take(now, changes, head)?;
        if let Some(sent) = sent {
            self.earn(now, begins(sent, now) + lease, head);
        }
        Ok(effects)
    }

    /// A change was pushed.
    pub fn pushed(&mut self, now: Instant, change: &Change) -> Result<Vec<Effect>, StreamError> {
        match self.stream {
            Stream::Attached { .. } => self.take(now, std::slice::from_ref(change), Version(0)),
            Stream::Detached | Stream::Greeting(_) => Err(StreamError::OutOfOrder),
        }
    }

    /// What a change is about to end, told before it is committed (rule 8).
    pub fn ahead(&mut self, now: Instant, ending: Ending) -> Result<Vec<Effect>, StreamError> {
        match self.stream {
            Stream::Attached { .. } => {
                let mut effects: Vec<Effect> = self.tick(now).into_iter().collect();
                effects.push(effect_of(None, ending));
                Ok(effects)
            }
            Stream::Detached | Stream::Greeting(_) => Err(StreamError::OutOfOrder),
        }
    }

    /// The effect is carried out: every session it names is ended, to the last byte.
    pub fn carried_out(&mut self, now: Instant, effect: &Effect, sessions_ended: u32) {
        match effect {
            Effect::EndGrant {
                version,
                grant,
                epoch,
                reason: _,
            } => self.note_ended(*version, Which::Grant(*grant, *epoch), sessions_ended),
            Effect::EndSession {
                version,
                session,
                reason: _,
            } => self.note_ended(*version, Which::Session(*session), sessions_ended),
            Effect::EndAll => {
                self.lapsed = false;
                self.deadline = None;
            }
        }
        self.collect(now);
    }

    /// The stream is gone. The lease runs on.
    pub fn detached(&mut self) {
        self.stream = Stream::Detached;
    }

    /// To be called at the [`deadline`](Self::deadline): says once that the lease is over.
    pub fn tick(&mut self, now: Instant) -> Option<Effect> {
        let over = self.deadline.is_some_and(|deadline| now >= deadline);
        if over && !self.lapsed && !breaks(Flaw::FindsLostLease) {
            self.lapsed = true;
            return Some(Effect::EndAll);
        }
        None
    }

    /// What to tell the control plane now, in this order; each is said once.
    pub fn acknowledgements(&mut self) -> Vec<Applied> {
        let applied = self.applied();
        if applied <= self.acknowledged {
            return Vec::new();
        }
        self.acknowledged = applied;
        let later = self.ended.split_off(&applied.next());
        let ended = std::mem::replace(&mut self.ended, later);
        let mut all: Vec<_> = ended
            .into_iter()
            .map(|(version, sessions_ended)| Applied {
                version,
                sessions_ended,
            })
            .collect();
        if all.last().is_none_or(|last| last.version < applied) {
            all.push(Applied {
                version: applied,
                sessions_ended: 0,
            });
        }
        all
    }

    /// Whether this gateway may serve now. Checked before each write to a client.
    pub fn is_live(&self, now: Instant) -> bool {
        !self.lapsed && self.deadline.is_some_and(|deadline| now < deadline)
    }

    /// When the lease ends; `None` when there is none.
    pub fn deadline(&self) -> Option<Instant> {
        if self.lapsed { None } else { self.deadline }
    }

    /// Every change up to here is carried out.
    pub fn applied(&self) -> Version {
        match self.unfinished.first() {
            Some(first) => Version(first.0.saturating_sub(1)),
            None => self.seen,
        }
    }

    /// Every change up to here was received; `OpenSessionRequest.seen_version`.
    pub fn seen(&self) -> Version {
        self.seen
    }

    /// Whether the session may be entered among the live ones, in the same critical section.
    pub fn may_admit(&self, now: Instant, admission: &Admission) -> Result<(), Refused> {
        if !self.is_live(now) {
            return Err(Refused::NoLease);
        }
        let since = |change: &&Change| change.version() > admission.read_version;
        let ends = |change: &Change| match change {
            Change::GrantEnded { grant, epoch, .. } => {
                *grant == admission.grant && admission.epoch < *epoch
            }
            Change::SessionKilled { session, .. } => *session == admission.session,
            Change::Advance { .. } => false,
        };
        if breaks(Flaw::AdmitsUnseen) {
            return Ok(());
        }
        let missed = self.seen.0.saturating_sub(admission.read_version.0);
        if missed > self.recent.len() as u64 {
            return Err(Refused::AskAgain);
        }
        if self.recent.iter().filter(since).any(ends) {
            Err(Refused::Ended)
        } else {
            Ok(())
        }
    }

    /// Takes changes in; the batch is complete up to `head`.
    fn take(
        &mut self,
        now: Instant,
        changes: &[Change],
        head: Version,
    ) -> Result<Vec<Effect>, StreamError> {
        // All or nothing: an effect that is not returned would never be carried out.
        let mut due = self.seen;
        for change in changes.iter().filter(|change| change.version() > self.seen) {
            if change.version() != due.next() && !breaks(Flaw::IgnoresGaps) {
                return Err(StreamError::Gap {
                    expected: due.next(),
                    got: change.version(),
                });
            }
            due = change.version();
        }
        if head > due && !breaks(Flaw::IgnoresGaps) {
            return Err(StreamError::Gap {
                expected: due.next(),
                got: head,
            });
        }
        // The lease may have ended while nobody looked.
        let mut effects: Vec<Effect> = self.tick(now).into_iter().collect();
        for change in changes.iter().filter(|change| change.version() > self.seen) {
            if self.recent.len() == RECENT_MAX {
                self.recent.pop_front();
            }
            self.recent.push_back(change.clone());
            if let Some(ending) = change.ending() {
                self.unfinished.insert(change.version());
                effects.push(effect_of(Some(change.version()), ending));
            }
        }
        self.seen = due;
        Ok(effects)
    }

    fn note_ended(&mut self, version: Option<Version>, which: Which, sessions_ended: u32) {
        let Some(version) = version else {
            if sessions_ended > 0 {
                if self.ended_ahead.len() == AHEAD_MAX {
                    self.ended_ahead.pop_front();
                }
                self.ended_ahead.push_back((which, sessions_ended));
            }
            return;
        };
        if !self.unfinished.remove(&version) {
            return;
        }
        let mut total = sessions_ended;
        self.ended_ahead.retain(|(of, ended)| {
            if *of == which {
                total = total.saturating_add(*ended);
            }
            *of != which
        });
        self.ended.insert(version, total);
    }

    fn earn(&mut self, now: Instant, until: Instant, head: Version) {
        self.earned.push(Earned { until, head });
        self.collect(now);
    }

    /// Extends by what has been earned, as far as it is carried out. Never over the end of a lease:
    /// the next tick or message has to say first that it was lost (rule 5).
    fn collect(&mut self, now: Instant) {
        let over = self.deadline.is_some_and(|deadline| now >= deadline);
        if self.lapsed || (over && !breaks(Flaw::FindsLostLease)) {
            return;
        }
        let applied = self.applied();
        let due = |earned: &mut Earned| earned.head <= applied || breaks(Flaw::ExtendsFirst);
        for earned in self.earned.extract_if(.., due) {
            if earned.until > now {
                self.deadline = self.deadline.max(Some(earned.until));
            }
        }
    }
}

/// From when a lease counts that was asked for at `sent` and is answered at `now` (rule 1).
fn begins(sent: Instant, now: Instant) -> Instant {
    if breaks(Flaw::CountsFromAnswer) {
        now
    } else {
        sent
    }
}

fn effect_of(version: Option<Version>, ending: Ending) -> Effect {
    match ending {
        Ending::Grant {
            grant,
            epoch,
            reason,
        } => Effect::EndGrant {
            version,
            grant,
            epoch,
            reason,
        },
        Ending::Session { session, reason } => Effect::EndSession {
            version,
            session,
            reason,
        },
    }
}
