//! A whole local platform: emulator, sandbox provider and deployed functions, ended with this process.

use std::collections::BTreeMap;

use crate::sandbox::{JWKS_PATH, Sandbox, SandboxClient, SandboxError};
use crate::stack::{
    Account, CargoOutput, Deployment, Emulator, Packages, Profile, Progress, StackError, Workspace, build_functions,
    connect, deploy, package,
};

/// Why a local platform could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The sandbox provider.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
}

/// What all local platforms of a process share: the emulator and the functions' packages.
#[derive(Debug)]
pub struct Session {
    workspace: Workspace,
    emulator: Emulator,
    packages: Packages,
}

/// One deployed stack in an account of its own, and the provider that sends to it.
#[derive(Debug)]
pub struct Platform {
    /// The stack.
    pub deployment: Deployment,
    /// The provider's controls.
    pub sandbox: SandboxClient,
    /// The provider's server, which ends with this value.
    _server: Sandbox,
}

impl Session {
    /// Builds the functions and starts the emulator.
    pub async fn start(output: CargoOutput, progress: Progress<'_>) -> Result<Self, SessionError> {
        let workspace = Workspace::find().map_err(StackError::from)?;
        let packages = packages(&workspace, output, progress).await?;
        let emulator = Emulator::start(&workspace, progress).await.map_err(StackError::from)?;
        Ok(Self { workspace, emulator, packages })
    }

    /// The emulator that all its platforms are on.
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Starts a sandbox provider and deploys the template to `account`, with `changes` to its parameters.
    pub async fn platform(&self, account: Account, changes: &[(&str, &str)]) -> Result<Platform, SessionError> {
        let server = Sandbox::start(0).await?;
        let sandbox = SandboxClient::new(&server.url());
        let parameters = parameters(&server.url(), changes);
        let clients = connect(self.emulator.endpoint(), &account);
        let template = self.workspace.template().map_err(StackError::from)?;
        let deployment = deploy(&clients, &template, &self.packages, &parameters).await.map_err(StackError::from)?;
        Ok(Platform { deployment, sandbox, _server: server })
    }
}

/// Builds and packages the functions.
pub async fn packages(
    workspace: &Workspace,
    output: CargoOutput,
    progress: Progress<'_>,
) -> Result<Packages, StackError> {
    progress("Building the five functions");
    let binaries = build_functions(workspace, Profile::Dev, output).await?;
    Ok(package(workspace, &binaries, progress).await?)
}

/// The parameters of a local stack whose provider is the sandbox at `sandbox_url`.
pub fn parameters(sandbox_url: &str, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let jwks_url = format!("{sandbox_url}{JWKS_PATH}");
    // Nothing of a local stack is worth keeping, and it must be deletable. The emulator writes no stream record for a
    // PartiQL statement, so that resources are put there one by one.
    let local = [("ConnectJwksUrl", jwks_url.as_str()), ("RetainData", "false"), ("TableWrites", "puts")];
    let all = local.into_iter().chain(changes.iter().copied());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
