//! What a process needs of the machine, as Linux tells it.

use std::fs;
use std::time::Duration;

/// `/proc` counts in these, on every processor that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of all threads of a process, in ticks of 10 ms.
pub fn processor_time(process: u32) -> Duration {
    let [user, system, ..] = times(&process.to_string());
    user + system
}

/// That of this process, and of those that it started and that have ended.
pub fn own_time() -> Duration {
    times("self").iter().sum()
}

/// Its own in user mode and in the kernel, and the same of those that it has waited for.
fn times(process: &str) -> [Duration; 4] {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The second field is the program's name in parentheses, which may hold anything.
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 2..].split(' ').collect();
    [11, 12, 13, 14].map(|index| ticks(fields[index].parse().unwrap()))
}

/// Time that the whole machine was busy, with that which the host took away from it.
pub fn machine_time() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let fields: Vec<u64> =
        stat.lines().next().unwrap().split_whitespace().skip(1).map(|n| n.parse().unwrap()).collect();
    let idle = fields[3] + fields[4];
    // Guests are counted among users as well.
    let all: u64 = fields.iter().take(8).sum();
    ticks(all - idle)
}

fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1000 / TICKS_PER_SECOND)
}

/// Memory of a process, in KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub resident: u64,
    /// Pages that are shared count for each process in part.
    pub proportional: u64,
}

pub fn memory(process: u32) -> Memory {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).unwrap();
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    };
    Memory { resident: field("Rss:"), proportional: field("Pss:") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_needs_something() {
        let process = std::process::id();
        let memory = memory(process);
        assert!(memory.resident > 100 && memory.proportional > 100 && memory.proportional <= memory.resident);
        assert!(processor_time(process) <= machine_time());
    }
}
