//! How long what is cached is used.

use std::time::Duration;

/// How the receiver keeps its key sets and secrets fresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySettings {
    /// How long a key set is used before the table is asked for a newer one (30 s to 1 h).
    pub max_age: Duration,
    /// How long the whole fleet waits between two fetches on behalf of signatures that did not verify.
    pub cooldown: Duration,
    /// How long the last good key set is used while no newer one can be had.
    pub last_good_max: Duration,
}
