use std::time::Duration;

use phigate_types::{Profile, Purpose};
use proptest::prelude::*;

use super::*;
use crate::ProjectName;

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn grant(duration: Duration) -> Grant {
    let terms = GrantRequest {
        principal: "alice".parse().unwrap(),
        database: "clinic".parse().unwrap(),
        profile: Profile::LimitedDataset,
        purpose: Purpose::Research,
        reason: "study".into(),
        duration,
        reveal: Vec::new(),
        block: Vec::new(),
        write: false,
        max_sessions: 16,
        project: ProjectName::parse("").unwrap(),
        cohort: None,
        sensitivity: std::collections::BTreeSet::new(),
        data_use_agreement: String::new(),
        determination: String::new(),
        budget: crate::Budget::default(),
    };
    Grant::new(GrantId::from_random([7; 8]), terms, "admin".into(), START)
}

fn ended(at: Timestamp) -> Ended {
    Ended {
        at,
        by: "admin".into(),
        reason: String::new(),
    }
}

#[test]
fn the_last_instant_is_outside() {
    let grant = grant(Duration::from_secs(1));
    assert!(grant.is_live(START.plus(Duration::from_micros(999_999))));
    assert_eq!(
        grant.state(START.plus(Duration::from_secs(1))),
        State::Expired
    );
}

#[test]
fn a_revocation_after_the_end_changes_nothing() {
    let grant = grant(Duration::from_secs(1));
    let late = START.plus(Duration::from_secs(2));
    assert_eq!(
        grant.clone().revoke(ended(late)),
        Revocation::AlreadyEnded(grant)
    );
}

#[derive(Debug, Clone)]
enum Event {
    Revoke(u64),
    Expire(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0..200_u64).prop_map(Event::Revoke),
        (0..200_u64).prop_map(Event::Expire)
    ];
    prop::collection::vec(event, 0..20)
}

proptest! {
    /// Whatever happens in whatever order: the epoch never falls, rises exactly when the grant
    /// ends, an ended grant is never live again at any time, and it ends at most once.
    #[test]
    fn an_ended_grant_stays_ended(duration in 1..100_u64, events in events(), probe in 0..300_u64) {
        let mut grant = grant(Duration::from_secs(duration));
        let mut ends = 0;
        for event in events {
            let before = grant.clone();
            grant = match event {
                Event::Revoke(at) => match grant.revoke(ended(START.plus(Duration::from_secs(at)))) {
                    Revocation::Ended(grant) => {
                        prop_assert_eq!(&before.life, &Life::Active);
                        prop_assert!(at < duration);
                        ends += 1;
                        grant
                    }
                    Revocation::AlreadyEnded(grant) => {
                        prop_assert_eq!(&grant, &before);
                        grant
                    }
                },
                Event::Expire(at) => match grant.expire(START.plus(Duration::from_secs(at))) {
                    Ok(grant) => {
                        prop_assert!(at >= duration);
                        ends += 1;
                        grant
                    }
                    Err(NotDue) => before.clone(),
                },
            };
            prop_assert_eq!(grant.epoch.0, 1 + ends);
            prop_assert!(ends <= 1);
            if ends == 1 {
                prop_assert!(!grant.is_live(START.plus(Duration::from_secs(probe))));
            }
        }
    }
}
