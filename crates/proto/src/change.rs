//! The change log between control plane and gateways.

use phigate_lease::Change;
use phigate_types::{Epoch, Version};

use crate::v1::{self, change::Change as Kind};
use crate::{Malformed, error::parse};

impl From<&Change> for v1::Change {
    fn from(change: &Change) -> Self {
        let kind = match change {
            Change::GrantEnded {
                version: _,
                grant,
                epoch,
                reason,
            } => Kind::GrantEnded(v1::GrantEnded {
                grant_id: grant.to_string(),
                epoch: epoch.0,
                reason: reason.clone(),
            }),
            Change::SessionKilled {
                version: _,
                session,
                reason,
            } => Kind::SessionKilled(v1::SessionKilled {
                session_id: session.to_string(),
                reason: reason.clone(),
            }),
            Change::Advance { version: _ } => Kind::Advance(v1::Advance {}),
        };
        Self {
            version: change.version().0,
            change: Some(kind),
        }
    }
}

impl TryFrom<v1::Change> for Change {
    type Error = Malformed;

    fn try_from(change: v1::Change) -> Result<Self, Malformed> {
        let version = Version(change.version);
        match change.change {
            Some(Kind::GrantEnded(ended)) => Ok(Self::GrantEnded {
                version,
                grant: parse("grant_id", &ended.grant_id)?,
                epoch: Epoch(ended.epoch),
                reason: ended.reason,
            }),
            Some(Kind::SessionKilled(killed)) => Ok(Self::SessionKilled {
                version,
                session: parse("session_id", &killed.session_id)?,
                reason: killed.reason,
            }),
            Some(Kind::Advance(v1::Advance {})) => Ok(Self::Advance { version }),
            None => Err(Malformed::new(
                "change",
                "is of a kind this version does not know",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use phigate_types::{GrantId, SessionId};

    use super::*;

    #[test]
    fn each_kind_both_ways() {
        let version = Version(7);
        let reason = "done".to_owned();
        for change in [
            Change::GrantEnded {
                version,
                grant: GrantId::from_random([1; 8]),
                epoch: Epoch(2),
                reason: reason.clone(),
            },
            Change::SessionKilled {
                version,
                session: SessionId::from_random([2; 8]),
                reason,
            },
            Change::Advance { version },
        ] {
            assert_eq!(Change::try_from(v1::Change::from(&change)), Ok(change));
        }
    }

    #[test]
    fn a_kind_that_is_not_known_is_an_error() {
        let change = v1::Change {
            version: 1,
            change: None,
        };
        assert_eq!(Change::try_from(change).unwrap_err().field, "change");
    }
}
