//! Which stack a command talks to: the one that `up` started, or one deployed to AWS.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::error::DisplayErrorContext;
use fundhook_adapters::{Aws, AwsEnvironmentError};

use crate::emulated_stack::EmulatedStack;
use crate::local_stack::{self, LocalStackError};

/// A running stack.
#[derive(Debug)]
pub struct Target {
    /// The connection to AWS or to the emulator.
    pub aws: Aws,
    emulator: Option<(String, String)>,
    outputs: BTreeMap<String, String>,
}

/// Why no stack was found.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error(transparent)]
    Local(#[from] LocalStackError),
    #[error(
        "cannot connect to AWS; export credentials and a region first, for example with `eval \"$(aws configure export-credentials --format env)\"` and `export AWS_REGION=…`"
    )]
    Environment(#[from] AwsEnvironmentError),
    #[error("cannot describe the stack {stack}: {why}")]
    Stack { stack: String, why: String },
    #[error("the stack has no output {0}; was it deployed from this template?")]
    Output(&'static str),
}

impl Target {
    /// The stack with this name on AWS, or the local one.
    pub async fn find(name: Option<&str>) -> Result<Self, TargetError> {
        match name {
            Some(name) => Self::deployed(name).await,
            None => Self::of(local_stack::find()?),
        }
    }

    /// A stack on the emulator.
    pub fn of(stack: impl Into<EmulatedStack>) -> Result<Self, TargetError> {
        let EmulatedStack { endpoint, account, outputs } = stack.into();
        Ok(Self { aws: Aws::local(&endpoint, &account)?, emulator: Some((endpoint, account)), outputs })
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
        Ok(Self { outputs: outputs.collect(), aws, emulator: None })
    }

    /// The variables with which a process reaches the emulator: its address, and credentials that select the account. None for
    /// a stack on AWS.
    pub fn emulator_variables(&self) -> Vec<(String, String)> {
        let Some((endpoint, account)) = &self.emulator else {
            return Vec::new();
        };
        let variables = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("AWS_ACCESS_KEY_ID", account),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// An output that a stack has only with some parameters.
    pub fn optional_output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }

    /// An output of the template.
    pub fn output(&self, name: &'static str) -> Result<&str, TargetError> {
        self.outputs.get(name).map(String::as_str).ok_or(TargetError::Output(name))
    }
}
