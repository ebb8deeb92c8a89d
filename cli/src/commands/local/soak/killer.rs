//! Kills processes of functions.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_local_stack::{Emulator, FunctionProcess};
use tokio::time::{Instant, sleep};

use super::counts::Counts;
use super::progress;

/// How long the killer waits between two processes, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 2_000..6_000;

/// Kills a random process every few seconds. The emulator starts another one with the next invocation.
pub(super) async fn kill_until(until: Instant, emulator: &Emulator, counts: &Counts) {
    loop {
        sleep(Duration::from_millis(fastrand::u64(PAUSE_MS))).await;
        if Instant::now() >= until {
            return;
        }
        let processes = not_spared(emulator.functions());
        let Some(process) = fastrand::choice(processes) else { continue };
        match process.kill() {
            Ok(is_killed) => counts.killed.add(u64::from(is_killed)),
            Err(error) => progress(&format!("cannot kill a process of {}: {error}", process.function)),
        }
    }
}

/// All processes but the oldest one of each function that has several: it runs until the end, so that a leak shows.
fn not_spared(oldest_first: Vec<FunctionProcess>) -> Vec<FunctionProcess> {
    let mut of_functions: BTreeMap<String, Vec<FunctionProcess>> = BTreeMap::new();
    for process in oldest_first {
        of_functions.entry(process.function.clone()).or_default().push(process);
    }
    let killable = |processes: Vec<FunctionProcess>| {
        let spared = usize::from(processes.len() > 1);
        processes.into_iter().skip(spared)
    };
    of_functions.into_values().flat_map(killable).collect()
}
