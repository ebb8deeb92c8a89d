//! What every function needs besides its own work: settings, telemetry, metrics, the clock, and partial batch failures.

pub mod batch;
pub mod metrics;
mod pause;
pub mod settings;
pub mod telemetry;

pub use pause::jittered_pause;

use fundhook_domain::Timestamp;

/// The current time. Nothing else reads the clock.
pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// The value of an environment variable; `None` when it is not set or not UTF-8. Nothing else reads the environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
