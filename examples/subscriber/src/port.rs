//! What the subscriber asks of the ledger. DynamoDB answers; tests answer from memory.

use std::error::Error;
use std::future::Future;

use time::OffsetDateTime;

use crate::{Credit, Hold};

/// Who was credited for which deposit. It has at most one entry for each deposit, and that is what makes a credit
/// happen once.
pub trait Ledger {
    /// Credits the account and enters the deposit, both or neither, unless the deposit has an entry.
    fn credit(
        &self,
        credit: &Credit,
        now: OffsetDateTime,
    ) -> impl Future<Output = Result<CreditOutcome, LedgerError>> + Send;

    /// Sees to it that the deposit is not credited from here on; marks the entry when it was. Doing it again changes
    /// nothing.
    fn hold(&self, hold: &Hold, now: OffsetDateTime) -> impl Future<Output = Result<HoldOutcome, LedgerError>> + Send;
}

/// What became of a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreditOutcome {
    /// The account has the money now.
    Credited,
    /// The account had it already: the message was delivered again.
    AlreadyCredited,
    /// The deposit was credited already, but otherwise: these terms differ. Nothing was changed.
    CreditedDifferently(Vec<&'static str>),
    /// The deposit is held. Nothing was changed.
    Held,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The deposit is held, and nobody was credited for it.
    Held,
    /// Somebody was credited for it before; the entry is marked as disputed, and the balance stays as it is.
    Disputed,
}

/// Why the ledger did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It does not answer, or has no time for us.
    #[error("the ledger is not available")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It finds fault with the request itself.
    #[error("the ledger refuses the request")]
    Refused(#[source] Box<dyn Error + Send + Sync>),
    /// The sum would have to be rounded, and the ledger does not round.
    #[error("the balance cannot take the amount, so nothing was credited")]
    BalanceRefused(#[source] Box<dyn Error + Send + Sync>),
    /// An entry is not of the form that entries have.
    #[error("the entry of the deposit has no readable {0}")]
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
