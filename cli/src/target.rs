//! Which stack a command talks to: the one that `up` left running, or one deployed to AWS.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::error::DisplayErrorContext;
use fundhook_adapters::{Aws, AwsEnvironmentError};

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
    /// The local stack does not run.
    #[cfg(feature = "local")]
    #[error(transparent)]
    Local(#[from] fundhook_local_stack::LocalStackError),
    /// No stack is named, and this build has no local one.
    #[cfg(not(feature = "local"))]
    #[error("name the deployed stack with `--stack NAME`; this build has no local stack")]
    Unnamed,
    /// There is no connection to AWS.
    #[error(
        "no connection to AWS; export credentials and a region first, for instance by `eval \"$(aws configure export-credentials --format env)\"` and `export AWS_REGION=…`"
    )]
    Environment(#[from] AwsEnvironmentError),
    /// The deployed stack cannot be looked up.
    #[error("cannot look up the stack {stack}: {why}")]
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

impl Target {
    /// The deployed stack called `name`, or the local one.
    pub async fn find(name: Option<&str>) -> Result<Self, TargetError> {
        match name {
            Some(name) => Self::deployed(name).await,
            None => Self::local(),
        }
    }

    #[cfg(feature = "local")]
    fn local() -> Result<Self, TargetError> {
        Self::of(&fundhook_local_stack::LocalStack::find()?.deployment)
    }

    #[cfg(not(feature = "local"))]
    fn local() -> Result<Self, TargetError> {
        Err(TargetError::Unnamed)
    }

    /// A stack on the emulator.
    #[cfg(feature = "local")]
    pub fn of(deployment: &fundhook_local_stack::Deployment) -> Result<Self, TargetError> {
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
