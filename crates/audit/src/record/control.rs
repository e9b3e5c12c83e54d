//! What the control plane did, and on whose behalf.

use phigate_types::{
    DatabaseName, Epoch, GatewayId, GrantId, PrincipalName, Profile, Purpose, SessionId, Timestamp,
    Version,
};
use serde::{Deserialize, Serialize};

/// One change, or one attempt at one. Its payload holds the reason somebody typed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ControlEvent {
    /// On whose behalf: `admin`, a principal, or `system`.
    pub actor: String,
    /// The change log's position that it made or, for an attempt, saw.
    pub version: Version,
    /// Its number in the control plane's outbox, from 1, rising, without gaps but where a restored
    /// backup was caught up with; 0 where it was not kept.
    #[serde(default)]
    pub sequence: u64,
    /// What.
    pub action: Action,
}

/// What was done; in JSON an object with one member, `{"grant_created":{...}}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(
    clippy::large_enum_variant,
    reason = "one at a time, and on its way to the log"
)]
pub enum Action {
    /// A grant began.
    GrantCreated {
        /// The grant.
        grant: GrantId,
        /// Its epoch.
        epoch: Epoch,
        /// Who may connect.
        principal: PrincipalName,
        /// To which database.
        database: DatabaseName,
        /// How much is let through.
        profile: Profile,
        /// Why.
        purpose: Purpose,
        /// Columns released unmasked.
        reveal: Vec<String>,
        /// Columns withheld.
        block: Vec<String>,
        /// Whether statements that write are considered.
        write: bool,
        /// Within which pseudonyms join.
        project: String,
        /// The effective policy's hash, in hexadecimal.
        policy: String,
        /// Most sessions at one time.
        max_sessions: u32,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// A keyed hash of the patient list that it is limited to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cohort: Option<String>,
        /// How many patients that list has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patients: Option<u32>,
        /// Sensitive rows that it shows.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sensitivity: Vec<String>,
        /// The id of the data use agreement.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        data_use_agreement: String,
        /// The id of the expert's determination.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        determination: String,
        /// The most rows that may leave, over all its sessions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_rows: Option<u64>,
        /// The most distinct patients.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_patients: Option<u64>,
        /// The most identifier cells.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_identifiers: Option<u64>,
        /// The most bytes of rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_bytes: Option<u64>,
    },
    /// A grant was ended by somebody.
    GrantRevoked {
        /// The grant.
        grant: GrantId,
        /// Its new epoch.
        epoch: Epoch,
        /// Whether no such grant existed, so that only a tombstone was written.
        tombstone: bool,
    },
    /// A grant's time was over.
    GrantExpired {
        /// The grant.
        grant: GrantId,
        /// Its new epoch.
        epoch: Epoch,
    },
    /// A session was ended by somebody.
    SessionKilled {
        /// The session.
        session: SessionId,
    },
    /// A session is over.
    SessionEnded {
        /// The session.
        session: SessionId,
        /// The gateway it was on.
        gateway: GatewayId,
        /// A word from the list of [`super::EndReason`].
        reason: String,
    },
    /// A grant's effective policy was replaced by a narrower one, in a new epoch.
    GrantReclassified {
        /// The grant.
        grant: GrantId,
        /// Its new epoch.
        epoch: Epoch,
        /// The new effective policy's hash, in hexadecimal.
        policy: String,
    },
    /// Every gateway stopped, or its lease was over.
    BarrierPassed {
        /// The grant it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// The session it was about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<SessionId>,
        /// What each gateway said.
        gateways: Vec<Confirmation>,
    },
    /// A gateway attached.
    GatewayAttached {
        /// The gateway.
        gateway: GatewayId,
    },
    /// A gateway's stream ended.
    GatewayDetached {
        /// The gateway.
        gateway: GatewayId,
    },
    /// A second process with the same id took the gateway's place.
    GatewayFenced {
        /// The gateway.
        gateway: GatewayId,
    },
    /// How far a gateway says that its own log goes: what that log is held against later.
    GatewayHead {
        /// The gateway.
        gateway: GatewayId,
        /// `EPOCH/LEAVES:HASH`, see [`crate::Head`].
        head: String,
    },
    /// A session was authorised; the gateway's own log has the rest.
    SessionAuthorised {
        /// The session.
        session: SessionId,
        /// Under which grant.
        grant: GrantId,
        /// By which gateway.
        gateway: GatewayId,
    },
    /// Administrative calls were refused.
    CallRefused {
        /// Which call.
        call: String,
        /// A word from a closed list.
        reason: String,
        /// How many, since the last such record.
        #[serde(default = "once")]
        count: u64,
    },
    /// The admin's token is another one now.
    AdminTokenChanged {},
    /// A script that makes or removes masked views was run in a protected database.
    DatabaseChanged {
        /// The database.
        database: DatabaseName,
        /// Whether it made views; else it removed some.
        hardened: bool,
        /// SHA-256 of the script, in hexadecimal.
        script: String,
    },
    /// The store was older than this log: every grant was revoked.
    StoreRolledBack {
        /// The store's version.
        store: Version,
        /// The version this log had seen.
        log: Version,
    },
    /// The classification of a database took effect.
    ClassificationLoaded {
        /// The database.
        database: DatabaseName,
        /// SHA-256 of the file, in hexadecimal.
        sha256: String,
    },
}

/// Records from before refusals were counted tell of one.
const fn once() -> u64 {
    1
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
