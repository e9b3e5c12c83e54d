//! This process's CPU time.

use std::time::Duration;

/// Clock ticks in a second: 100 on every Linux there is (`getconf CLK_TCK`).
const TICKS: u64 = 100;

/// User and system time so far; zero where there is no `/proc`.
pub(crate) fn own() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // proc(5): the name in parentheses may hold spaces; utime and stime are fields 14 and 15.
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1_000 / TICKS)
}
