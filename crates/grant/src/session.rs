//! Sessions: client connections that were authorised under a grant.

use std::fmt;
use std::str::FromStr;

use phigate_types::{DatabaseName, GatewayId, GrantId, PrincipalName, SessionId, Timestamp};

/// One authorised connection, from `OpenSession` to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Made by the gateway.
    pub id: SessionId,
    /// The grant it was opened under.
    pub grant: GrantId,
    /// Who.
    pub principal: PrincipalName,
    /// Which database.
    pub database: DatabaseName,
    /// Through which gateway.
    pub gateway: GatewayId,
    /// From which address, as `ip:port`.
    pub client_address: String,
    /// The client's own application_name.
    pub application_name: String,
    /// When it was authorised, on the control plane's clock.
    pub opened_at: Timestamp,
    /// When and why it ended; `None` while it is live.
    pub ended: Option<(Timestamp, EndReason)>,
}

macro_rules! end_reasons {
    ($($(#[$doc:meta])* $variant:ident = $text:literal;)*) => {
        /// Why a session ended: a closed list, also a metric label.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EndReason {
            $($(#[$doc])* $variant,)*
        }

        impl EndReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name used on the wire and in records.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

end_reasons! {
    /// The client disconnected.
    ClientLeft = "client_left";
    /// The grant's time was over.
    Expired = "expired";
    /// The grant was revoked.
    Revoked = "revoked";
    /// The session was killed; its grant lives on.
    Killed = "killed";
    /// Idle too long.
    Idle = "idle";
    /// The gateway was drained.
    Drained = "drained";
    /// The database behind the gateway was lost.
    UpstreamLost = "upstream_lost";
    /// The record could not be written.
    RecordingFailed = "recording_failed";
    /// The client broke the protocol.
    Protocol = "protocol";
    /// The tripwire saw a masked column in a result.
    Tripwire = "tripwire";
    /// The database's tables changed under a statement that was under way.
    CatalogChanged = "catalog_changed";
    /// The gateway lost its lease.
    LeaseLost = "lease_lost";
    /// A budget was used up.
    Budget = "budget";
    /// A defect of the gateway.
    Internal = "internal";
    /// The gateway itself is gone.
    GatewayLost = "gateway_lost";
}

/// No reason has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown end reason {0:?}")]
pub struct UnknownEndReason(pub String);

impl FromStr for EndReason {
    type Err = UnknownEndReason;

    fn from_str(text: &str) -> Result<Self, UnknownEndReason> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| UnknownEndReason(text.to_owned()))
    }
}

impl fmt::Display for EndReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
