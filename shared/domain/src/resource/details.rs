//! The details of a statement in addition to its status, and how the details of several statements are merged.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::account::{AccountDetails, BalanceDetails, UnrecognizedDetails};
use super::transfer::TransferDetails;
use crate::{Credit, Hold, RecoveryDetails, ResourceId};

/// The details of a statement in addition to its status, by the kind of its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Details {
    /// A deposit, a withdrawal or a fee.
    Transfer(Box<TransferDetails>),
    /// A recovery.
    Recovery(Box<RecoveryDetails>),
    /// A participant or an external account.
    Account(Box<AccountDetails>),
    /// A balance.
    Balance(Box<BalanceDetails>),
    /// An unrecognized webhook.
    Unrecognized(UnrecognizedDetails),
}

impl Details {
    /// Merges `later` into `self`. All facts of a resource have details of the same variant; should two ever differ,
    /// the later ones replace the earlier ones.
    pub(super) fn merge(&mut self, later: &Self) {
        match (self, later) {
            (Self::Transfer(earlier), Self::Transfer(later)) => earlier.merge(later),
            (Self::Recovery(earlier), Self::Recovery(later)) => earlier.merge(later),
            (Self::Account(earlier), Self::Account(later)) => earlier.merge(later),
            (Self::Balance(earlier), Self::Balance(later)) => earlier.merge(later),
            (earlier, later) => *earlier = later.clone(),
        }
    }

    /// What both state about the money, and state differently: `amount`, `asset`, `network`, `transaction`, `account`.
    pub fn contradictions(&self, other: &Self) -> Vec<&'static str> {
        match (self, other) {
            (Self::Transfer(one), Self::Transfer(other)) => one.contradictions(other),
            (Self::Balance(one), Self::Balance(other)) => one.contradictions(other),
            (
                Self::Transfer(_) | Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_),
                _,
            ) => Vec::new(),
        }
    }

    /// Whether the credits of both are equal, or one of them states none.
    pub(super) fn credits_the_same_as(&self, other: &Self) -> bool {
        match [self.credit(), other.credit()] {
            [Some(one), Some(other)] => one.equals(other),
            [_, None] | [None, _] => true,
        }
    }

    /// Whether both report the same about a recovery; `true` unless both are about one.
    pub(super) fn reports_the_same_return_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Recovery(one), Self::Recovery(other)) => one.reports_the_same_as(other),
            (
                Self::Transfer(_) | Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_),
                _,
            ) => true,
        }
    }

    /// Whether both ask for the return of the same money; `true` unless both are recoveries.
    pub(super) fn returns_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Recovery(one), Self::Recovery(other)) => {
                one.suspended == other.suspended && one.sums() == other.sums()
            }
            (
                Self::Transfer(_) | Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_),
                _,
            ) => true,
        }
    }

    /// Whether a setting decided one of two credits, and the numbers the other one.
    pub(super) fn differs_by_setting(&self, other: &Self) -> bool {
        match [self.credit(), other.credit()] {
            [Some(one), Some(other)] => one.differs_by_setting(other),
            [_, None] | [None, _] => false,
        }
    }

    /// What the platform may book for the deposit.
    pub fn credit(&self) -> Option<&Credit> {
        match self {
            Self::Transfer(transfer) => transfer.credit.as_ref(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }

    /// Why the deposit may not be credited.
    pub fn hold(&self) -> Option<&Hold> {
        match self {
            Self::Transfer(transfer) => transfer.hold.as_ref(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }

    /// The canonical id of the on-chain transaction, or what the provider writes in its place.
    pub fn transaction_id(&self) -> Option<String> {
        match self {
            Self::Transfer(transfer) => transfer.transaction_id(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }

    /// Puts a credit in the place of what else was stated about the deposit.
    pub(super) fn set_credit(&mut self, credit: Credit) {
        if let Self::Transfer(transfer) = self {
            transfer.credit = Some(credit);
            transfer.hold = None;
        }
    }

    /// Puts a hold in the place of the deposit's credit.
    pub(super) fn set_hold(&mut self, hold: Hold) {
        if let Self::Transfer(transfer) = self {
            transfer.credit = None;
            transfer.hold = Some(hold);
        }
    }

    /// Whether the details identify an on-chain coin, so that it can be claimed.
    pub(super) fn identifies_coin(&self) -> bool {
        match self {
            Self::Transfer(transfer) => transfer.identifies_coin(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => false,
        }
    }

    /// Whether the details state an amount in a known unit and its asset.
    pub(super) fn states_an_amount(&self) -> bool {
        match self {
            Self::Transfer(transfer) => {
                transfer.asset.is_some()
                    && transfer.quantity.as_ref().is_some_and(|quantity| quantity.in_major().is_some())
            }
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => false,
        }
    }

    /// The names of the transfer, when a webhook states several.
    pub(super) fn names(&self) -> Option<&BTreeSet<ResourceId>> {
        match self {
            Self::Transfer(transfer) => Some(&transfer.names),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }

    /// The user's identifier, which provider and platform share.
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

    /// The hash of the on-chain transaction, as the provider spells it.
    pub fn transaction_hash(&self) -> Option<&str> {
        match self {
            Self::Transfer(transfer) => transfer.transaction.hash.as_deref(),
            Self::Recovery(_) | Self::Account(_) | Self::Balance(_) | Self::Unrecognized(_) => None,
        }
    }
}
