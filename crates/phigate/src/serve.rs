//! `phigate serve`: the control plane, the gateway, or both in one process.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use phigate_config::Config;
use phigate_gateway::Stop;
use phigate_vitals::Check;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::systemd::Manager;
use crate::{assemble, monitor, reload};

/// How much longer than its transactions may go on the end of a daemon may take.
const STOP_MARGIN: Duration = Duration::from_secs(20);

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
    parts: Parts,
    tasks: JoinSet<anyhow::Result<()>>,
    stop: Stop,
    /// Ends the control plane, which a gateway in the same process outlives by nothing.
    control_stop: CancellationToken,
}

/// What is running, to ask something of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    pub(crate) gateway: Option<phigate_gateway::Serving>,
    pub(crate) control: Option<phigate_control::Serving>,
}

/// Serves until SIGTERM or SIGINT, or until a part fails. The first of these signals drains, a second
/// one ends at once; SIGHUP reloads.
pub async fn run(part: Part, config: &Path) -> anyhow::Result<ExitCode> {
    let config = Config::load(config)?;
    let mut signals = Signals::listen()?;
    let monitoring = match config.monitoring {
        Some(address) => Some(monitor::bind(address).await?),
        None => None,
    };
    let manager = Manager::of_environment();
    let stop = Stop::default();
    let running = tokio::select! {
        running = start(&config, part, stop.clone()) => running?,
        () = signals.stop() => return Ok(ExitCode::SUCCESS),
    };
    let parts = running.parts.clone();
    if let Some(address) = running.control() {
        tracing::info!(%address, "the control plane serves");
    }
    if let Some(address) = running.gateway() {
        tracing::info!(%address, "the gateway serves");
    }
    if let Some(listener) = monitoring {
        tokio::spawn(monitor::serve(listener, parts.clone()));
    }
    manager.ready("serving");
    let mut ended = pin!(running.join());
    let mut watchdog = pin!(manager.feed_watchdog(|| parts.turned()));
    let mut told = pin!(obey(signals, config, &parts, &stop, &manager));
    tokio::select! {
        ended = &mut ended => ended?,
        () = &mut watchdog => {}
        () = &mut told => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Starts the parts and returns when they answer. `stop` ends them; a plain token does so at once.
pub async fn start(config: &Config, part: Part, stop: impl Into<Stop>) -> anyhow::Result<Running> {
    make_private(&config.data_dir)?;
    let stop = stop.into();
    let mut running = Running {
        parts: Parts::default(),
        tasks: JoinSet::new(),
        // A gateway needs its lease until its last session has ended.
        control_stop: match part {
            Part::Control => stop.token(),
            Part::Gateway | Part::All => CancellationToken::new(),
        },
        stop,
    };
    if part != Part::Gateway {
        let (ready, serving) = oneshot::channel();
        let control = assemble::control(config)?;
        let stop = running.control_stop.clone();
        running.tasks.spawn(async move {
            phigate_control::serve(control, stop, ready)
                .await
                .context("the control plane")
        });
        running.parts.control = Some(running.serving(serving).await?);
    }
    if part != Part::Control {
        let (ready, serving) = oneshot::channel();
        // A control plane in the same process is reached where it really listens.
        let gateway = assemble::gateway(config, running.parts.control_address())?;
        let (stop, control_stop) = (running.stop.clone(), running.control_stop.clone());
        running.tasks.spawn(async move {
            let ended = phigate_gateway::serve(gateway, stop, ready).await;
            control_stop.cancel();
            ended.context("the gateway")
        });
        running.parts.gateway = Some(running.serving(serving).await?);
    }
    Ok(running)
}

// === impl Running ===

impl Running {
    /// Where the gateway listens.
    pub fn gateway(&self) -> Option<SocketAddr> {
        let serving = self.parts.gateway.as_ref();
        serving.map(phigate_gateway::Serving::address)
    }

    /// Where the control plane listens.
    pub fn control(&self) -> Option<SocketAddr> {
        let serving = self.parts.control.as_ref();
        serving.map(phigate_control::Serving::address)
    }

    /// Waits until every part has ended; the first failure ends the others and is returned.
    pub async fn join(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let ended = ended.context("a part panicked").and_then(|ended| ended);
            self.end();
            outcome = outcome.and(ended);
        }
        outcome
    }

    /// What a part sends when it answers; its failure if it ends before.
    async fn serving<T>(&mut self, serving: oneshot::Receiver<T>) -> anyhow::Result<T> {
        tokio::select! {
            biased;
            Ok(serving) = serving => Ok(serving),
            Some(ended) = self.tasks.join_next() => {
                self.end();
                ended.context("a part panicked")??;
                bail!("stopped before it served")
            }
        }
    }

    fn end(&self) {
        self.stop.at_once();
        self.control_stop.cancel();
    }
}

// === impl Parts ===

impl Parts {
    /// Where a gateway in the same process finds the control plane.
    pub(crate) fn control_address(&self) -> Option<SocketAddr> {
        let control = self.control.as_ref()?;
        Some(over_loopback(control.address()))
    }

    /// Resolves when every loop that must turn has turned since the call.
    pub(crate) async fn turned(&self) {
        if let Some(control) = &self.control {
            control.turned().await;
        }
        if let Some(gateway) = &self.gateway {
            gateway.turned().await;
        }
    }

    /// What serving needs.
    pub(crate) async fn checks(&self) -> Vec<Check> {
        let mut checks = Vec::new();
        if let Some(control) = &self.control {
            checks.extend(control.checks().await);
        }
        if let Some(gateway) = &self.gateway {
            checks.extend(gateway.checks());
        }
        checks
    }

    /// In the OpenMetrics text format.
    pub(crate) async fn metrics(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        if let Some(control) = &self.control {
            control.metrics(&mut out).await?;
        }
        if let Some(gateway) = &self.gateway {
            gateway.metrics(&mut out)?;
        }
        prometheus_client::encoding::text::encode_eof(&mut out)?;
        Ok(out)
    }
}

/// What the operator says.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Resolves at SIGTERM or SIGINT. Cancel safe.
    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Resolves at any of them: whether it asks for a reload. Cancel safe.
    async fn asks_for_reload(&mut self) -> bool {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => false,
            _ = self.interrupt.recv() => false,
            _ = self.hang_up.recv() => true,
        }
    }
}

/// Does what signals say, for as long as it is polled.
async fn obey(
    mut signals: Signals,
    mut config: Config,
    parts: &Parts,
    stop: &Stop,
    manager: &Manager,
) {
    while signals.asks_for_reload().await {
        manager.reloading();
        tracing::info!("reloading");
        // Nobody who wants it stopped waits for a reload.
        let reloaded = tokio::select! {
            biased;
            () = signals.stop() => break,
            reloaded = reload::reload(&config, parts) => reloaded,
        };
        match reloaded {
            Ok(new) => {
                config = new;
                tracing::info!("reloaded");
                manager.ready("serving");
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "not reloaded");
                manager.ready("serving; the last reload was refused: see the log");
            }
        }
    }
    tracing::info!("stopping: a second signal ends at once");
    manager.stopping(config.gateway.drain_timeout + STOP_MARGIN);
    stop.drain();
    signals.stop().await;
    tracing::warn!("stopping at once");
    stop.at_once();
    std::future::pending::<()>().await;
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
