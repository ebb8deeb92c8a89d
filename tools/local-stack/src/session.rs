//! A complete local platform: emulator, sandbox provider and deployed functions. It ends with this process.

use std::collections::BTreeMap;
use std::path::Path;

use aws_sdk_secretsmanager::error::DisplayErrorContext;
use fundhook_domain::Provider;
use fundhook_providers::IdKey;
use fundhook_runtime::settings::{Environment, SettingError, Tenants};

use crate::deployment::NoOutput;
use crate::{
    Account, CargoOutput, Clients, Deployment, Emulator, Function, Packages, Profile, Program, Progress, STACK,
    StackError, StackTemplate, Workspace, build, connect, deploy, package,
};
use fundhook_sandbox::{JWKS_PATH, Sandbox, SandboxClient, SandboxError};

/// Why a local platform was not started.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error(transparent)]
    Stack(#[from] StackError),
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The parameter `Tenants` is invalid.
    #[error(transparent)]
    Tenants(#[from] SettingError),
    /// The stack was deployed from another template.
    #[error(transparent)]
    Output(#[from] NoOutput),
    #[error("cannot store a secret in Secrets Manager: {0}")]
    Secret(String),
}

/// The emulator and the packages, which all local platforms of a process share.
#[derive(Debug)]
pub struct Session {
    workspace: Workspace,
    emulator: Emulator,
    packages: Packages,
}

/// A deployed stack in its own account, with its own sandbox provider.
#[derive(Debug)]
pub struct Platform {
    pub deployment: Deployment,
    pub sandbox: SandboxClient,
    /// The provider's server, which stops when this value is dropped.
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

    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Starts a sandbox provider and deploys the template to `account`, with `changes` to the parameters.
    pub async fn platform(&self, account: Account, changes: &[(&str, &str)]) -> Result<Platform, SessionError> {
        self.platform_of(None, account, changes).await
    }

    /// The same with the template in a file, such as one that the CDK synthesized; `None` is `infra/template.yaml`.
    pub async fn platform_of(
        &self,
        file: Option<&Path>,
        account: Account,
        changes: &[(&str, &str)],
    ) -> Result<Platform, SessionError> {
        let server = Sandbox::start(0).await?;
        let sandbox = SandboxClient::new(&server.url());
        let parameters = parameters(&server.url(), changes);
        let clients = connect(self.emulator.endpoint(), &account);
        let template = self.workspace.template_or(file).map_err(StackError::from)?;
        let template = StackTemplate { name: STACK, text: &template };
        let deployment = deploy(&clients, &template, &self.packages, &parameters).await.map_err(StackError::from)?;
        share_secrets(&clients, &deployment, &sandbox, &parameters).await?;
        Ok(Platform { deployment, sandbox, _server: server })
    }

    /// Builds `program` and deploys the template in `folder`, whose only function it is, to the account of `platform`. A
    /// platform deploys its subscriber next to Fundhook in this way.
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
        let template = StackTemplate { name: program.package, text: &template };
        let deployed = deploy(&clients, &template, &packages, &parameters).await;
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
    // A local stack must be deletable, so it retains no data. The emulator writes no stream record for a PartiQL statement,
    // so resources are written one by one.
    let local = [
        ("ConnectJwksUrl", jwks_url.as_str()),
        ("ZerohashEnabled", "on"),
        ("StrigaEnabled", "on"),
        ("RetainData", "false"),
        ("TableWrites", "puts"),
        // The emulator has no saved queries.
        ("DashboardEnabled", "off"),
        ("ConnectApiEnabled", "on"),
        ("ConnectApiUrl", sandbox_url),
        ("ZerohashApiEnabled", "on"),
        ("ZerohashApiUrl", sandbox_url),
        // The sandbox lists a transaction as soon as it has signed its webhook.
        ("ReconcileGraceSeconds", "0"),
    ];
    let all = local.into_iter().chain(changes.iter().copied());
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Stores the sandbox's secrets and credentials where the functions read them, as an operator does with a provider's.
pub async fn share_secrets(
    clients: &Clients,
    deployment: &Deployment,
    sandbox: &SandboxClient,
    parameters: &BTreeMap<String, String>,
) -> Result<(), SessionError> {
    let variable = |name: &str| (name == "FUNDHOOK_TENANTS").then(|| parameters.get("Tenants").cloned()).flatten();
    let tenants = Tenants::from_environment(&Environment::new(&variable))?;
    // With the public key, ids in the documentation, in tests and on every local stack are the same.
    store(clients, deployment.output("IdKeySecretArn")?, IdKey::PUBLIC).await?;
    // A disabled provider has no secret.
    for (provider, output) in [(Provider::Zerohash, "ZerohashSecretArn"), (Provider::Striga, "StrigaSecretArn")] {
        if let Ok(id) = deployment.output(output) {
            store(clients, id, &sandbox.secrets(provider, &tenants.feeds(provider)).await?.to_string()).await?;
        }
    }
    if let Ok(id) = deployment.output("ZerohashApiSecretArn") {
        let credentials = sandbox.zerohash_api_secret(&tenants.feeds(Provider::Zerohash)).await?;
        store(clients, id, &credentials.to_string()).await?;
    }
    if let Ok(id) = deployment.output("ConnectApiSecretArn") {
        store(clients, id, &sandbox.api_secret(&tenants.feeds(Provider::Connect)).await?.to_string()).await?;
    }
    Ok(())
}

async fn store(clients: &Clients, id: &str, secret: &str) -> Result<(), SessionError> {
    let put = clients.secrets.put_secret_value().secret_id(id).secret_string(secret);
    put.send().await.map_err(|error| SessionError::Secret(DisplayErrorContext(&error).to_string()))?;
    Ok(())
}
