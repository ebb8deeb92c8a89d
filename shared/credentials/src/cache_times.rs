//! When a cache reads again, and when it may read out of turn.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The pause between two attempts of a cache that has nothing usable, or whose store is down: at most two calls in the 10 s
/// of a flood, and soon enough for a provider that repeats its webhook.
pub(crate) const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// The times of one cache. When the clock is set back, the cache reads again at once instead of waiting until the clock has
/// caught up.
#[derive(Debug, Default)]
pub(crate) struct CacheTimes {
    fresh: Option<Span>,
    asked_at: Option<Timestamp>,
}

/// The time in which the last reading is fresh.
#[derive(Clone, Copy, Debug)]
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl CacheTimes {
    /// Whether it is time to read: nothing was read yet, or what was read is no longer fresh.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.fresh.is_none_or(|Span { from, until }| now < from || now >= until)
    }

    /// What was read at `now` stays fresh for `fresh_for`.
    pub(crate) fn fresh_for(&mut self, now: Timestamp, fresh_for: Duration) {
        self.fresh = Some(Span { from: now, until: now.plus(fresh_for) });
    }

    /// The next caller reads, because the last reading failed and nothing is cached.
    pub(crate) fn due_at_once(&mut self) {
        self.fresh = None;
    }

    /// Whether the cache may read out of turn at `now`, because a signature did not verify: once in each `interval`. A
    /// positive result counts as such a reading.
    pub(crate) fn may_ask(&mut self, now: Timestamp, interval: Duration) -> bool {
        let is_early = self.asked_at.is_some_and(|at| at <= now && now.since(at) < interval);
        if !is_early {
            self.asked_at = Some(now);
        }
        !is_early
    }
}
