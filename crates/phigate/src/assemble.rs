//! From the checked configuration file to what each part wants: certificates made or read,
//! classification files parsed, log directories named.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, ensure};
use phigate_audit::{Level, LogConfig};
use phigate_config::{Config, Database, Recording, Tls};
use phigate_control::{ControlConfig, DatabaseSpec};
use phigate_gateway::{
    ControlEndpoint, Enforcement, GatewayConfig, Limits, Timeouts, TlsMode, UpstreamDatabase,
};
use phigate_phi::{Classification, RowRules};
use phigate_pki::{DevCa, Identity};
use phigate_types::{GatewayId, Timestamp};

/// The stems of the certificate files under `data_dir/pki`.
mod stem {
    pub(super) const CONTROL: &str = "control";
    pub(super) const GATEWAY: &str = "gateway";
    pub(super) const SERVER: &str = "server";
}

/// Names by which listeners on this machine are reached.
const LOCAL_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What the control plane wants. Makes the development CA on first start.
pub fn control(config: &Config) -> anyhow::Result<ControlConfig> {
    let ca = authority(config)?;
    Ok(ControlConfig {
        listen: config.control.listen,
        store: config.data_dir.join("control.db"),
        databases: config
            .databases
            .iter()
            .map(spec)
            .collect::<anyhow::Result<_>>()?,
        principals: config.principals.clone(),
        identity: ca.server(stem::CONTROL, &borrowed(&control_names(config)))?,
        client_ca_pem: ca.certificate_pem().to_owned(),
        admin_token: config.admin_token_file(),
        upstream_key: config.data_dir.join("upstream.key"),
        audit: log(config, "control"),
        lease: phigate_lease::LEASE,
    })
}

/// What the gateway wants; `control` replaces the configured control plane's address.
pub fn gateway(config: &Config, control: Option<SocketAddr>) -> anyhow::Result<GatewayConfig> {
    let url = control.map_or_else(
        || config.gateway.control.clone(),
        |at| format!("https://{at}"),
    );
    let pki = config.pki_dir();
    let certificate = pki.join(stem::GATEWAY).with_extension("pem");
    let ca_file = pki.join("ca.pem");
    // On a machine of its own the gateway was given its certificate; otherwise the CA makes it.
    let (identity, ca_pem) = if certificate.exists() && !pki.join("ca.key").exists() {
        let key = pki.join(stem::GATEWAY).with_extension("key");
        let ca_pem = std::fs::read_to_string(&ca_file)
            .with_context(|| format!("cannot read {}", ca_file.display()))?;
        (Identity::load(&certificate, &key, now())?, ca_pem)
    } else {
        let ca = authority(config)?;
        (
            ca.gateway(stem::GATEWAY, &config.gateway.id)?,
            ca.certificate_pem().to_owned(),
        )
    };
    named(&identity, &config.gateway.id)?;
    Ok(GatewayConfig {
        id: config.gateway.id.clone(),
        listen: config.gateway.listen,
        advertised: config.gateway.advertise.clone(),
        state: config.data_dir.join("gateway"),
        tls: tls(config)?,
        control: ControlEndpoint {
            url,
            ca_pem,
            identity,
        },
        databases: config.databases.iter().map(upstream).collect(),
        audit: log(config, config.gateway.id.as_str()),
        limits: Limits::default(),
        timeouts: Timeouts {
            drain: config.gateway.drain_timeout,
            ..Timeouts::default()
        },
    })
}

/// The control plane takes a gateway for whom its certificate names.
fn named(identity: &Identity, id: &GatewayId) -> anyhow::Result<()> {
    let named = identity.chain().first().map(phigate_pki::gateway_id);
    let named = named.context("the gateway's certificate is empty")??;
    ensure!(
        named == *id,
        "the gateway's certificate is of {named}, and gateway.id is {id}"
    );
    Ok(())
}

/// Makes or reads every certificate that serving needs, and checks their dates.
pub fn certificates(config: &Config) -> anyhow::Result<()> {
    gateway(config, None)?;
    let ca = authority(config)?;
    ca.server(stem::CONTROL, &borrowed(&control_names(config)))?;
    Ok(())
}

/// Reads a database's classification file.
pub fn classification(database: &Database) -> anyhow::Result<Classification> {
    let file = database.catalog.display().to_string();
    let text = std::fs::read_to_string(&database.catalog)
        .with_context(|| format!("cannot read the catalog of {}: {file}", database.name))?;
    Classification::parse(&text, &file)
        .with_context(|| format!("the catalog of {} is not usable", database.name))
}

/// Reads a database's row rules file; no rules without one.
pub fn row_rules(database: &Database) -> anyhow::Result<RowRules> {
    let Some(path) = &database.rows else {
        return Ok(RowRules::default());
    };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the row rules of {}: {file}", database.name))?;
    RowRules::parse(&text, &file)
        .with_context(|| format!("the row rules of {} are not usable", database.name))
}

fn spec(database: &Database) -> anyhow::Result<DatabaseSpec> {
    Ok(DatabaseSpec {
        name: database.name.clone(),
        classification: Arc::new(classification(database)?),
        rows: Arc::new(row_rules(database)?),
        unclassified: database.unclassified,
        passthrough: database.passthrough,
        upstream: database.upstream.clone(),
        masked_views: database.enforcement == phigate_config::Enforcement::Views,
        admin: database.admin.clone(),
        accept: database.accept.clone(),
    })
}

fn upstream(database: &Database) -> UpstreamDatabase {
    let enforcement = match database.enforcement {
        phigate_config::Enforcement::Inline => Enforcement::Inline,
        phigate_config::Enforcement::Views => Enforcement::Views,
    };
    UpstreamDatabase {
        name: database.name.clone(),
        upstream: database.upstream.clone(),
        enforcement,
        passthrough: database.passthrough,
        accept: database.accept.clone(),
    }
}

fn tls(config: &Config) -> anyhow::Result<TlsMode> {
    let channel_binding = config.gateway.channel_binding;
    let identity = match &config.gateway.tls {
        Tls::Off => return Ok(TlsMode::Off),
        Tls::Files { cert, key } => Identity::load(cert, key, now())?,
        Tls::Dev => {
            let advertised = config.gateway.advertise.as_deref().and_then(host);
            let names = names(config.gateway.listen, advertised.into_iter());
            authority(config)?.server(stem::SERVER, &borrowed(&names))?
        }
    };
    Ok(TlsMode::Required {
        identity,
        channel_binding,
    })
}

fn authority(config: &Config) -> anyhow::Result<DevCa> {
    Ok(DevCa::load_or_create(&config.pki_dir())?)
}

fn log(config: &Config, origin: &str) -> LogConfig {
    let level = match config.recording {
        Recording::Process => Level::Process,
        Recording::Local => Level::Local,
        Recording::Strict => Level::Strict,
    };
    LogConfig {
        level,
        ..LogConfig::new(config.audit_dir().join(origin), origin)
    }
}

fn control_names(config: &Config) -> Vec<String> {
    names(
        config.control.listen,
        config.control.names.iter().map(String::as_str),
    )
}

/// The local names, the listener's own address and what the operator adds, each once.
fn names<'a>(listen: SocketAddr, more: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = LOCAL_NAMES.map(str::to_owned).to_vec();
    for name in std::iter::once(listen.ip().to_string()).chain(more.map(str::to_owned)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The host of `host:port`, brackets of IPv6 removed.
fn host(address: &str) -> Option<&str> {
    let (host, _port) = address.rsplit_once(':')?;
    Some(host.trim_start_matches('[').trim_end_matches(']'))
}

fn now() -> Timestamp {
    Timestamp::from(std::time::SystemTime::now())
}
