//! Waiting, with a deadline, for conditions that nothing announces.

use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks until `condition` gives a value or `limit` has passed; `None` when it has.
pub(crate) fn until<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(value) = condition() {
            return Some(value);
        }
        if Instant::now() >= end {
            return None;
        }
        pause();
    }
}

// PostgreSQL announces readiness in a file and its end in a process table: neither can be waited on.
#[allow(clippy::disallowed_methods)]
fn pause() {
    std::thread::sleep(PAUSE);
}
