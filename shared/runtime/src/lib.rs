//! What every function needs besides its own work: settings, telemetry, metrics, the clock, and partial batch failures.

pub mod batch;
pub mod metrics;
mod pause;
pub mod settings;
mod telemetry;

pub use pause::jittered_pause;

use std::error::Error;
use std::process::ExitCode;

use fundhook_domain::Timestamp;
use fundhook_ports::chain;

/// The version of Fundhook: in every log line, and in the user agent of every request.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a function until Lambda ends it. What keeps it from starting is logged in one line.
pub async fn run(serve: impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>>) -> ExitCode {
    telemetry::init();
    match serve.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            let why = chain(&*failed);
            tracing::error!(error = why, "the function cannot run: {why}");
            ExitCode::FAILURE
        }
    }
}

/// The current time. Nothing else reads the clock.
pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// The value of an environment variable; `None` when it is not set or not UTF-8. Nothing else reads the environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
