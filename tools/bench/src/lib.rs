//! What the functions cost: size, CPU time, memory and AWS calls, measured on the release binaries.
//!
//! Each function runs as on Lambda, against a runtime API and AWS endpoints that answer at once, so what is measured is
//! the function and nothing else. What one function sends is what the next one gets.

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
use workload::Material;

/// How many invocations warm a function up, and how many are measured then.
const WARM_UP: usize = 10;

/// What was measured of one function.
#[derive(Clone, Debug)]
pub struct Row {
    /// Which.
    pub function: Function,
    /// The size of its stripped binary.
    pub binary_bytes: u64,
    /// CPU time from the start of the process to the end of its first invocation.
    pub cold_cpu: Duration,
    /// CPU time a webhook, once warm.
    pub warm_cpu_per_webhook: Duration,
    /// The most memory it ever held.
    pub peak_memory_bytes: u64,
    /// AWS calls a webhook, once warm.
    pub calls_per_webhook: Ratio,
    /// Webhooks in one invocation.
    pub webhooks_per_invocation: usize,
}

/// An exact ratio of two counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// How many of the one.
    pub of: u64,
    /// For how many of the other.
    pub per: u64,
}

/// Why the measurement failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The sandbox provider.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A process or a socket.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A function ended or failed.
    #[error("{function} failed: {why}")]
    Function {
        /// Which.
        function: &'static str,
        /// What it said.
        why: String,
    },
}

/// Measures all functions with `rounds` invocations each. `samples` is the folder with the sample webhooks.
pub async fn measure(binaries: &Binaries, samples: &Path, rounds: usize) -> Result<Vec<Row>, BenchError> {
    let server = Sandbox::start(0).await?;
    let sandbox = SandboxClient::new(&server.url());
    let material = Material::gather(samples, rounds + WARM_UP + 1)?;
    let mut rows = Vec::new();

    let requests = material.requests(&sandbox).await?;
    let (row, aws) = one(binaries, Function::Receiver, &server, requests, 1).await?;
    rows.push(row);
    let batches = workload::sqs_batches(aws.bodies("SendMessage"));
    let (row, aws) = one(binaries, Function::FanOut, &server, batches, workload::BATCH).await?;
    rows.push(row);
    let batches = workload::sqs_batches(aws.bodies("SendMessageBatch"));
    let (row, aws) = one(binaries, Function::StateUpdater, &server, batches, workload::BATCH).await?;
    rows.push(row);
    let batches = workload::stream_batches(aws.items());
    rows.push(one(binaries, Function::Publisher, &server, batches, workload::BATCH).await?.0);
    let ticks = vec![serde_json::json!({}); rounds.min(50) + WARM_UP];
    rows.push(one(binaries, Function::Refresher, &server, ticks, 1).await?.0);
    Ok(rows)
}

/// Runs one function through `events`, of `webhooks` webhooks each.
async fn one(
    binaries: &Binaries,
    function: Function,
    provider: &Sandbox,
    events: Vec<Value>,
    webhooks: usize,
) -> Result<(Row, AwsStub), BenchError> {
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
    let row = Row {
        function,
        binary_bytes,
        cold_cpu,
        warm_cpu_per_webhook: (process.cpu()? - cpu_before) / webhooks_measured.max(1),
        peak_memory_bytes: process.peak_memory_bytes()?,
        calls_per_webhook: Ratio { of: aws.calls() - calls_before, per: webhooks_measured.into() },
        webhooks_per_invocation: webhooks,
    };
    Ok((row, aws))
}
