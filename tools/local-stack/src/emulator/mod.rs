//! The AWS emulator: installed on first use, started on a free loopback port.
//!
//! [`Emulator::start`] binds it to this process: however this process ends, the emulator and all its functions end too.
//! [`Detached::start`] lets it run after this process, for other processes to use and to stop.

mod detached;
mod functions;
mod install;
mod launch;
pub(super) mod process;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

pub use self::{
    detached::{Detached, StopError, Stopped},
    functions::FunctionProcess,
    install::InstallError,
    launch::StartError,
};
use self::{install::Installation, launch::Launch};
use super::{Progress, Workspace};

const SUPERVISOR: &str = include_str!("supervisor.py");

/// A running emulator. It ends when this value is dropped or this process ends, even by SIGKILL.
#[derive(Debug)]
pub struct Emulator {
    endpoint: String,
    log: PathBuf,
    supervisor: Child,
}

impl Emulator {
    /// Installs the emulator if necessary, starts it, and waits until it answers.
    ///
    /// # Errors
    /// When it cannot be installed or does not answer within a minute. The error has the end of its log.
    pub async fn start(workspace: &Workspace, progress: Progress<'_>) -> Result<Self, StartError> {
        let installation = install::ensure(workspace, progress).await?;
        progress("Starting the AWS emulator");
        let (launch, supervisor) = launch::start(workspace, |launch| supervised(&installation, launch)).await?;
        Ok(Self { endpoint: launch.endpoint, log: launch.log, supervisor })
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

    /// The functions' processes that run now, the oldest first. None on a system without `/proc`.
    #[must_use]
    pub fn functions(&self) -> Vec<FunctionProcess> {
        functions::below(self.supervisor.id())
    }
}

/// The supervisor's standard input is a pipe from this process. Nothing is written to it; when it closes, the supervisor
/// ends the emulator.
fn supervised(installation: &Installation, launch: &Launch) -> Command {
    let mut command = Command::new(installation.python());
    command.args(["-I", "-c", SUPERVISOR]).arg(&launch.scratch);
    command.arg(installation.python()).args(launch::EMULATOR).stdin(Stdio::piped());
    command
}

impl Drop for Emulator {
    fn drop(&mut self) {
        launch::release(&mut self.supervisor);
    }
}
