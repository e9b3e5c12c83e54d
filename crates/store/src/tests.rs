//! The store against real files.

mod budgets;
mod ending;
mod fencing;
mod keeping;
mod sessions;

use std::path::{Path, PathBuf};
use std::time::Duration;

use phigate_grant::{Ended, Grant, GrantRequest, RawGrantRequest};
use phigate_types::{GrantId, SessionId, Timestamp};

use crate::{Created, Credential, Event, NewGrant, SessionRequest, Store, StoreError};

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

struct Bench {
    directory: tempfile::TempDir,
    store: Store,
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("control.db"))
            .await
            .unwrap();
        Self { directory, store }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("control.db")
    }

    async fn reopen(self) -> Self {
        self.store.close().await;
        let Self { directory, store } = self;
        drop(store);
        let store = Store::open(&directory.path().join("control.db"))
            .await
            .unwrap();
        Self { directory, store }
    }

    async fn backup(&self, to: &Path) {
        let quoted = to.display().to_string().replace('\'', "''");
        sqlx::query(sqlx::AssertSqlSafe(format!("VACUUM INTO '{quoted}'")))
            .execute(self.store.readers())
            .await
            .unwrap();
    }

    async fn create(&self, number: u8) -> Created {
        self.create_grant(&grant(number, "alice")).await.unwrap()
    }

    async fn create_grant(&self, grant: &Grant) -> Result<Created, StoreError> {
        let credential = Credential {
            stored_key: [1; 32],
            server_key: [2; 32],
        };
        let new = NewGrant {
            grant,
            credential: &credential,
            policy: "p1",
            policy_body: b"body",
            patients: None,
        };
        self.store.create_grant(&new).await
    }

    async fn events(&self) -> Vec<Event> {
        let leaves = self.store.leaves_after(0, 1000).await.unwrap();
        leaves.into_iter().map(|leaf| leaf.event).collect()
    }
}

fn id(number: u8) -> GrantId {
    GrantId::from_random([number; 8])
}

fn session_id(number: u8) -> SessionId {
    SessionId::from_random([number; 8])
}

fn grant(number: u8, principal: &str) -> Grant {
    let raw = RawGrantRequest {
        principal: principal.into(),
        database: "clinic".into(),
        profile: "limited_dataset".into(),
        purpose: "HRESCH".into(),
        reason: "study".into(),
        duration: Some(Duration::from_mins(1)),
        reveal: vec!["patients.zip".into(), "s.t.c".into()],
        max_sessions: 2,
        ..RawGrantRequest::default()
    };
    Grant::new(
        id(number),
        GrantRequest::try_from(raw).unwrap(),
        "admin".into(),
        START,
    )
}

fn ended(at: Timestamp) -> Ended {
    Ended {
        at,
        by: "admin".into(),
        reason: "done".into(),
    }
}

fn request(session: u8, grant: u8) -> SessionRequest {
    SessionRequest {
        id: session_id(session),
        grant: id(grant),
        principal: "alice".parse().unwrap(),
        database: "clinic".parse().unwrap(),
        gateway: "gw".parse().unwrap(),
        instance: "i1".into(),
        client_address: "192.0.2.1:5000".into(),
        application_name: "psql".into(),
    }
}

fn later(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}
