//! CancelRequests: our own keys, checked in constant time, passed on with the server's key.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use phigate_wire::startup::CancelKey;

use crate::upstream::{self, Address};

/// The keys of all sessions.
#[derive(Default)]
pub(crate) struct CancelKeys {
    by_pid: Mutex<HashMap<i32, Target>>,
}

#[derive(Clone)]
struct Target {
    ours: CancelKey,
    address: Arc<Address>,
    theirs: CancelKey,
}

/// A session's key; void when dropped.
pub(crate) struct Issued {
    keys: Arc<CancelKeys>,
    pid: i32,
}

impl CancelKeys {
    /// A new key that stands for the server's. `None` when the system gives no random bytes.
    pub(crate) fn issue(
        self: &Arc<Self>,
        secret_len: usize,
        address: &Arc<Address>,
        theirs: CancelKey,
    ) -> Option<(CancelKey, Issued)> {
        let mut secret = vec![0; secret_len];
        aws_lc_rs::rand::fill(&mut secret).ok()?;
        let mut by_pid = self.by_pid.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // Positive, as process ids are: some drivers print it.
            let pid = i32::from_be_bytes(crate::random().ok()?) & i32::MAX;
            if pid == 0 || by_pid.contains_key(&pid) {
                continue;
            }
            let ours = CancelKey { pid, secret };
            let target = Target {
                ours: ours.clone(),
                address: Arc::clone(address),
                theirs,
            };
            by_pid.insert(pid, target);
            return Some((
                ours,
                Issued {
                    keys: Arc::clone(self),
                    pid,
                },
            ));
        }
    }

    /// Delivers a CancelRequest; silent about keys that are not right, as PostgreSQL is. Returns
    /// when the server has closed its connection, so that the client knows when it closes ours.
    pub(crate) async fn deliver(&self, key: &CancelKey) {
        let target = {
            let by_pid = self.by_pid.lock().unwrap_or_else(PoisonError::into_inner);
            by_pid
                .get(&key.pid)
                .filter(|target| target.ours == *key)
                .cloned()
        };
        let Some(target) = target else {
            tracing::info!("cancel request with an unknown key");
            return;
        };
        if let Err(error) = upstream::cancel(&target.address, &target.theirs).await {
            tracing::warn!(%error, "cancel request not delivered");
        }
    }
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.keys
            .by_pid
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::TlsPolicy;

    #[test]
    fn a_key_dies_with_its_session() {
        let keys = Arc::new(CancelKeys::default());
        let address = Arc::new(Address {
            host: "localhost".to_owned(),
            port: 1,
            user: "u".to_owned(),
            password: None,
            database: "d".to_owned(),
            tls: TlsPolicy::Disable,
        });
        let theirs = CancelKey {
            pid: 7,
            secret: vec![1; 4],
        };
        let (ours, issued) = keys.issue(32, &address, theirs).unwrap();
        assert_eq!(ours.secret.len(), 32);
        assert_ne!(ours.pid, 0);
        assert!(keys.by_pid.lock().unwrap().contains_key(&ours.pid));
        drop(issued);
        assert!(keys.by_pid.lock().unwrap().is_empty());
    }
}
