//! The subscriber's ledger: DynamoDB, or memory in tests.

use std::error::Error;
use std::future::Future;

use time::OffsetDateTime;

use crate::{Credit, Hold};

/// The credited deposits. There is at most one entry per deposit, so each is credited once.
pub trait Ledger {
    /// Credits the account and enters the deposit, both or neither, unless the deposit has an entry.
    fn credit(
        &self,
        credit: &Credit,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<CreditOutcome, LedgerError>> + Send;

    /// Prevents the deposit from being credited from now on, or marks its entry as disputed. Repeating it changes nothing.
    fn hold(&self, hold: &Hold, now: OffsetDateTime) -> impl Future<Output = Result<HoldOutcome, LedgerError>> + Send;
}

/// The outcome of a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreditOutcome {
    /// The account is credited now.
    Credited,
    /// The account was credited before: the message was delivered again.
    AlreadyCredited,
    /// The deposit was credited before, and these terms differ. Nothing was changed.
    CreditedDifferently(Vec<&'static str>),
    /// The deposit is held. Nothing was changed.
    Held,
}

/// The outcome of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The deposit is held and was not credited.
    Held,
    /// The deposit was credited before. Its entry is marked as disputed, and the balance is unchanged.
    Disputed,
}

/// Why the ledger could not process a request.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error("the ledger is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    #[error("the ledger rejected the request")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The sum would have to be rounded.
    #[error("the balance would be rounded, so nothing was credited")]
    BalanceRefused(#[source] Box<dyn Error + Send + Sync>),
    #[error("the deposit's entry has no valid {0}")]
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
