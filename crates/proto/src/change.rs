//! The change log between control plane and gateways.

use phigate_lease::{Change, Ending};
use phigate_types::{Epoch, Version};

use crate::v1::{self, ahead::Ending as Ahead, change::Change as Kind};
use crate::{Malformed, error::parse};

impl From<&Change> for v1::Change {
    fn from(change: &Change) -> Self {
        let kind = match change.ending() {
            Some(ending) => match told(&ending) {
                Ahead::GrantEnded(ended) => Kind::GrantEnded(ended),
                Ahead::SessionKilled(killed) => Kind::SessionKilled(killed),
            },
            None => Kind::Advance(v1::Advance {}),
        };
        Self {
            version: change.version().0,
            change: Some(kind),
        }
    }
}

impl From<&Ending> for v1::Ahead {
    fn from(ending: &Ending) -> Self {
        Self {
            ending: Some(told(ending)),
        }
    }
}

impl TryFrom<v1::Change> for Change {
    type Error = Malformed;

    fn try_from(change: v1::Change) -> Result<Self, Malformed> {
        let version = Version(change.version);
        let ahead = match change.change {
            Some(Kind::GrantEnded(ended)) => Ahead::GrantEnded(ended),
            Some(Kind::SessionKilled(killed)) => Ahead::SessionKilled(killed),
            Some(Kind::Advance(v1::Advance {})) => return Ok(Self::Advance { version }),
            None => return Err(unknown("change")),
        };
        Ok(match ending(ahead)? {
            Ending::Grant {
                grant,
                epoch,
                reason,
            } => Self::GrantEnded {
                version,
                grant,
                epoch,
                reason,
            },
            Ending::Session { session, reason } => Self::SessionKilled {
                version,
                session,
                reason,
            },
        })
    }
}

impl TryFrom<v1::Ahead> for Ending {
    type Error = Malformed;

    fn try_from(ahead: v1::Ahead) -> Result<Self, Malformed> {
        ending(ahead.ending.ok_or_else(|| unknown("ending"))?)
    }
}

fn told(ending: &Ending) -> Ahead {
    match ending {
        Ending::Grant {
            grant,
            epoch,
            reason,
        } => Ahead::GrantEnded(v1::GrantEnded {
            grant_id: grant.to_string(),
            epoch: epoch.0,
            reason: reason.clone(),
        }),
        Ending::Session { session, reason } => Ahead::SessionKilled(v1::SessionKilled {
            session_id: session.to_string(),
            reason: reason.clone(),
        }),
    }
}

fn ending(ahead: Ahead) -> Result<Ending, Malformed> {
    Ok(match ahead {
        Ahead::GrantEnded(ended) => Ending::Grant {
            grant: parse("grant_id", &ended.grant_id)?,
            epoch: Epoch(ended.epoch),
            reason: ended.reason,
        },
        Ahead::SessionKilled(killed) => Ending::Session {
            session: parse("session_id", &killed.session_id)?,
            reason: killed.reason,
        },
    })
}

/// It may end something: whoever gets it cannot go on.
fn unknown(field: &'static str) -> Malformed {
    Malformed::new(field, "is of a kind this version does not know")
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
            if let Some(ending) = change.ending() {
                assert_eq!(Ending::try_from(v1::Ahead::from(&ending)), Ok(ending));
            }
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
        let ahead = v1::Ahead { ending: None };
        assert_eq!(Ending::try_from(ahead).unwrap_err().field, "ending");
    }
}
