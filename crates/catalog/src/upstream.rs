//! Where a database is and how to get in: the `upstream` of the configuration file.

use std::path::PathBuf;
use std::time::Duration;

use phigate_types::Secret;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection};
use tokio::time::timeout;

use crate::error::CatalogError;

/// How long a connection may take to be ready.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// PostgreSQL's port.
const DEFAULT_PORT: u16 = 5432;

/// What the catalog reader is called in `pg_stat_activity`.
const APPLICATION_NAME: &str = "phigate catalog";

/// A PostgreSQL database and the login for it, read from a `postgres://` URL.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// A name, an address, or the directory of a Unix socket.
    pub host: String,
    /// The port; also part of a socket's name.
    pub port: u16,
    /// The role.
    pub user: String,
    /// Its password, where it needs one.
    pub password: Option<Secret<String>>,
    /// The database.
    pub database: String,
    /// How much TLS.
    pub sslmode: SslMode,
    /// The file of certificates to trust for `verify-ca` and `verify-full`; the system's else.
    pub sslrootcert: Option<PathBuf>,
}

/// libpq's `sslmode`, without `allow`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS where the server has it.
    #[default]
    Prefer,
    /// TLS, whoever answers.
    Require,
    /// TLS with a trusted certificate.
    VerifyCa,
    /// TLS with a trusted certificate for this host.
    VerifyFull,
}

/// What is wrong with a URL. The URL itself is not quoted: it holds a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// Not `postgres://` or `postgresql://`.
    #[error("an upstream is written postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=MODE")]
    Scheme,
    /// A part that must be there is not.
    #[error("the upstream has no {0}")]
    Missing(&'static str),
    /// Not a number from 1 to 65535.
    #[error("the upstream's port is not a number from 1 to 65535")]
    Port,
    /// `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the upstream's {0} is not percent-encoded UTF-8; write % as %25, @ as %40, / as %2F")]
    Encoding(&'static str),
    /// A parameter that we do not know.
    #[error("unknown upstream parameter {0:?}; known are sslmode, sslrootcert and host")]
    Parameter(String),
    /// A mode that we do not know.
    #[error("unknown sslmode {0:?}; one of disable, prefer, require, verify-ca, verify-full")]
    SslMode(String),
}

// === impl Upstream ===

impl Upstream {
    /// Reads `postgres://user[:password]@host[:port]/database[?sslmode=...&sslrootcert=...]`. A host
    /// that begins with `/` (as `%2F`, or by `?host=`) is the directory of a Unix socket.
    pub fn parse(url: &str) -> Result<Self, UpstreamError> {
        let rest = url
            .strip_prefix("postgres://")
            .or_else(|| url.strip_prefix("postgresql://"))
            .ok_or(UpstreamError::Scheme)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest
            .split_once('/')
            .ok_or(UpstreamError::Missing("database"))?;
        let (login, address) = authority
            .rsplit_once('@')
            .ok_or(UpstreamError::Missing("user"))?;
        let (user, password) = match login.split_once(':') {
            Some((user, password)) => (user, Some(decode(password, "password")?)),
            None => (login, None),
        };
        let (host, port) = split_port(address)?;
        let mut upstream = Self {
            host: decode(host, "host")?,
            port,
            user: decode(user, "user")?,
            password: password.map(Secret::new),
            database: decode(database, "database")?,
            sslmode: SslMode::default(),
            sslrootcert: None,
        };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = decode(value, "parameter")?;
            match name {
                "sslmode" => upstream.sslmode = SslMode::parse(value)?,
                "sslrootcert" => upstream.sslrootcert = Some(value.into()),
                "host" => upstream.host = value,
                _ => return Err(UpstreamError::Parameter(name.to_owned())),
            }
        }
        for (part, text) in [
            ("user", &upstream.user),
            ("host", &upstream.host),
            ("database", &upstream.database),
        ] {
            if text.is_empty() {
                return Err(UpstreamError::Missing(part));
            }
        }
        Ok(upstream)
    }

    /// `host:port`, or the socket's path: for people.
    pub fn address(&self) -> String {
        if self.is_socket() {
            format!("{}/.s.PGSQL.{}", self.host, self.port)
        } else if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether the host is the directory of a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    /// Connects, within [`CONNECT_TIMEOUT`]. Cancel safe: a dropped attempt closes its socket.
    ///
    /// # Errors
    /// Says what the operator has to correct.
    pub async fn connect(&self) -> Result<PgConnection, CatalogError> {
        let options = self.options();
        match timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(CatalogError::connect(&error, self)),
            Err(_) => Err(self.timed_out(CONNECT_TIMEOUT)),
        }
    }

    pub(crate) fn timed_out(&self, after: Duration) -> CatalogError {
        CatalogError::Timeout {
            address: self.address(),
            after,
        }
    }

    /// A connection that hears what is notified on a channel; within [`CONNECT_TIMEOUT`].
    pub(crate) async fn listen(&self, channel: &str) -> Result<PgListener, CatalogError> {
        let connecting = async {
            let pool = PgPoolOptions::new()
                .max_connections(1)
                .acquire_timeout(CONNECT_TIMEOUT)
                .connect_lazy_with(self.options());
            let mut listener = PgListener::connect_with(&pool).await?;
            listener.listen(channel).await?;
            Ok(listener)
        };
        match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(listener)) => Ok(listener),
            Ok(Err(error)) => Err(CatalogError::connect(&error, self)),
            Err(_) => Err(self.timed_out(CONNECT_TIMEOUT)),
        }
    }

    fn options(&self) -> PgConnectOptions {
        // Without reading PGHOST, .pgpass and their like: the configuration file decides alone.
        let mut options = PgConnectOptions::new_without_pgpass()
            .port(self.port)
            .username(&self.user)
            .database(&self.database)
            .application_name(APPLICATION_NAME)
            .ssl_mode(self.sslmode.into())
            .disable_statement_logging();
        options = if self.is_socket() {
            options.socket(&self.host)
        } else {
            options.host(&self.host)
        };
        if let Some(password) = &self.password {
            options = options.password(password.expose());
        }
        if let Some(file) = &self.sslrootcert {
            options = options.ssl_root_cert(file);
        }
        options
    }
}

// === impl SslMode ===

impl SslMode {
    fn parse(text: String) -> Result<Self, UpstreamError> {
        Ok(match text.as_str() {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return Err(UpstreamError::SslMode(text)),
        })
    }
}

impl From<SslMode> for PgSslMode {
    fn from(mode: SslMode) -> Self {
        match mode {
            SslMode::Disable => Self::Disable,
            SslMode::Prefer => Self::Prefer,
            SslMode::Require => Self::Require,
            SslMode::VerifyCa => Self::VerifyCa,
            SslMode::VerifyFull => Self::VerifyFull,
        }
    }
}

/// `host:port`, `host`, `[v6]:port` or `[v6]`.
fn split_port(address: &str) -> Result<(&str, u16), UpstreamError> {
    let (host, port) = match address.strip_prefix('[') {
        Some(bracketed) => {
            let (host, after) = bracketed
                .split_once(']')
                .ok_or(UpstreamError::Missing("host"))?;
            (host, after.strip_prefix(':').unwrap_or(after))
        }
        None => address.split_once(':').unwrap_or((address, "")),
    };
    match port {
        "" => Ok((host, DEFAULT_PORT)),
        port => match port.parse() {
            Ok(port) if port > 0 => Ok((host, port)),
            _ => Err(UpstreamError::Port),
        },
    }
}

/// Percent-decoding (RFC 3986, section 2.1).
fn decode(text: &str, part: &'static str) -> Result<String, UpstreamError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%' {
            let [high, low, after @ ..] = after else {
                return Err(UpstreamError::Encoding(part));
            };
            let mut byte = [0];
            hex::decode_to_slice([*high, *low], &mut byte)
                .map_err(|_| UpstreamError::Encoding(part))?;
            bytes.extend(byte);
            rest = after;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or(UpstreamError::Encoding(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_everything() {
        let upstream = Upstream::parse(
            "postgres://br%40ker:p%3Aw%2F@db.example:5433/my%20clinic?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        )
        .unwrap();
        assert_eq!(upstream.user, "br@ker");
        assert_eq!(upstream.password.as_ref().unwrap().expose(), "p:w/");
        assert_eq!(upstream.address(), "db.example:5433");
        assert_eq!(upstream.database, "my clinic");
        assert_eq!(upstream.sslmode, SslMode::VerifyFull);
        assert_eq!(upstream.sslrootcert, Some("/etc/ca.pem".into()));
        assert!(!format!("{upstream:?}").contains("p:w"));
    }

    #[test]
    fn sockets_and_ipv6_have_addresses() {
        let socket = Upstream::parse("postgres://u@%2Frun%2Fpg:5433/d").unwrap();
        assert_eq!(socket.address(), "/run/pg/.s.PGSQL.5433");
        let socket = Upstream::parse("postgresql://u@/d?host=/run/pg").unwrap();
        assert_eq!(socket.address(), "/run/pg/.s.PGSQL.5432");
        let v6 = Upstream::parse("postgres://u@[::1]:5433/d").unwrap();
        assert_eq!(
            (v6.host.as_str(), v6.address().as_str()),
            ("::1", "[::1]:5433")
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for (url, error) in [
            ("mysql://u:hunter2@h/d", UpstreamError::Scheme),
            ("postgres://h/d", UpstreamError::Missing("user")),
            ("postgres://u:hunter2@h", UpstreamError::Missing("database")),
            (
                "postgres://u:hunter2@h/",
                UpstreamError::Missing("database"),
            ),
            ("postgres://u:hunter2@/d", UpstreamError::Missing("host")),
            ("postgres://:hunter2@h/d", UpstreamError::Missing("user")),
            ("postgres://u:hunter2@h:0/d", UpstreamError::Port),
            ("postgres://u:hunter2@h:x/d", UpstreamError::Port),
            (
                "postgres://u:hunter2%@h/d",
                UpstreamError::Encoding("password"),
            ),
            ("postgres://u:%ff@h/d", UpstreamError::Encoding("password")),
            (
                "postgres://u@h/d?sslmode=allow",
                UpstreamError::SslMode("allow".into()),
            ),
            (
                "postgres://u@h/d?foo=1",
                UpstreamError::Parameter("foo".into()),
            ),
        ] {
            let found = Upstream::parse(url).unwrap_err();
            assert!(!found.to_string().contains("hunter2"));
            assert_eq!(found, error, "{url}");
        }
    }
}
