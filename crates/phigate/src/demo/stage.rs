//! Setting the stage: a private PostgreSQL, a hospital, and phigate in front of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use phigate::serve::{self, Part, Running};
use phigate_cluster::{Binaries, Cluster, ClusterError, Options, hospital};
use phigate_config::Config;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::phictl::Phictl;
use crate::arguments::DemoOptions;

/// Where the demo listens unless somebody else does.
const USUAL_GATEWAY_PORT: u16 = 6432;
const USUAL_CONTROL_PORT: u16 = 7443;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);

/// Everything that runs during the demo.
pub(crate) struct Stage {
    pub(crate) gateway: SocketAddr,
    pub(crate) control: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) ca_file: PathBuf,
    pub(crate) psql: PathBuf,
    pub(crate) phictl: Phictl,
    pub(crate) cluster: Cluster,
    running: Running,
    shutdown: CancellationToken,
    // Removed when dropped, after everything above has ended.
    _scratch: Option<TempDir>,
}

impl Stage {
    /// Starts everything, with progress shown on long steps.
    pub(crate) async fn set(options: &DemoOptions) -> anyhow::Result<Self> {
        let (data_dir, scratch) = data_dir(options.data_dir.as_deref())?;
        let progress = Progress::new();

        progress.step("looking for PostgreSQL");
        let binaries = binaries(options, &data_dir, &progress).await?;
        progress.step(format!("starting a private {binaries}"));
        let cluster = start_cluster(binaries.clone(), scratch.is_some(), &data_dir).await?;
        progress.step("admitting 10,000 synthetic patients");
        hospital::fill(&cluster, hospital::Size::Demo)
            .await
            .context("cannot fill the hospital")?;

        let config_file = write_config(&data_dir, &cluster)?;
        let config = Config::load(&config_file)?;
        progress.step("making masked views");
        phigate_control::prepare(&phigate::assemble::control(&config)?).await?;
        progress.step("starting the control plane and the gateway");
        let shutdown = CancellationToken::new();
        let running = serve::start(&config, Part::All, shutdown.clone()).await?;
        let phictl = Phictl::install(&data_dir, &config_file)?;
        progress.done();

        Ok(Self {
            gateway: running.gateway().context("the gateway does not listen")?,
            control: running
                .control()
                .context("the control plane does not listen")?,
            ca_file: config.pki_dir().join("ca.pem"),
            psql: binaries.psql().unwrap_or_else(|| PathBuf::from("psql")),
            data_dir,
            phictl,
            cluster,
            running,
            shutdown,
            _scratch: scratch,
        })
    }

    /// Ends everything, sessions first.
    pub(crate) async fn strike(self) {
        let Self {
            running,
            shutdown,
            cluster,
            ..
        } = self;
        shutdown.cancel();
        if let Err(error) = running.join().await {
            tracing::error!(%error, "the daemon did not end well");
        }
        // Stopping waits for the server, which a worker thread must not.
        let _ = tokio::task::spawn_blocking(move || drop(cluster)).await;
    }
}

/// The directory asked for, or one that vanishes.
fn data_dir(asked: Option<&Path>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    if let Some(directory) = asked {
        std::fs::create_dir_all(directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        return Ok((directory.canonicalize()?, None));
    }
    let scratch = tempfile::Builder::new()
        .prefix("phigate-demo-")
        .tempdir()
        .context("cannot make a directory for the demo")?;
    Ok((scratch.path().to_owned(), Some(scratch)))
}

async fn binaries(
    options: &DemoOptions,
    data_dir: &Path,
    progress: &Progress,
) -> anyhow::Result<Binaries> {
    match Binaries::find(options.postgres.as_deref()) {
        Ok(found) => Ok(found),
        Err(ClusterError::NotFound { .. }) => {
            progress.step("fetching PostgreSQL");
            let into = data_dir.join("postgres-programs");
            let bar = progress.bar.clone();
            tokio::task::spawn_blocking(move || {
                phigate_cluster::fetch(&into, &mut |line| bar.set_message(line.to_owned()))
            })
            .await?
            .map_err(Into::into)
        }
        Err(error) => Err(error.into()),
    }
}

async fn start_cluster(
    binaries: Binaries,
    temporary: bool,
    data_dir: &Path,
) -> anyhow::Result<Cluster> {
    let directory = data_dir.join("postgres");
    let start = move || {
        if temporary {
            let options = Options {
                remove: true,
                ..Options::default()
            };
            Cluster::temporary(&binaries, options)
        } else {
            Cluster::start(&binaries, &directory, Options::default())
        }
    };
    tokio::task::spawn_blocking(start)
        .await?
        .context("cannot start a private PostgreSQL")
}

/// Writes the configuration a person would write by hand.
fn write_config(data_dir: &Path, cluster: &Cluster) -> anyhow::Result<PathBuf> {
    let catalog = data_dir.join("clinic.phi.csv");
    std::fs::write(&catalog, hospital::CLASSIFICATION)?;
    let text = format!(
        r#"# Written by `phigate demo`; deploy/phigate.toml explains every key.
data_dir = "data"

[control]
listen = "{control}"

[gateway]
listen = "{gateway}"

[audit]
recording = "local"

[[database]]
name = "clinic"
upstream = "{upstream}"
catalog = "clinic.phi.csv"
enforcement = "views"
admin = "{admin}"
"#,
        control = free_address(USUAL_CONTROL_PORT)?,
        gateway = free_address(USUAL_GATEWAY_PORT)?,
        upstream = hospital::broker_url(cluster),
        admin = cluster.url(hospital::DATABASE),
    );
    let path = data_dir.join("phigate.toml");
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// The usual port, or a free one where somebody listens there.
fn free_address(usual: u16) -> anyhow::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, usual))
        .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .and_then(|listener| listener.local_addr())
        .context("no free port on 127.0.0.1")
}

/// One line that says what takes so long.
struct Progress {
    bar: ProgressBar,
}

impl Progress {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    fn step(&self, what: impl Into<String>) {
        self.bar.set_message(what.into());
    }

    fn done(self) {
        self.bar.finish_and_clear();
    }
}
