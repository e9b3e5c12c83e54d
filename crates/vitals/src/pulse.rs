//! Proof that a loop turns: it is asked, and answers when it gets round to it. A loop that is stuck, or
//! whose runtime is, does not answer; a timer beside it would go on.

use std::future::pending;

use tokio::sync::{mpsc, oneshot};

/// Asks a loop.
#[derive(Debug, Clone)]
pub struct Pulse(mpsc::Sender<oneshot::Sender<()>>);

/// The loop's side.
#[derive(Debug)]
pub struct Beats(mpsc::Receiver<oneshot::Sender<()>>);

/// Both sides.
pub fn pulse() -> (Pulse, Beats) {
    let (ask, asked) = mpsc::channel(1);
    (Pulse(ask), Beats(asked))
}

impl Pulse {
    /// Resolves when the loop has turned since the call; never, when it has ended. Cancel safe.
    pub async fn felt(&self) {
        let (answer, answered) = oneshot::channel();
        if self.0.send(answer).await.is_err() || answered.await.is_err() {
            pending::<()>().await;
        }
    }
}

impl Beats {
    /// Answers one question; to be one branch of the loop's wait. Cancel safe.
    pub async fn answer(&mut self) {
        match self.0.recv().await {
            // Whoever asked may have given up.
            Some(answer) => drop(answer.send(())),
            None => pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn it_is_felt_when_the_loop_turns_and_not_before() {
        let (pulse, mut beats) = pulse();
        let mut cx = Context::from_waker(Waker::noop());
        let mut felt = pin!(pulse.felt());
        assert!(felt.as_mut().poll(&mut cx).is_pending());
        assert!(pin!(beats.answer()).poll(&mut cx).is_ready());
        assert!(felt.as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn a_loop_that_has_ended_is_not_felt() {
        let (pulse, beats) = pulse();
        drop(beats);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(pin!(pulse.felt()).poll(&mut cx).is_pending());
    }
}
