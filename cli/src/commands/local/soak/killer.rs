//! Kills processes of functions.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_local_stack::{Emulator, FunctionProcess};
use tokio::time::{Instant, sleep};

use super::counts::Counts;
use super::progress;

/// How long the killer waits between two processes, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 2_000..6_000;

/// How long the killer looks for a process that is at work.
const AT_WORK_WITHIN: Duration = Duration::from_secs(1);

const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(3);

/// Kills a random process every few seconds. The emulator starts another one with the next invocation.
pub(super) async fn kill_until(until: Instant, emulator: &Emulator, counts: &Counts) {
    loop {
        sleep(Duration::from_millis(fastrand::u64(PAUSE_MS))).await;
        if Instant::now() >= until {
            return;
        }
        let Some(process) = at_work(emulator).await else { continue };
        match process.kill() {
            Ok(is_killed) => counts.killed.add(u64::from(is_killed)),
            Err(error) => progress(&format!("cannot kill a process of {}: {error}", process.function)),
        }
    }
}

/// A random process that is at work, or any one if none is for a while.
async fn at_work(emulator: &Emulator) -> Option<FunctionProcess> {
    let deadline = Instant::now() + AT_WORK_WITHIN;
    loop {
        let mut processes = not_spared(emulator.functions());
        fastrand::shuffle(&mut processes);
        let found = processes.iter().position(FunctionProcess::is_at_work);
        if found.is_some() || Instant::now() > deadline {
            return processes.into_iter().nth(found.unwrap_or(0));
        }
        sleep(LOOK_AGAIN_AFTER).await;
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
