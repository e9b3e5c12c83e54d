//! How a private cluster is to be.

use std::time::Duration;

/// How long a server may take to come up, recovery included.
const START_LIMIT: Duration = Duration::from_mins(1);

/// How a private cluster is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// The TCP port on 127.0.0.1; `None` takes a free one.
    pub port: Option<u16>,
    /// A certificate to serve TLS with; `None` serves plain text.
    pub tls: Option<ServerTls>,
    /// Further lines of `postgresql.conf`, as name and value.
    pub settings: Vec<(String, String)>,
    /// Whether data must survive a crash of the machine. Off for tests: no fsync, small buffers.
    pub durable: bool,
    /// Whether the directory is removed once the server has ended, however that comes about.
    pub remove: bool,
    /// How long the server may take to come up.
    pub start_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            tls: None,
            settings: Vec::new(),
            durable: false,
            remove: false,
            start_limit: START_LIMIT,
        }
    }
}

impl Options {
    /// These options with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The server's own configuration, after `initdb`'s.
    pub(crate) fn configuration(&self, socket_directory: &str, port: u16) -> String {
        let mut lines = vec![
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", port.to_string()),
            ("unix_socket_directories", socket_directory.to_owned()),
            ("unix_socket_permissions", "0700".to_owned()),
            ("password_encryption", "scram-sha-256".to_owned()),
            ("max_connections", "200".to_owned()),
            ("log_destination", "stderr".to_owned()),
            ("logging_collector", "off".to_owned()),
            ("log_line_prefix", "%m [%p] %q%u@%d ".to_owned()),
            ("lc_messages", "C".to_owned()),
            ("timezone", "UTC".to_owned()),
            ("log_timezone", "UTC".to_owned()),
            // A cluster that lives for minutes needs no statistics of the machine's cores.
            ("jit", "off".to_owned()),
        ];
        if !self.durable {
            lines.extend([
                ("fsync", "off".to_owned()),
                ("synchronous_commit", "off".to_owned()),
                ("full_page_writes", "off".to_owned()),
                ("shared_buffers", "32MB".to_owned()),
                ("max_wal_size", "256MB".to_owned()),
                ("min_wal_size", "32MB".to_owned()),
            ]);
        }
        if self.tls.is_some() {
            lines.extend([
                ("ssl", "on".to_owned()),
                ("ssl_cert_file", ServerTls::CERTIFICATE_FILE.to_owned()),
                ("ssl_key_file", ServerTls::KEY_FILE.to_owned()),
            ]);
        }
        let own = lines.iter().map(|(name, value)| (*name, value.as_str()));
        let given = self
            .settings
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut text = String::new();
        for (name, value) in own.chain(given) {
            text.extend([name, " = '", &value.replace('\'', "''"), "'\n"]);
        }
        text
    }
}

/// A certificate chain and its key, PEM.
#[derive(Clone)]
pub struct ServerTls {
    /// The chain, leaf first.
    pub certificate_pem: String,
    /// The leaf's private key.
    pub key_pem: String,
}

impl ServerTls {
    pub(crate) const CERTIFICATE_FILE: &'static str = "server.crt";
    pub(crate) const KEY_FILE: &'static str = "server.key";
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_line() {
        let options = Options::default().with("search_path", "a', b");
        assert!(
            options
                .configuration("/s", 1)
                .contains("search_path = 'a'', b'\n")
        );
    }

    #[test]
    fn a_durable_cluster_keeps_fsync() {
        let durable = Options {
            durable: true,
            ..Options::default()
        };
        assert!(!durable.configuration("/s", 1).contains("fsync"));
        assert!(
            Options::default()
                .configuration("/s", 1)
                .contains("fsync = 'off'")
        );
    }
}
