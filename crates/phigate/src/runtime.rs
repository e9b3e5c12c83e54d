//! The one tokio runtime.

use std::future::Future;

/// The stack of a worker: statements are analysed on the workers themselves, and the analyser's
/// budgets (`phigate_sql`) are set for this size. It is address space, touched only when needed.
const WORKER_STACK: usize = 64 * 1024 * 1024;

/// Runs `future` on a worker and returns what it returns.
///
/// # Panics
///
/// When the operating system refuses threads: nothing can be served then.
#[allow(
    clippy::expect_used,
    reason = "without a runtime there is nobody to report to"
)]
pub fn block_on<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(WORKER_STACK)
        .build()
        .expect("the operating system gives threads");
    runtime.block_on(async move {
        tokio::spawn(future)
            .await
            .expect("the program does not panic")
    })
}
