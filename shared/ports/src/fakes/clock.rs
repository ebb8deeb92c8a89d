//! A clock that only the test moves.

use std::time::Duration;

use fundhook_domain::Timestamp;

use super::Fake;

/// A clock that the test sets. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Fake<Timestamp>);

impl Clock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Fake::new(now))
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        *self.0.now()
    }

    /// Sets it, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        *self.0.now() = now;
    }

    /// Moves it forwards.
    pub fn pass(&self, duration: Duration) {
        self.set(self.now().plus(duration));
    }
}
