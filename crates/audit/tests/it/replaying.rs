use phigate_audit::keys::{KeyStore, Subject};
use phigate_audit::record::{EndReason, Record};
use phigate_audit::replay::{Content, events, sessions, timeline};
use phigate_audit::verify::{Options, Outcome, verify};

use crate::fixture::{
    closed, config, execution, log_dir, open, opened, outcome, play, prepared, refused, session,
    wait,
};

#[test]
fn a_session_is_told_step_by_step() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let (one, two) = (session(1), session(2));
    log.append(opened(one)).unwrap();
    play(&log, two, 4);
    log.append(prepared(one, 1)).unwrap();
    log.append(execution(one, 1, 1)).unwrap();
    log.append(refused(one)).unwrap();
    log.append(outcome(one, 1)).unwrap();
    log.append(closed(one)).unwrap();
    let logs = log_dir(dir.path());
    log.close().unwrap();

    let list = sessions(&logs).unwrap();
    assert!(list.damages.is_empty());
    let ids: Vec<_> = list
        .sessions
        .iter()
        .map(|session| session.session)
        .collect();
    assert_eq!(ids, [one, two]);
    let first = &list.sessions[0];
    assert_eq!((first.statements, first.refused, first.lost), (1, 1, false));
    assert_eq!(first.closed.as_ref().unwrap().reason, EndReason::Revoked);
    assert_eq!(list.sessions[1].statements, 4);

    let keys = KeyStore::of_log(&config(dir.path()).keys, &logs).unwrap();
    let story = timeline(&logs, one, Some(&keys)).unwrap();
    let kinds: Vec<_> = story
        .steps
        .iter()
        .map(|step| step.record.kind().as_str())
        .collect();
    let expected = [
        "session_opened",
        "prepared",
        "statement",
        "refused",
        "outcome",
        "session_closed",
    ];
    assert_eq!(kinds, expected);
    // The execution's SQL is that of what was prepared; its parameters are its own.
    let executed = story.statement(2).unwrap();
    assert_eq!(
        executed.sent.unwrap().as_ref(),
        "SELECT birth_date FROM patients WHERE id = $1"
    );
    assert_eq!(executed.outcome.unwrap().rows, 1);
    assert!(executed.analysis.unwrap().masked);
    let Content::Clear(payload) = &story.steps[2].content else {
        panic!()
    };
    assert_eq!(payload.parameters.len(), 1);
    assert_eq!(
        story.statement(3).unwrap().sent.unwrap().as_ref(),
        "SELECT ssn FROM patients"
    );
    let legend: Vec<_> = story.legend().into_iter().collect();
    assert_eq!(
        legend,
        [
            ("public.patients", "birth_date", "year"),
            ("public.patients", "id", "keep")
        ]
    );
    assert!(story.statement(0).is_none() && story.statement(99).is_none());
    assert!(timeline(&logs, session(9), None).unwrap().steps.is_empty());
}

#[test]
fn a_shredded_key_hides_one_session_and_no_proof_breaks() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    play(&log, session(1), 2);
    play(&log, session(2), 2);
    let logs = log_dir(dir.path());
    log.clone().close().unwrap();
    let open_keys = || KeyStore::of_log(&config(dir.path()).keys, &logs).unwrap();
    assert!(open_keys().shred(Subject::Session(session(1))).unwrap());

    let keys = open_keys();
    let one = timeline(&logs, session(1), Some(&keys)).unwrap();
    let two = timeline(&logs, session(2), Some(&keys)).unwrap();
    assert_eq!(one.steps[1].content, Content::Shredded);
    assert!(matches!(two.steps[1].content, Content::Clear(_)));
    // The skeleton and what was touched stay readable.
    assert!(
        one.statement(1)
            .unwrap()
            .analysis
            .unwrap()
            .skeleton
            .contains("patients")
    );
    let without = timeline(&logs, session(2), None).unwrap();
    assert_eq!(without.steps[1].content, Content::Locked);
    let report = verify(
        &logs,
        &Options {
            head: Some(log.head()),
        },
    )
    .unwrap();
    assert_eq!(report.outcome, Outcome::Sound);
}

#[test]
fn nothing_confidential_is_in_the_files() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    play(&log, session(1), 2);
    log.append(opened(session(2))).unwrap();
    log.append(execution(session(2), 1, 1)).unwrap();
    log.close().unwrap();
    let mut files = 0;
    for place in [log_dir(dir.path()), config(dir.path()).keys] {
        for file in std::fs::read_dir(place).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for secret in ["4711", "psql", "SELECT birth_date"] {
                let found = bytes
                    .windows(secret.len())
                    .any(|window| window == secret.as_bytes());
                assert!(!found, "{secret}");
            }
            files += 1;
        }
    }
    assert!(files >= 4);
}

#[test]
fn a_session_whose_gateway_was_lost_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.append(opened(session(1))).unwrap();
    // The process ends without closing the session; the log itself is closed by its last handle.
    drop(log);
    let log = open(dir.path());
    play(&log, session(1), 1);
    log.close().unwrap();
    let list = sessions(&log_dir(dir.path())).unwrap().sessions;
    assert_eq!(list.len(), 2);
    assert!(list[0].lost && list[0].closed.is_none());
    assert!(!list[1].lost && list[1].closed.is_some());
    let report = verify(&log_dir(dir.path()), &Options::default()).unwrap();
    assert_eq!((report.sessions, report.lost_sessions), (2, 1));
    let opened = events(&log_dir(dir.path()), None).unwrap().steps;
    let openings = opened
        .iter()
        .filter(|step| matches!(step.record, Record::LogOpened(_)));
    assert_eq!(openings.count(), 2);
}

#[test]
fn the_last_event_told_is_found_from_the_end() {
    use phigate_audit::record::{Action, ControlEvent};
    use phigate_audit::replay::{Told, last_told};
    use phigate_types::Version;

    let dir = tempfile::tempdir().unwrap();
    let logs = log_dir(dir.path());
    let log = open(dir.path());
    let tell = |sequence, version, action| {
        let event = ControlEvent {
            actor: "system".into(),
            version: Version(version),
            sequence,
            action,
        };
        let entry = phigate_audit::Entry {
            session: None,
            record: Record::Control(event),
            payload: None,
        };
        log.append(entry).unwrap();
    };
    let attached = || Action::GatewayAttached {
        gateway: "gw".parse().unwrap(),
    };
    let barrier = || Action::BarrierPassed {
        grant: None,
        session: None,
        gateways: Vec::new(),
    };
    assert_eq!(last_told(&logs).unwrap(), Told::default());
    tell(1, 3, attached());
    tell(2, 8, attached());
    let at_two = Told {
        sequence: 2,
        version: Version(8),
    };
    wait(&log, play(&log, session(1), 1));
    assert_eq!(last_told(&logs).unwrap(), at_two);
    // Several segments later it is still found; a barrier there names an older version.
    for number in 2..8 {
        wait(&log, play(&log, session(number), 10));
    }
    tell(3, 3, barrier());
    log.close().unwrap();
    assert!(crate::reader::segments(&logs).len() > 3);
    let told = last_told(&logs).unwrap();
    assert_eq!((told.sequence, told.version), (3, Version(8)));
}
