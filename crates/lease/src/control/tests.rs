use super::*;
use crate::LEASE;

fn at(millis: u64) -> Instant {
    Duration::from_millis(millis)
}

fn gateway(name: &str) -> GatewayId {
    name.parse().unwrap()
}

fn leases() -> Leases {
    Leases::new(LEASE, at(0), Earlier::Nobody)
}

fn acks(progress: Progress) -> Vec<(Option<String>, u32, u64, bool)> {
    let Progress::Done(acks) = progress else {
        panic!("{progress:?}")
    };
    let plain = |ack: Ack| {
        let gateway = ack.gateway.map(|id| id.to_string());
        (
            gateway,
            ack.sessions_ended,
            ack.after.as_millis() as u64,
            ack.lease_over,
        )
    };
    acks.into_iter().map(plain).collect()
}

#[test]
fn nobody_attached_means_nobody_to_wait_for() {
    assert_eq!(
        leases().barrier(Version(1), at(0)).poll(at(0)),
        Progress::Done(vec![])
    );
}

#[test]
fn a_barrier_waits_for_every_acknowledgement() {
    let mut leases = leases();
    let (a, b) = (gateway("a"), gateway("b"));
    leases.attach(at(0), &a, "1").unwrap();
    leases.attach(at(1000), &b, "1").unwrap();
    let mut barrier = leases.barrier(Version(7), at(2000));
    assert_eq!(
        barrier.poll(at(2000)),
        Progress::Waiting { until: at(6000) }
    );
    barrier.acknowledged(at(2003), &a, "1", Version(6), 9);
    assert_eq!(
        barrier.poll(at(2003)),
        Progress::Waiting { until: at(6000) }
    );
    barrier.acknowledged(at(2004), &a, "1", Version(7), 2);
    assert_eq!(
        barrier.poll(at(2004)),
        Progress::Waiting { until: at(7000) }
    );
    barrier.acknowledged(at(2009), &b, "1", Version(8), 5);
    barrier.acknowledged(at(2010), &b, "1", Version(8), 5);
    // What a later change ended is not what this one did.
    let expected = [
        (Some("a".to_owned()), 2, 4, false),
        (Some("b".to_owned()), 0, 9, false),
    ];
    assert_eq!(acks(barrier.poll(at(2010))), expected);
}

#[test]
fn who_does_not_answer_has_lost_its_lease() {
    let mut leases = leases();
    let a = gateway("a");
    leases.attach(at(0), &a, "1").unwrap();
    leases.renew(at(1000), &a, "1").unwrap();
    leases.detach(&a, "1");
    let mut barrier = leases.barrier(Version(7), at(1500));
    assert_eq!(
        barrier.poll(at(6999)),
        Progress::Waiting { until: at(7000) }
    );
    assert_eq!(
        acks(barrier.poll(at(7000))),
        [(Some("a".to_owned()), 0, 5500, true)]
    );
    assert_eq!(
        leases.barrier(Version(8), at(7000)).poll(at(7000)),
        Progress::Done(vec![])
    );
}

#[test]
fn what_is_renewed_after_the_commit_is_not_waited_for() {
    let mut leases = leases();
    leases.attach(at(0), &gateway("a"), "1").unwrap();
    leases.renew(at(1500), &gateway("a"), "1").unwrap();
    let until = Progress::Waiting { until: at(7000) };
    assert_eq!(leases.barrier(Version(7), at(1000)).poll(at(1500)), until);
    let roster = [seat("a", "1", "here")];
    let mut barrier = leases.barrier_among(Version(7), at(1000), roster);
    assert_eq!(barrier.poll(at(1500)), until);
}

#[test]
fn a_lease_never_gets_shorter() {
    let mut leases = leases();
    let a = gateway("a");
    leases.attach(at(0), &a, "1").unwrap();
    leases.renew(at(3000), &a, "1").unwrap();
    leases.renew(at(2000), &a, "1").unwrap();
    assert_eq!(leases.lease_end(&a), Some(at(9000)));
    leases.attach(at(2500), &a, "1").unwrap();
    assert_eq!(leases.lease_end(&a), Some(at(9000)));
    assert_eq!(leases.lease_end(&gateway("b")), None);
}

#[test]
fn a_second_process_fences_the_first() {
    let mut leases = leases();
    let a = gateway("a");
    assert_eq!(leases.attach(at(0), &a, "1"), Ok(vec![]));
    assert_eq!(leases.attach(at(1000), &a, "2"), Ok(vec!["1".to_owned()]));
    assert_eq!(leases.renew(at(1100), &a, "1"), Err(Fenced));
    assert_eq!(leases.attach(at(1200), &a, "1"), Err(Fenced));
    assert_eq!(leases.renew(at(1300), &a, "2"), Ok(()));
    // The second's word is not the first's: that one may still be serving.
    let mut barrier = leases.barrier(Version(7), at(2000));
    barrier.acknowledged(at(2001), &a, "2", Version(7), 1);
    assert_eq!(
        barrier.poll(at(2001)),
        Progress::Waiting { until: at(6000) }
    );
    let expected = [
        (Some("a".to_owned()), 0, 4000, true),
        (Some("a".to_owned()), 1, 1, false),
    ];
    assert_eq!(acks(barrier.poll(at(6000))), expected);
}

#[test]
fn a_process_that_comes_back_acknowledges_for_itself() {
    let mut leases = leases();
    let a = gateway("a");
    leases.attach(at(0), &a, "1").unwrap();
    leases.detach(&a, "1");
    assert_eq!(leases.renew(at(50), &a, "1"), Err(Fenced), "not attached");
    let mut barrier = leases.barrier(Version(7), at(100));
    assert_eq!(leases.attach(at(200), &a, "1"), Ok(vec![]));
    barrier.acknowledged(at(210), &a, "1", Version(7), 3);
    assert_eq!(
        acks(barrier.poll(at(210))),
        [(Some("a".to_owned()), 3, 110, false)]
    );
}

#[test]
fn after_a_start_somebody_may_hold_a_lease() {
    let a = gateway("a");
    let start = at(1_000_000);
    let mut unknown = Leases::new(LEASE, start, Earlier::Unknown);
    unknown.attach(start + at(10), &a, "1").unwrap();
    let mut barrier = unknown.barrier(Version(7), start + at(20));
    barrier.acknowledged(start + at(21), &a, "1", Version(7), 1);
    assert_eq!(
        barrier.poll(start + at(21)),
        Progress::Waiting {
            until: start + at(6000)
        }
    );
    let expected = [(None, 0, 5980, true), (Some("a".to_owned()), 1, 1, false)];
    assert_eq!(acks(barrier.poll(start + at(6000))), expected);

    let known = Earlier::Known(vec![(a.clone(), "1".to_owned())]);
    let mut known = Leases::new(LEASE, start, known);
    let mut barrier = known.barrier(Version(7), start);
    assert_eq!(
        barrier.poll(start),
        Progress::Waiting {
            until: start + at(6000)
        }
    );
    known.attach(start + at(10), &a, "1").unwrap();
    barrier.acknowledged(start + at(11), &a, "1", Version(7), 1);
    assert_eq!(
        acks(barrier.poll(start + at(11))),
        [(Some("a".to_owned()), 1, 11, false)]
    );
}

#[test]
fn an_attached_gateway_that_stopped_renewing_is_not_waited_for_again() {
    let mut leases = leases();
    leases.attach(at(0), &gateway("a"), "1").unwrap();
    let mut barrier = leases.barrier(Version(7), at(60_000));
    assert_eq!(
        acks(barrier.poll(at(60_000))),
        [(Some("a".to_owned()), 0, 0, true)]
    );
}

fn seat(name: &str, instance: &str, replica: &str) -> Seat {
    Seat {
        gateway: gateway(name),
        instance: instance.to_owned(),
        replica: replica.to_owned(),
    }
}

#[test]
fn whoever_is_on_the_roster_is_waited_for_a_lease_since_the_commit() {
    let mut leases = leases();
    // Seen here long ago; since then it may have been answered elsewhere.
    leases.attach(at(0), &gateway("a"), "1").unwrap();
    let roster = [seat("a", "1", "here"), seat("b", "1", "there")];
    let mut barrier = leases.barrier_among(Version(7), at(1000), roster);
    barrier.acknowledged(at(1005), &gateway("b"), "1", Version(7), 1);
    barrier.acknowledged(at(1006), &gateway("a"), "2", Version(7), 1);
    assert_eq!(
        barrier.poll(at(6999)),
        Progress::Waiting { until: at(7000) },
        "another process of it does not count"
    );
    let expected = [
        (Some("a".to_owned()), 0, 6000, true),
        (Some("b".to_owned()), 1, 5, false),
    ];
    assert_eq!(acks(barrier.poll(at(7000))), expected);
}

#[test]
fn who_sat_with_a_fenced_replica_serves_for_one_more_lease() {
    let mut leases = leases();
    leases.adopt(at(1000), [(gateway("a"), "1".to_owned())]);
    assert_eq!(leases.holders(at(6999)).count(), 1);
    assert_eq!(leases.holders(at(7000)).count(), 0);
}

#[test]
fn a_replica_is_silent_when_its_count_stands_still_for_longer_than_its_leases() {
    let mut peers = Peers::new(LEASE);
    let counts = |b: i64, c: i64| [("b".to_owned(), b), ("c".to_owned(), c)];
    for second in 0..6 {
        let silent = peers.observe(at(second * 1000), counts(4, second as i64));
        assert_eq!(silent, [] as [String; 0]);
    }
    assert_eq!(peers.observe(at(6000), counts(4, 6)), ["b"]);
    assert_eq!(peers.observe(at(6500), counts(5, 6)), [] as [String; 0]);
}

#[test]
fn nobody_is_called_silent_by_who_could_not_look() {
    let mut peers = Peers::new(LEASE);
    let count = || [("b".to_owned(), 4)];
    peers.observe(at(0), count());
    // The store was away: nobody could write either.
    assert_eq!(peers.observe(at(60_000), count()), [] as [String; 0]);
    peers.observe(at(62_000), count());
    peers.observe(at(64_000), count());
    assert_eq!(peers.observe(at(66_000), count()), ["b"]);
}
