//! An emulator that keeps running when the process that started it ends.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    install, launch,
    launch::StartError,
    process::{kill_group, started},
};
use crate::{Progress, Workspace};

/// A killed process is gone immediately, unless the machine is very busy.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// An emulator that keeps running. Another process finds and stops it with this value, stored as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detached {
    endpoint: String,
    log: PathBuf,
    scratch: PathBuf,
    pid: u32,
    started: String,
}

/// The outcome of [`Detached::stop`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was running and has been stopped with its functions.
    Now,
    /// It had stopped already.
    Before,
}

#[derive(Debug, Error)]
pub enum StopError {
    #[error("cannot kill process group {pid}")]
    Kill { pid: u32, source: io::Error },
    #[error("process {pid} still runs {} s after it was killed; end it by hand", GONE_WITHIN.as_secs())]
    StillThere { pid: u32 },
}

impl Detached {
    /// Installs the emulator if necessary, starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be installed or does not answer within a minute. The error has the end of its log.
    pub async fn start(workspace: &Workspace, progress: Progress<'_>) -> Result<Self, StartError> {
        let installation = install::ensure(workspace, progress).await?;
        progress("Starting the AWS emulator");
        let (launch, child) = launch::start(workspace, |_| {
            let mut command = Command::new(installation.python());
            command.args(launch::EMULATOR).stdin(Stdio::null());
            command
        })
        .await?;
        let pid = child.id();
        // It answered a moment ago. If it has ended since, the empty start matches no process.
        let started = started(pid).unwrap_or_default();
        Ok(Self { endpoint: launch.endpoint, log: launch.log, scratch: launch.scratch, pid, started })
    }

    /// `http://127.0.0.1:<port>`
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The file with the output of the emulator and the functions.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The process id. The process leads the process group of the functions.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the started process still runs. Another process with the same id does not count.
    #[must_use]
    pub fn is_running(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Stops the emulator and its functions, if the started process still runs. Its data is lost.
    ///
    /// # Errors
    /// When it still runs afterwards.
    pub async fn stop(&self) -> Result<Stopped, StopError> {
        let stopped = if self.is_running() { Stopped::Now } else { Stopped::Before };
        if stopped == Stopped::Now {
            kill_group(self.pid).map_err(|source| StopError::Kill { pid: self.pid, source })?;
            let deadline = Instant::now() + GONE_WITHIN;
            while self.is_running() {
                if Instant::now() > deadline {
                    return Err(StopError::StillThere { pid: self.pid });
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        // The unpacked functions. `cargo clean` removes what this cannot.
        fs::remove_dir_all(&self.scratch).ok();
        Ok(stopped)
    }
}
