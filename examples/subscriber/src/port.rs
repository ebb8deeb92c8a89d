//! The subscriber's ledger: DynamoDB, or memory in tests.

use std::error::Error;
use std::future::Future;

use time::OffsetDateTime;

use crate::Entry;

/// A double-entry ledger.
pub trait Ledger {
    /// Books the lines of an event, all of them or none, unless the event was booked before.
    fn book(&self, entry: &Entry, now: OffsetDateTime)
    -> impl Future<Output = Result<BookOutcome, LedgerError>> + Send;
}

/// The outcome of booking an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookOutcome {
    /// It is booked now.
    Booked,
    /// It was booked before: the message was delivered again.
    AlreadyBooked,
}

/// Why the ledger could not process a request.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    #[error("the ledger rejected the request")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The sum would have to be rounded.
    #[error("a balance would be rounded, so nothing was booked")]
    BalanceRefused(#[source] Box<dyn Error + Send + Sync>),
    #[error("an item of the ledger has no valid {0}")]
    Unreadable(&'static str),
}

impl LedgerError {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Refused(_) | Self::BalanceRefused(_) | Self::Unreadable(_) => false,
        }
    }
}
