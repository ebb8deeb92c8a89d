//! What a signal says beside its status, and how what several say is put together.

use serde::{Deserialize, Serialize};

use crate::{AccountDetails, BalanceDetails, RecoveryDetails, TransferDetails, UnrecognizedDetails};

/// What a signal says beside its status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// About money on its way, and what that costs.
    Transfer(Box<TransferDetails>),
    /// About unexpected money and its return.
    Recovery(Box<RecoveryDetails>),
    /// About a user or a user's account elsewhere.
    Account(Box<AccountDetails>),
    /// About how much an account holds.
    Balance(Box<BalanceDetails>),
    /// About a webhook that nothing claims.
    Unrecognized(UnrecognizedDetails),
}

impl Details {
    /// Puts `later` over `self`. A resource's facts are all of its kind's shape; should two ever differ, the later one
    /// stands.
    pub(crate) fn overlay(&mut self, later: &Self) {
        match (self, later) {
            (Self::Transfer(earlier), Self::Transfer(later)) => earlier.overlay(later),
            (Self::Recovery(earlier), Self::Recovery(later)) => earlier.overlay(later),
            (Self::Account(earlier), Self::Account(later)) => earlier.overlay(later),
            (Self::Balance(earlier), Self::Balance(later)) => earlier.overlay(later),
            (earlier, later) => *earlier = later.clone(),
        }
    }

    /// What both say of the money, and say differently: `amount`, `asset`, `network`, `transaction`, `account`.
    pub fn contradictions(&self, other: &Self) -> Vec<&'static str> {
        match (self, other) {
            (Self::Transfer(one), Self::Transfer(other)) => one.contradictions(other),
            (
                Self::Transfer(_) | Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_),
                _,
            ) => Vec::new(),
        }
    }

    /// Whether it tells which coin on chain it is about, so that there can be a claim on it.
    pub(crate) fn names_a_coin(&self) -> bool {
        match self {
            Self::Transfer(transfer) => transfer.names_a_coin(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => false,
        }
    }

    /// The provider's or the platform's name for the user whom this is about.
    pub fn account(&self) -> Option<&str> {
        match self {
            Self::Transfer(transfer) => transfer.account.as_deref(),
            Self::Recovery(recovery) => Some(&recovery.account),
            Self::Account(account) => account.account.as_deref(),
            Self::Balance(balance) => balance.account.as_deref(),
            Self::Unrecognized(_) => None,
        }
    }

    /// The platform's own identifier of the funding attempt.
    pub fn reference_id(&self) -> Option<&str> {
        match self {
            Self::Transfer(transfer) => transfer.reference_id.as_deref(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }

    /// The hash of the transaction on chain.
    pub fn transaction_hash(&self) -> Option<&str> {
        match self {
            Self::Transfer(transfer) => transfer.transaction.hash.as_deref(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }
}
