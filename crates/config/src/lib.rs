//! The configuration file, read once and checked: [`Config::load`] gives either a configuration
//! that needs no further validation or an error that names the file, the key and what was expected.
//!
//! One file serves the daemon (`phigate serve`, `phigate check`) and the CLI on the control plane's
//! own machine (`phictl --config`). Relative paths count from the directory of the file.

mod error;
mod raw;
mod restart;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use phigate_phi::Unclassified;
use phigate_types::{DatabaseName, GatewayId, PrincipalName, Secret};

pub use error::ConfigError;

/// Everything the daemon needs to know before it binds a socket.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file this came from.
    pub path: PathBuf,
    /// Where keys, logs and the embedded store live.
    pub data_dir: PathBuf,
    /// The control plane.
    pub control: Control,
    /// The gateway.
    pub gateway: Gateway,
    /// When a result may be released.
    pub recording: Recording,
    /// Where metrics and health are shown; `None` nowhere.
    pub monitoring: Option<SocketAddr>,
    /// The databases behind the gateway; at least one, no name twice.
    pub databases: Vec<Database>,
    /// Who may be granted access; `None` accepts every well-formed name.
    pub principals: Option<Vec<PrincipalName>>,
}

/// The control plane's part.
#[derive(Debug, Clone)]
pub struct Control {
    /// Where the gRPC API listens.
    pub listen: SocketAddr,
    /// Where grants are kept.
    pub store: Store,
    /// Further host names and addresses for its certificate.
    pub names: Vec<String>,
}

/// Where the control plane keeps its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Store {
    /// An embedded SQLite file, `control.db` in the data directory.
    Sqlite,
}

/// The gateway's part.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// This instance's name: the subject of its certificate, the directory of its log.
    pub id: GatewayId,
    /// Where analysts connect.
    pub listen: SocketAddr,
    /// The address shown to analysts, `host:port`; `None` shows the bound address.
    pub advertise: Option<String>,
    /// How clients' connections are protected.
    pub tls: Tls,
    /// Whether SCRAM-SHA-256-PLUS is offered; not behind a balancer that terminates TLS.
    pub channel_binding: bool,
    /// The control plane's URL.
    pub control: String,
    /// How long transactions may go on when the gateway is told to stop.
    pub drain_timeout: Duration,
}

/// How clients' connections are protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tls {
    /// A certificate of the development CA in the data directory.
    Dev,
    /// A certificate chain and key in PEM files.
    Files {
        /// The chain, leaf first.
        cert: PathBuf,
        /// The private key.
        key: PathBuf,
    },
    /// None; only where the gateway listens on loopback.
    Off,
}

/// When the result of a statement may reach the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// Once its record is written to the file: survives the process.
    Process,
    /// Once its record is on the disk: survives the machine.
    Local,
    /// As `Local`, and the statement does not even start before.
    Strict,
}

/// One database behind the gateway.
#[derive(Debug, Clone)]
pub struct Database {
    /// The name clients connect to.
    pub name: DatabaseName,
    /// `postgres://user:password@host:port/dbname?sslmode=...`.
    pub upstream: Secret<String>,
    /// Whether identified grants with `--write` are relayed unread.
    pub passthrough: bool,
    /// The classification file.
    pub catalog: PathBuf,
    /// The row rules file: key paths to the patient, sensitive rows.
    pub rows: Option<PathBuf>,
    /// What happens to columns the file does not name.
    pub unclassified: Unclassified,
    /// How masks are enforced.
    pub enforcement: Enforcement,
    /// A login that may make roles and views, for `phictl database harden --apply`; the gateway never
    /// uses it.
    pub admin: Option<Secret<String>>,
    /// Findings of `phictl database doctor` that the operator takes upon himself: `NAME OBJECT`.
    pub accept: Vec<String>,
}

/// How masks are enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enforcement {
    /// Derived tables in the statement; nothing is made in the database.
    Inline,
    /// Masked views and logins inside PostgreSQL, made by `phictl database harden`.
    Views,
}

impl Config {
    /// Reads and checks the file at `path`.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text, path)
    }

    /// Checks `text` as if it stood in the file at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let raw: raw::RawConfig =
            toml::from_str(text).map_err(|error| ConfigError::syntax(path, text, &error))?;
        raw.check(path)
    }

    /// The address `phictl` reaches the control plane at.
    pub fn control_url(&self) -> &str {
        &self.gateway.control
    }

    /// The directory of the development CA and the certificates it signed.
    pub fn pki_dir(&self) -> PathBuf {
        self.data_dir.join("pki")
    }

    /// The file with the admin token that the first start wrote.
    pub fn admin_token_file(&self) -> PathBuf {
        self.data_dir.join("admin.token")
    }

    /// The directory above every log.
    pub fn audit_dir(&self) -> PathBuf {
        self.data_dir.join("audit")
    }
}

#[cfg(test)]
mod tests;
