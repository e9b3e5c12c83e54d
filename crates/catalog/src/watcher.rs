//! Keeps a database's snapshot fresh: asks each second whether the catalog changed, reads it again
//! when it did, and says so when it cannot ask.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use phigate_sql::Snapshot;
use phigate_types::{PgError, SqlState};
use sqlx::postgres::PgConnection;
use sqlx::{Executor, Row};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::doctor::{Finding, Severity, findings, read_facts};
use crate::error::CatalogError;
use crate::harden::CHANNEL;
use crate::read::read_at;
use crate::upstream::Upstream;

/// How often the catalog is asked for changes. DDL that nobody announces is seen this much later.
pub const POLL_EVERY: Duration = Duration::from_secs(1);

/// How long after the last answer the snapshot may still be used.
pub const STALE_AFTER: Duration = Duration::from_secs(10);

/// How long one question for changes may take.
const POLL_TIMEOUT: Duration = Duration::from_secs(5);
/// How long reading the whole catalog may take; within [`STALE_AFTER`] of the question before it
/// only on catalogs of ordinary size, and refused honestly on others.
const READ_TIMEOUT: Duration = Duration::from_mins(1);
/// How often a guarded database is examined where nothing announces a change: who is granted what
/// changes no table.
const EXAMINE_EVERY: Duration = Duration::from_secs(5);
/// How long one examination may take.
const EXAMINE_TIMEOUT: Duration = Duration::from_secs(20);
/// All of it.
const STEP_TIMEOUT: Duration = POLL_TIMEOUT
    .saturating_add(EXAMINE_TIMEOUT)
    .saturating_add(READ_TIMEOUT);
/// Pauses between attempts to connect: the first, and the longest.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// A number that differs when anything a snapshot is made of differs: an exclusive or of 64-bit
/// hashes, one a row, of the very columns that `read` reads; a view's definition and a
/// default are told by the transaction that wrote them. It takes no locks beyond those of reading catalogs and no notice
/// of temporary objects, indexes, TOAST tables, statistics, TRUNCATE or VACUUM.
const FINGERPRINT: &str = "\
    WITH class AS MATERIALIZED (
        SELECT c.oid, c.relname, c.relnamespace, c.relkind FROM pg_catalog.pg_class c
        WHERE c.oid >= 16384 AND c.relpersistence <> 't'
          AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    ), part AS (
        SELECT pg_catalog.hash_record_extended(ROW(1, c.oid, c.relname, c.relnamespace, c.relkind), 0) AS h
        FROM class c
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(2, a.attrelid, a.attnum, a.attname, a.atttypid,
            a.atttypmod, a.attcollation, a.attgenerated, a.attisdropped), 0)
        FROM pg_catalog.pg_attribute a JOIN class c ON c.oid = a.attrelid
        WHERE a.attnum > 0 AND a.attrelid >= 16384
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(3, e.adrelid, e.adnum, e.xmin), 0)
        FROM pg_catalog.pg_attrdef e JOIN class c ON c.oid = e.adrelid
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(4, r.oid, r.ev_class, r.rulename, r.xmin), 0)
        FROM pg_catalog.pg_rewrite r JOIN class c ON c.oid = r.ev_class WHERE r.oid >= 16384
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(5, i.inhrelid, i.inhparent, i.inhseqno), 0)
        FROM pg_catalog.pg_inherits i
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(6, t.oid, t.typname, t.typnamespace, t.typtype,
            t.typbasetype, t.typtypmod, t.typnotnull, t.typcollation), 0)
        FROM pg_catalog.pg_type t LEFT JOIN class c ON c.oid = t.typrelid
        WHERE t.oid >= 16384 AND t.typelem = 0 AND (t.typrelid = 0 OR c.oid IS NOT NULL)
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(7, n.oid, n.nspname), 0)
        FROM pg_catalog.pg_namespace n WHERE n.nspname !~ '^pg_(toast|temp|toast_temp)'
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(8, o.oid, o.collname, o.collnamespace), 0)
        FROM pg_catalog.pg_collation o WHERE o.oid >= 16384
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(9, o.conrelid, o.conkey, o.condeferrable), 0)
        FROM pg_catalog.pg_constraint o JOIN class c ON c.oid = o.conrelid WHERE o.contype = 'p'
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(10, o.oid, o.oprname, o.oprnamespace, o.oprcode), 0)
        FROM pg_catalog.pg_operator o WHERE o.oid >= 16384
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(11, k.oid, k.castsource, k.casttarget, k.castfunc), 0)
        FROM pg_catalog.pg_cast k WHERE k.oid >= 16384
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(12, o.oid, o.contypid, o.xmin), 0)
        FROM pg_catalog.pg_constraint o WHERE o.contypid <> 0
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(13, o.oid, o.conrelid, o.xmin), 0)
        FROM pg_catalog.pg_constraint o JOIN class c ON c.oid = o.conrelid
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(14, t.oid, t.tgrelid, t.tgisinternal), 0)
        FROM pg_catalog.pg_trigger t JOIN class c ON c.oid = t.tgrelid
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(15, i.indexrelid, i.indrelid, i.indisunique), 0)
        FROM pg_catalog.pg_index i JOIN class c ON c.oid = i.indrelid
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(16, t.oid, t.relrowsecurity), 0)
        FROM pg_catalog.pg_class t JOIN class c ON c.oid = t.oid
        UNION ALL
        SELECT pg_catalog.hash_record_extended(ROW(17, a.attrelid, a.attnum, a.attnotnull), 0)
        FROM pg_catalog.pg_attribute a JOIN class c ON c.oid = a.attrelid WHERE a.attnum > 0
    )
    SELECT pg_catalog.hash_record_extended(
        ROW(bit_xor(h), count(*), pg_catalog.current_setting('server_version_num')), 0) FROM part";

/// One database's snapshot, kept fresh by a task of its own until this is dropped.
#[derive(Debug)]
pub struct Watcher {
    state: watch::Receiver<State>,
    /// The epoch of the state's snapshot, for those who ask at every row.
    epoch: Arc<AtomicU64>,
    /// Wakes the task before its next question is due.
    hurry: Arc<Notify>,
    task: JoinHandle<()>,
    listening: Option<JoinHandle<()>>,
}

/// There is no snapshot that may be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the catalog of the database is not known: {reason}")]
pub struct Stale {
    /// Why: for the log, not for clients.
    pub reason: String,
}

#[derive(Debug)]
struct State {
    snapshot: Option<(Arc<Snapshot>, Instant)>,
    /// Why the last attempt failed; empty where it did not.
    reason: String,
    /// An attempt was made, however it ended.
    tried: bool,
    unsound: Arc<[Finding]>,
}

// === impl Watcher ===

impl Watcher {
    /// Starts watching; ask [`Watcher::ready`] for the first snapshot. Needs a tokio runtime.
    pub fn start(upstream: Upstream, poll_every: Duration) -> Self {
        Self::watch(upstream, poll_every, None)
    }

    fn watch(upstream: Upstream, poll_every: Duration, accept: Option<Vec<String>>) -> Self {
        let state = State {
            unsound: Arc::new([]),
            snapshot: None,
            reason: "it was not read yet".to_owned(),
            tried: false,
        };
        let (sender, state) = watch::channel(state);
        let hurry = Arc::new(Notify::new());
        let watch = Watch::new(upstream, poll_every, sender, Arc::clone(&hurry), accept);
        let epoch = Arc::clone(&watch.latest);
        Self {
            state,
            epoch,
            hurry,
            task: tokio::spawn(watch.run()),
            listening: None,
        }
    }

    /// The same for a database that masked views enforce: examined again and again for what would undo
    /// them, but for findings that are accepted ([`Finding::key`]); and listening, on a connection of
    /// its own, to what its event trigger announces, so that changes are seen at once.
    pub fn start_guarded(upstream: Upstream, poll_every: Duration, accept: Vec<String>) -> Self {
        let mut watcher = Self::watch(upstream.clone(), poll_every, Some(accept));
        let listening = listen(upstream, Arc::clone(&watcher.hurry));
        watcher.listening = Some(tokio::spawn(listening));
        watcher
    }

    /// What would undo the masked views, as of the last examination: nothing where all is as it should
    /// be, or where nobody asked for a guard.
    pub fn unsound(&self) -> Arc<[Finding]> {
        Arc::clone(&self.state.borrow().unsound)
    }

    /// The catalog as it was at the last question, at most [`STALE_AFTER`] ago.
    ///
    /// # Errors
    /// When that was longer ago or never; the caller refuses statements.
    pub fn current(&self) -> Result<Arc<Snapshot>, Stale> {
        let state = self.state.borrow();
        match &state.snapshot {
            Some((snapshot, asked)) if asked.elapsed() <= STALE_AFTER => Ok(Arc::clone(snapshot)),
            _ => Err(Stale {
                reason: state.reason.clone(),
            }),
        }
    }

    /// The epoch of the newest snapshot; 0 before the first. Costs next to nothing.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The first snapshot, or why there is none after `within`. Cancel safe.
    ///
    /// # Errors
    /// The last reason, once the time is over.
    pub async fn ready(&self, within: Duration) -> Result<Arc<Snapshot>, Stale> {
        let mut state = self.state.clone();
        // Either way the state says what is to be said.
        let _ = timeout(within, state.wait_for(|state| state.snapshot.is_some())).await;
        self.current()
    }

    /// How the first attempt ended, or that it takes longer than `within`. The next attempts follow
    /// by themselves. Cancel safe.
    ///
    /// # Errors
    /// Why there is no snapshot yet.
    pub async fn first_attempt(&self, within: Duration) -> Result<Arc<Snapshot>, Stale> {
        let mut state = self.state.clone();
        // Either way the state says what is to be said.
        let _ = timeout(within, state.wait_for(|state| state.tried)).await;
        self.current()
    }

    /// The catalog as it is after this call began, or why it is not known after `within`: for what
    /// somebody has just changed. Cancel safe.
    ///
    /// # Errors
    /// As [`Watcher::current`].
    pub async fn refreshed(&self, within: Duration) -> Result<Arc<Snapshot>, Stale> {
        let began = Instant::now();
        let mut state = self.state.clone();
        self.hurry.notify_one();
        let newer = |state: &State| matches!(&state.snapshot, Some((_, asked)) if *asked >= began);
        match timeout(within, state.wait_for(newer)).await {
            Ok(Ok(_)) => self.current(),
            Ok(Err(_)) | Err(_) => Err(Stale {
                reason: "it could not be read again in time".to_owned(),
            }),
        }
    }

    /// Waits until the epoch is no longer this one, for callers that prepare for the next. Never
    /// returns once the watcher's task ended. Cancel safe.
    pub async fn changed(&self, epoch: u64) {
        let mut state = self.state.clone();
        let other = |state: &State| {
            state
                .snapshot
                .as_ref()
                .is_some_and(|(snapshot, _)| snapshot.epoch != epoch)
        };
        if state.wait_for(other).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

impl From<Stale> for PgError {
    fn from(_: Stale) -> Self {
        // The reason names hosts and roles: it is for the log.
        Self::error(
            SqlState::CANNOT_CONNECT_NOW,
            "the database's catalog is not known at present",
        )
        .with_hint("Try again in a few seconds; if it lasts, tell the gateway's operator.")
    }
}

/// The task's own side.
struct Watch {
    upstream: Upstream,
    poll_every: Duration,
    sender: watch::Sender<State>,
    hurry: Arc<Notify>,
    /// Where the database is guarded: findings that its operator takes upon himself.
    accept: Option<Vec<String>>,
    examined: Option<Instant>,
    /// Somebody asked, or DDL was announced.
    hurried: bool,
    epoch: u64,
    /// The same, as others read it.
    latest: Arc<AtomicU64>,
    fingerprint: Option<i64>,
}

impl Watch {
    fn new(
        upstream: Upstream,
        poll_every: Duration,
        sender: watch::Sender<State>,
        hurry: Arc<Notify>,
        accept: Option<Vec<String>>,
    ) -> Self {
        Self {
            upstream,
            poll_every,
            sender,
            hurry,
            accept,
            examined: None,
            hurried: false,
            epoch: 0,
            latest: Arc::default(),
            fingerprint: None,
        }
    }

    /// Connects, polls until that fails, and connects again, with growing pauses.
    async fn run(mut self) {
        let mut pause = RETRY.0;
        while !self.sender.is_closed() {
            let before = self.epoch;
            let error = match self.upstream.connect().await {
                Ok(connection) => self.poll(connection).await,
                Err(error) => error,
            };
            tracing::warn!(upstream = %self.upstream.address(), %error, "catalog not readable");
            self.sender.send_modify(|state| {
                state.reason = error.to_string();
                state.tried = true;
            });
            let answered = self.epoch > before
                || self
                    .sender
                    .borrow()
                    .snapshot
                    .as_ref()
                    .is_some_and(|(_, at)| at.elapsed() < self.poll_every.saturating_add(RETRY.1));
            pause = if answered {
                RETRY.0
            } else {
                pause.saturating_mul(2).min(RETRY.1)
            };
            sleep(pause).await;
        }
    }

    /// Asks for changes on one connection until that fails.
    async fn poll(&mut self, mut connection: PgConnection) -> CatalogError {
        let mut ticks = interval(self.poll_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.hurry.notified() => self.hurried = true,
            }
            let step = timeout(STEP_TIMEOUT, self.step(&mut connection)).await;
            match step {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return self.timed_out(STEP_TIMEOUT),
            }
        }
    }

    async fn step(&mut self, connection: &mut PgConnection) -> Result<(), CatalogError> {
        let asked = Instant::now();
        let fingerprint = timeout(POLL_TIMEOUT, fingerprint(connection))
            .await
            .map_err(|_| self.timed_out(POLL_TIMEOUT))??;
        let changed = self.fingerprint != Some(fingerprint);
        // INVARIANT: before the state says that it was asked, so that nobody is let in on an
        // examination that is older than the catalog.
        self.examine(connection, changed).await?;
        if !changed {
            self.sender.send_modify(|state| {
                if let Some((_, at)) = &mut state.snapshot {
                    *at = asked;
                }
            });
            return Ok(());
        }
        // INVARIANT: the fingerprint is older than the snapshot. What changes in between makes the
        // next one differ, and the catalog is read once more.
        let epoch = self.epoch.saturating_add(1);
        let snapshot = Arc::new(read_at(connection, epoch).await?);
        (self.epoch, self.fingerprint) = (epoch, Some(fingerprint));
        tracing::info!(upstream = %self.upstream.address(), epoch, "catalog read");
        self.sender.send_modify(|state| {
            state.snapshot = Some((snapshot, asked));
            state.reason.clear();
            state.tried = true;
        });
        // INVARIANT: whoever sees the new number gets the snapshot, or a newer one.
        self.latest.store(epoch, Ordering::Release);
        Ok(())
    }

    /// Looks for what would undo the masked views, where the catalog changed or enough time went by:
    /// privileges change without it.
    async fn examine(
        &mut self,
        connection: &mut PgConnection,
        changed: bool,
    ) -> Result<(), CatalogError> {
        let Some(accept) = &self.accept else {
            return Ok(());
        };
        let is_due = self
            .examined
            .is_none_or(|examined| examined.elapsed() >= EXAMINE_EVERY);
        if !changed && !is_due && !self.hurried {
            return Ok(());
        }
        self.hurried = false;
        let facts = timeout(EXAMINE_TIMEOUT, read_facts(connection))
            .await
            .map_err(|_| self.timed_out(EXAMINE_TIMEOUT))??;
        self.examined = Some(Instant::now());
        let unsound: Arc<[Finding]> = findings(&facts)
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .filter(|finding| !accept.contains(&finding.key()))
            .collect();
        self.sender.send_modify(|state| {
            if state.unsound != unsound {
                for Finding {
                    name,
                    object,
                    problem,
                    ..
                } in unsound.iter()
                {
                    tracing::error!(upstream = %self.upstream.address(), name, object, problem,
                        "the database is not served: its masked views can be got round");
                }
                state.unsound = unsound;
            }
        });
        Ok(())
    }

    fn timed_out(&self, after: Duration) -> CatalogError {
        CatalogError::Timeout {
            address: self.upstream.address(),
            after,
        }
    }
}

/// Hurries the watch for each announcement. What is missed is seen at the next question.
async fn listen(upstream: Upstream, hurry: Arc<Notify>) {
    let mut pause = RETRY.0;
    loop {
        match upstream.listen(CHANNEL).await {
            Ok(mut listener) => {
                pause = RETRY.0;
                // Ends when the connection does.
                while let Ok(Some(_)) = listener.try_recv().await {
                    hurry.notify_one();
                }
            }
            Err(error) => {
                tracing::debug!(upstream = %upstream.address(), %error, "not listening for DDL");
                pause = pause.saturating_mul(2).min(RETRY.1);
            }
        }
        sleep(pause).await;
    }
}

async fn fingerprint(connection: &mut PgConnection) -> Result<i64, CatalogError> {
    Ok(connection.fetch_one(FINGERPRINT).await?.try_get(0)?)
}
