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
