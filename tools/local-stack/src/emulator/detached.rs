//! An emulator that outlives the process that started it.

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

/// A killed process is gone at once, unless the machine is very busy.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// An emulator that stays, told well enough to be found and stopped by another process: this value, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detached {
    endpoint: String,
    log: PathBuf,
    scratch: PathBuf,
    pid: u32,
    started: String,
}

/// What [`Detached::stop`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It ran, and now it is gone with its functions.
    Now,
    /// It had ended before.
    Before,
}

/// Why it could not be stopped.
#[derive(Debug, Error)]
pub enum StopError {
    /// The signal could not be sent.
    #[error("cannot end process group {pid}")]
    Kill {
        /// The group's leader.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// It was told to end and is still there.
    #[error("process {pid} is still there after {} s; end it by hand", GONE_WITHIN.as_secs())]
    StillThere {
        /// The emulator's process.
        pid: u32,
    },
}

impl Detached {
    /// Installs the emulator if need be, starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be installed, or does not answer within a minute; the error has the end of its log.
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
        // It answered a moment ago; should it be gone already, no later process will be taken for it.
        let started = started(pid).unwrap_or_default();
        Ok(Self { endpoint: launch.endpoint, log: launch.log, scratch: launch.scratch, pid, started })
    }

    /// Its address, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What it prints goes to this file.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Its process, which leads the process group of its functions.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process that was started is still there, and not another one under the same id.
    #[must_use]
    pub fn is_running(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Ends it and its functions, if it is still the process that was started. What it held is lost.
    ///
    /// # Errors
    /// When it is still there afterwards.
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
        // Unpacked functions, of no use to anybody now; the target directory's cleaning takes what is left.
        fs::remove_dir_all(&self.scratch).ok();
        Ok(stopped)
    }
}
