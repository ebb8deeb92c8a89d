//! What the functions' processes use, minute by minute.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use fundhook_local_stack::session::Session;
use fundhook_local_stack::{Deployment, Function, FunctionProcess};
use tokio::time::{Instant, sleep_until};

use super::counts::Counts;
use super::progress;

/// How often the processes are looked at, and a line is printed.
const EVERY: Duration = Duration::from_secs(5);

const LOOKS_PER_MINUTE: u64 = 12;

/// How many minutes are shown. Of more, every so many are.
const SHOWN_MAX: usize = 20;

/// One minute.
#[derive(Debug, Default)]
pub(super) struct Minute {
    /// Requests that were answered with 200.
    accepted: u64,
    functions: BTreeMap<Function, Usage>,
}

/// What the processes of a function used at most in a minute.
#[derive(Debug, Default, Clone, Copy)]
struct Usage {
    processes: usize,
    /// Of the process with the most.
    resident_kib: u64,
    /// Of the process with the most.
    open_handles: usize,
}

/// Minutes as a table.
pub(super) struct Minutes<'a>(pub(super) &'a [Minute]);

/// Watches the functions' processes, and prints a line every few seconds.
pub(super) async fn watch(minutes: u64, session: &Session, deployment: &Deployment, counts: &Counts) -> Vec<Minute> {
    let named = |function: Function| {
        let name = deployment.output(&format!("{}Name", function.logical_id())).ok()?;
        Some((name.to_owned(), function))
    };
    let names: BTreeMap<String, Function> = Function::ALL.into_iter().filter_map(named).collect();
    let began = Instant::now();
    let (mut watched, mut accepted, mut next) = (Vec::new(), 0, began);
    for _ in 0..minutes {
        let mut minute = Minute::default();
        for _ in 0..LOOKS_PER_MINUTE {
            next += EVERY;
            sleep_until(next).await;
            minute.observe(&names, &session.emulator().functions());
            progress(&format!("{} s: {}", began.elapsed().as_secs(), counts.line()));
        }
        minute.accepted = counts.accepted.get() - accepted;
        accepted += minute.accepted;
        watched.push(minute);
    }
    watched
}

impl Minute {
    fn observe(&mut self, names: &BTreeMap<String, Function>, processes: &[FunctionProcess]) {
        let mut counted: BTreeMap<Function, usize> = BTreeMap::new();
        for process in processes {
            let Some(function) = names.get(&process.function) else { continue };
            *counted.entry(*function).or_default() += 1;
            let usage = self.functions.entry(*function).or_default();
            usage.resident_kib = usage.resident_kib.max(process.resident_kib().unwrap_or(0));
            usage.open_handles = usage.open_handles.max(process.open_handles().unwrap_or(0));
        }
        for (function, processes) in counted {
            let usage = self.functions.entry(function).or_default();
            usage.processes = usage.processes.max(processes);
        }
    }

    fn line(&self, minute: usize, functions: &[Function]) -> String {
        // One decimal, in integers.
        let tenths = self.accepted / 6;
        let cell = |function: &Function| {
            let usage = self.functions.get(function);
            let cell = usage.map(|usage| {
                let Usage { processes, resident_kib, open_handles } = usage;
                format!("{} × {} MiB, {open_handles}", processes, resident_kib / 1024)
            });
            format!("{:>18}", cell.unwrap_or_default())
        };
        let cells: String = functions.iter().map(cell).collect();
        format!("{minute:>8} {:>8}.{}{cells}", tenths / 10, tenths % 10)
    }
}

impl fmt::Display for Minutes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_seen = |function: &Function| self.0.iter().any(|minute| minute.functions.contains_key(function));
        let functions: Vec<Function> = Function::ALL.into_iter().filter(is_seen).collect();
        let titles: String = functions.iter().map(|function| format!("{:>18}", function.package())).collect();
        writeln!(f, "{:>8} {:>10}{titles}", "minute", "accepted/s")?;
        let step = self.0.len().div_ceil(SHOWN_MAX).max(1);
        for (index, minute) in self.0.iter().enumerate().filter(|(index, _)| (index + 1) % step == 0) {
            writeln!(f, "{}", minute.line(index + 1, &functions))?;
        }
        if !functions.is_empty() {
            writeln!(
                f,
                "processes × resident memory, and open file handles: the most in the minute, of one process each"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_is_a_line_with_a_column_for_each_function_that_was_seen() {
        let usage = Usage { processes: 3, resident_kib: 25 * 1024 + 700, open_handles: 14 };
        let busy = Minute { accepted: 247, functions: BTreeMap::from([(Function::Receiver, usage)]) };
        let table = Minutes(&[busy, Minute::default()]).to_string();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["minute", "accepted/s", "receiver"]);
        assert_eq!(lines[1], ["1", "4.1", "3", "×", "25", "MiB,", "14"]);
        assert_eq!(lines[2], ["2", "0.0"]);
    }

    #[test]
    fn without_processes_there_are_only_minutes_and_of_many_some_are_shown() {
        let minutes: Vec<Minute> = (0..45).map(|_| Minute::default()).collect();
        let table = Minutes(&minutes).to_string();
        let shown: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
        assert_eq!(shown, ["3", "6", "9", "12", "15", "18", "21", "24", "27", "30", "33", "36", "39", "42", "45"]);
    }
}
