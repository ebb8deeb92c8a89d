//! A whole local platform: emulator, sandbox provider and deployed functions, ended with this process.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::error::DisplayErrorContext;
use fundhook_domain::Provider;
use fundhook_runtime::settings::{Environment, SettingError, Tenants};
use serde_json::Value;

use crate::{
    Account, CargoOutput, Clients, Deployment, Emulator, Function, Packages, Profile, Program, Progress, STACK,
    StackError, Workspace, build, connect, deploy, package,
};
use fundhook_sandbox::{JWKS_PATH, Sandbox, SandboxClient, SandboxError};

/// Why a local platform could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The stack.
    #[error(transparent)]
    Stack(#[from] StackError),
    /// The sandbox provider.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The tenants among the parameters.
    #[error(transparent)]
    Tenants(#[from] SettingError),
    /// Secrets Manager.
    #[error("a secret was not stored: {0}")]
    Secret(String),
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
        let deployment =
            deploy(&clients, STACK, &template, &self.packages, &parameters).await.map_err(StackError::from)?;
        share_secrets(&clients, &deployment, &sandbox, &parameters).await?;
        Ok(Platform { deployment, sandbox, _server: server })
    }

    /// Builds `program` and deploys the template in a folder of the workspace, whose only function it is, to the account
    /// of `platform`: beside Fundhook, as a platform deploys what subscribes to it.
    pub async fn beside(
        &self,
        platform: &Deployment,
        program: Program,
        folder: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Deployment, SessionError> {
        let built =
            build(&self.workspace, &[program], Profile::Dev, CargoOutput::Kept).await.map_err(StackError::from)?;
        let packages = package(&self.workspace, &built, &|_| {}).await.map_err(StackError::from)?;
        let template = self.workspace.template_in(folder).map_err(StackError::from)?;
        let clients = connect(self.emulator.endpoint(), platform.account());
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let deployed = deploy(&clients, program.package, &template, &packages, &parameters).await;
        Ok(deployed.map_err(StackError::from)?)
    }
}

/// Builds and packages the functions.
pub async fn packages(
    workspace: &Workspace,
    output: CargoOutput,
    progress: Progress<'_>,
) -> Result<Packages, StackError> {
    progress("Building the functions");
    let binaries = build(workspace, &Function::programs(), Profile::Dev, output).await?;
    Ok(package(workspace, &binaries, progress).await?)
}

/// The parameters of a local stack whose provider is the sandbox at `sandbox_url`.
pub fn parameters(sandbox_url: &str, changes: &[(&str, &str)]) -> BTreeMap<String, String> {
    let jwks_url = format!("{sandbox_url}{JWKS_PATH}");
    // Nothing of a local stack is worth keeping, and it must be deletable. The emulator writes no stream record for a
    // PartiQL statement, so that resources are put there one by one.
    let local = [
        ("ConnectJwksUrl", jwks_url.as_str()),
        ("ZerohashEnabled", "on"),
        ("StrigaEnabled", "on"),
        ("RetainData", "false"),
        ("TableWrites", "puts"),
        ("ConnectApiEnabled", "on"),
        ("ConnectApiUrl", sandbox_url),
        // The sandbox lists what it has signed at once.
        ("ReconcileGraceSeconds", "0"),
    ];
    let all = local.into_iter().chain(changes.iter().copied());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Stores the sandbox's secrets and credentials where the functions read them, as an operator stores a provider's.
pub async fn share_secrets(
    clients: &Clients,
    deployment: &Deployment,
    sandbox: &SandboxClient,
    parameters: &BTreeMap<String, String>,
) -> Result<(), SessionError> {
    let variable = |name: &str| (name == "FUNDHOOK_TENANTS").then(|| parameters.get("Tenants").cloned()).flatten();
    let tenants = Tenants::from_environment(&Environment::new(&variable))?;
    // A provider that is off has no secret.
    for (provider, output) in [(Provider::Zerohash, "ZerohashSecretArn"), (Provider::Striga, "StrigaSecretArn")] {
        if let Ok(id) = deployment.output(output) {
            store(clients, id, &sandbox.secrets(provider, &tenants.feeds(provider)).await?).await?;
        }
    }
    if let Ok(id) = deployment.output("ConnectApiSecretArn") {
        store(clients, id, &sandbox.api_secret(&tenants.feeds(Provider::Connect)).await?).await?;
    }
    Ok(())
}

async fn store(clients: &Clients, id: &str, secret: &Value) -> Result<(), SessionError> {
    let put = clients.secrets.put_secret_value().secret_id(id).secret_string(secret.to_string());
    put.send().await.map_err(|error| SessionError::Secret(DisplayErrorContext(&error).to_string()))?;
    Ok(())
}
