//! The stack that `cargo fundhook up` left running, as later commands find it.

use std::fs;
use std::path::PathBuf;

use fundhook_sandbox::SandboxClient;
use serde::{Deserialize, Serialize};

use crate::{Deployment, Detached, Workspace};

/// A stack that `cargo fundhook up` left running.
#[derive(Debug, Serialize, Deserialize)]
pub struct LocalStack {
    /// The emulator, which leads the process group of the functions and of the sandbox provider.
    pub emulator: Detached,
    /// The deployed template.
    pub deployment: Deployment,
    /// The sandbox provider's address.
    pub sandbox_url: String,
}

/// Why there is no local stack to talk to.
#[derive(Debug, thiserror::Error)]
pub enum LocalStackError {
    /// `up` was not called, or `down` was.
    #[error(
        "no local stack is running; start one with `cargo fundhook up`, or name a deployed one with `--stack NAME`"
    )]
    NotUp,
    /// The file that describes the local stack cannot be read or written.
    #[error("cannot use {path}; `cargo fundhook down` and `cargo fundhook up` create it again")]
    State {
        /// Which file.
        path: PathBuf,
        /// What was wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl LocalStack {
    fn path(workspace: &Workspace) -> PathBuf {
        workspace.state().join("stack.json")
    }

    /// The stack that `up` left running in this checkout.
    pub fn find() -> Result<Self, LocalStackError> {
        let workspace = Workspace::find().map_err(|_| LocalStackError::NotUp)?;
        Self::running(&workspace)
    }

    /// The stack that `up` left running in `workspace`.
    pub fn running(workspace: &Workspace) -> Result<Self, LocalStackError> {
        let path = Self::path(workspace);
        let text = fs::read_to_string(&path).map_err(|_| LocalStackError::NotUp)?;
        let stack: Self =
            serde_json::from_str(&text).map_err(|source| LocalStackError::State { path, source: source.into() })?;
        if stack.emulator.is_running() { Ok(stack) } else { Err(LocalStackError::NotUp) }
    }

    /// Stores it for later commands.
    pub fn save(&self, workspace: &Workspace) -> Result<(), LocalStackError> {
        let path = Self::path(workspace);
        let stored = serde_json::to_string_pretty(self)
            .map_err(Into::into)
            .and_then(|text| fs::write(&path, text).map_err(Into::<Box<dyn std::error::Error + Send + Sync>>::into));
        stored.map_err(|source| LocalStackError::State { path, source })
    }

    /// Removes what [`LocalStack::save`] stored.
    pub fn forget(workspace: &Workspace) -> Result<(), LocalStackError> {
        let path = Self::path(workspace);
        fs::remove_file(&path).map_err(|source| LocalStackError::State { path, source: source.into() })
    }

    /// The sandbox provider.
    pub fn sandbox(&self) -> SandboxClient {
        SandboxClient::new(&self.sandbox_url)
    }
}
