//! Deploys a template: uploads code and template, creates the CloudFormation stack and waits until it is complete.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use aws_sdk_cloudformation::types::{Capability, Parameter, Stack, StackEvent, StackStatus};
use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use thiserror::Error;

use super::package::Package;
use super::{Account, Clients, Deployment, Packages, TemplateError, synthesized, template};

/// The name of the stack of `infra/template.yaml`.
pub const STACK: &str = "fundhook";

/// The template's key in the code bucket.
const TEMPLATE: &str = "template.yaml";

/// Creation takes two seconds, plus 1.5 seconds for each stack that is created at the same time.
const COMPLETE_WITHIN: Duration = Duration::from_secs(120);

const POLL_EVERY: Duration = Duration::from_millis(100);

/// A template and the name of its stack.
#[derive(Debug, Clone, Copy)]
pub struct StackTemplate<'a> {
    pub name: &'a str,
    /// The content of the file: YAML, or JSON that the CDK synthesized.
    pub text: &'a str,
}

/// Why the stack was not deployed.
#[derive(Debug, Error)]
pub enum DeployError {
    #[error("the template cannot be deployed")]
    Template(#[from] TemplateError),
    /// A call to AWS failed.
    #[error("cannot {what}: {reason}")]
    Call { what: &'static str, reason: String },
    /// The stack was rolled back.
    #[error("the stack ended as {status}{reasons}")]
    Failed {
        status: StackStatus,
        /// A line with CloudFormation's reason for each resource that failed by itself.
        reasons: String,
    },
    #[error("the stack is still {status} after {seconds} s", status = .0, seconds = COMPLETE_WITHIN.as_secs())]
    Unfinished(StackStatus),
}

/// Creates the stack in the clients' account and waits until it is complete. `parameters` differ from their defaults.
///
/// # Errors
/// When the template has no `CodeUri` for a function, a call fails, or the stack does not become complete; then the error
/// has the reasons of the failed resources.
pub async fn deploy(
    clients: &Clients,
    template: &StackTemplate<'_>,
    packages: &Packages,
    parameters: &BTreeMap<String, String>,
) -> Result<Deployment, DeployError> {
    let StackTemplate { name, text } = *template;
    // All accounts share the bucket names.
    let bucket = format!("{name}-code-{}", clients.account);
    let uri = |package: &Package| format!("s3://{bucket}/{}", package.name());
    let (text, parameters) = if synthesized::is_synthesized(text) {
        (synthesized::with_code(text, packages.all(), uri)?, synthesized::known_parameters(text, parameters))
    } else {
        (template::with_code(text, packages.all(), uri)?, parameters.clone())
    };
    upload(clients, &bucket, &text, packages).await?;

    let name = stack_name(name, &clients.account);
    let parameters =
        parameters.iter().map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build());
    let create = clients
        .cloudformation
        .create_stack()
        .stack_name(&name)
        // By URL, because a template in the request may have at most 51,200 bytes.
        .template_url(format!("{}/{bucket}/{TEMPLATE}", clients.endpoint))
        .set_parameters(Some(parameters.collect()))
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand);
    create.send().await.map_err(refused("create the stack"))?;
    complete(clients, &name, &StackStatus::CreateComplete).await
}

/// Changes these parameters of the deployed stack of `infra/template.yaml` and waits until it is complete. Everything else
/// stays as it is.
///
/// # Errors
/// When a call fails, or the stack does not become complete.
pub async fn update(clients: &Clients, changes: &[(&str, &str)]) -> Result<Deployment, DeployError> {
    let name = stack_name(STACK, &clients.account);
    let described = clients.cloudformation.describe_stacks().stack_name(&name).send().await;
    let stacks = described.map_err(refused("describe the stack"))?.stacks.unwrap_or_default();
    let present = stacks.iter().flat_map(Stack::parameters).filter_map(Parameter::parameter_key);
    let kept = present.filter(|key| changes.iter().all(|(changed, _)| changed != key));
    let kept = kept.map(|key| Parameter::builder().parameter_key(key).use_previous_value(true).build());
    let changed =
        changes.iter().map(|(key, value)| Parameter::builder().parameter_key(*key).parameter_value(*value).build());
    let update = clients
        .cloudformation
        .update_stack()
        .stack_name(&name)
        .use_previous_template(true)
        .set_parameters(Some(kept.chain(changed).collect()))
        .capabilities(Capability::CapabilityIam)
        .capabilities(Capability::CapabilityAutoExpand);
    update.send().await.map_err(refused("update the stack"))?;
    complete(clients, &name, &StackStatus::UpdateComplete).await
}

async fn upload(clients: &Clients, bucket: &str, template: &str, packages: &Packages) -> Result<(), DeployError> {
    clients.s3.create_bucket().bucket(bucket).send().await.map_err(refused("create the code bucket"))?;
    let put = |key: String, body: ByteStream| clients.s3.put_object().bucket(bucket).key(key).body(body);
    let body = ByteStream::from(template.as_bytes().to_vec());
    put(TEMPLATE.to_owned(), body).send().await.map_err(refused("upload the template"))?;
    for package in packages.all() {
        // From the file: bytes in memory would be signed, which takes over a second each in an unoptimised build.
        let body = ByteStream::from_path(&package.zip).await.map_err(|error| DeployError::Call {
            what: "read a package",
            reason: format!("{}: {}", package.zip.display(), chain(&error)),
        })?;
        put(package.name(), body).send().await.map_err(refused("upload a package"))?;
    }
    Ok(())
}

/// `name`, followed by the account unless it is the default one. Function names contain the stack's name, and when the
/// emulator creates a function, it kills the running functions of *every* account that have the same name.
fn stack_name(name: &str, account: &Account) -> String {
    if *account == Account::default() { name.to_owned() } else { format!("{name}-{account}") }
}

/// Waits until the stack has the status `wanted`.
async fn complete(clients: &Clients, name: &str, wanted: &StackStatus) -> Result<Deployment, DeployError> {
    let deadline = Instant::now() + COMPLETE_WITHIN;
    loop {
        let described = clients.cloudformation.describe_stacks().stack_name(name).send().await;
        let mut stacks = described.map_err(refused("describe the stack"))?.stacks.unwrap_or_default();
        let stack = stacks.pop();
        let status = stack.as_ref().and_then(Stack::stack_status).cloned().unwrap_or(StackStatus::CreateInProgress);
        match stack {
            Some(stack) if status == *wanted => {
                let outputs = stack.outputs().iter();
                let outputs = outputs
                    .filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())));
                return Ok(Deployment::new(&clients.endpoint, &clients.account, outputs.collect()));
            }
            // Usually ROLLBACK_COMPLETE, when all events exist.
            _ if !status.as_str().ends_with("_IN_PROGRESS") => {
                return Err(DeployError::Failed { reasons: failures(clients, name).await?, status });
            }
            _ if Instant::now() > deadline => return Err(DeployError::Unfinished(status)),
            _ => tokio::time::sleep(POLL_EVERY).await,
        }
    }
}

/// CloudFormation's reason for each resource that failed by itself, the first failure first.
async fn failures(clients: &Clients, name: &str) -> Result<String, DeployError> {
    let pages = clients.cloudformation.describe_stack_events().stack_name(name).into_paginator().items().send();
    let events: Vec<StackEvent> = pages.collect::<Result<_, _>>().await.map_err(refused("read the stack's events"))?;
    // The newest event is first.
    Ok(events.iter().rev().filter_map(failure).collect())
}

fn failure(event: &StackEvent) -> Option<String> {
    let status = event.resource_status()?.as_str();
    let reason = event.resource_status_reason().unwrap_or("no reason given");
    // Resources that were being created when another one failed are cancelled, which explains nothing.
    let own = status.ends_with("_FAILED") && !reason.contains("creation cancelled");
    let id = event.logical_resource_id().unwrap_or("?");
    own.then(|| format!("\n  {id} ({}): {reason}", event.resource_type().unwrap_or("?")))
}

/// A failed call, with the code and message of AWS if it answered.
fn refused<E, R>(what: &'static str) -> impl FnOnce(SdkError<E, R>) -> DeployError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
    R: std::fmt::Debug + 'static,
{
    move |error| {
        let reason = match (error.code(), error.message()) {
            (Some(code), Some(message)) => format!("{code}: {message}"),
            _ => chain(&error),
        };
        DeployError::Call { what, reason }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
