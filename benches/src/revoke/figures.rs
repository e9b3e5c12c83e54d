//! Percentiles of what was measured.

use serde::Serialize;

/// Percentiles in milliseconds, by nearest rank.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Percentiles {
    /// Of milliseconds; zeros of none.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let rank = |share: f64| {
            let rank = (share * sorted.len() as f64).ceil() as usize;
            let value = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
            (value * 1e3).round() / 1e3
        };
        Self {
            p50: rank(0.5),
            p99: rank(0.99),
            p999: rank(0.999),
            max: rank(1.0),
        }
    }

    /// The larger of each.
    pub(crate) fn worse(self, other: Self) -> Self {
        Self {
            p50: self.p50.max(other.p50),
            p99: self.p99.max(other.p99),
            p999: self.p999.max(other.p999),
            max: self.max.max(other.max),
        }
    }
}

/// One line of the result.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// What was ended and how.
    pub(crate) what: &'static str,
    pub(crate) gateways: usize,
    pub(crate) sessions: usize,
    pub(crate) streaming: usize,
    pub(crate) rounds: usize,
    /// How much of all cores everything measured here used just before.
    pub(crate) cpu_share: f64,
    /// From the call (of an expiry: from the deadline) to the last byte of each session in its client's
    /// kernel.
    pub(crate) last_byte_ms: Percentiles,
    /// The same of the streaming sessions alone.
    pub(crate) streaming_last_byte_ms: Percentiles,
    /// From the call to its return.
    pub(crate) return_ms: Percentiles,
    /// Sessions that got a byte after the call had returned.
    pub(crate) after_return: usize,
    /// Sessions whose client was told 57P01.
    pub(crate) told: usize,
    /// How late a thread that sleeps a millisecond at a time woke up meanwhile.
    pub(crate) timer_late_ms: Percentiles,
}
