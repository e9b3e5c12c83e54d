//! Waiting with a deadline.

use std::time::Duration;

/// How long anything in a test may take; generous, because two cores carry everything.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// The value of a future that must be done in time.
///
/// # Panics
/// When it is not, with `what`.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("{what}: not within {} s", DEADLINE.as_secs()))
}

/// Asks until there is a value, for states of other processes that nothing announces.
///
/// # Panics
/// When there is none in time, with `what`.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut pause = tokio::time::interval(Duration::from_millis(10));
    within(what, async {
        loop {
            if let Some(value) = ask().await {
                return value;
            }
            pause.tick().await;
        }
    })
    .await
}
