//! CPU time, of this process and of everything it started.

use std::collections::HashMap;
use std::time::Duration;

/// Clock ticks in a second: 100 on every Linux there is (`getconf CLK_TCK`).
const TICKS: u64 = 100;

/// User and system time so far; zero where there is no `/proc`.
pub(crate) fn own() -> Duration {
    ticks(of("self").map_or(0, |stat| stat.ticks))
}

/// User and system time so far of this process and all below it that still run.
pub(crate) fn tree() -> Duration {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let stats: HashMap<u32, Stat> = processes
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_str()?;
            Some((name.parse().ok()?, of(name)?))
        })
        .collect();
    let root = std::process::id();
    let is_ours = |pid: &u32| {
        let parents =
            std::iter::successors(Some(*pid), |pid| stats.get(pid).map(|stat| stat.parent));
        // A process that changes while it is read may seem its own ancestor.
        parents.take(16).any(|pid| pid == root)
    };
    let ours = stats.iter().filter(|(pid, _)| is_ours(pid));
    ticks(ours.map(|(_, stat)| stat.ticks).sum())
}

struct Stat {
    parent: u32,
    ticks: u64,
}

fn of(process: &str) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // proc(5): the name in parentheses may hold spaces; ppid is field 4, utime and stime 14 and 15.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        ticks: number(11)? + number(12)?,
    })
}

fn ticks(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1_000 / TICKS)
}
