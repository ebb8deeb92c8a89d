//! What every function needs beside its own work: settings, telemetry, the clock, and batches of which a part failed.

pub mod batch;
pub mod metrics;
mod pause;
pub mod settings;
pub mod telemetry;

pub use pause::jittered_pause;

use fundhook_domain::Timestamp;

/// The time now. The one place that reads the clock.
pub fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// The value of an environment variable; `None` when it is not set or not UTF-8. The one place that reads the
/// environment.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
