//! `phigate serve`: the control plane, the gateway, or both in one process.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use phigate_config::Config;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::assemble;

/// What one process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The data plane: analysts connect to it.
    Gateway,
    /// The control plane: admins and gateways connect to it.
    Control,
    /// Both.
    All,
}

/// Parts that serve.
#[derive(Debug)]
pub struct Running {
    gateway: Option<SocketAddr>,
    control: Option<SocketAddr>,
    tasks: JoinSet<anyhow::Result<()>>,
    shutdown: CancellationToken,
}

/// Serves until SIGTERM or SIGINT, or until a part fails.
pub async fn run(part: Part, config: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let shutdown = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let running = tokio::select! {
        running = start(&config, part, shutdown.clone()) => running?,
        _ = terminate.recv() => return Ok(ExitCode::SUCCESS),
        _ = interrupt.recv() => return Ok(ExitCode::SUCCESS),
    };
    if let Some(address) = running.control() {
        tracing::info!(%address, "the control plane serves");
    }
    if let Some(address) = running.gateway() {
        tracing::info!(%address, "the gateway serves");
    }
    let stop = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stop.cancel();
    });
    running.join().await?;
    Ok(ExitCode::SUCCESS)
}

/// Starts the parts and returns when they answer. Cancelling `shutdown` ends them.
pub async fn start(
    config: &Config,
    part: Part,
    shutdown: CancellationToken,
) -> anyhow::Result<Running> {
    make_private(&config.data_dir)?;
    let mut running = Running {
        gateway: None,
        control: None,
        tasks: JoinSet::new(),
        shutdown: shutdown.clone(),
    };
    if part != Part::Gateway {
        let (ready, bound) = oneshot::channel();
        let control = assemble::control(config)?;
        let stop = shutdown.clone();
        running.tasks.spawn(async move {
            phigate_control::serve(control, stop, ready)
                .await
                .context("the control plane")
        });
        running.control = Some(running.bound(bound).await?);
    }
    if part != Part::Control {
        let (ready, bound) = oneshot::channel();
        // A control plane in the same process is reached where it really listens.
        let gateway = assemble::gateway(config, running.control.map(over_loopback))?;
        let stop = shutdown.clone();
        running.tasks.spawn(async move {
            phigate_gateway::serve(gateway, stop, ready)
                .await
                .context("the gateway")
        });
        running.gateway = Some(running.bound(bound).await?);
    }
    Ok(running)
}

// === impl Running ===

impl Running {
    /// Where the gateway listens.
    pub fn gateway(&self) -> Option<SocketAddr> {
        self.gateway
    }

    /// Where the control plane listens.
    pub fn control(&self) -> Option<SocketAddr> {
        self.control
    }

    /// Waits until every part has ended; the first failure ends the others and is returned.
    pub async fn join(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.context("a part panicked").and_then(|ended| ended);
            self.shutdown.cancel();
            outcome = outcome.and(ended);
        }
        outcome
    }

    /// The address a part sends when it answers; its failure if it ends before.
    async fn bound(&mut self, bound: oneshot::Receiver<SocketAddr>) -> anyhow::Result<SocketAddr> {
        tokio::select! {
            biased;
            Ok(address) = bound => Ok(address),
            Some(ended) = self.tasks.join_next() => {
                self.shutdown.cancel();
                ended.context("a part panicked")??;
                bail!("stopped before it served")
            }
        }
    }
}

/// Makes the data directory for this account alone.
fn make_private(directory: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("cannot make the data directory {}", directory.display()))
}

fn over_loopback(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}
