//! The protocol's rules, each broken on purpose: the simulation has to find every one. Outside of this
//! crate's own tests nothing is ever broken: [`breaks`] is a constant there.

/// One rule, not kept. The numbers are those of the crate's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), allow(dead_code, reason = "only tests break some of them"))]
pub(crate) enum Flaw {
    /// 1: the gateway counts its lease from the answer.
    CountsFromAnswer,
    /// 1: the control plane allows for no drift.
    ForgetsDrift,
    /// 2: the lease is noted when it is answered.
    NotesLeaseLate,
    /// 2: whom to wait for is read before the commit.
    LooksBeforeCommit,
    /// 2: a process is put on the roster after the log was read for it.
    SeatsLate,
    /// 2: gateways of other replicas are not waited for.
    WaitsForOwnOnly,
    /// 3: the lease is extended before the changes are carried out.
    ExtendsFirst,
    /// 4: a missing change is not missed.
    IgnoresGaps,
    /// 5: a lease that was lost is found again.
    FindsLostLease,
    /// 6: an admission is not judged against the changes seen.
    AdmitsUnseen,
    /// 7: any process of a gateway acknowledges for the others.
    AcknowledgesForOthers,
    /// 7: a fenced replica goes on answering.
    AnswersFenced,
    /// 8: a head below what was seen ends nothing.
    IgnoresRegression,
    /// 8: a restored store is not noticed.
    RestoresUnnoticed,
    /// 9: a control plane that starts takes nobody for a holder.
    ForgetsEarlier,
    /// 9: whoever leaves is taken off the roster at once.
    UnseatsEarly,
}

#[cfg(test)]
std::thread_local! {
    static BROKEN: std::cell::Cell<Option<Flaw>> = const { std::cell::Cell::new(None) };
}

/// Whether this rule is broken in this thread.
#[cfg(test)]
pub(crate) fn breaks(flaw: Flaw) -> bool {
    BROKEN.get() == Some(flaw)
}

/// Whether this rule is broken: never.
#[cfg(not(test))]
pub(crate) const fn breaks(_: Flaw) -> bool {
    false
}

#[cfg(test)]
impl Flaw {
    /// All of them.
    pub(crate) const ALL: [Self; 16] = [
        Self::CountsFromAnswer,
        Self::ForgetsDrift,
        Self::NotesLeaseLate,
        Self::LooksBeforeCommit,
        Self::SeatsLate,
        Self::WaitsForOwnOnly,
        Self::ExtendsFirst,
        Self::IgnoresGaps,
        Self::FindsLostLease,
        Self::AdmitsUnseen,
        Self::AcknowledgesForOthers,
        Self::AnswersFenced,
        Self::IgnoresRegression,
        Self::RestoresUnnoticed,
        Self::ForgetsEarlier,
        Self::UnseatsEarly,
    ];

    /// Does something with this rule broken.
    pub(crate) fn during<T>(self, act: impl FnOnce() -> T) -> T {
        BROKEN.set(Some(self));
        let result = act();
        BROKEN.set(None);
        result
    }
}
