//! The lease and barrier protocol, both sides, without I/O: how a revocation reaches every gateway,
//! and how long it may take to be sure.
//!
//! The control plane appends changes to a log: versions 1, 2, 3 and so on. A gateway holds a lease; while it lasts it
//! may serve. Revoking a grant is: commit the change, tell every gateway, and wait until each has
//! either carried it out or lost its lease. Time is an argument everywhere: a reading of this machine's
//! CLOCK_BOOTTIME ([`Instant`]), never compared with another machine's.
//!
//! # Rules, and what each is for
//!
//! 1. **A lease counts from when it was asked for.** The gateway notes its clock, then sends Hello or
//!    Renew; the answer extends to that reading plus the lease, whenever it arrives. The control
//!    plane counts from when it received the question, which is later, times
//!    [`with_drift`]: its idea of the end is never before the gateway's.
//! 2. **The control plane notes the lease before it reads the log.** [`control::Leases::renew`], then
//!    the head, then the answer. A revocation commits, then takes the leases
//!    ([`control::Barrier::new`]). So an answer either carries the change, or its lease is waited for.
//!    Replicas share the log and a roster ([`control::Seat`]) of who attached where. A process is on
//!    it, committed, before the log is read for its Welcome, and is answered only by the replica it
//!    sits with, at the moment the log is read; a barrier reads the roster after its own commit. An
//!    answer that does not carry the change was read before that commit, so its lease is over
//!    [`with_drift`] of a lease after it, on the clock of whoever waits.
//! 3. **Changes first, then the extension.** The gateway extends only when every change up to the
//!    answer's head is carried out: every session it ends has ended, to the last byte.
//! 4. **Changes come in order, without gaps.** What was seen is ignored; a gap is an error that ends
//!    the stream. A stream begins with everything after what was carried out.
//! 5. **A lease that was lost once is lost.** All sessions end before the gateway serves again, also
//!    when it slept through the moment.
//! 6. **Admission is judged against the changes seen.** An answer to OpenSession says the version it
//!    was read at. A change after that version which ends the grant's epoch or the session refuses it;
//!    one too old to tell is asked again. The session is entered where changes look for it in the
//!    same critical section as the judgement.
//! 7. **A process, not a name, holds a lease.** A second process with the same gateway id fences the
//!    first, whose lease still has to run out: only the process that serves can acknowledge. Replicas
//!    read who is fenced together with the log, so that no answer extends a fenced process's lease; and
//!    a replica that another one took for dead ([`control::Peers`]) is fenced in the same way.
//! 8. **Versions and epochs never fall, and a version told to anybody is never another change's.**
//!    A store restored from a backup goes on above the last version its own audit log names. Before
//!    its commit a change has no version: what it will end may be told ahead ([`Ending`],
//!    [`gateway::Holder::ahead`]) and ends at once, but nothing else follows from it: neither is it
//!    acknowledged, nor does it refuse an admission; the change itself does, when it comes. A gateway
//!    that meets a head below what it has seen ends everything.
//! 9. **A control plane that starts does not know who holds a lease**, unless its store does, and
//!    waits accordingly ([`control::Earlier`]). Whoever leaves the roster is not waited for any more:
//!    only the replica it attached to takes it off, when its lease is over there, counted from when it
//!    had its seat, and no later attachment has taken its place (attachments are numbered, and no
//!    number is used twice); or who has fenced that replica, [`with_drift`] of a lease later.
//!
//! From 1 to 9: when a barrier is done, no gateway has a session under what it ended, and none can
//! admit one. A barrier is done, whatever fails, [`with_drift`] of a lease after its commit.

pub mod control;
mod flaw;
pub mod gateway;

#[cfg(test)]
mod simulation;

use std::time::Duration;

use phigate_types::{Epoch, GrantId, SessionId, Version};

/// A reading of this machine's CLOCK_BOOTTIME: time since an arbitrary origin, counting suspension.
pub type Instant = Duration;

/// How long an answered renewal is good for.
pub const LEASE: Duration = Duration::from_secs(5);

/// How often a gateway renews.
pub const RENEW_EVERY: Duration = Duration::from_secs(1);

/// By how much one machine's clock may run faster than another's, in parts per million. chrony slews
/// a clock by up to 83,333 ppm (`maxslewrate`, its default), which with 500 ppm of oscillator error
/// on both sides makes a ratio of 1.184 when one machine speeds up and the other slows down.
pub const DRIFT_PPM: u32 = 200_000;

/// How long to wait here for `span` to have passed on any machine within the drift bound.
pub const fn with_drift(span: Duration) -> Duration {
    span.saturating_add(Duration::from_nanos(
        (span.as_nanos().saturating_mul(DRIFT_PPM as u128) / 1_000_000) as u64,
    ))
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A grant was revoked or narrowed: its sessions with a smaller epoch end.
    GrantEnded {
        /// The position in the log.
        version: Version,
        /// The grant.
        grant: GrantId,
        /// The epoch after the change.
        epoch: Epoch,
        /// For the person whose session ends.
        reason: String,
    },
    /// One session is to end.
    SessionKilled {
        /// The position in the log.
        version: Version,
        /// The session.
        session: SessionId,
        /// For the person whose session ends.
        reason: String,
    },
    /// Ends nothing.
    Advance {
        /// The position in the log.
        version: Version,
    },
}

/// What a change ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The grant's sessions with a smaller epoch.
    Grant {
        /// The grant.
        grant: GrantId,
        /// The epoch after the change.
        epoch: Epoch,
        /// For the person whose session ends.
        reason: String,
    },
    /// One session.
    Session {
        /// The session.
        session: SessionId,
        /// For the person whose session ends.
        reason: String,
    },
}

impl Change {
    /// What it ends, if anything.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::GrantEnded {
                version: _,
                grant,
                epoch,
                reason,
            } => Some(Ending::Grant {
                grant: *grant,
                epoch: *epoch,
                reason: reason.clone(),
            }),
            Self::SessionKilled {
                version: _,
                session,
                reason,
            } => Some(Ending::Session {
                session: *session,
                reason: reason.clone(),
            }),
            Self::Advance { version: _ } => None,
        }
    }

    /// The position in the log.
    pub const fn version(&self) -> Version {
        match self {
            Self::GrantEnded { version, .. }
            | Self::SessionKilled { version, .. }
            | Self::Advance { version } => *version,
        }
    }
}
