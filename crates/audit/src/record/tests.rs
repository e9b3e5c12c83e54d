use std::sync::Arc;
use std::time::Duration;

use phigate_types::SqlState;
use serde_json::json;

use super::*;

#[test]
fn the_type_member_is_the_kind() {
    for record in [
        Record::LogClosed(LogClosed {}),
        Record::Heartbeat(Heartbeat {
            leaves: 1,
            head: "00".into(),
        }),
        Record::Outcome(outcome()),
    ] {
        let value = serde_json::to_value(&record).unwrap();
        assert_eq!(value["type"], record.kind().as_str());
        assert_eq!(Kind::from_code(record.kind().code()), Some(record.kind()));
    }
}

#[test]
fn an_intent_is_written_this_way_for_ever() {
    let record = Record::Statement(Intent {
        statement: 7,
        prepared: None,
        analysis: Some(Arc::new(Analysis {
            kind: "select".into(),
            skeleton: "SELECT p1.birth_date FROM public.patients p1 WHERE p1.id = $1".into(),
            fingerprint: Fingerprint([0xab; 16]),
            decision: Decision::Permit,
            masked: true,
            touches: vec![Touch {
                relation: "public.patients".into(),
                columns: vec![ColumnTouch("birth_date".into(), "year".into())],
                written: false,
            }],
        })),
    });
    let text = serde_json::to_string(&record).unwrap();
    assert_eq!(
        text,
        r#"{"type":"statement","statement":7,"analysis":{"kind":"select","skeleton":"SELECT p1.birth_date FROM public.patients p1 WHERE p1.id = $1","fingerprint":"abababababababababababababababab","decision":"permit","masked":true,"touches":[{"relation":"public.patients","columns":[["birth_date","year"]]}]}}"#
    );
    assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
}

#[test]
fn an_outcome_reads_back_with_and_without_an_error() {
    for sqlstate in [None, Some(SqlState::QUERY_CANCELED)] {
        let record = Record::Outcome(Outcome {
            sqlstate,
            ..outcome()
        });
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}

#[test]
fn members_unknown_to_this_version_are_ignored() {
    let text = r#"{"type":"heartbeat","leaves":3,"head":"aa","later":[1,2]}"#;
    let heartbeat = Heartbeat {
        leaves: 3,
        head: "aa".into(),
    };
    assert_eq!(
        serde_json::from_str::<Record>(text).unwrap(),
        Record::Heartbeat(heartbeat)
    );
}

#[test]
fn a_payload_is_seen_by_nobody() {
    let payload = Payload {
        sent: Some("SELECT '123-45-6789'".into()),
        parameters: vec![
            Parameter::from_wire(0, Some(b"123-45-6789")),
            Parameter::from_wire(1, Some(b"\x00\x01")),
            Parameter::from_wire(0, None),
        ],
        ..Payload::default()
    };
    assert!(!format!("{payload:?} {:?}", payload.parameters).contains("123"));
    let value = serde_json::to_value(&payload).unwrap();
    assert_eq!(
        value["parameters"],
        json!([{"text": "123-45-6789"}, {"binary": "AAE="}, null])
    );
    assert_eq!(serde_json::from_value::<Payload>(value).unwrap(), payload);
}

fn outcome() -> Outcome {
    Outcome {
        statement: 1,
        rows: 2,
        bytes: 3,
        duration: Duration::from_micros(4),
        tag: Some("SELECT 2".into()),
        sqlstate: None,
        digest: None,
    }
}

#[test]
fn a_control_event_is_written_this_way_for_ever() {
    let event = |action| {
        Record::Control(ControlEvent {
            actor: "system".into(),
            version: phigate_types::Version(4),
            sequence: 9,
            action,
        })
    };
    for (action, text) in [
        (
            Action::AdminTokenChanged {},
            r#"{"admin_token_changed":{}}"#,
        ),
        (
            Action::GatewayFenced {
                gateway: "gw".parse().unwrap(),
            },
            r#"{"gateway_fenced":{"gateway":"gw"}}"#,
        ),
        (
            Action::CallRefused {
                call: "admin".into(),
                reason: "token".into(),
                count: 3,
            },
            r#"{"call_refused":{"call":"admin","reason":"token","count":3}}"#,
        ),
    ] {
        let record = event(action);
        let written = serde_json::to_string(&record).unwrap();
        let expected = format!(
            r#"{{"type":"control","actor":"system","version":4,"sequence":9,"action":{text}}}"#
        );
        assert_eq!(written, expected);
        assert_eq!(serde_json::from_str::<Record>(&written).unwrap(), record);
    }
    // As it was written before events were numbered and refusals counted.
    let old = r#"{"type":"control","actor":"system","version":4,"action":{"call_refused":{"call":"admin","reason":"token"}}}"#;
    let Record::Control(read) = serde_json::from_str(old).unwrap() else {
        panic!("another kind");
    };
    assert_eq!(read.sequence, 0);
    assert!(matches!(read.action, Action::CallRefused { count: 1, .. }));
}
