//! What is told to the audit log. Written with the change it tells of, in the same transaction.

use phigate_types::{
    DatabaseName, Epoch, GatewayId, GrantId, PrincipalName, Profile, Purpose, SessionId, Timestamp,
    Version,
};
use serde::{Deserialize, Serialize};

/// The actor of what the control plane does by itself.
pub const SYSTEM: &str = "system";

/// One audit leaf to be. Reasons are what somebody typed: they belong into a leaf's encrypted
/// part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the fields are the words of the domain")]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, and on its way to the store"
)]
pub enum Event {
    /// A grant began.
    GrantCreated {
        actor: String,
        version: Version,
        grant: GrantId,
        epoch: Epoch,
        principal: PrincipalName,
        database: DatabaseName,
        profile: Profile,
        purpose: Purpose,
        reason: String,
        reveal: Vec<String>,
        block: Vec<String>,
        write: bool,
        max_sessions: u32,
        project: String,
        policy: String,
        expires_at: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cohort: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patients: Option<u32>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sensitivity: Vec<String>,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        data_use_agreement: String,
        #[serde(default, skip_serializing_if = "String::is_empty")]
        determination: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_rows: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_patients: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_identifiers: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_bytes: Option<u64>,
    },
    /// A grant was ended by somebody; a tombstone when there was none.
    GrantRevoked {
        actor: String,
        version: Version,
        grant: GrantId,
        epoch: Epoch,
        tombstone: bool,
        reason: String,
    },
    /// A grant's time was over.
    GrantExpired {
        version: Version,
        grant: GrantId,
        epoch: Epoch,
    },
    /// A grant's effective policy changed with the classification.
    GrantReclassified {
        version: Version,
        grant: GrantId,
        epoch: Epoch,
        policy: String,
    },
    /// A session was authorised.
    SessionOpened {
        session: SessionId,
        grant: GrantId,
        gateway: GatewayId,
        version: Version,
    },
    /// A session was ended by somebody.
    SessionKilled {
        actor: String,
        version: Version,
        session: SessionId,
        reason: String,
    },
    /// A session is over.
    SessionClosed {
        session: SessionId,
        gateway: GatewayId,
        reason: String,
        version: Version,
    },
    /// Every gateway stopped, or its lease was over.
    BarrierPassed {
        version: Version,
        grant: Option<GrantId>,
        session: Option<SessionId>,
        gateways: Vec<Confirmation>,
    },
    /// A gateway attached.
    GatewayAttached {
        gateway: GatewayId,
        instance: String,
        version: Version,
    },
    /// A gateway's stream ended.
    GatewayDetached {
        gateway: GatewayId,
        instance: String,
        version: Version,
    },
    /// A second process with the same id took the gateway's place.
    GatewayFenced {
        gateway: GatewayId,
        instance: String,
        version: Version,
    },
    /// How far a gateway said that its own log goes.
    GatewayHead {
        gateway: GatewayId,
        head: String,
        version: Version,
    },
    /// Administrative calls were refused.
    CallsRefused {
        call: String,
        reason: String,
        count: u64,
        version: Version,
    },
    /// The admin's token is another one now.
    AdminTokenChanged { version: Version },
    /// A script that makes or removes masked views was run in a database.
    DatabaseChanged {
        actor: String,
        database: DatabaseName,
        hardened: bool,
        script: String,
        version: Version,
    },
    /// The store was behind the audit log or a gateway: every grant was revoked.
    StoreRolledBack {
        store: Version,
        seen: Version,
        grants_revoked: u64,
    },
}

/// One gateway's part in a barrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The gateway.
    pub gateway: GatewayId,
    /// Sessions it ended.
    pub sessions_ended: u32,
    /// From the call to its word, in microseconds.
    pub after_us: u64,
    /// Whether it said nothing and its lease was waited out.
    pub lease_over: bool,
}
