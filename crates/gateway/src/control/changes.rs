//! The change log as it comes over the wire, checked.

use phigate_lease::Change;
use phigate_proto::v1;
use phigate_types::{Epoch, Version};

use super::ControlError;

/// In the order sent.
pub(super) fn read_all(changes: Vec<v1::Change>) -> Result<Vec<Change>, ControlError> {
    changes.into_iter().map(read).collect()
}

pub(super) fn read(change: v1::Change) -> Result<Change, ControlError> {
    let wrong = |what: &str| ControlError::Answer(format!("a change without a valid {what}"));
    let version = Version(change.version);
    match change.change {
        Some(v1::change::Change::GrantEnded(ended)) => Ok(Change::GrantEnded {
            version,
            grant: ended.grant_id.parse().map_err(|_| wrong("grant_id"))?,
            epoch: Epoch(ended.epoch),
            reason: ended.reason,
        }),
        Some(v1::change::Change::SessionKilled(killed)) => Ok(Change::SessionKilled {
            version,
            session: killed.session_id.parse().map_err(|_| wrong("session_id"))?,
            reason: killed.reason,
        }),
        Some(v1::change::Change::Advance(v1::Advance {})) => Ok(Change::Advance { version }),
        // A kind this version does not know may end something: the stream cannot go on.
        None => Err(wrong("change")),
    }
}
