//! Identifies and ends processes that an earlier run of this program started.

use std::{
    fs, io,
    process::{Command, ExitStatus, Stdio},
};

/// When the process `pid` was started, in a form that is the same each time; `None` if there is no such process.
///
/// The system reuses process ids. A process id and this start identify one process.
pub(crate) fn started(pid: u32) -> Option<String> {
    if cfg!(target_os = "linux") {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(format!("{} {}", boot.trim(), started_in_stat(&stat)?))
    } else {
        let output = Command::new("ps").args(["-o", "state=,lstart=", "-p", &pid.to_string()]).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let (state, started) = text.trim().split_once(char::is_whitespace)?;
        (!state.starts_with('Z')).then(|| started.trim().to_owned())
    }
}

/// Field 22 of `/proc/<pid>/stat` (proc_pid_stat(5)), in clock ticks since boot; `None` for a zombie.
///
/// Field 2 is the program's name in parentheses, which may itself contain spaces and parentheses.
fn started_in_stat(stat: &str) -> Option<&str> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace();
    let state = fields.next()?;
    // The state is field 3, so the start is the 19th after it.
    fields.nth(18).filter(|_| state != "Z")
}

/// Kills the process group of `leader`.
pub(super) fn kill_group(leader: u32) -> io::Result<ExitStatus> {
    kill(&format!("-{leader}"))
}

/// Kills one process.
pub(super) fn kill_one(pid: u32) -> io::Result<ExitStatus> {
    kill(&pid.to_string())
}

/// Kills a process, or with a minus sign a process group. Every system has the shell's built-in `kill`.
fn kill(target: &str) -> io::Result<ExitStatus> {
    Command::new("/bin/sh")
        .args(["-c", r#"kill -s KILL -- "$1""#, "sh", target])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_name_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) S 1 (b) S 7 42 42 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 987654 100 200";
        assert_eq!(started_in_stat(stat), Some("987654"));
        assert_eq!(started_in_stat(&stat.replacen("(b) S", "(b) Z", 1)), None, "a zombie does not run");
    }

    #[test]
    fn the_start_of_a_process_is_the_same_each_time() {
        let own = started(std::process::id());
        assert!(own.is_some());
        assert_eq!(own, started(std::process::id()));
        assert_eq!(started(u32::MAX), None);
    }
}
