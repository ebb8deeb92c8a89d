//! Starts the emulator's process in either mode and waits until it answers.

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

/// The interpreter's arguments: isolated from the user's packages and from the current directory.
pub(super) const EMULATOR: [&str; 3] = ["-I", "-m", "ministack"];

/// It takes one second, or several on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// The supervisor sends one signal and removes some files.
const RELEASED_WITHIN: Duration = Duration::from_secs(5);

/// Another process may take the free port before the emulator binds it.
const ATTEMPTS_MAX: u32 = 3;

/// The number of logs kept of former runs, to explain failed tests.
const LOGS_MAX: usize = 20;

/// Why the emulator did not start.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("the AWS emulator could not be installed")]
    Install(#[from] InstallError),
    #[error("cannot {what}")]
    Io { what: String, source: io::Error },
    #[error("the AWS emulator ended with {status}; the end of {log}:\n{tail}", log = .log.display())]
    Ended {
        status: ExitStatus,
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    #[error(
        "the AWS emulator did not answer within {seconds} s; the end of {log}:\n{tail}",
        seconds = READY_WITHIN.as_secs(),
        log = .log.display()
    )]
    Silent {
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
}

/// The settings of one start of the emulator.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) endpoint: String,
    pub(super) log: PathBuf,
    /// The emulator's temporary directory, where it unpacks the functions.
    pub(super) scratch: PathBuf,
    port: u16,
    /// The emulator returns this name from its health check, so that another emulator is not mistaken for this one.
    name: String,
}

#[derive(Deserialize)]
struct Health {
    edition: String,
}

/// Starts `command` on a free port and returns when the emulator answers.
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
        fs::create_dir_all(&logs).map_err(cannot("create", &logs))?;
        prune(&logs);
        let port = free_port().map_err(|source| StartError::Io { what: "find a free port".to_owned(), source })?;
        let name = format!("emulator-{}-{port}", std::process::id());
        let scratch = workspace.state().join("scratch").join(&name);
        fs::create_dir_all(&scratch).map_err(cannot("create", &scratch))?;
        let log = logs.join(format!("{name}.log"));
        Ok(Self { endpoint: format!("http://127.0.0.1:{port}"), log, scratch, port, name })
    }

    fn spawn(&self, mut command: Command) -> Result<Child, StartError> {
        let log = File::create(&self.log).map_err(cannot("write", &self.log))?;
        let log_too = log.try_clone().map_err(cannot("write", &self.log))?;
        // The functions inherit the emulator's environment, so it inherits nothing from this process.
        command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", &self.scratch)
            .env("TMPDIR", &self.scratch)
            // The address that it passes to the functions.
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("GATEWAY_PORT", self.port.to_string())
            // Without it the emulator listens on every interface.
            .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
            .env("IOT_MTLS_ENABLED", "0")
            .env("LAMBDA_EXECUTOR", "local")
            .env("MINISTACK_EDITION", &self.name)
            // The account of requests without an access key, such as webhooks.
            .env("MINISTACK_ACCOUNT_ID", Account::default().as_str())
            .current_dir(&self.scratch)
            .stdout(log)
            .stderr(log_too)
            // Ctrl-C at the terminal must reach only this process.
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

/// Ends a supervised child by closing its pipe, and waits for it, so that neither a zombie nor a used port remains.
///
/// The supervisor must not be killed: it has to kill the emulator.
pub(super) fn release(child: &mut Child) {
    drop(child.stdin.take());
    let deadline = Instant::now() + RELEASED_WITHIN;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ends a failed start. Errors are ignored, since the reason for the failed start is reported.
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

/// The last lines of a log, which have the reason.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// Removes all but the newest logs. Another process may do the same, so errors are ignored.
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
    fn an_error_has_the_last_lines_of_the_log() {
        let log = std::env::temp_dir().join(format!("fundhook-tail-{}", std::process::id()));
        fs::write(&log, (1..=30).map(|line| format!("line {line}\n")).collect::<String>()).expect("writable");
        let last = tail(&log);
        fs::remove_file(&log).expect("removable");
        assert!(last.starts_with("line 11\n") && last.ends_with("line 30"), "{last}");
        assert_eq!(tail(&log), "", "a missing log has no last lines");
    }
}
