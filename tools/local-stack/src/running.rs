//! The stack that `cargo fundhook up` started, stored for later commands.

use std::fs;
use std::path::PathBuf;

use fundhook_sandbox::SandboxClient;
use serde::{Deserialize, Serialize};

use crate::{Deployment, Detached, Workspace};

#[derive(Debug, Serialize, Deserialize)]
pub struct LocalStack {
    /// The emulator, which leads the process group of the functions and the sandbox provider.
    pub emulator: Detached,
    pub deployment: Deployment,
    pub sandbox_url: String,
}

/// Why no local stack was found.
#[derive(Debug, thiserror::Error)]
pub enum LocalStackError {
    #[error(
        "no local stack is running; start one with `cargo fundhook up`, or name a deployed one with `--stack NAME`"
    )]
    NotUp,
    #[error("cannot use {path}, which describes the local stack; remove it and run `cargo fundhook up`")]
    State { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

impl LocalStack {
    fn path(workspace: &Workspace) -> PathBuf {
        workspace.state().join("stack.json")
    }

    /// The stack that `up` started in this checkout.
    pub fn find() -> Result<Self, LocalStackError> {
        let workspace = Workspace::find().map_err(|_| LocalStackError::NotUp)?;
        Self::running(&workspace)
    }

    /// The stack that `up` started in `workspace`.
    pub fn running(workspace: &Workspace) -> Result<Self, LocalStackError> {
        let path = Self::path(workspace);
        let text = fs::read_to_string(&path).map_err(|_| LocalStackError::NotUp)?;
        let stack: Self =
            serde_json::from_str(&text).map_err(|source| LocalStackError::State { path, source: source.into() })?;
        if stack.emulator.is_running() { Ok(stack) } else { Err(LocalStackError::NotUp) }
    }

    /// Stores the description for later commands.
    pub fn save(&self, workspace: &Workspace) -> Result<(), LocalStackError> {
        let path = Self::path(workspace);
        let stored = serde_json::to_string_pretty(self)
            .map_err(Into::into)
            .and_then(|text| fs::write(&path, text).map_err(Into::<Box<dyn std::error::Error + Send + Sync>>::into));
        stored.map_err(|source| LocalStackError::State { path, source })
    }

    /// Removes the stored description.
    pub fn forget(workspace: &Workspace) -> Result<(), LocalStackError> {
        let path = Self::path(workspace);
        fs::remove_file(&path).map_err(|source| LocalStackError::State { path, source: source.into() })
    }

    pub fn sandbox(&self) -> SandboxClient {
        SandboxClient::new(&self.sandbox_url)
    }
}
