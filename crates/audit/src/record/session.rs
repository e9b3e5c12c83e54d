//! The beginning and the end of a session, and connections that never became one.

use std::time::Duration;

use phigate_types::{
    DatabaseName, Epoch, GatewayId, GrantId, PrincipalName, Profile, Purpose, SqlState, Timestamp,
};
use serde::{Deserialize, Serialize};

use super::statement::{micros, sqlstate};

/// A client connection was authorised. Its payload holds the client's `application_name` and the key
/// of the session's result digests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionOpened {
    /// Who.
    pub principal: PrincipalName,
    /// Under which grant.
    pub grant: GrantId,
    /// The grant's epoch when it was authorised.
    pub epoch: Epoch,
    /// Why.
    pub purpose: Purpose,
    /// How much the grant lets through.
    pub profile: Profile,
    /// The effective policy: the hash over its canonical form, in hexadecimal.
    pub policy: String,
    /// Which database.
    pub database: DatabaseName,
    /// From where, as ip:port.
    pub client: String,
    /// Through which gateway.
    pub gateway: GatewayId,
    /// When the grant ends by itself.
    pub expires_at: Timestamp,
    /// How the person proved who they are: `scram-sha-256`, `scram-sha-256-plus`, ...
    pub authentication: String,
    /// Whether the client's side is encrypted.
    pub tls: bool,
    /// Whether the grant considers statements that write.
    pub write: bool,
    /// Whether statements are relayed unread.
    pub passthrough: bool,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The client said Terminate or closed its side.
    ClientLeft,
    /// The grant's time was over.
    Expired,
    /// Somebody ended the grant.
    Revoked,
    /// Somebody ended the session.
    Killed,
    /// Nothing was asked for too long.
    Idle,
    /// The gateway was stopped.
    Drained,
    /// The lease on the control plane ran out.
    LeaseLost,
    /// PostgreSQL closed the connection.
    UpstreamLost,
    /// The log failed.
    RecordingFailed,
    /// The client broke the protocol.
    Protocol,
    /// The gateway stopped without closing the session; written by those who find it so.
    GatewayLost,
    /// PostgreSQL was about to send a column that the policy masks.
    Tripwire,
    /// The database's tables changed under a statement that was under way.
    CatalogChanged,
    /// A budget was used up.
    Budget,
    /// A defect of the gateway.
    Internal,
}

impl EndReason {
    /// Each of them.
    pub const ALL: [Self; 15] = [
        Self::ClientLeft,
        Self::Expired,
        Self::Revoked,
        Self::Killed,
        Self::Idle,
        Self::Drained,
        Self::LeaseLost,
        Self::UpstreamLost,
        Self::RecordingFailed,
        Self::Protocol,
        Self::GatewayLost,
        Self::Tripwire,
        Self::CatalogChanged,
        Self::Budget,
        Self::Internal,
    ];

    /// The word in records, metrics and lists.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientLeft => "client_left",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Killed => "killed",
            Self::Idle => "idle",
            Self::Drained => "drained",
            Self::LeaseLost => "lease_lost",
            Self::UpstreamLost => "upstream_lost",
            Self::RecordingFailed => "recording_failed",
            Self::Protocol => "protocol",
            Self::GatewayLost => "gateway_lost",
            Self::Tripwire => "tripwire",
            Self::CatalogChanged => "catalog_changed",
            Self::Budget => "budget",
            Self::Internal => "internal",
        }
    }
}

/// The end of a session, with its totals. Its payload may hold the reason somebody typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionClosed {
    /// Why.
    pub reason: EndReason,
    /// Executions begun.
    pub statements: u64,
    /// Statements and messages refused.
    pub refused: u64,
    /// Rows released.
    pub rows: u64,
    /// Bytes of results released.
    pub bytes: u64,
    /// From its opening to its end, in microseconds.
    #[serde(rename = "duration_us", with = "micros")]
    pub duration: Duration,
}

/// A connection was refused. What the client claimed to be is kept only where it is a well-formed
/// name; all else it sent goes into the payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoginRefused {
    /// From where, as ip:port.
    pub client: String,
    /// Through which gateway.
    pub gateway: GatewayId,
    /// Who they said they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<PrincipalName>,
    /// Which database they asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub database: Option<DatabaseName>,
    /// Which grant, when one was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantId>,
    /// A word from a closed list.
    pub reason: String,
    /// What the client was told.
    #[serde(with = "sqlstate")]
    pub sqlstate: SqlState,
}
