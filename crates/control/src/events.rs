//! What happens, as operators count it: one method an event. Labels are words of closed lists in this code.

use std::net::SocketAddr;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the time that a barrier takes, in seconds: 10 ms where every gateway answers, a lease
/// with drift (6 s) where one does not.
const BARRIER_SECONDS: [f64; 11] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 6.0, 10.0,
];

/// Counts, and says so.
#[derive(Debug)]
pub(crate) struct Events {
    registry: Registry,
    barrier_seconds: Histogram,
    leases_waited_out: Counter,
    calls_refused: Family<Reason, Counter>,
    handshakes_failed: Counter,
    gateways: Gauge,
    store_answers: Gauge,
    log_failed: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl Default for Events {
    fn default() -> Self {
        let mut events = Self {
            registry: Registry::with_prefix("phigate_control"),
            barrier_seconds: Histogram::new(BARRIER_SECONDS),
            leases_waited_out: Counter::default(),
            calls_refused: Family::default(),
            handshakes_failed: Counter::default(),
            gateways: Gauge::default(),
            store_answers: Gauge::default(),
            log_failed: Gauge::default(),
        };
        events.register();
        events
    }
}

impl Events {
    /// What ended something is carried out by every gateway; so many had to be waited for until their
    /// lease was over.
    pub(crate) fn barrier_passed(&self, took: Duration, leases_over: usize) {
        self.barrier_seconds.observe(took.as_secs_f64());
        if leases_over > 0 {
            tracing::warn!(
                leases_over,
                "a gateway did not answer: its lease was waited for"
            );
        }
        self.leases_waited_out.inc_by(leases_over as u64);
    }

    /// Administrative calls were refused.
    pub(crate) fn calls_refused(&self, reason: &'static str, count: u64) {
        tracing::warn!(reason, count, "administrative calls were refused");
        let refused = self.calls_refused.get_or_create(&Reason { reason });
        refused.inc_by(count);
    }

    /// Somebody's TLS is not ours. Who it was is said: it may be a gateway with a wrong certificate.
    pub(crate) fn handshake_failed(&self, peer: SocketAddr, error: &std::io::Error) {
        tracing::warn!(%peer, %error, "a TLS handshake failed");
        self.handshakes_failed.inc();
    }

    /// Everything as it is now, in the OpenMetrics text format without its end mark.
    pub(crate) fn write(&self, out: &mut String, now: Now) -> std::fmt::Result {
        self.gateways
            .set(i64::try_from(now.gateways).unwrap_or(i64::MAX));
        self.store_answers.set(i64::from(now.store_answers));
        self.log_failed.set(i64::from(now.log_failed));
        prometheus_client::encoding::text::encode_registry(out, &self.registry)
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "barrier_seconds",
            "From the call that ends something to the moment no gateway serves it",
            self.barrier_seconds.clone(),
        );
        r.register(
            "leases_waited_out",
            "Gateways that did not answer a barrier, so that their lease was waited for",
            self.leases_waited_out.clone(),
        );
        r.register(
            "calls_refused",
            "Administrative calls that were refused, by reason",
            self.calls_refused.clone(),
        );
        r.register(
            "handshakes_failed",
            "TLS handshakes that failed",
            self.handshakes_failed.clone(),
        );
        r.register(
            "gateways",
            "Gateways that are attached",
            self.gateways.clone(),
        );
        r.register(
            "store_answers",
            "Whether the store answers",
            self.store_answers.clone(),
        );
        r.register(
            "log_failed",
            "Whether the log takes nothing more until a restart",
            self.log_failed.clone(),
        );
        for reason in ["no_token", "wrong_token"] {
            drop(self.calls_refused.get_or_create(&Reason { reason }));
        }
    }
}

/// What is looked at when somebody asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) gateways: usize,
    pub(crate) store_answers: bool,
    pub(crate) log_failed: bool,
}
