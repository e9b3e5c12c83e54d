//! The control plane: grants, sessions and gateways, behind one gRPC listener.
//!
//! Admins call with a bearer token over TLS, gateways with a client certificate of the CA. A call
//! that changes something returns when its audit leaf is durable; one that ends something, when
//! no gateway serves it any more.

mod access;
mod attach;
mod catalogs;
mod classification;
mod clock;
mod config;
mod crosswalk;
mod databases;
mod error;
mod events;
mod expiry;
mod explain;
mod gateways;
mod hardening;
mod incoming;
mod leaf;
mod plane;
mod recorder;
mod services;
mod serving;
mod startup;
mod token;
mod upstream_key;

pub use config::{ControlConfig, DatabaseSpec};
pub use error::ControlError;
pub use hardening::prepare;
pub use serving::{Renewal, Serving};

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use phigate_proto::FILE_DESCRIPTOR_SET;
use phigate_proto::v1::catalog_service_server::CatalogServiceServer;
use phigate_proto::v1::database_service_server::DatabaseServiceServer;
use phigate_proto::v1::gateway_service_server::GatewayServiceServer;
use phigate_proto::v1::grant_service_server::GrantServiceServer;
use phigate_proto::v1::session_service_server::SessionServiceServer;
use phigate_store::Store;
use tokio::net::TcpListener;
use tokio::sync::{RwLock, oneshot};
use tokio_util::sync::CancellationToken;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Server;

use crate::access::{AdminAccess, Refusals};
use crate::catalogs::Catalogs;
use crate::databases::Databases;
use crate::gateways::Gateways;
use crate::plane::Plane;
use crate::recorder::Recorder;
use crate::token::AdminToken;

/// How long a TLS handshake may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// How often a silent connection is asked whether it is alive, and how long it may think.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// The longest request for a grant, in bytes: its list of patients may have 100,000 of 64 bytes.
const MAX_GRANT_REQUEST: usize = 8 * 1024 * 1024;

/// How long calls that are under way may go on when the control plane stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown`; `ready` is told once calls are answered.
pub async fn serve(
    config: ControlConfig,
    shutdown: CancellationToken,
    ready: oneshot::Sender<Serving>,
) -> Result<(), ControlError> {
    let store = Store::open(&config.store).await?;
    let (log, told) = startup::open_log(config.audit).await?;
    let earlier = startup::fence(&store, told).await?;
    let token = AdminToken::load_or_create(&config.admin_token, &store).await?;
    let upstream_key = upstream_key::load_or_create(&config.upstream_key)?;
    let catalogs = Catalogs::new(&config.databases);
    let databases = Databases::new(config.databases, upstream_key);
    startup::reclassify(&store, &databases).await?;

    let tls = incoming::tls(&config.identity, &config.client_ca_pem)?;
    let tls = Arc::new(ArcSwap::from_pointee(tls));
    let (listener, address) = bind(config.listen).await?;

    let drained = CancellationToken::new();
    let (recorder, recording) =
        Recorder::start(store.clone(), log.clone(), told.sequence, drained.clone());
    let events = Arc::<events::Events>::default();
    let gateways = Arc::new(Gateways::new(config.lease, earlier));
    let announced = Arc::clone(&gateways);
    store.observe(move |notice| announced.announce(notice));
    let plane = Arc::new(Plane {
        store: store.clone(),
        databases,
        catalogs,
        principals: ArcSwap::from_pointee(config.principals),
        classified: RwLock::default(),
        gateways,
        recorder,
        events: Arc::clone(&events),
        lease: config.lease,
        shutdown: shutdown.clone(),
    });
    for known in store.known_gateways().await? {
        plane.watch_lost(known.id, known.instance);
    }
    let refusals = Refusals::default();
    let chores = tokio::spawn(expiry::run(Arc::clone(&plane), refusals.clone()));

    let admin = AdminAccess { token, refusals };
    let (health, health_service) = tonic_health::server::health_reporter();
    health
        .set_serving::<GrantServiceServer<services::Grants>>()
        .await;
    health
        .set_serving::<SessionServiceServer<services::Sessions>>()
        .await;
    health
        .set_serving::<CatalogServiceServer<services::Catalog>>()
        .await;
    health
        .set_serving::<DatabaseServiceServer<services::Database>>()
        .await;
    health
        .set_serving::<GatewayServiceServer<services::Gateways>>()
        .await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let (accepting, accepts) = phigate_vitals::pulse();
    let incoming = incoming::accept(
        listener,
        Arc::clone(&tls),
        accepts,
        events,
        shutdown.clone(),
    );
    let server = Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .add_service(health_service)
        .add_service(reflection)
        .add_service(InterceptedService::new(
            GrantServiceServer::new(services::Grants(Arc::clone(&plane)))
                .max_decoding_message_size(MAX_GRANT_REQUEST),
            admin.clone(),
        ))
        .add_service(SessionServiceServer::with_interceptor(
            services::Sessions(Arc::clone(&plane)),
            admin.clone(),
        ))
        .add_service(CatalogServiceServer::with_interceptor(
            services::Catalog(Arc::clone(&plane)),
            admin.clone(),
        ))
        .add_service(DatabaseServiceServer::with_interceptor(
            services::Database(Arc::clone(&plane)),
            admin,
        ))
        .add_service(GatewayServiceServer::new(services::Gateways(Arc::clone(
            &plane,
        ))))
        .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
    tracing::info!(%address, "the control plane answers");
    let _ = ready.send(Serving {
        address,
        plane,
        tls,
        accepting,
    });

    let served = tokio::select! {
        served = server => served,
        () = async { shutdown.cancelled().await; tokio::time::sleep(DRAIN).await } => Ok(()),
    };
    shutdown.cancel();
    let _ = chores.await;
    drained.cancel();
    let _ = recording.await;
    let closed = tokio::task::spawn_blocking(move || log.close()).await;
    store.close().await;
    served?;
    closed.map_err(|_| ControlError::Stopped("the audit log could not be closed"))??;
    Ok(())
}

/// The listener and its address, for port 0.
async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ControlError> {
    let failed = |source| ControlError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
