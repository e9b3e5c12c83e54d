//! What happens, as operators count it: one method an event, with its line in the log and its metrics.
//!
//! Labels are words of closed lists in this code, and never what somebody typed, so that neither a
//! value nor a flood of series can get in.

use std::time::Duration;

use phigate_audit::record::EndReason;
use phigate_types::SqlState;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::clock;
use crate::gateway::Gateway;
use crate::live::State;

/// Upper bounds of the kill latency, in seconds: the promise is 10 ms at the 99th percentile.
const KILL_SECONDS: [f64; 12] = [
    0.000_5, 0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.025, 0.05, 0.1, 0.5, 5.0,
];

/// Counts, and says so.
#[derive(Debug)]
pub(crate) struct Events {
    registry: Registry,
    connections_refused: Counter,
    logins_refused: Family<Reason, Counter>,
    sessions_opened: Counter,
    sessions_ended: Family<Reason, Counter>,
    sessions: Family<InState, Gauge>,
    statements: Family<Outcome, Counter>,
    statements_refused: Family<Reason, Counter>,
    released_rows: Counter,
    released_bytes: Counter,
    kill_seconds: Histogram,
    changes: Family<Kind, Counter>,
    detached: Counter,
    lease_held: Gauge,
    lease_age: Gauge<f64, std::sync::atomic::AtomicU64>,
    draining: Gauge,
    log_leaves: Gauge,
    log_lag: Gauge,
    log_failed: Gauge,
    log_disk_low: Gauge,
    database_ready: Family<OfDatabase, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

/// Names from the configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfDatabase {
    database: String,
}

impl Default for Events {
    fn default() -> Self {
        let kill_seconds = Histogram::new(KILL_SECONDS);
        let mut events = Self {
            registry: Registry::with_prefix("phigate"),
            connections_refused: Counter::default(),
            logins_refused: Family::default(),
            sessions_opened: Counter::default(),
            sessions_ended: Family::default(),
            sessions: Family::default(),
            statements: Family::default(),
            statements_refused: Family::default(),
            released_rows: Counter::default(),
            released_bytes: Counter::default(),
            kill_seconds,
            changes: Family::default(),
            detached: Counter::default(),
            lease_held: Gauge::default(),
            lease_age: Gauge::default(),
            draining: Gauge::default(),
            log_leaves: Gauge::default(),
            log_lag: Gauge::default(),
            log_failed: Gauge::default(),
            log_disk_low: Gauge::default(),
            database_ready: Family::default(),
        };
        events.register();
        events
    }
}

impl Events {
    /// A connection found no place.
    pub(crate) fn connection_refused(&self, peer: std::net::SocketAddr) {
        tracing::warn!(%peer, "connection refused: limit reached");
        self.connections_refused.inc();
    }

    /// Somebody was not let in.
    pub(crate) fn login_refused(
        &self,
        peer: std::net::SocketAddr,
        reason: &'static str,
        sqlstate: SqlState,
    ) {
        tracing::info!(%peer, reason, %sqlstate, "login refused");
        self.logins_refused.get_or_create(&Reason { reason }).inc();
    }

    /// A session begins.
    pub(crate) fn session_opened(&self, session: &str) {
        tracing::info!(session, "session opened");
        self.sessions_opened.inc();
    }

    /// A session is over.
    pub(crate) fn session_ended(&self, session: &str, reason: EndReason) {
        let reason = reason.as_str();
        tracing::info!(session, reason, "session ended");
        self.sessions_ended.get_or_create(&Reason { reason }).inc();
    }

    /// The client's side of a session that was told to end is closed, so long after it was told.
    pub(crate) fn session_killed(&self, after: Duration) {
        self.kill_seconds.observe(after.as_secs_f64());
    }

    /// A statement ended, and so much of its result was released.
    pub(crate) fn statement_ended(&self, failed: bool, rows: u64, bytes: u64) {
        let outcome = if failed { "failed" } else { "completed" };
        self.statements.get_or_create(&Outcome { outcome }).inc();
        self.released_rows.inc_by(rows);
        self.released_bytes.inc_by(bytes);
    }

    /// A statement or message was refused.
    pub(crate) fn statement_refused(&self, reason: &'static str) {
        let refused = self.statements_refused.get_or_create(&Reason { reason });
        refused.inc();
    }

    /// What the control plane changed is carried out, to the last byte.
    pub(crate) fn change_carried_out(&self, kind: &'static str) {
        self.changes.get_or_create(&Kind { kind }).inc();
    }

    /// The stream to the control plane is gone.
    pub(crate) fn detached(&self, error: &dyn std::fmt::Display) {
        tracing::warn!(%error, "detached from the control plane");
        self.detached.inc();
    }

    /// Everything as it is now, in the OpenMetrics text format without its end mark.
    pub(crate) fn write(&self, out: &mut String, gateway: &Gateway) -> std::fmt::Result {
        let Gateway {
            live,
            log,
            databases,
            ..
        } = gateway;
        let now = clock::now();
        for (state, count) in live.states() {
            let state = state.as_str();
            let sessions = self.sessions.get_or_create(&InState { state });
            sessions.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        self.lease_held.set(i64::from(live.is_live(now)));
        self.lease_age.set(live.lease_age(now).as_secs_f64());
        self.draining.set(i64::from(live.is_draining()));
        let (written, durable) = (log.appended().0, log.durable().0);
        let count = |leaves: u64| i64::try_from(leaves).unwrap_or(i64::MAX);
        self.log_leaves.set(count(durable));
        self.log_lag.set(count(written.saturating_sub(durable)));
        self.log_failed.set(i64::from(log.failed().is_some()));
        self.log_disk_low.set(i64::from(log.is_disk_low()));
        for (name, database) in databases {
            let database_ready = self.database_ready.get_or_create(&OfDatabase {
                database: name.to_string(),
            });
            database_ready.set(i64::from(database.is_fit()));
        }
        prometheus_client::encoding::text::encode_registry(out, &self.registry)
    }

    /// Names and words. What can be known beforehand has a series from the start, so that a rate shows
    /// the first event too.
    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "connections_refused",
            "Connections that found no place",
            self.connections_refused.clone(),
        );
        r.register(
            "logins_refused",
            "Logins that were refused, by reason",
            self.logins_refused.clone(),
        );
        r.register(
            "sessions_opened",
            "Sessions that began",
            self.sessions_opened.clone(),
        );
        r.register(
            "sessions_ended",
            "Sessions that ended, by reason",
            self.sessions_ended.clone(),
        );
        r.register(
            "sessions",
            "Sessions there are, by state",
            self.sessions.clone(),
        );
        r.register(
            "statements",
            "Statements that ran, by outcome",
            self.statements.clone(),
        );
        r.register(
            "statements_refused",
            "Statements and messages that were refused, by reason",
            self.statements_refused.clone(),
        );
        r.register(
            "released_rows",
            "Rows of results that were released to clients",
            self.released_rows.clone(),
        );
        r.register(
            "released_bytes",
            "Bytes of results that were released to clients",
            self.released_bytes.clone(),
        );
        r.register(
            "kill_seconds",
            "From the moment a session is told to end to the close of its client's side",
            self.kill_seconds.clone(),
        );
        r.register(
            "changes",
            "Changes of the control plane that were carried out, by kind",
            self.changes.clone(),
        );
        r.register(
            "detached",
            "Streams to the control plane that were lost",
            self.detached.clone(),
        );
        r.register(
            "lease_held",
            "Whether the gateway may serve",
            self.lease_held.clone(),
        );
        r.register(
            "lease_age_seconds",
            "Since the lease was last extended, or since the start",
            self.lease_age.clone(),
        );
        r.register(
            "draining",
            "Whether the gateway is stopping",
            self.draining.clone(),
        );
        r.register(
            "log_leaves",
            "Leaves of the log that are durable",
            self.log_leaves.clone(),
        );
        r.register(
            "log_lag_leaves",
            "Leaves that wait to be durable",
            self.log_lag.clone(),
        );
        r.register(
            "log_failed",
            "Whether the log takes nothing more until a restart",
            self.log_failed.clone(),
        );
        r.register(
            "log_disk_low",
            "Whether there is no room for the next segment: no session begins",
            self.log_disk_low.clone(),
        );
        r.register(
            "database_ready",
            "Whether a database's clients are served",
            self.database_ready.clone(),
        );
        for reason in EndReason::ALL {
            let reason = reason.as_str();
            drop(self.sessions_ended.get_or_create(&Reason { reason }));
        }
        for outcome in ["completed", "failed"] {
            drop(self.statements.get_or_create(&Outcome { outcome }));
        }
        for kind in ["grant", "session", "lease"] {
            drop(self.changes.get_or_create(&Kind { kind }));
        }
        for reason in [
            "no_live_grant",
            "wrong_password",
            "no_lease",
            "control_unavailable",
        ] {
            drop(self.logins_refused.get_or_create(&Reason { reason }));
        }
        drop(
            self.statements_refused
                .get_or_create(&Reason { reason: "internal" }),
        );
        for state in State::ALL {
            let state = state.as_str();
            drop(self.sessions.get_or_create(&InState { state }));
        }
    }
}
