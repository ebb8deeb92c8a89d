//! Claim entries: what one deposit says about the coin of a transaction.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::coin_id::CoinId;
use crate::{CreditForm, DecimalValue, DepositStatus, NetCredit, Provider, ResourceId, Status, WebhookFamily};

/// The fate of a coin, according to the deposit that reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The customer is credited with it.
    Credited,
    /// It arrived outside the authorised flow and is to be returned.
    Unexpected,
    /// The provider put it into quarantine.
    Quarantined,
    /// The deposit's own statements exclude each other, and one of them credits the coin.
    Disputed,
    /// A person decided that the customer is not credited with it.
    Reversed,
    /// The deposit was reported as one of the above and, after a new reading or a decision, is not any more.
    Withdrawn,
}

impl Fate {
    /// The status of a deposit whose coin has the fate; `None` when it has none any more.
    pub(crate) fn status(self) -> Option<Status> {
        Some(Status::Deposit(match self {
            Self::Credited | Self::Disputed => DepositStatus::Confirmed,
            Self::Unexpected => DepositStatus::Unexpected,
            Self::Quarantined => DepositStatus::Held,
            Self::Reversed => DepositStatus::Reversed,
            Self::Withdrawn => return None,
        }))
    }
}

/// What one deposit says about one coin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimEntry {
    /// The deposit.
    pub resource: ResourceId,
    /// The coin.
    pub coin: CoinId,
    /// The webhook families that report the deposit: several when webhooks and the provider's list did.
    pub families: BTreeSet<WebhookFamily>,
    /// The fate of the coin.
    pub fate: Fate,
    /// How much arrived, in whole coins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub amount: Option<DecimalValue>,
    /// What the customer is or was credited with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credit: Option<NetCredit>,
    /// The customer, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The recovery that asks to return the coin.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recovery: Option<ResourceId>,
}

impl ClaimEntry {
    /// Whether both are reported by one webhook family of one feed. A family reports each coin once, so these are two
    /// coins.
    pub(super) fn shares_family_with(&self, other: &Self) -> bool {
        self.resource == other.resource
            || (self.resource.feed() == other.resource.feed() && !self.families.is_disjoint(&other.families))
    }

    /// Whether both report one transaction to one address in different webhook families, so that they may be one coin
    /// or two outputs of the transaction.
    pub(super) fn may_be_the_coin_of(&self, other: &Self) -> bool {
        !self.shares_family_with(other) && self.shares_address_with(other)
    }

    /// Whether both are about one transaction to one address. A transaction may pay many, so a webhook without an address
    /// (`DEPOSIT_FAILED`) is about the address of another one only if it is about the same customer. Two providers may name
    /// one customer differently: then the amount decides.
    fn shares_address_with(&self, other: &Self) -> bool {
        let tell_an_address = self.coin.address().is_some() && other.coin.address().is_some();
        let is_same_customer = if self.resource.feed().provider() == other.resource.feed().provider() {
            self.account.is_some() && self.account == other.account
        } else {
            self.account == other.account || (self.amount.is_some() && self.amount == other.amount)
        };
        self.coin.shares_transaction_with(&other.coin) && (tell_an_address || is_same_customer)
    }

    /// Whether both tell the same output.
    pub(super) fn tells_the_output_of(&self, other: &Self) -> bool {
        self.coin.output().is_some() && self.coin.output() == other.coin.output()
    }

    /// Whether both tell the same chain.
    pub(super) fn tells_the_chain_of(&self, other: &Self) -> bool {
        self.coin.chain().is_some() && self.coin.chain() == other.coin.chain()
    }

    /// What the two state differently about the money, if they are about one coin: `status`, `amount`, `credit`,
    /// `account`. Empty when both can be true.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        match (self.fate, other.fate) {
            // Another report of a coin about which was decided is its duplicate, if it says the same of the money.
            (Fate::Credited, Fate::Credited | Fate::Reversed) | (Fate::Reversed, Fate::Credited) => {
                self.different_money(other)
            }
            (Fate::Credited, Fate::Unexpected | Fate::Quarantined | Fate::Disputed)
            | (Fate::Unexpected | Fate::Quarantined | Fate::Disputed, Fate::Credited) => vec!["status"],
            (
                Fate::Unexpected | Fate::Quarantined | Fate::Disputed,
                Fate::Unexpected | Fate::Quarantined | Fate::Disputed,
            )
            | (Fate::Withdrawn | Fate::Reversed, Fate::Unexpected | Fate::Quarantined | Fate::Disputed)
            | (Fate::Unexpected | Fate::Quarantined | Fate::Disputed, Fate::Withdrawn | Fate::Reversed)
            | (Fate::Withdrawn, Fate::Credited | Fate::Withdrawn | Fate::Reversed)
            | (Fate::Credited | Fate::Reversed, Fate::Withdrawn)
            | (Fate::Reversed, Fate::Reversed) => Vec::new(),
        }
    }

    /// Whether both can be reports of one coin of which one counts: they say the same of the money.
    pub(super) fn tells_the_same_as(&self, other: &Self) -> bool {
        let is_same_amount = self.amount.is_none() || other.amount.is_none() || self.amount == other.amount;
        self.may_count_as(other) && is_same_amount && self.differences(other).is_empty()
    }

    /// Whether this one may be a duplicate of `other`, as far as their fates tell. A coin that is to be returned, or in
    /// quarantine, is booked under the first report of the same.
    pub(super) fn may_count_as(&self, other: &Self) -> bool {
        let is_kept = |fate| matches!(fate, Fate::Unexpected | Fate::Quarantined);
        self.fate == other.fate || !(is_kept(self.fate) || is_kept(other.fate))
    }

    /// Whether the coin is to be returned under another name of the user: zerohash reports it with the participant's code,
    /// and Connect with the platform's name of the user. The participant's recovery counts, because payments name it.
    pub(crate) fn is_returned_as(&self, other: &Self) -> bool {
        let provider = |entry: &Self| entry.resource.feed().provider();
        self.fate == Fate::Unexpected
            && other.fate == Fate::Unexpected
            && provider(self) == Provider::Connect
            && provider(other) == Provider::Zerohash
            && self.recovery.is_some()
            && other.recovery.is_some()
            && self.recovery != other.recovery
            && self.amount == other.amount
            && self.may_be_the_coin_of(other)
            && self.coin.is_same_coin_as(&other.coin)
    }

    fn different_money(&self, other: &Self) -> Vec<&'static str> {
        let mut different = Vec::new();
        if self.amount.is_some() && other.amount.is_some() && self.amount != other.amount {
            different.push("amount");
        }
        let is_same_credit = match (&self.credit, &other.credit) {
            // Both credit the coin's own asset, which two providers may call by two names (MATIC and POL).
            (Some(one), Some(another)) if one.form == CreditForm::InKind && another.form == CreditForm::InKind => {
                one.net.value == another.net.value
            }
            (Some(one), Some(another)) => one.equals(another),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !is_same_credit {
            different.push("credit");
        }
        // Two providers may name one customer differently.
        let same_provider = self.resource.feed().provider() == other.resource.feed().provider();
        if same_provider && self.account.is_some() && other.account.is_some() && self.account != other.account {
            different.push("account");
        }
        different
    }
}

/// Whether `one` and `other` may be one coin and state different things, so that each must know what all of `entries` say.
pub(super) fn may_contradict(one: &ClaimEntry, other: &ClaimEntry) -> bool {
    one.may_be_the_coin_of(other) && !has_other_output(one, other) && !one.differences(other).is_empty()
}

/// Whether `one` and `other` are one coin and state different things.
///
/// When both tell the same output, they are one coin. When one of them tells none, they are, unless there are several coins
/// that it may be: then the amount decides which entries are one coin, and theirs differ.
pub(crate) fn contradicts<'a>(
    one: &ClaimEntry,
    other: &ClaimEntry,
    entries: impl Iterator<Item = &'a ClaimEntry>,
) -> bool {
    may_contradict(one, other) && (one.tells_the_output_of(other) || !are_several(one, other, entries))
}

fn has_other_output(one: &ClaimEntry, other: &ClaimEntry) -> bool {
    match (one.coin.output(), other.coin.output()) {
        (Some(output), Some(another)) => output != another,
        (Some(_), None) | (None, Some(_) | None) => false,
    }
}

/// Whether `entries` tell several coins that `one` and `other` may be: two outputs of the transaction, two chains, or two
/// deposits of one webhook family.
fn are_several<'a>(one: &ClaimEntry, other: &ClaimEntry, entries: impl Iterator<Item = &'a ClaimEntry>) -> bool {
    let concerned: Vec<&ClaimEntry> = entries.filter(|entry| concerns(entry, one, other)).collect();
    let are_two = |entry: &ClaimEntry, earlier: &ClaimEntry| {
        let is_another_deposit = entry.resource != earlier.resource && entry.shares_family_with(earlier);
        is_another_deposit || has_other_output(entry, earlier) || !entry.coin.shares_transaction_with(&earlier.coin)
    };
    concerned.iter().enumerate().any(|(at, entry)| concerned[..at].iter().any(|earlier| are_two(entry, earlier)))
}

/// Whether `entry` is one of `one` and `other`, or may be about the coin of one of them.
pub(super) fn concerns(entry: &ClaimEntry, one: &ClaimEntry, other: &ClaimEntry) -> bool {
    let is_about = |of: &ClaimEntry| entry.resource == of.resource || entry.shares_address_with(of);
    entry.fate != Fate::Withdrawn && (is_about(one) || is_about(other))
}
