//! The processes that run the functions: what they use, and killing one.
//!
//! The emulator starts a process for each invocation that finds no idle one, and another one in place of one that ended.

use std::collections::BTreeMap;
use std::{fs, io};

use super::process::{kill_one, started};

/// The environment variable with the function's name, which Lambda sets.
const NAME: &str = "AWS_LAMBDA_FUNCTION_NAME=";

/// A process that runs a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionProcess {
    /// The name of the function in the stack.
    pub function: String,
    pid: u32,
    started: String,
    /// In clock ticks since boot.
    start_ticks: u64,
}

/// What `/proc/<pid>/stat` says of a process.
struct Stat {
    is_running: bool,
    parent: u32,
    start_ticks: u64,
}

/// The functions' processes below the supervisor: the emulator is its child, and they are the emulator's.
pub(super) fn below(supervisor: u32) -> Vec<FunctionProcess> {
    let processes = processes();
    let parent = |pid: u32| processes.get(&pid).map(|stat| stat.parent);
    let is_below = |pid: &u32| parent(*pid).and_then(parent) == Some(supervisor);
    let mut found: Vec<FunctionProcess> = processes
        .iter()
        .filter(|(pid, _)| is_below(pid))
        .filter_map(|(pid, stat)| {
            let (function, started) = (function_of(*pid)?, started(*pid)?);
            Some(FunctionProcess { function, pid: *pid, started, start_ticks: stat.start_ticks })
        })
        .collect();
    found.sort_by_key(|process| (process.start_ticks, process.pid));
    found
}

impl FunctionProcess {
    /// Kills it, unless it has ended already. Returns whether it was killed.
    pub fn kill(&self) -> io::Result<bool> {
        // The system reuses process ids.
        if started(self.pid).as_ref() != Some(&self.started) {
            return Ok(false);
        }
        kill_one(self.pid).map(|status| status.success())
    }

    /// Whether it runs at this moment, instead of waiting for an invocation or for an answer.
    #[must_use]
    pub fn is_at_work(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok();
        stat.and_then(|stat| stat_of(&stat)).is_some_and(|stat| stat.is_running)
    }

    /// Its memory that is in RAM, in KiB; `None` if it has ended.
    #[must_use]
    pub fn resident_kib(&self) -> Option<u64> {
        resident_in_status(&fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?)
    }

    /// How many file handles it has open, sockets among them; `None` if it has ended.
    #[must_use]
    pub fn open_handles(&self) -> Option<usize> {
        Some(fs::read_dir(format!("/proc/{}/fd", self.pid)).ok()?.count())
    }
}

/// All processes by id, as far as they can be read.
fn processes() -> BTreeMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let stats = entries.flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, stat_of(&fs::read_to_string(entry.path().join("stat")).ok()?)?))
    });
    stats.collect()
}

/// Fields 3, 4 and 22 of `/proc/<pid>/stat` (proc_pid_stat(5)). Field 2, in parentheses, may itself contain spaces and
/// parentheses.
fn stat_of(stat: &str) -> Option<Stat> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    Some(Stat {
        is_running: *fields.first()? == "R",
        parent: fields.get(1)?.parse().ok()?,
        start_ticks: fields.get(19)?.parse().ok()?,
    })
}

/// The function that a process runs, from its environment.
fn function_of(pid: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let entries = environment.split(|byte| *byte == 0);
    entries.filter_map(|entry| std::str::from_utf8(entry).ok()?.strip_prefix(NAME)).next().map(str::to_owned)
}

/// `VmRSS` of `/proc/<pid>/status` (proc_pid_status(5)), in KiB.
fn resident_in_status(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parent_and_start_are_read_whatever_the_name_of_the_program() {
        let stat = "42 (a) S 1 (b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 100 200";
        let stat = stat_of(stat).expect("it has all fields");
        assert_eq!((stat.is_running, stat.parent, stat.start_ticks), (false, 7, 987_654));
        assert!(stat_of("42 (a) S 1").is_none());
    }

    #[test]
    fn resident_memory_is_read_in_kibibytes() {
        let status = "Name:\tbootstrap\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nThreads:\t3\n";
        assert_eq!(resident_in_status(status), Some(10_240));
        assert_eq!(resident_in_status("Name:\tkthreadd\n"), None, "a kernel thread has none");
    }
}
