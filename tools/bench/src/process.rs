//! A function's process and its cost (Linux).

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::BenchError;
use super::aws::AwsStub;
use super::host::Host;
use fundhook_sandbox::{JWKS_PATH, Sandbox};

/// The URL that the webhooks of the benchmark are signed for.
pub(super) const WEBHOOK_URL: &str = "https://bench.example/webhooks/connect";

pub(super) struct Measured(Child);

impl Measured {
    /// Starts `binary` as Lambda does, with every address on loopback.
    pub(super) fn spawn(binary: &Path, host: &Host, aws: &AwsStub, provider: &Sandbox) -> Result<Self, BenchError> {
        let aws_url = format!("http://{}", aws.address);
        let queue = format!("{aws_url}/123456789012/queue");
        let jwks = format!("{}{JWKS_PATH}", provider.url());
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", host.address.to_string()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "bench".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "bench".to_owned()),
            ("AWS_ENDPOINT_URL", aws_url),
            ("FUNDHOOK_TABLE", "table".to_owned()),
            ("FUNDHOOK_INGRESS_QUEUE_URL", queue.clone()),
            ("FUNDHOOK_TRANSFERS_QUEUE_URL", queue.clone()),
            ("FUNDHOOK_ACCOUNTS_QUEUE_URL", queue),
            ("FUNDHOOK_EVIDENCE_BUCKET", "evidence".to_owned()),
            ("FUNDHOOK_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:events".to_owned()),
            ("FUNDHOOK_CONNECT_WEBHOOK_URLS", WEBHOOK_URL.to_owned()),
            ("FUNDHOOK_CONNECT_JWKS_URL", jwks),
        ];
        let process = Command::new(binary)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        process.map(Self).map_err(|source| BenchError::Io { what: "start a function", source })
    }

    /// The CPU time of its threads so far, in nanoseconds.
    pub(super) fn cpu(&self) -> Result<Duration, BenchError> {
        let failed = |source| BenchError::Io { what: "read /proc; the benchmark runs on Linux", source };
        let mut nanoseconds = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id())).map_err(failed)? {
            let schedstat = fs::read_to_string(task.map_err(failed)?.path().join("schedstat")).map_err(failed)?;
            nanoseconds += schedstat.split(' ').next().and_then(|on_cpu| on_cpu.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// The maximum resident memory so far.
    pub(super) fn peak_memory_bytes(&self) -> Result<u64, BenchError> {
        let failed = |source| BenchError::Io { what: "read /proc; the benchmark runs on Linux", source };
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).map_err(failed)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
        Ok(kib.unwrap_or(0) * 1024)
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        // Errors are ignored: the process may have ended by itself.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
