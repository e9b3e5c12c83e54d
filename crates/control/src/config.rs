//! What the control plane is told when it starts. Everything here has been read and checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use phigate_audit::LogConfig;
use phigate_phi::{Classification, RowRules, Unclassified};
use phigate_pki::Identity;
use phigate_types::{DatabaseName, PrincipalName, Secret};

/// How one control plane runs.
#[derive(Debug)]
pub struct ControlConfig {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The SQLite file of its store.
    pub store: PathBuf,
    /// The databases that grants may name.
    pub databases: Vec<DatabaseSpec>,
    /// The principals that grants may name; `None` for any well-formed name.
    pub principals: Option<Vec<PrincipalName>>,
    /// Its server certificate and key.
    pub identity: Identity,
    /// The CA of gateways' client certificates, in PEM.
    pub client_ca_pem: String,
    /// The admin's bearer token, mode 0600; made on first start.
    pub admin_token: PathBuf,
    /// The key of the slot logins' passwords, mode 0600; made on first start.
    pub upstream_key: PathBuf,
    /// Its own audit log.
    pub audit: LogConfig,
    /// How long a gateway may serve without hearing from it; `phigate_lease::LEASE`.
    pub lease: Duration,
}

/// A database that grants may name.
#[derive(Debug, Clone)]
pub struct DatabaseSpec {
    /// Its name, as clients write it.
    pub name: DatabaseName,
    /// What its columns hold.
    pub classification: Arc<Classification>,
    /// Whose its rows are, and which are sensitive.
    pub rows: Arc<RowRules>,
    /// What happens to columns that are not classified.
    pub unclassified: Unclassified,
    /// Whether identified, writing grants are relayed unread.
    pub passthrough: bool,
    /// `postgres://user:password@host:port/dbname?sslmode=...`, as the gateway's.
    pub upstream: Secret<String>,
    /// Whether masked views enforce: its gateways log in as the database's slots.
    pub masked_views: bool,
    /// A login that may make roles and views, where one is configured.
    pub admin: Option<Secret<String>>,
    /// Findings of its doctor that the operator takes upon himself: `NAME OBJECT`.
    pub accept: Vec<String>,
}
