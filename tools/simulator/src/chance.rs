//! Random numbers from one seed.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A source of random numbers. Its clones share it; a [fork](Self::fork) is a source of its own.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Arc<Mutex<fastrand::Rng>>);

impl Chance {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// The source of the part of a run with this number.
    pub(crate) fn of_part(seed: u64, number: u64) -> Self {
        Self::of(fastrand::Rng::with_seed(number).u64(..) ^ seed)
    }

    /// A source that what is drawn elsewhere does not change.
    pub(crate) fn fork(&self) -> Self {
        let fork = self.draw(fastrand::Rng::fork);
        Self(Arc::new(Mutex::new(fork)))
    }

    fn draw<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether something happens that happens once in `count` cases; never, if `count` is 0.
    pub(crate) fn one_in(&self, count: u64) -> bool {
        count > 0 && self.between(0..count) == 0
    }

    pub(crate) fn between(&self, range: Range<u64>) -> u64 {
        self.draw(|rng| rng.u64(range))
    }

    /// A number of milliseconds.
    pub(crate) fn ms(&self, range: Range<u64>) -> Duration {
        Duration::from_millis(self.between(range))
    }

    /// A number of seconds.
    pub(crate) fn seconds(&self, range: Range<u64>) -> Duration {
        Duration::from_secs(self.between(range))
    }

    pub(crate) fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[self.draw(|rng| rng.usize(..of.len()))]
    }

    /// A UUID's text.
    pub(crate) fn uuid(&self) -> String {
        let hex = self.hex();
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
    }

    /// 64 hex digits.
    pub(crate) fn hash(&self) -> String {
        self.hex() + &self.hex()
    }

    fn hex(&self) -> String {
        format!("{:032x}", self.draw(|rng| rng.u128(..)))
    }
}
