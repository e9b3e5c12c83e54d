//! What the control plane's replicas share: the log, the roster, the acknowledgements. Each method is one
//! transaction.

use std::collections::{BTreeMap, BTreeSet};

use phigate_types::{Epoch, GatewayId, GrantId, Version};

use super::grant;
use crate::Change;
use crate::control::Seat;
use crate::flaw::{Flaw, breaks};

/// Grants that live at one time.
const GRANTS: u64 = 3;

/// Changes that are kept when old ones are forgotten.
const KEPT: u64 = 8;

/// A gateway's process.
pub(super) type Who = (GatewayId, String);

#[derive(Clone)]
pub(super) struct Store {
    /// Whether there are replicas; a single control plane remembers leases by itself.
    pub(super) shared: bool,
    log: Vec<Change>,
    /// Up to here the log is forgotten.
    forgotten: u64,
    /// The grants that live, and their epochs.
    grants: BTreeMap<GrantId, Epoch>,
    granted: u64,
    roster: BTreeMap<Who, Attachment>,
    attachments: u64,
    fenced: BTreeSet<Who>,
    replicas: BTreeMap<String, Peer>,
    acknowledged: BTreeMap<Who, (Version, u32)>,
}

#[derive(Clone)]
struct Attachment {
    replica: String,
    /// Of all attachments, so that it is never another one's, not even of a process that left.
    number: u64,
}

#[derive(Clone, Copy, Default)]
struct Peer {
    count: i64,
    fenced: bool,
}

impl Store {
    pub(super) fn new(shared: bool) -> Self {
        let mut store = Self {
            shared,
            log: Vec::new(),
            forgotten: 0,
            grants: BTreeMap::new(),
            granted: 0,
            roster: BTreeMap::new(),
            attachments: 0,
            fenced: BTreeSet::new(),
            replicas: BTreeMap::new(),
            acknowledged: BTreeMap::new(),
        };
        store.make_grants();
        // So that only a process that was never welcomed has applied nothing.
        store.advance();
        store
    }

    // === the log ===

    pub(super) fn head(&self) -> Version {
        Version(self.log.len() as u64)
    }

    /// The changes after `version`; `None` when some are forgotten.
    pub(super) fn changes_after(&self, version: Version) -> Option<Vec<Change>> {
        if version.0 < self.forgotten {
            return None;
        }
        Some(
            self.log
                .get(version.0 as usize..)
                .unwrap_or_default()
                .to_vec(),
        )
    }

    pub(super) fn grant(&self, number: u64) -> GrantId {
        let nth = (number % GRANTS) as usize;
        *self.grants.keys().nth(nth).expect("there are so many")
    }

    /// The epoch of a grant that lives.
    pub(super) fn epoch(&self, of: GrantId) -> Option<Epoch> {
        self.grants.get(&of).copied()
    }

    /// Ends the sessions under a grant; the change and its epoch.
    pub(super) fn narrow(&mut self, of: GrantId) -> Option<(Version, Epoch)> {
        let epoch = self.grants.get(&of)?.next();
        self.grants.insert(of, epoch);
        Some((self.end(of, epoch), epoch))
    }

    pub(super) fn advance(&mut self) {
        let version = self.head().next();
        self.log.push(Change::Advance { version });
    }

    pub(super) fn forget(&mut self) {
        self.forgotten = self.forgotten.max(self.head().0.saturating_sub(KEPT));
    }

    /// An older backup takes the place of what is here. The control plane's own log tells how far it was:
    /// all grants end, no version is used twice, and whoever saw anything begins anew.
    pub(super) fn restore(&mut self, backup: Self) {
        let (seen, granted) = (self.head(), self.granted);
        *self = backup;
        self.granted = granted;
        if breaks(Flaw::RestoresUnnoticed) {
            return;
        }
        while self.head() < seen {
            self.advance();
        }
        for (of, epoch) in std::mem::take(&mut self.grants) {
            self.end(of, epoch.next());
        }
        self.forgotten = self.head().0;
        self.make_grants();
    }

    fn end(&mut self, grant: GrantId, epoch: Epoch) -> Version {
        let version = self.head().next();
        let reason = String::new();
        self.log.push(Change::GrantEnded {
            version,
            grant,
            epoch,
            reason,
        });
        version
    }

    fn make_grants(&mut self) {
        for _ in 0..GRANTS {
            self.grants.insert(grant(self.granted), Epoch(1));
            self.granted += 1;
        }
    }

    // === the roster ===

    /// A process attached there. False when it may not, or its replica may not answer.
    pub(super) fn seat(&mut self, replica: &str, who: &Who) -> bool {
        if self.is_fenced(replica) || self.is_fenced_process(who) {
            return false;
        }
        let others = self
            .roster
            .keys()
            .filter(|(of, which)| *of == who.0 && *which != who.1);
        self.fenced.extend(others.cloned());
        self.attachments += 1;
        let number = self.attachments;
        let replica = replica.to_owned();
        self.roster
            .insert(who.clone(), Attachment { replica, number });
        true
    }

    /// Whether this replica may answer this process: it sits here and nowhere else, and neither is fenced.
    pub(super) fn may_answer(&self, replica: &str, who: &Who) -> bool {
        let seat = self.roster.get(who);
        let unseen = breaks(Flaw::SeatsLate) || breaks(Flaw::UnseatsEarly);
        let here = seat.is_some_and(|seat| seat.replica == replica);
        (here || unseen) && !self.is_fenced(replica) && !self.is_fenced_process(who)
    }

    fn is_fenced_process(&self, who: &Who) -> bool {
        self.fenced.contains(who) && !breaks(Flaw::AnswersFenced)
    }

    /// Those who attached there last, and by which attachment.
    pub(super) fn seats_of(&self, replica: &str) -> Vec<(Who, u64)> {
        let of = self
            .roster
            .iter()
            .filter(|(_, seat)| seat.replica == replica);
        of.map(|(who, seat)| (who.clone(), seat.number)).collect()
    }

    /// Takes a process off, unless it has attached again since.
    pub(super) fn unseat(&mut self, replica: &str, who: &Who, number: Option<u64>) {
        let same = |seat: &Attachment| {
            seat.replica == replica && number.is_none_or(|number| number == seat.number)
        };
        if self.roster.get(who).is_some_and(same) {
            self.roster.remove(who);
        }
    }

    pub(super) fn roster(&self) -> Vec<Seat> {
        let seat = |((gateway, instance), at): (&Who, &Attachment)| Seat {
            gateway: gateway.clone(),
            instance: instance.clone(),
            replica: at.replica.clone(),
        };
        self.roster.iter().map(seat).collect()
    }

    // === replicas ===

    pub(super) fn beat(&mut self, replica: &str) {
        self.replicas.entry(replica.to_owned()).or_default().count += 1;
    }

    pub(super) fn is_fenced(&self, replica: &str) -> bool {
        let fenced = self.replicas.get(replica).is_some_and(|peer| peer.fenced);
        fenced && !breaks(Flaw::AnswersFenced)
    }

    pub(super) fn fence(&mut self, replica: &str) {
        self.replicas.entry(replica.to_owned()).or_default().fenced = true;
    }

    /// The counts of the others.
    pub(super) fn counts(&self, own: &str) -> Vec<(String, i64)> {
        let others = self
            .replicas
            .iter()
            .filter(|(name, peer)| *name != own && !peer.fenced);
        others
            .map(|(name, peer)| (name.clone(), peer.count))
            .collect()
    }

    /// Those that are fenced while somebody still sits there.
    pub(super) fn orphaned(&self) -> Vec<String> {
        let fenced = self.replicas.iter().filter(|(_, peer)| peer.fenced);
        fenced
            .map(|(name, _)| name.clone())
            .filter(|name| !self.seats_of(name).is_empty())
            .collect()
    }

    // === acknowledgements ===

    pub(super) fn acknowledge(&mut self, who: &Who, version: Version, sessions_ended: u32) {
        let known = self.acknowledged.entry(who.clone()).or_default();
        if known.0 < version {
            *known = (version, sessions_ended);
        }
    }

    pub(super) fn acknowledgements(&self) -> Vec<(Who, Version, u32)> {
        let all = self.acknowledged.iter();
        all.map(|(who, (version, ended))| (who.clone(), *version, *ended))
            .collect()
    }
}
