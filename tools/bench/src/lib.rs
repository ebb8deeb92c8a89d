//! The cost of the functions: size, CPU time, memory and AWS calls, measured on the release binaries.
//!
//! Each function runs as on Lambda, against a runtime API and AWS endpoints that answer immediately, so that only the
//! function is measured. The messages that one function sends are the events of the next one.

mod aws;
mod host;
mod process;
mod workload;

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use aws::AwsStub;
use fundhook_local_stack::{Binaries, Function};
use fundhook_sandbox::{Sandbox, SandboxClient, SandboxError};
use host::Host;
use process::Measured;
use workload::Bodies;

/// The number of invocations before the measurement.
const WARM_UP: usize = 10;

/// The measurements of one function.
#[derive(Clone, Debug)]
pub struct FunctionCost {
    pub function: Function,
    /// The size of the stripped binary.
    pub binary_bytes: u64,
    /// CPU time from the start of the process to the end of its first invocation.
    pub cold_cpu: Duration,
    /// CPU time per webhook after the warm-up.
    pub warm_cpu_per_webhook: Duration,
    /// The maximum resident memory.
    pub peak_memory_bytes: u64,
    /// AWS calls per webhook after the warm-up.
    pub calls_per_webhook: Ratio,
    pub webhooks_per_invocation: usize,
}

/// An exact ratio of two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    pub of: u64,
    pub per: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error("cannot {what}")]
    Io { what: &'static str, source: std::io::Error },
    #[error("{function} failed: {why}")]
    Function { function: &'static str, why: String },
}

/// Measures all functions with `rounds` invocations each. `samples` is the folder with the sample webhooks.
pub async fn measure(binaries: &Binaries, samples: &Path, rounds: usize) -> Result<Vec<FunctionCost>, BenchError> {
    let server = Sandbox::start(0).await?;
    let sandbox = SandboxClient::new(&server.url());
    let bodies = Bodies::derive(samples, rounds + WARM_UP + 1)?;
    let mut costs = Vec::new();

    let requests = bodies.requests(&sandbox).await?;
    let (cost, aws) = one(binaries, Function::Receiver, &server, requests, 1).await?;
    costs.push(cost);
    let batches = workload::sqs_batches(aws.bodies("SendMessage"));
    let (cost, aws) = one(binaries, Function::FanOut, &server, batches, workload::BATCH).await?;
    costs.push(cost);
    let batches = workload::sqs_batches(aws.bodies("SendMessageBatch"));
    let (cost, aws) = one(binaries, Function::StateUpdater, &server, batches, workload::BATCH).await?;
    costs.push(cost);
    let batches = workload::stream_batches(aws.items());
    costs.push(one(binaries, Function::Publisher, &server, batches, workload::BATCH).await?.0);
    let ticks = vec![serde_json::json!({}); rounds.min(50) + WARM_UP];
    costs.push(one(binaries, Function::Refresher, &server, ticks, 1).await?.0);
    Ok(costs)
}

/// Runs one function with `events`, each with `webhooks` webhooks.
async fn one(
    binaries: &Binaries,
    function: Function,
    provider: &Sandbox,
    events: Vec<Value>,
    webhooks: usize,
) -> Result<(FunctionCost, AwsStub), BenchError> {
    let failed = |why| BenchError::Function { function: function.package(), why };
    let binary = binaries.get(function.program()).ok_or_else(|| failed("it was not built".to_owned()))?;
    let binary_bytes = std::fs::metadata(binary)
        .map_err(|source| BenchError::Io { what: "find a release binary; build it first", source })?
        .len();
    let aws = AwsStub::start().await?;
    let host = Host::start().await?;
    let process = Measured::spawn(binary, &host, &aws, provider)?;

    let mut events = events.into_iter();
    let mut cold_cpu = Duration::ZERO;
    for (index, event) in events.by_ref().take(WARM_UP).enumerate() {
        host.invoke(event).await.map_err(failed)?;
        if index == 0 {
            cold_cpu = process.cpu()?;
        }
    }
    let (cpu_before, calls_before) = (process.cpu()?, aws.calls());
    let mut measured = 0_u32;
    for event in events {
        host.invoke(event).await.map_err(failed)?;
        measured += 1;
    }
    let webhooks_measured = measured * u32::try_from(webhooks).unwrap_or(1);
    let cost = FunctionCost {
        function,
        binary_bytes,
        cold_cpu,
        warm_cpu_per_webhook: (process.cpu()? - cpu_before) / webhooks_measured.max(1),
        peak_memory_bytes: process.peak_memory_bytes()?,
        calls_per_webhook: Ratio { of: aws.calls() - calls_before, per: webhooks_measured.into() },
        webhooks_per_invocation: webhooks,
    };
    Ok((cost, aws))
}
