//! The file as written, before it is checked. Unknown keys are errors: a misspelt `passthrough`
//! must not be ignored.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use phigate_phi::Unclassified;
use phigate_types::Secret;
use serde::Deserialize;

use crate::{Config, ConfigError, Control, Database, Enforcement, Gateway, Recording, Store, Tls};

/// The longest that a gateway may be told to wait for transactions when it stops.
const DRAIN_MAX: Duration = Duration::from_hours(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawConfig {
    data_dir: PathBuf,
    #[serde(default)]
    control: RawControl,
    #[serde(default)]
    gateway: RawGateway,
    #[serde(default)]
    audit: RawAudit,
    #[serde(default)]
    monitoring: RawMonitoring,
    #[serde(default)]
    database: Vec<RawDatabase>,
    principal: Option<Vec<RawPrincipal>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawControl {
    listen: String,
    store: String,
    names: Vec<String>,
}

impl Default for RawControl {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:7443".into(),
            store: "sqlite".into(),
            names: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawGateway {
    id: String,
    listen: String,
    advertise: Option<String>,
    tls: RawTls,
    channel_binding: String,
    control: Option<String>,
    drain_timeout: String,
}

impl Default for RawGateway {
    fn default() -> Self {
        Self {
            id: "gateway".into(),
            listen: "127.0.0.1:6432".into(),
            advertise: None,
            tls: RawTls::Word("dev".into()),
            channel_binding: "offer".into(),
            control: None,
            drain_timeout: "20s".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawTls {
    Word(String),
    Files { cert: PathBuf, key: PathBuf },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawAudit {
    recording: String,
}

impl Default for RawAudit {
    fn default() -> Self {
        Self {
            recording: "local".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawMonitoring {
    listen: String,
}

impl Default for RawMonitoring {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9464".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    name: String,
    upstream: String,
    #[serde(default)]
    passthrough: bool,
    catalog: PathBuf,
    rows: Option<PathBuf>,
    enforcement: Option<String>,
    unclassified: Option<String>,
    admin: Option<String>,
    #[serde(default)]
    accept: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPrincipal {
    name: String,
}

impl RawConfig {
    pub(crate) fn check(self, path: &Path) -> Result<Config, ConfigError> {
        let at = At { path };
        let control = self.control.check(&at)?;
        let gateway = self.gateway.check(&at, control.listen)?;
        let recording = match self.audit.recording.as_str() {
            "process" => Recording::Process,
            "local" => Recording::Local,
            "strict" => Recording::Strict,
            other => return Err(at.choice("audit.recording", other, "process, local or strict")),
        };
        let monitoring = match self.monitoring.listen.as_str() {
            "off" => None,
            address => Some(at.parse("monitoring.listen", address)?),
        };
        if self.database.is_empty() {
            return Err(at.value("database", "at least one [[database]] is needed"));
        }
        let mut names = HashSet::new();
        let mut databases = Vec::with_capacity(self.database.len());
        for (index, raw) in self.database.into_iter().enumerate() {
            let database = raw.check(&at, index)?;
            if !names.insert(database.name.clone()) {
                return Err(at.value(
                    &format!("database[{index}].name"),
                    format!("{} is configured twice", database.name),
                ));
            }
            databases.push(database);
        }
        let principals = self
            .principal
            .map(|list| {
                list.iter()
                    .enumerate()
                    .map(|(index, raw)| at.parse(&format!("principal[{index}].name"), &raw.name))
                    .collect()
            })
            .transpose()?;
        Ok(Config {
            path: path.to_owned(),
            data_dir: at.resolve(self.data_dir),
            control,
            gateway,
            recording,
            monitoring,
            databases,
            principals,
        })
    }
}

impl RawControl {
    fn check(self, at: &At<'_>) -> Result<Control, ConfigError> {
        let store = match self.store.as_str() {
            "sqlite" => Store::Sqlite,
            url if is_postgres(url) => {
                return Err(at.value(
                    "control.store",
                    "a control plane on PostgreSQL is not there yet; use \"sqlite\"",
                ));
            }
            other => return Err(at.choice("control.store", other, "sqlite")),
        };
        Ok(Control {
            listen: at.parse("control.listen", &self.listen)?,
            store,
            names: self.names,
        })
    }
}

impl RawGateway {
    fn check(self, at: &At<'_>, control: SocketAddr) -> Result<Gateway, ConfigError> {
        let listen: SocketAddr = at.parse("gateway.listen", &self.listen)?;
        let tls = match self.tls {
            RawTls::Word(word) => match word.as_str() {
                "dev" => Tls::Dev,
                "off" if listen.ip().is_loopback() => Tls::Off,
                "off" => {
                    return Err(at.value(
                        "gateway.tls",
                        format!(
                            "\"off\" is for loopback only, and the gateway listens on {listen}"
                        ),
                    ));
                }
                other => {
                    return Err(at.choice("gateway.tls", other, "dev, off or { cert, key }"));
                }
            },
            RawTls::Files { cert, key } => Tls::Files {
                cert: at.resolve(cert),
                key: at.resolve(key),
            },
        };
        let channel_binding = match self.channel_binding.as_str() {
            "offer" => true,
            "off" => false,
            other => return Err(at.choice("gateway.channel_binding", other, "offer or off")),
        };
        let control = match self.control {
            Some(url) if url.starts_with("https://") => url,
            Some(_) => return Err(at.value("gateway.control", "an https:// URL is expected")),
            None => format!("https://{}", reachable(control)),
        };
        Ok(Gateway {
            id: at.parse("gateway.id", &self.id)?,
            listen,
            advertise: self.advertise,
            tls,
            channel_binding,
            control,
            drain_timeout: at.span("gateway.drain_timeout", &self.drain_timeout, DRAIN_MAX)?,
        })
    }
}

impl RawDatabase {
    fn check(self, at: &At<'_>, index: usize) -> Result<Database, ConfigError> {
        let key = |name: &str| format!("database[{index}].{name}");
        for (name, url) in [
            ("upstream", Some(&self.upstream)),
            ("admin", self.admin.as_ref()),
        ] {
            if url.is_some_and(|url| !is_postgres(url)) {
                return Err(at.value(
                    &key(name),
                    "a URL is expected: postgres://user:password@host:port/dbname",
                ));
            }
        }
        let enforcement = match self.enforcement.as_deref() {
            None | Some("inline") => Enforcement::Inline,
            Some("views") => Enforcement::Views,
            Some(other) => return Err(at.choice(&key("enforcement"), other, "views or inline")),
        };
        let unclassified = match self.unclassified.as_deref() {
            None | Some("refuse") => Unclassified::Refuse,
            Some("mask") => Unclassified::Mask,
            Some("release") => Unclassified::Release,
            Some(other) => {
                return Err(at.choice(&key("unclassified"), other, "refuse, mask or release"));
            }
        };
        Ok(Database {
            name: at.parse(&key("name"), &self.name)?,
            upstream: Secret::new(self.upstream),
            passthrough: self.passthrough,
            catalog: at.resolve(self.catalog),
            rows: self.rows.map(|rows| at.resolve(rows)),
            unclassified,
            enforcement,
            admin: self.admin.map(Secret::new),
            accept: self.accept,
        })
    }
}

fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// The file being checked, for errors and relative paths.
struct At<'a> {
    path: &'a Path,
}

impl At<'_> {
    fn value(&self, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError::Value {
            path: self.path.to_owned(),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    fn choice(&self, key: &str, got: &str, expected: &str) -> ConfigError {
        self.value(key, format!("{got:?} is not one of: {expected}"))
    }

    fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        key: &str,
        text: &str,
    ) -> Result<T, ConfigError> {
        text.parse()
            .map_err(|error: T::Err| self.value(key, format!("{text:?}: {error}")))
    }

    /// A length of time such as `20s`, of `longest` at most.
    fn span(&self, key: &str, text: &str, longest: Duration) -> Result<Duration, ConfigError> {
        text.parse()
            .ok()
            .and_then(|span: jiff::SignedDuration| Duration::try_from(span).ok())
            .filter(|span| *span <= longest)
            .ok_or_else(|| {
                let longest = longest.as_secs();
                self.value(
                    key,
                    format!(
                        "{text:?} is no length of time such as 20s or 2m, of {longest} s at most"
                    ),
                )
            })
    }

    fn resolve(&self, path: PathBuf) -> PathBuf {
        match self.path.parent() {
            Some(directory) if path.is_relative() => directory.join(path),
            _ => path,
        }
    }
}

/// The address to connect to for a listener: a wildcard is reached over loopback.
fn reachable(listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), listen.port())
    } else {
        listen
    }
}
