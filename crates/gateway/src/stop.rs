//! How a gateway is told to stop: first in good order, then at once.

use tokio_util::sync::CancellationToken;

/// Clones share it. Whoever is asked twice hurries.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    asked: CancellationToken,
    hurried: CancellationToken,
}

impl Stop {
    /// Asks for an end in good order: transactions get the time that is configured.
    pub fn drain(&self) {
        self.asked.cancel();
    }

    /// Asks for an end now.
    pub fn at_once(&self) {
        self.asked.cancel();
        self.hurried.cancel();
    }

    /// Resolves when an end is asked for, of either kind. Cancel safe.
    pub async fn asked(&self) {
        self.asked.cancelled().await;
    }

    /// A token that is cancelled when an end is asked for, for those who need no time.
    pub fn token(&self) -> CancellationToken {
        self.asked.clone()
    }

    /// Resolves when the end is to be now. Cancel safe.
    pub async fn hurried(&self) {
        self.hurried.cancelled().await;
    }
}

/// One that knows no patience: cancelling the token asks for an end now.
impl From<CancellationToken> for Stop {
    fn from(token: CancellationToken) -> Self {
        Self {
            asked: token.clone(),
            hurried: token,
        }
    }
}
