//! Why the control plane does not start, or stops.

use std::io;
use std::net::SocketAddr;

/// What ends [`crate::serve`].
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The listener cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}
