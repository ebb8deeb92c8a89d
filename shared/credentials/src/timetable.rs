//! When a cache reads again what it holds, and when it may ask out of turn.

use std::time::Duration;

use fundhook_domain::Timestamp;

/// The times of one cache. A clock that is put back makes it read and ask again, and not wait until the clock has caught up.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    /// From when until when what was read is good.
    good: Option<(Timestamp, Timestamp)>,
    asked_at: Option<Timestamp>,
}

impl Timetable {
    /// Whether it is time to read: nothing was read yet, or what is held has reached its age.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.good.is_none_or(|(from, until)| now < from || now >= until)
    }

    /// What was read at `now` is to be read again `after` so long; `None` for the next occasion.
    pub(crate) fn read_again(&mut self, now: Timestamp, after: Option<Duration>) {
        self.good = after.map(|after| (now, now.plus(after)));
    }

    /// Whether it may be asked out of turn at `now`, on behalf of a signature that does not verify: once in `every`. It is
    /// taken for asked.
    pub(crate) fn may_ask(&mut self, now: Timestamp, every: Duration) -> bool {
        let is_early = self.asked_at.is_some_and(|at| at <= now && now.since(at) < every);
        if !is_early {
            self.asked_at = Some(now);
        }
        !is_early
    }
}
