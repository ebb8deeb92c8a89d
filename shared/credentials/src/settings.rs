//! How long cached key sets and secrets are used.

use std::time::Duration;

/// The settings of both caches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// The age at which a cache reads again what it holds (30 s to 1 h).
    pub max_age: Duration,
    /// The time between two fetches, by all receivers together, because of signatures that did not verify.
    pub cooldown: Duration,
    /// The age at which the last good key set is no longer used, even if no newer one can be fetched.
    pub last_good_max: Duration,
}
