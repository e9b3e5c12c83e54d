//! The data plane: clients in, PostgreSQL out, and between them a live grant, masks and a record.
//!
//! A connection's way through this crate: `listen` accepts it, `startup` reads its first packet,
//! `authenticate` proves the client, `authorise` asks the control plane, `upstream` opens the other
//! side, `session` relays until `session::end` closes the client's side. `control` holds the lease
//! without which nothing of this happens; `live` is where a revocation finds its sessions.

mod authenticate;
mod authorise;
mod cancel;
mod clock;
mod cohort;
mod columns;
mod config;
mod connection;
mod control;
mod database;
mod enforce;
mod error;
mod events;
mod gateway;
mod limits;
mod listen;
mod live;
#[doc(hidden)]
pub mod probe;
mod serving;
mod session;
#[cfg(feature = "sql-off-for-tests")]
mod sql_off;
mod startup;
mod stop;
mod stream;
mod tls;
mod upstream;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use phigate_audit::Log;
use phigate_catalog::{POLL_EVERY, Slots, Upstream, Watcher};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use config::{
    ControlEndpoint, Enforcement, GatewayConfig, Limits, Timeouts, TlsMode, UpstreamDatabase,
};
pub use error::GatewayError;
pub use serving::{Renewal, Serving};
pub use stop::Stop;

use gateway::Gateway;

/// Serves until it is told to stop, then drains and closes the log. `ready` is told once the first lease is
/// held, or when none has come for a while.
///
/// While it drains, new connections are told that it is stopping (57P03), sessions end as soon as they
/// are between transactions (57P01), and the rest when [`Timeouts::drain`] is over or `stop` hurries.
///
/// Run it on a runtime whose threads have big stacks (64 MiB): statements are analysed on them.
///
/// # Errors
/// Whatever keeps it from starting: the port, the certificates, the log. Not being able to reach the
/// control plane is none, and a database that cannot be read is none: clients are refused until it
/// is there.
pub async fn serve(
    config: GatewayConfig,
    stop: Stop,
    ready: oneshot::Sender<Serving>,
) -> Result<(), GatewayError> {
    let tls = acceptor(&config.tls, config.listen)?.map(ArcSwap::from_pointee);
    let control = control::Control::new(&config.control)?;
    let databases = databases(&config).await?;
    let (listener, address) = listen::bind(config.listen).await?;
    let audit = config.audit.clone();
    let (log, recovered) = tokio::task::spawn_blocking(move || Log::open(audit))
        .await
        .map_err(|_| GatewayError::NoLease)??;
    tracing::info!(?recovered, "log opened");
    let gateway = Arc::new(Gateway {
        id: config.id,
        instance: hex::encode(random::<16>()?),
        advertised: config.advertised.unwrap_or_else(|| address.to_string()),
        limits: config.limits,
        timeouts: config.timeouts,
        tls,
        control,
        live: Arc::default(),
        databases,
        log: log.clone(),
        events: Arc::default(),
        policies: authorise::Policies::new(),
        cohorts: cohort::Cohorts::new(),
        plans: enforce::Plans::new(),
        cancels: Arc::default(),
        upstream_logins: Semaphore::new(limits::UPSTREAM_LOGINS),
        teardowns: Semaphore::new(limits::TEARDOWNS),
        tasks: TaskTracker::new(),
        closing: CancellationToken::new(),
        patience: ArcSwap::from_pointee(config.timeouts.drain),
    });
    let (accepting, accepts) = phigate_vitals::pulse();
    let (watching, watches) = phigate_vitals::pulse();
    let attaching = tokio::spawn(control::attach(Arc::clone(&gateway), watches));
    tokio::select! {
        () = stop.asked() => {}
        () = first_lease(&gateway) => {
            tracing::info!(%address, "serving");
            let _ = ready.send(Serving {
                address,
                gateway: Arc::clone(&gateway),
                pulses: [accepting, watching],
            });
            tokio::select! {
                () = listen::accept(listener, Arc::clone(&gateway), accepts) => {}
                () = drain(&gateway, &stop) => {}
            }
        }
    }
    close(gateway, attaching).await;
    tokio::task::spawn_blocking(move || log.close())
        .await
        .map_err(|_| GatewayError::NoLease)??;
    Ok(())
}

fn acceptor(mode: &TlsMode, listen: SocketAddr) -> Result<Option<tls::Acceptor>, GatewayError> {
    match mode {
        TlsMode::Off if listen.ip().to_canonical().is_loopback() => Ok(None),
        TlsMode::Off => Err(GatewayError::PlainOffLoopback(listen)),
        TlsMode::Required {
            identity,
            channel_binding,
        } => tls::Acceptor::new(identity, *channel_binding).map(Some),
    }
}

async fn databases(
    config: &GatewayConfig,
) -> Result<HashMap<phigate_types::DatabaseName, Arc<database::Database>>, GatewayError> {
    let mut databases: HashMap<_, Arc<database::Database>> = HashMap::new();
    for configured in &config.databases {
        let wrong = |error: String| GatewayError::Database {
            database: configured.name.clone(),
            error,
        };
        let upstream = Upstream::parse(configured.upstream.expose())
            .map_err(|error| wrong(error.to_string()))?;
        let address = upstream::Address::of(&upstream).map_err(|error| wrong(error.to_string()))?;
        let watcher = match configured.enforcement {
            Enforcement::Inline => Watcher::start(upstream.clone(), POLL_EVERY),
            Enforcement::Views => {
                Watcher::start_guarded(upstream.clone(), POLL_EVERY, configured.accept.clone())
            }
        };
        let columns = columns::Columns::open(&config.state, &configured.name)
            .map_err(|error| wrong(error.to_string()))?;
        let slots = match configured.enforcement {
            Enforcement::Inline => None,
            Enforcement::Views => Some(Slots::new(upstream)),
        };
        let database = database::Database::new(
            configured.name.clone(),
            address,
            configured.passthrough,
            slots,
            columns,
            watcher,
        );
        databases.insert(configured.name.clone(), Arc::new(database));
    }
    // All are being read by now. One that does not answer keeps nobody from the others: its clients
    // are refused (57P03), and it is asked again.
    let until = clock::now() + limits::FIRST_CATALOG;
    for (name, database) in &databases {
        let left = until.saturating_sub(clock::now());
        if let Err(why) = database.first_look(left).await {
            tracing::error!(database = %name, why,
                "a database cannot be read: its clients are refused until it can");
        }
    }
    Ok(databases)
}

/// Until there is a lease, or for as long as it is worth waiting.
async fn first_lease(gateway: &Gateway) {
    let until = clock::now() + limits::FIRST_LEASE;
    while !gateway.live.is_live(clock::now()) && clock::now() < until {
        tokio::time::sleep(limits::LAST_WORDS).await;
    }
}

/// Waits until it is told to stop, then until the last session has ended.
async fn drain(gateway: &Gateway, stop: &Stop) {
    stop.asked().await;
    gateway.live.begin_drain();
    let patience = **gateway.patience.load();
    tracing::info!(
        sessions = gateway.live.sessions().len(),
        seconds = patience.as_secs(),
        "stopping: sessions end between transactions, the rest when the time is over"
    );
    tokio::select! {
        biased;
        () = gateway.live.emptied() => {}
        () = stop.hurried() => tracing::warn!("told to stop at once"),
        () = tokio::time::sleep(patience) => {}
    }
    let rest = gateway.live.end_the_rest().await;
    if rest > 0 {
        tracing::warn!(sessions = rest, "sessions were ended in the middle");
    }
}

/// What is left of connections ends, then the lease is given up.
async fn close(gateway: Arc<Gateway>, attaching: tokio::task::JoinHandle<()>) {
    gateway.closing.cancel();
    gateway.tasks.close();
    if tokio::time::timeout(limits::CLOSING, gateway.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            left = gateway.tasks.len(),
            "connections left at the end of the drain"
        );
    }
    attaching.abort();
    let _ = attaching.await;
}

fn random<const N: usize>() -> Result<[u8; N], GatewayError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| GatewayError::Random)?;
    Ok(bytes)
}
