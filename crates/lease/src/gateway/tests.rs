use super::*;
use crate::{LEASE, with_drift};

const REASON: &str = "revoked by an admin";

fn at(millis: u64) -> Instant {
    Duration::from_millis(millis)
}

fn grant(n: u64) -> GrantId {
    GrantId::from_random(n.to_be_bytes())
}

fn session(n: u64) -> SessionId {
    SessionId::from_random(n.to_be_bytes())
}

fn advance(version: u64) -> Change {
    Change::Advance {
        version: Version(version),
    }
}

fn ended(version: u64, of: u64, epoch: u64) -> Change {
    let (version, epoch) = (Version(version), Epoch(epoch));
    Change::GrantEnded {
        version,
        grant: grant(of),
        epoch,
        reason: REASON.to_owned(),
    }
}

fn killed(version: u64, which: u64) -> Change {
    let version = Version(version);
    Change::SessionKilled {
        version,
        session: session(which),
        reason: REASON.to_owned(),
    }
}

fn read_at(version: u64) -> Admission {
    let read_version = Version(version);
    Admission {
        session: session(1),
        grant: grant(1),
        epoch: Epoch(1),
        read_version,
    }
}

/// Attached at 0 with a head of 10; the lease ends at 5 s.
fn attached() -> Holder {
    let mut holder = Holder::new();
    assert_eq!(holder.hello(at(0)), Version(0));
    assert_eq!(holder.welcomed(at(10), LEASE, &[], Version(10)), Ok(vec![]));
    assert_eq!(holder.deadline(), Some(LEASE));
    holder
}

fn only(effects: Result<Vec<Effect>, StreamError>) -> Effect {
    let mut effects = effects.unwrap();
    assert_eq!(effects.len(), 1, "{effects:?}");
    effects.remove(0)
}

#[test]
fn nothing_is_live_before_a_welcome() {
    let mut holder = Holder::new();
    assert!(!holder.is_live(at(0)));
    holder.hello(at(0));
    assert!(!holder.is_live(at(0)));
    assert_eq!(holder.may_admit(at(0), &read_at(0)), Err(Refused::NoLease));
    assert_eq!(holder.start_renewal(at(0)), None);
}

#[test]
fn a_lease_counts_from_the_question() {
    let mut holder = attached();
    let sequence = holder.start_renewal(at(1000)).unwrap();
    assert_eq!(
        holder.renewed(at(4900), sequence, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(holder.deadline(), Some(at(6000)));
    assert!(holder.is_live(at(5999)) && !holder.is_live(at(6000)));
}

#[test]
fn an_older_answer_that_comes_late_extends_nothing() {
    let mut holder = attached();
    let first = holder.start_renewal(at(1000)).unwrap();
    let second = holder.start_renewal(at(2000)).unwrap();
    assert_eq!(
        holder.renewed(at(2100), second, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(
        holder.renewed(at(2200), first, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(
        holder.renewed(at(2300), second, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(holder.deadline(), Some(at(7000)));
    assert_eq!(holder.renewed(at(2300), 99, &[], Version(10)), Ok(vec![]));
    assert_eq!(holder.deadline(), Some(at(7000)));
}

#[test]
fn an_answer_from_an_earlier_stream_extends_nothing() {
    let mut holder = attached();
    let early = holder.start_renewal(at(1000)).unwrap();
    holder.detached();
    assert_eq!(
        holder.renewed(at(1100), early, &[], Version(10)),
        Err(StreamError::OutOfOrder)
    );
    assert_eq!(holder.hello(at(2000)), Version(10));
    assert_eq!(
        holder.welcomed(at(2100), LEASE, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(
        holder.renewed(at(2200), early, &[], Version(10)),
        Ok(vec![])
    );
    assert_eq!(holder.deadline(), Some(at(7000)));
    assert_ne!(holder.start_renewal(at(2300)), Some(early));
    assert_eq!(
        holder.welcomed(at(2400), LEASE, &[], Version(10)),
        Err(StreamError::OutOfOrder)
    );
}

#[test]
fn the_lease_extends_only_when_the_changes_are_carried_out() {
    let mut holder = attached();
    let sequence = holder.start_renewal(at(1000)).unwrap();
    let changes = [advance(11), ended(12, 1, 2)];
    let effect = only(holder.renewed(at(1100), sequence, &changes, Version(12)));
    assert_eq!(holder.deadline(), Some(LEASE));
    assert_eq!(
        (holder.applied(), holder.seen()),
        (Version(11), Version(12))
    );
    let told = holder.acknowledgements();
    assert_eq!(
        told,
        [Applied {
            version: Version(11),
            sessions_ended: 0
        }]
    );
    holder.carried_out(at(1105), &effect, 3);
    assert_eq!(holder.deadline(), Some(at(6000)));
    let told = holder.acknowledgements();
    assert_eq!(
        told,
        [Applied {
            version: Version(12),
            sessions_ended: 3
        }]
    );
    assert_eq!(holder.acknowledgements(), []);
}

#[test]
fn effects_done_out_of_order_are_told_in_order() {
    let mut holder = attached();
    let first = only(holder.pushed(at(100), &ended(11, 1, 2)));
    let second = only(holder.pushed(at(100), &killed(12, 7)));
    holder.carried_out(at(101), &second, 1);
    assert_eq!(
        (holder.acknowledgements(), holder.applied()),
        (vec![], Version(10))
    );
    holder.carried_out(at(102), &first, 4);
    let applied = |version, sessions_ended| Applied {
        version: Version(version),
        sessions_ended,
    };
    assert_eq!(holder.acknowledgements(), [applied(11, 4), applied(12, 1)]);
    holder.carried_out(at(103), &first, 4);
    assert_eq!(holder.acknowledgements(), []);
}

#[test]
fn changes_seen_before_are_ignored_and_gaps_are_errors() {
    let mut holder = attached();
    let effect = only(holder.pushed(at(100), &ended(11, 1, 2)));
    assert_eq!(holder.pushed(at(100), &ended(11, 1, 2)), Ok(vec![]));
    let gap = |expected, got| {
        Err(StreamError::Gap {
            expected: Version(expected),
            got: Version(got),
        })
    };
    assert_eq!(holder.pushed(at(100), &advance(13)), gap(12, 13));
    let sequence = holder.start_renewal(at(100)).unwrap();
    // Nothing of a batch with a gap is taken: its effects would be lost.
    let torn = [ended(12, 2, 2), advance(14)];
    assert_eq!(
        holder.renewed(at(200), sequence, &torn, Version(14)),
        gap(13, 14)
    );
    assert_eq!(holder.seen(), Version(11));
    assert_eq!(
        holder.renewed(at(200), sequence, &[], Version(12)),
        gap(12, 12)
    );
    // A new stream begins after what was carried out, and what was seen since is not repeated.
    assert_eq!(holder.hello(at(300)), Version(10));
    let again = [ended(11, 1, 2), ended(12, 2, 2)];
    let effects = holder
        .welcomed(at(400), LEASE, &again, Version(12))
        .unwrap();
    assert!(matches!(
        effects[..],
        [Effect::EndGrant {
            version: Some(Version(12)),
            ..
        }]
    ));
    holder.carried_out(at(401), &effect, 0);
    assert_eq!(holder.applied(), Version(11));
}

#[test]
fn another_history_is_an_error() {
    let mut holder = attached();
    holder.hello(at(100));
    let regressed = StreamError::Regressed {
        head: Version(9),
        seen: Version(10),
    };
    assert_eq!(
        holder.welcomed(at(200), LEASE, &[], Version(9)),
        Err(regressed)
    );
}

#[test]
fn a_lost_lease_ends_everything_once() {
    let mut holder = attached();
    assert_eq!(holder.tick(at(4999)), None);
    assert_eq!(holder.tick(at(5000)), Some(Effect::EndAll));
    assert_eq!(holder.tick(at(5001)), None);
    // A renewal does not bring it back before all sessions are ended.
    let sequence = holder.start_renewal(at(5100)).unwrap();
    assert_eq!(
        holder.renewed(at(5200), sequence, &[], Version(10)),
        Ok(vec![])
    );
    assert!(!holder.is_live(at(5200)));
    assert_eq!(holder.deadline(), None);
    holder.carried_out(at(5300), &Effect::EndAll, 8);
    assert_eq!(holder.deadline(), Some(at(10_100)));
    assert_eq!(holder.may_admit(at(5300), &read_at(10)), Ok(()));
}

#[test]
fn a_gateway_that_slept_through_the_end_ends_everything_first() {
    let mut holder = attached();
    let early = holder.start_renewal(at(4000)).unwrap();
    // Asleep from 4 s to 60 s; the answers of before and after are read in one go.
    assert_eq!(
        only(holder.renewed(at(60_000), early, &[], Version(10))),
        Effect::EndAll
    );
    assert!(!holder.is_live(at(60_000)));
    holder.carried_out(at(60_001), &Effect::EndAll, 8);
    assert!(
        !holder.is_live(at(60_001)),
        "an answer to a question before the sleep is worth nothing"
    );
    let late = holder.start_renewal(at(60_002)).unwrap();
    assert_eq!(
        holder.renewed(at(60_003), late, &[], Version(10)),
        Ok(vec![])
    );
    assert!(holder.is_live(at(60_004)));
}

#[test]
fn a_change_carried_out_after_the_end_does_not_bring_the_lease_back() {
    let mut holder = attached();
    let sequence = holder.start_renewal(at(1000)).unwrap();
    let effect = only(holder.renewed(at(1100), sequence, &[ended(11, 1, 2)], Version(11)));
    holder.carried_out(at(5500), &effect, 1);
    assert!(!holder.is_live(at(5500)));
    assert_eq!(holder.tick(at(5500)), Some(Effect::EndAll));
}

#[test]
fn admission_is_judged_against_what_was_seen() {
    let mut holder = attached();
    assert_eq!(holder.may_admit(at(100), &read_at(10)), Ok(()));
    // Read after changes that have not arrived yet: they cannot end what was live then.
    assert_eq!(holder.may_admit(at(100), &read_at(15)), Ok(()));
    for change in [advance(11), ended(12, 2, 2), killed(13, 2)] {
        holder.pushed(at(100), &change).unwrap();
    }
    assert_eq!(holder.may_admit(at(100), &read_at(10)), Ok(()));
    holder.pushed(at(100), &ended(14, 1, 2)).unwrap();
    assert_eq!(holder.may_admit(at(100), &read_at(13)), Err(Refused::Ended));
    assert_eq!(
        holder.may_admit(at(100), &read_at(14)),
        Ok(()),
        "read after it: another epoch"
    );
    let later_epoch = Admission {
        epoch: Epoch(2),
        ..read_at(13)
    };
    assert_eq!(holder.may_admit(at(100), &later_epoch), Ok(()));
    holder.pushed(at(100), &killed(15, 1)).unwrap();
    let killed_meanwhile = Admission {
        epoch: Epoch(2),
        ..read_at(14)
    };
    assert_eq!(
        holder.may_admit(at(100), &killed_meanwhile),
        Err(Refused::Ended)
    );
    // Before what this process has ever seen.
    assert_eq!(
        holder.may_admit(at(100), &read_at(9)),
        Err(Refused::AskAgain)
    );
    assert_eq!(
        holder.may_admit(at(5000), &read_at(15)),
        Err(Refused::NoLease)
    );
}

#[test]
fn an_admission_older_than_the_memory_is_asked_again() {
    let mut holder = attached();
    holder.pushed(at(1), &ended(11, 1, 2)).unwrap();
    for version in 12..12 + RECENT_MAX as u64 {
        holder.pushed(at(1), &advance(version)).unwrap();
    }
    assert_eq!(
        holder.may_admit(at(2), &read_at(10)),
        Err(Refused::AskAgain)
    );
    assert_eq!(holder.may_admit(at(2), &read_at(11)), Ok(()));
}

#[test]
fn drift_is_a_fifth() {
    assert_eq!(with_drift(LEASE), Duration::from_secs(6));
    // chrony's maxslewrate and 500 ppm of error on both sides, one fast and one slow.
    let worst = (1.0 + 0.083_833) / (1.0 - 0.083_833);
    assert!(f64::from(crate::DRIFT_PPM) / 1e6 > worst - 1.0);
}

#[test]
fn what_is_told_ahead_ends_sessions_and_nothing_else_follows_from_it() {
    let mut holder = attached();
    let change = ended(11, 1, 2);
    let ahead = only(holder.ahead(at(100), change.ending().unwrap()));
    assert!(matches!(&ahead, Effect::EndGrant { version: None, epoch, .. } if epoch.0 == 2));
    assert_eq!(holder.may_admit(at(100), &read_at(10)), Ok(()));
    holder.carried_out(at(101), &ahead, 3);
    assert_eq!(
        (holder.seen(), holder.applied()),
        (Version(10), Version(10))
    );
    assert_eq!(holder.acknowledgements(), []);
    // A session that came in between ends with the change, which tells of all.
    let effect = only(holder.pushed(at(102), &change));
    assert_eq!(holder.acknowledgements(), []);
    holder.carried_out(at(103), &effect, 1);
    let told = Applied {
        version: Version(11),
        sessions_ended: 4,
    };
    assert_eq!(holder.acknowledgements(), [told]);
}

#[test]
fn an_ending_told_ahead_whose_change_never_comes_is_another_changes_version() {
    let mut holder = attached();
    let ahead = only(holder.ahead(at(100), killed(11, 7).ending().unwrap()));
    holder.carried_out(at(101), &ahead, 1);
    let effect = only(holder.pushed(at(102), &ended(11, 1, 2)));
    holder.carried_out(at(103), &effect, 0);
    let told = Applied {
        version: Version(11),
        sessions_ended: 0,
    };
    assert_eq!(holder.acknowledgements(), [told]);
    assert_eq!(
        holder.may_admit(at(104), &read_at(10)),
        Err(Refused::Ended),
        "version 11 is the change that was committed"
    );
}

#[test]
fn nothing_is_told_ahead_outside_of_a_stream() {
    let mut holder = Holder::new();
    let ending = || ended(1, 1, 2).ending().unwrap();
    assert_eq!(holder.ahead(at(0), ending()), Err(StreamError::OutOfOrder));
    holder.hello(at(0));
    assert_eq!(holder.ahead(at(0), ending()), Err(StreamError::OutOfOrder));
}
