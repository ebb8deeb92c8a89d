//! Which stack a command talks to: the one that `up` left running, or one deployed to AWS.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use aws_sdk_cloudformation::error::DisplayErrorContext;
use fundhook_adapters::{Aws, AwsEnvironmentError};
use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxClient;
use crate::stack::{Deployment, Detached, Workspace};

/// A stack that `cargo fundhook up` left running, as it is kept for later commands.
#[derive(Debug, Serialize, Deserialize)]
pub struct LocalStack {
    /// The emulator, which leads the process group of the functions and of the sandbox provider.
    pub emulator: Detached,
    /// The deployed template.
    pub deployment: Deployment,
    /// The sandbox provider's address.
    pub sandbox_url: String,
}

/// A stack to talk to.
#[derive(Debug)]
pub struct Target {
    /// The connection to AWS or to the emulator.
    pub aws: Aws,
    outputs: BTreeMap<String, String>,
}

/// Why there is no stack to talk to.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// `up` was not called, or `down` was.
    #[error(
        "no local stack is running; start one with `cargo fundhook up`, or name a deployed one with `--stack NAME`"
    )]
    NotUp,
    /// The file about the local stack cannot be read or written.
    #[error("cannot use {path}; `cargo fundhook down` and `up` make it anew")]
    State {
        /// Which file.
        path: PathBuf,
        /// What was wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no connection to AWS.
    #[error(
        "no connection to AWS; export credentials and a region first, for instance by `eval \"$(aws configure export-credentials --format env)\"` and `export AWS_REGION=…`"
    )]
    Environment(#[from] AwsEnvironmentError),
    /// The deployed stack cannot be looked up.
    #[error("the stack {stack} cannot be looked up: {why}")]
    Stack {
        /// Its name.
        stack: String,
        /// What CloudFormation said.
        why: String,
    },
    /// It has no such output.
    #[error("the stack has no output {0}; was it deployed from this template?")]
    Output(&'static str),
}

impl LocalStack {
    fn path(workspace: &Workspace) -> PathBuf {
        workspace.state().join("stack.json")
    }

    /// The stack that `up` left, if its emulator still runs.
    pub fn running(workspace: &Workspace) -> Result<Self, TargetError> {
        let path = Self::path(workspace);
        let text = fs::read_to_string(&path).map_err(|_| TargetError::NotUp)?;
        let stack: Self =
            serde_json::from_str(&text).map_err(|source| TargetError::State { path, source: source.into() })?;
        if stack.emulator.is_running() { Ok(stack) } else { Err(TargetError::NotUp) }
    }

    /// Keeps it for later commands.
    pub fn save(&self, workspace: &Workspace) -> Result<(), TargetError> {
        let path = Self::path(workspace);
        let kept = serde_json::to_string_pretty(self)
            .map_err(Into::into)
            .and_then(|text| fs::write(&path, text).map_err(Into::<Box<dyn std::error::Error + Send + Sync>>::into));
        kept.map_err(|source| TargetError::State { path, source })
    }

    /// Forgets it.
    pub fn forget(workspace: &Workspace) -> Result<(), TargetError> {
        let path = Self::path(workspace);
        fs::remove_file(&path).map_err(|source| TargetError::State { path, source: source.into() })
    }

    /// The sandbox provider.
    pub fn sandbox(&self) -> SandboxClient {
        SandboxClient::new(&self.sandbox_url)
    }
}

impl Target {
    /// The deployed stack called `name`, or the local one.
    pub async fn find(name: Option<&str>) -> Result<Self, TargetError> {
        match name {
            Some(name) => Self::deployed(name).await,
            None => {
                let workspace = Workspace::find().map_err(|_| TargetError::NotUp)?;
                Self::of(&LocalStack::running(&workspace)?.deployment)
            }
        }
    }

    /// A stack on the emulator.
    pub fn of(deployment: &Deployment) -> Result<Self, TargetError> {
        let aws = Aws::local(deployment.endpoint(), deployment.account().as_str())?;
        Ok(Self { aws, outputs: deployment.outputs().clone() })
    }

    async fn deployed(name: &str) -> Result<Self, TargetError> {
        let aws = Aws::from_environment(fundhook_runtime::variable)?;
        let client = aws_sdk_cloudformation::Client::new(aws.sdk_config());
        let described = client.describe_stacks().stack_name(name).send().await.map_err(|error| TargetError::Stack {
            stack: name.to_owned(),
            why: DisplayErrorContext(&error).to_string(),
        })?;
        let outputs = described.stacks().iter().flat_map(|stack| stack.outputs());
        let outputs =
            outputs.filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
        Ok(Self { outputs: outputs.collect(), aws })
    }

    /// An output of the template.
    pub fn output(&self, name: &'static str) -> Result<&str, TargetError> {
        self.outputs.get(name).map(String::as_str).ok_or(TargetError::Output(name))
    }
}
