//! Invoking a function of a stack, and the environment that it runs with.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::error::DisplayErrorContext;
use aws_sdk_lambda::primitives::Blob;
use serde_json::Value;

use crate::target::Target;

/// The result of an invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The function's answer, or its error.
    pub payload: Value,
    /// Whether `payload` is an error.
    pub failed: bool,
}

/// Why a function was not invoked, or its environment not read.
#[derive(Debug, thiserror::Error)]
pub enum InvocationError {
    #[error("the event is not JSON")]
    Event(#[source] serde_json::Error),
    #[error("cannot {what} {function}: {why}")]
    Call { what: &'static str, function: String, why: String },
    #[error("{0}")]
    NotThere(String),
    #[error("the answer of {0} is not JSON")]
    Answer(String, #[source] serde_json::Error),
}

/// How long the answer of a function is awaited: more than the timeout of each of them.
const ANSWER_WITHIN: Duration = Duration::from_secs(15 * 60);

/// A client that waits for a function's answer, and does not invoke it a second time when there is none.
fn client(target: &Target) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(5));
    let timeouts = timeouts.operation_attempt_timeout(ANSWER_WITHIN).operation_timeout(ANSWER_WITHIN).build();
    let config = aws_sdk_lambda::config::Builder::from(target.aws.sdk_config());
    Client::from_conf(config.timeout_config(timeouts).retry_config(RetryConfig::disabled()).build())
}

/// Invokes `function` and waits for its answer.
pub async fn invoke(target: &Target, function: &str, event: Vec<u8>) -> Result<Invocation, InvocationError> {
    serde_json::from_slice::<Value>(&event).map_err(InvocationError::Event)?;
    let call = client(target).invoke().function_name(function).payload(Blob::new(event));
    let answer = call.send().await.map_err(|error| InvocationError::Call {
        what: "invoke",
        function: function.to_owned(),
        why: DisplayErrorContext(&error).to_string(),
    })?;
    let payload = answer.payload().map(AsRef::as_ref).unwrap_or_default();
    let payload = if payload.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(payload) };
    let payload = payload.map_err(|error| InvocationError::Answer(function.to_owned(), error))?;
    Ok(Invocation { payload, failed: answer.function_error().is_some() })
}

/// The variables that `function` has on its stack, and those with which a process elsewhere reaches the stack: the region,
/// and on the local stack the emulator's address and its credentials. Credentials for AWS are not among them.
pub async fn environment(target: &Target, function: &str) -> Result<BTreeMap<String, String>, InvocationError> {
    let config = target.aws.sdk_config();
    let described = Client::new(config).get_function_configuration().function_name(function).send().await;
    let described = described.map_err(|error| InvocationError::Call {
        what: "read the configuration of",
        function: function.to_owned(),
        why: DisplayErrorContext(&error).to_string(),
    })?;
    let variables = described.environment().and_then(|environment| environment.variables());
    let mut variables: BTreeMap<String, String> =
        variables.into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    if let Some(region) = config.region() {
        variables.insert("AWS_REGION".to_owned(), region.to_string());
    }
    variables.extend(target.emulator_variables());
    Ok(variables)
}

/// `variables` as lines of `NAME=VALUE`. No value of a stack has a line break.
pub fn env_file(variables: &BTreeMap<String, String>) -> String {
    let lines = variables.iter().map(|(name, value)| format!("{name}={}\n", value.replace(['\r', '\n'], " ")));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_file_has_a_line_for_each_variable() {
        let variables = [("FUNDHOOK_TENANTS", r#"{"connect":{}}"#), ("AWS_REGION", "eu-west-1"), ("EMPTY", "")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let expected = "AWS_REGION=eu-west-1\nEMPTY=\nFUNDHOOK_TENANTS={\"connect\":{}}\n";
        assert_eq!(env_file(&variables), expected);
    }
}
