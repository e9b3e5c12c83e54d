//! What several replicas of a control plane know of each other: who sits where, and who is silent.

use std::collections::BTreeMap;
use std::time::Duration;

use phigate_types::GatewayId;

use crate::{Instant, with_drift};

/// One gateway process that may be serving, as the replicas' store keeps it: written before the log is
/// read for its first answer (rule 2), taken away as rule 9 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its gateway id.
    pub gateway: GatewayId,
    /// The process: `Hello.instance_id`.
    pub instance: String,
    /// The replica it attached to last.
    pub replica: String,
}

/// The other replicas, by the counts they write into the store each second. Nobody reads another
/// machine's clock: a replica is silent when its count has not moved for longer, on this clock, than
/// any lease that it gave.
#[derive(Debug)]
pub struct Peers {
    lease: Duration,
    heard: BTreeMap<String, Heard>,
    looked: Option<Instant>,
}

#[derive(Debug)]
struct Heard {
    count: i64,
    since: Instant,
}

impl Peers {
    /// Knows nobody yet.
    pub fn new(lease: Duration) -> Self {
        Self {
            lease,
            heard: BTreeMap::new(),
            looked: None,
        }
    }

    /// The counts of the others were read at `now`. Returns who is silent: to be fenced in the store,
    /// which then keeps it from answering anybody.
    pub fn observe(
        &mut self,
        now: Instant,
        counts: impl IntoIterator<Item = (String, i64)>,
    ) -> Vec<String> {
        // While nothing could be read here, nothing may have been writable there.
        let blind = |looked: Instant| now.saturating_sub(looked) > self.lease / 2;
        let anew = self.looked.is_none_or(blind);
        self.looked = Some(now);
        let before = std::mem::take(&mut self.heard);
        for (name, count) in counts {
            let since = match before.get(&name) {
                Some(heard) if heard.count == count && !anew => heard.since,
                _ => now,
            };
            self.heard.insert(name, Heard { count, since });
        }
        let limit = with_drift(self.lease);
        let silent = |heard: &Heard| now.saturating_sub(heard.since) >= limit;
        let names = self.heard.iter().filter(|(_, heard)| silent(heard));
        names.map(|(name, _)| name.clone()).collect()
    }
}
