//! In-memory fakes of the ports, for tests (feature `fakes`).
//!
//! A fake keeps the semantics of its port: conditional writes, leases, back-off and the order of outcomes. It can be
//!
//! - **observed**: [`Fake::now`] shows what was stored, sent and asked, and how often each call was made;
//! - **steered**: the fields `on_…` make a call fail ([`Fail`]), a [`Latency`] or a [`Clock`] makes it slow, and what
//!   is stored can be set directly.
//!
//! A [`Fake`] is a handle: its clones share one state. A fake of one feed serves several through [`ByFeed`]. Any set of
//! ports can be stopped or failed before and after each call through [`Stepped`].

mod api_access;
mod archive;
mod by_feed;
mod clock;
mod indexes;
mod key_sets;
mod latency;
mod lists;
mod queue;
mod receipts;
mod reconciliation;
mod resources;
mod secrets;
mod stepped;
mod steps;
mod tokens;
mod topic;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard};

pub use api_access::{ApiAccess, Refuses};
pub use archive::EvidenceBucket;
pub use by_feed::ByFeed;
pub use clock::Clock;
pub use indexes::{IndexKeys, Indexes};
pub use key_sets::{KEY_SET_URL, KeySetApi, KeySetTable};
pub use latency::Latency;
pub use lists::{ApiRow, ApiRows, ListApi, ListCall, Reply};
pub use queue::Queue;
pub use receipts::ReceiptTable;
pub use reconciliation::{ReconciliationItems, ReconciliationTable};
pub use resources::{Fate, ResourceTable};
pub use secrets::SecretVault;
pub use stepped::{Around, Stepped};
pub use steps::{Run, Steps};
pub use tokens::TokenService;
pub use topic::Topic;
pub use waiting::DeadLetters;

use crate::{Disposition, PortError};

/// A fake with the state `T`. Clones share the state.
#[derive(Debug, Default)]
pub struct Fake<T>(Arc<Mutex<T>>);

impl<T> Clone for Fake<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Fake<T> {
    /// A fake that begins in this state.
    pub fn new(state: T) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    /// The state at this moment, to read or to change. Drop the guard before the code under test runs.
    ///
    /// # Panics
    ///
    /// If another guard is still held: that is a mistake of the test, and waiting for it would block forever.
    pub fn now(&self) -> MutexGuard<'_, T> {
        self.0.try_lock().expect("another guard of this fake is still held")
    }
}

/// Which calls of a fake fail. A call that fails changes nothing, and counts as a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fail {
    /// No call fails.
    #[default]
    Never,
    /// Every call fails, until the test changes it.
    Always,
    /// This many of the next calls fail; later calls succeed.
    Next(u32),
    /// So many calls succeed, the one after them fails, and all others succeed.
    After(u32),
}

impl Fail {
    /// The outcome of one call that attempts this, such as "store the key set".
    fn outcome(&mut self, attempted: &'static str) -> Result<(), PortError> {
        let (fails, next) = match *self {
            Self::Never => (false, Self::Never),
            Self::Always => (true, Self::Always),
            Self::Next(count) => (count > 0, count.checked_sub(1).map_or(Self::Never, Self::Next)),
            Self::After(0) => (true, Self::Never),
            Self::After(count) => (false, Self::After(count - 1)),
        };
        *self = next;
        if fails { Err(down(attempted)) } else { Ok(()) }
    }
}

/// The error of a call that failed because the service is down; it may be retried.
pub fn down(attempted: &'static str) -> PortError {
    PortError::new(attempted, Disposition::Retry, "it is down")
}

#[cfg(test)]
mod tests {
    use super::Fail;

    /// Whether each of the next six calls fails.
    fn six(mut fail: Fail) -> [bool; 6] {
        [(); 6].map(|()| fail.outcome("call").is_err())
    }

    #[test]
    fn calls_fail_when_the_test_says_so() {
        let (yes, no) = (true, false);
        assert_eq!(six(Fail::Never), [no; 6]);
        assert_eq!(six(Fail::Always), [yes; 6]);
        assert_eq!(six(Fail::Next(2)), [yes, yes, no, no, no, no]);
        assert_eq!(six(Fail::Next(0)), [no; 6]);
        assert_eq!(six(Fail::After(0)), [yes, no, no, no, no, no]);
        assert_eq!(six(Fail::After(2)), [no, no, yes, no, no, no]);
    }
}
