//! Why a gateway does not start or stops.

use std::net::SocketAddr;

use phigate_types::DatabaseName;

/// See the module. Each text says what is wrong and where.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The address cannot be listened on.
    #[error("the gateway cannot listen on {address}: {error}")]
    Listen {
        /// As configured.
        address: SocketAddr,
        /// What the system says; "Address already in use" when the port is taken.
        error: std::io::Error,
    },
    /// The certificate or key for clients cannot be used.
    #[error("the gateway's TLS certificate cannot be used: {0}")]
    Tls(String),
    /// The control plane's URL or certificates cannot be used.
    #[error("the control plane's address or certificates cannot be used: {0}")]
    Control(String),
    /// A database cannot be served.
    #[error("database {database}: {error}")]
    Database {
        /// Which.
        database: DatabaseName,
        /// Why; names host, port and role, never the password.
        error: String,
    },
    /// The log cannot be written.
    #[error("the gateway's log: {0}")]
    Log(#[from] phigate_audit::AuditError),
    /// TLS may be off on loopback only.
    #[error("tls = \"off\" is allowed on a loopback address only, and {0} is none")]
    PlainOffLoopback(SocketAddr),
    /// TLS is on or off for as long as the gateway runs.
    #[error("tls cannot be switched on or off without a restart")]
    TlsOnOrOff,
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// No lease came while starting.
    #[error("the gateway stopped before the control plane gave it a lease")]
    NoLease,
}
