//! Virtual time.

use std::time::Duration;

use fundhook_domain::Timestamp;
use tokio::time::Instant;

use crate::CannotBegin;

/// When every simulation begins: 2026-01-05T00:00:00Z, a Monday.
const BEGINS: i64 = 1_767_571_200;

/// The virtual clock. It stands while something can be done, and jumps to the next moment at which something happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    begins: Timestamp,
    at: Instant,
}

impl Clock {
    /// A clock that begins now.
    pub(crate) fn started() -> Result<Self, CannotBegin> {
        let begins = Timestamp::from_unix_seconds(BEGINS);
        let begins = begins.map_err(|error| CannotBegin::because("its first day is not a time")(error.into()))?;
        Ok(Self { begins, at: Instant::now() })
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.begins.plus(self.elapsed())
    }

    /// The time since it began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.at.elapsed()
    }
}
