//! The two clocks: one for people and records, one for leases.

use std::time::{Duration, SystemTime};

use phigate_lease::Instant;
use phigate_types::Timestamp;
use rustix::time::{ClockId, clock_gettime};

/// Now, for people and records. Never compared with another machine's.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Now, for leases: CLOCK_BOOTTIME, which also counts while the machine sleeps.
pub(crate) fn boottime() -> Instant {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or(0),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}
