//! What a process has used: CPU time and memory, from `/proc`; zero where there is none.

use std::collections::HashMap;
use std::ops::{Add, Sub};
use std::time::Duration;

/// Clock ticks in a second: 100 on every Linux there is (`getconf CLK_TCK`).
const TICKS: u64 = 100;

/// CPU time of all threads.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cpu {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Cpu {
    /// Of this process so far.
    pub(crate) fn own() -> Self {
        Self::of(std::process::id())
    }

    /// Of a process so far.
    pub(crate) fn of(pid: u32) -> Self {
        stat(&pid.to_string()).map_or_else(Self::default, |stat| stat.cpu)
    }

    /// Of this process so far, and of all below it that still run.
    pub(crate) fn tree() -> Self {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let stats: HashMap<u32, Stat> = processes
            .filter_map(|entry| {
                let name = entry.file_name();
                let name = name.to_str()?;
                Some((name.parse().ok()?, stat(name)?))
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
        ours.fold(Self::default(), |sum, (_, stat)| sum + stat.cpu)
    }

    /// User and system.
    pub(crate) fn total(self) -> Duration {
        self.user + self.system
    }
}

impl Add for Cpu {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            user: self.user + more.user,
            system: self.system + more.system,
        }
    }
}

impl Sub for Cpu {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

struct Stat {
    parent: u32,
    cpu: Cpu,
}

fn stat(process: &str) -> Option<Stat> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // proc(5): the name in parentheses may hold spaces; ppid is field 4, utime and stime 14 and 15.
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let time = |at: usize| Some(Duration::from_millis(number(at)? * 1_000 / TICKS));
    Some(Stat {
        parent: u32::try_from(number(1)?).ok()?,
        cpu: Cpu {
            user: time(11)?,
            system: time(12)?,
        },
    })
}

/// This process's share of memory (PSS), in bytes.
pub(crate) fn own_memory() -> u64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    kib(&rollup, "Pss:")
}

/// The most memory this process has had resident since [`forget_peak`], in bytes.
pub(crate) fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    kib(&status, "VmHWM:")
}

/// Begins [`peak_memory`] anew. proc(5): 5 to `clear_refs` resets the high-water mark.
pub(crate) fn forget_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn kib(text: &str, key: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(key));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    number.unwrap_or(0) * 1024
}
