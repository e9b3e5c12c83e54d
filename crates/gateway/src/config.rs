//! What a gateway is told when it starts; checked before it gets here.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use phigate_audit::LogConfig;
use phigate_pki::Identity;
use phigate_types::{DatabaseName, GatewayId, Secret};

use crate::limits;

/// Everything [`crate::serve`] needs.
#[derive(Debug)]
pub struct GatewayConfig {
    /// This instance's name: the subject of its certificate towards the control plane.
    pub id: GatewayId,
    /// Where clients connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address shown to analysts, `host:port`; `None` shows the bound address.
    pub advertised: Option<String>,
    /// Where it keeps what it must remember from one start to the next; made if need be.
    pub state: PathBuf,
    /// How clients' connections are protected.
    pub tls: TlsMode,
    /// The control plane.
    pub control: ControlEndpoint,
    /// The databases served; no name twice.
    pub databases: Vec<UpstreamDatabase>,
    /// This gateway's log.
    pub audit: LogConfig,
    /// How many.
    pub limits: Limits,
    /// How long.
    pub timeouts: Timeouts,
}

/// How clients' connections are protected.
#[derive(Debug)]
pub enum TlsMode {
    /// Not at all; only where the gateway listens on loopback.
    Off,
    /// TLS is required.
    Required {
        /// The chain and key shown to clients, in PEM.
        identity: Identity,
        /// Whether SCRAM-SHA-256-PLUS is offered; not behind a balancer that terminates TLS.
        channel_binding: bool,
    },
}

/// Where the control plane is and who this gateway is to it.
#[derive(Debug)]
pub struct ControlEndpoint {
    /// `https://host:port`.
    pub url: String,
    /// The certificate of the CA that signed the control plane's, in PEM.
    pub ca_pem: String,
    /// The gateway's client certificate.
    pub identity: Identity,
}

/// One database behind the gateway.
#[derive(Debug)]
pub struct UpstreamDatabase {
    /// The name clients connect to.
    pub name: DatabaseName,
    /// `postgres://user:password@host:port/dbname?sslmode=...`.
    pub upstream: Secret<String>,
    /// How masks are enforced.
    pub enforcement: Enforcement,
    /// Whether identified grants with `--write` are relayed unread.
    pub passthrough: bool,
    /// In views mode, findings of its doctor that the operator takes upon himself: `NAME OBJECT`.
    pub accept: Vec<String>,
}

/// How masks are enforced (DESIGN section 5.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// Derived tables in the statement.
    Inline,
    /// Masked views in the database, and logins that can read nothing else.
    Views,
}

/// How many connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most client connections at once, of any state.
    pub connections: usize,
    /// Most client connections at once from one address.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: limits::CONNECTIONS,
            connections_per_address: limits::CONNECTIONS_PER_ADDRESS,
        }
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// From accept to ReadyForQuery.
    pub login: Duration,
    /// From connecting to the upstream server to its ReadyForQuery.
    pub upstream_login: Duration,
    /// A session without a statement in progress.
    pub idle: Duration,
    /// Transactions that are under way when the gateway is told to stop.
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            login: limits::LOGIN,
            upstream_login: limits::UPSTREAM_LOGIN,
            idle: limits::IDLE,
            drain: limits::DRAIN,
        }
    }
}
