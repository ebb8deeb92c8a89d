//! Finds and kills the functions' processes.

use std::fs;
use std::process::Command;

use fundhook_local_stack::Function;

use crate::{Platform, log};

impl Platform {
    fn function_name(&self, function: Function) -> &str {
        self.output(&format!("{}Name", function.logical_id()))
    }
}

/// Kills every process that runs `function` for this platform, and returns their number.
///
/// They are identified by their environment: the function's name, and the emulator's address.
pub fn kill(platform: &Platform, function: Function) -> usize {
    let own = [
        format!("AWS_LAMBDA_FUNCTION_NAME={}", platform.function_name(function)),
        format!("AWS_ENDPOINT_URL={}", platform.deployment().endpoint()),
    ];
    let is_own = |environment: &[u8]| {
        let holds = |wanted: &String| environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes());
        own.iter().all(holds)
    };
    let processes = fs::read_dir("/proc").expect("Linux").flatten().filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        // A process that has ended, or another user's, cannot be read.
        let environment = fs::read(entry.path().join("environ")).ok()?;
        is_own(&environment).then(|| pid.to_string())
    });
    let pids: Vec<String> = processes.collect();
    if !pids.is_empty() {
        // It fails if one of them has ended by itself, which is fine.
        Command::new("kill").args(["-s", "KILL"]).args(&pids).output().expect("kill is there");
    }
    pids.len()
}

/// How many invocations of `function` ended with its process, before it answered.
pub async fn interruptions(platform: &Platform, function: Function) -> usize {
    let line = format!("Lambda {}: Runtime exited before returning a response", platform.function_name(function));
    log().await.matches(&line).count()
}
