//! A small log and the records of a small session.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use phigate_audit::record::{
    Analysis, ColumnTouch, Decision, EndReason, Fingerprint, Intent, Outcome, Parameter, Payload,
    Prepared, Record, Refused, SessionClosed, SessionOpened, Touch,
};
use phigate_audit::{Entry, Level, Log, LogConfig, Position};
use phigate_types::{Epoch, GrantId, Profile, Purpose, SessionId, SqlState, Timestamp};

pub(crate) const ORIGIN: &str = "clinic/gateway-1";

/// Small segments, so that they roll.
pub(crate) fn config(dir: &Path) -> LogConfig {
    LogConfig {
        segment_bytes: 16 << 10,
        reserve_bytes: 16 << 10,
        level: Level::Process,
        ..LogConfig::new(dir.join("log"), ORIGIN)
    }
}

pub(crate) fn log_dir(dir: &Path) -> PathBuf {
    dir.join("log")
}

pub(crate) fn open(dir: &Path) -> Log {
    Log::open(config(dir)).unwrap().0
}

pub(crate) fn session(number: u8) -> SessionId {
    SessionId::from_random([number; 8])
}

pub(crate) fn opened(session: SessionId) -> Entry {
    let record = SessionOpened {
        principal: "alice".parse().unwrap(),
        grant: GrantId::from_random([7; 8]),
        epoch: Epoch(1),
        purpose: Purpose::Research,
        profile: Profile::LimitedDataset,
        policy: "ab".repeat(32),
        database: "clinic".parse().unwrap(),
        client: "192.0.2.7:50000".into(),
        gateway: "gateway-1".parse().unwrap(),
        expires_at: Timestamp::from_micros(1_800_000_000_000_000),
        authentication: "scram-sha-256".into(),
        tls: true,
        write: false,
        passthrough: false,
    };
    let payload = Payload {
        application_name: Some("psql".into()),
        ..Payload::default()
    };
    Entry {
        session: Some(session),
        record: Record::SessionOpened(record),
        payload: Some(payload),
    }
}

pub(crate) fn analysis() -> Arc<Analysis> {
    Arc::new(Analysis {
        kind: "select".into(),
        skeleton: "SELECT t1.birth_date FROM public.patients t1 WHERE t1.id = $1".into(),
        fingerprint: Fingerprint([0x5a; 16]),
        decision: Decision::Permit,
        masked: true,
        touches: vec![Touch {
            relation: "public.patients".into(),
            columns: vec![
                ColumnTouch("birth_date".into(), "year".into()),
                ColumnTouch("id".into(), "keep".into()),
            ],
            written: false,
        }],
    })
}

pub(crate) fn intent(session: SessionId, statement: u64) -> Entry {
    let record = Intent {
        statement,
        prepared: None,
        analysis: Some(analysis()),
    };
    let payload = Payload {
        sent: Some("SELECT birth_date FROM patients WHERE id = 4711".into()),
        run: Some("SELECT t1.birth_date FROM (SELECT ...) t1 WHERE t1.id = 4711".into()),
        ..Payload::default()
    };
    Entry {
        session: Some(session),
        record: Record::Statement(record),
        payload: Some(payload),
    }
}

pub(crate) fn prepared(session: SessionId, prepared: u64) -> Entry {
    let record = Prepared {
        prepared,
        analysis: analysis(),
    };
    let payload = Payload {
        sent: Some("SELECT birth_date FROM patients WHERE id = $1".into()),
        run: Some("SELECT t1.birth_date FROM (SELECT ...) t1 WHERE t1.id = $1".into()),
        ..Payload::default()
    };
    Entry {
        session: Some(session),
        record: Record::Prepared(record),
        payload: Some(payload),
    }
}

pub(crate) fn execution(session: SessionId, statement: u64, prepared: u64) -> Entry {
    let record = Intent {
        statement,
        prepared: Some(prepared),
        analysis: None,
    };
    let parameters = vec![Parameter::from_wire(0, Some(b"4711"))];
    let payload = Payload {
        parameters,
        ..Payload::default()
    };
    Entry {
        session: Some(session),
        record: Record::Statement(record),
        payload: Some(payload),
    }
}

pub(crate) fn outcome(session: SessionId, statement: u64) -> Entry {
    let record = Outcome {
        statement,
        rows: 1,
        bytes: 42,
        duration: Duration::from_micros(900),
        tag: Some("SELECT 1".into()),
        sqlstate: None,
        digest: None,
    };
    Entry {
        session: Some(session),
        record: Record::Outcome(record),
        payload: None,
    }
}

pub(crate) fn refused(session: SessionId) -> Entry {
    let record = Refused {
        reason: "blocked_column".into(),
        sqlstate: SqlState::INSUFFICIENT_PRIVILEGE,
        position: Some(8),
    };
    let sent = Some("SELECT ssn FROM patients".into());
    let payload = Some(Payload {
        sent,
        ..Payload::default()
    });
    Entry {
        session: Some(session),
        record: Record::Refused(record),
        payload,
    }
}

pub(crate) fn closed(session: SessionId) -> Entry {
    let record = SessionClosed {
        reason: EndReason::Revoked,
        statements: 1,
        refused: 0,
        rows: 1,
        bytes: 42,
        duration: Duration::from_millis(3),
    };
    Entry {
        session: Some(session),
        record: Record::SessionClosed(record),
        payload: None,
    }
}

/// Appends a session with this many statements and gives the last position.
pub(crate) fn play(log: &Log, session: SessionId, statements: u64) -> Position {
    log.append(opened(session)).unwrap();
    for number in 1..=statements {
        log.append(intent(session, number)).unwrap();
        log.append(outcome(session, number)).unwrap();
    }
    log.append(closed(session)).unwrap()
}

/// Waits as a session would.
pub(crate) fn wait(log: &Log, position: Position) {
    runtime().block_on(log.wait_durable(position)).unwrap();
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
}
