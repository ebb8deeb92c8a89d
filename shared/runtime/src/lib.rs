//! What every function needs beside its own work: settings, telemetry, the clock, and batches of which a part failed.

pub mod batch;
mod key_sets;
pub mod metrics;
mod pause;
mod schedule;
pub mod settings;
pub mod telemetry;
mod tokens;

pub use key_sets::{NoKeySet, fetch_key_set, leave_alone_if_asked, published_here};
pub use pause::jittered_pause;
pub use schedule::{RUNS_APART, take_turns};
pub use tokens::{NoToken, TokenKeeper, ValidToken};

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
