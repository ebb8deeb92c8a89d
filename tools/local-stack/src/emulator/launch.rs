//! Starting the emulator's process, in either mode, and waiting until it answers.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use serde::Deserialize;
use thiserror::Error;

use super::{install::InstallError, process::kill_group};
use fundhook_sandbox::loopback_client;

use crate::{Account, Workspace};

/// Behind the interpreter: isolated from the user's own packages and from the current directory.
pub(super) const EMULATOR: [&str; 3] = ["-I", "-m", "ministack"];

/// It takes a second, a few on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// One signal, and the removal of some files.
const RELEASED_WITHIN: Duration = Duration::from_secs(5);

/// Between our look for a free port and the emulator's taking it, another process may take it.
const ATTEMPTS_MAX: u32 = 3;

/// Logs of former runs are kept for whoever has a failed test to explain, but not for ever.
const LOGS_MAX: usize = 20;

/// Why the emulator does not run.
#[derive(Debug, Error)]
pub enum StartError {
    /// It could not be installed.
    #[error("the AWS emulator could not be installed")]
    Install(#[from] InstallError),
    /// Its directories, its port or its process could not be had.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("the AWS emulator ended with {status}; the end of {log}:\n{tail}", log = .log.display())]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// It runs but does not answer.
    #[error(
        "the AWS emulator does not answer after {seconds} s; the end of {log}:\n{tail}",
        seconds = READY_WITHIN.as_secs(),
        log = .log.display()
    )]
    Silent {
        /// The whole log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
}

/// What one start of the emulator is given.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) endpoint: String,
    pub(super) log: PathBuf,
    /// The emulator's temporary directory, where it unpacks the functions.
    pub(super) scratch: PathBuf,
    port: u16,
    /// The emulator says this name when asked how it is, so that we never take another one for ours.
    name: String,
}

#[derive(Deserialize)]
struct Health {
    edition: String,
}

/// Starts what `command` makes, on a free port, and returns when the emulator answers.
pub(super) async fn start(
    workspace: &Workspace,
    command: impl Fn(&Launch) -> Command,
) -> Result<(Launch, Child), StartError> {
    let mut attempt = 1;
    loop {
        let launch = Launch::prepare(workspace)?;
        let mut child = launch.spawn(command(&launch))?;
        match launch.ready(&mut child).await {
            Ok(()) => return Ok((launch, child)),
            Err(error) => {
                discard(&launch, &mut child);
                let port_taken = matches!(&error, StartError::Ended { tail, .. } if tail.contains("already in use"));
                if !port_taken || attempt == ATTEMPTS_MAX {
                    return Err(error);
                }
            }
        }
        attempt += 1;
    }
}

impl Launch {
    fn prepare(workspace: &Workspace) -> Result<Self, StartError> {
        let logs = workspace.state().join("logs");
        fs::create_dir_all(&logs).map_err(cannot("make", &logs))?;
        prune(&logs);
        let port = free_port().map_err(|source| StartError::Io { what: "find a free port".to_owned(), source })?;
        let name = format!("emulator-{}-{port}", std::process::id());
        let scratch = workspace.state().join("scratch").join(&name);
        fs::create_dir_all(&scratch).map_err(cannot("make", &scratch))?;
        let log = logs.join(format!("{name}.log"));
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), log, scratch, port, name })
    }

    fn spawn(&self, mut command: Command) -> Result<Child, StartError> {
        let log = File::create(&self.log).map_err(cannot("write", &self.log))?;
        let log_too = log.try_clone().map_err(cannot("write", &self.log))?;
        // The functions inherit the emulator's whole environment, so it gets none of ours.
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.scratch)
            .env("TMPDIR", &self.scratch)
            // What it tells the functions to call.
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("GATEWAY_PORT", self.port.to_string())
            // Without it the emulator listens on every interface.
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("IOT_MTLS_ENABLED", "0")
            .env("LAMBDA_EXECUTOR", "local")
            .env("MINISTACK_EDITION", &self.name)
            // Whose a request without an access key is, such as a webhook.
            .env("MINISTACK_ACCOUNT_ID", Account::default().as_str())
            .current_dir(&self.scratch)
            .stdout(log)
            .stderr(log_too)
            // A Ctrl-C at the terminal is for us to handle.
            .process_group(0);
        command.spawn().map_err(cannot("start", Path::new(command.get_program())))
    }

    async fn ready(&self, child: &mut Child) -> Result<(), StartError> {
        let client = loopback_client();
        let deadline = Instant::now() + READY_WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait().map_err(cannot("watch", &self.log))? {
                return Err(StartError::Ended { status, log: self.log.clone(), tail: tail(&self.log) });
            }
            let request = client.get(format!("{}/_ministack/health", self.endpoint)).timeout(Duration::from_secs(5));
            if let Ok(answer) = request.send().await
                && answer.json::<Health>().await.is_ok_and(|health| health.edition == self.name)
            {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        Err(StartError::Silent { log: self.log.clone(), tail: tail(&self.log) })
    }
}

/// Ends a supervised child by letting go of its pipe, and waits for it, so that no zombie and no busy port stay behind.
///
/// The supervisor only has to send one signal. It must not be killed itself, or nobody sends it.
pub(super) fn release(child: &mut Child) {
    drop(child.stdin.take());
    let deadline = Instant::now() + RELEASED_WITHIN;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends what did not start well; should that fail too, the reason why it did not start is the one to tell.
fn discard(launch: &Launch, child: &mut Child) {
    if child.stdin.is_some() {
        release(child);
    } else if matches!(child.try_wait(), Ok(None)) {
        kill_group(child.id()).and_then(|_| child.wait()).ok();
    }
    fs::remove_dir_all(&launch.scratch).ok();
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// The last lines of a log, which hold the reason.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Keeps the newest logs. Another process may be at the same, so what cannot be removed is left.
fn prune(logs: &Path) {
    let Ok(entries) = fs::read_dir(logs) else { return };
    let mut files: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        })
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(LOGS_MAX);
    for (_, path) in files.into_iter().take(surplus) {
        fs::remove_file(path).ok();
    }
}

fn cannot(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StartError + use<> {
    let what = format!("{verb} {}", path.display());
    move |source| StartError::Io { what, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_carries_the_last_lines_of_the_log() {
        let log = std::env::temp_dir().join(format!("fundhook-tail-{}", std::process::id()));
        fs::write(&log, (1..=30).map(|line| format!("line {line}\n")).collect::<String>()).expect("writable");
        let last = tail(&log);
        fs::remove_file(&log).expect("removable");
        assert!(last.starts_with("line 11\n") && last.ends_with("line 30"), "{last}");
        assert_eq!(tail(&log), "", "a log that is gone has no last lines");
    }
}
