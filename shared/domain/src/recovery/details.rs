//! A recovery is a sum: what arrived unexpectedly, less what was returned
//! (docs/internals/decisions/recovery-is-a-sum.md).
//!
//! A payment that returns money does not name the deposit that it returns. So a recovery belongs to one user, asset and
//! network, and each of its facts adds one deposit to return or one payment's progress. Everything else is computed
//! from these two sets.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::merge::replace;
use crate::{
    CoinId, DecimalValue, Feed, Kind, Network, Provider, RecoveryStatus, ResourceId, ResourceIdError, Status,
    Timestamp, ToldCoin, WebhookFamily, WithdrawalStatus,
};

/// What is known of a recovery: the deposits to return and the payments that return them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryDetails {
    /// The user who owns the money.
    pub account: String,
    /// The asset's code, without the network. Money is returned in the asset in which it arrived.
    pub asset: String,
    /// The network, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
    /// The deposits to return.
    #[serde(default)]
    pub deposits: BTreeMap<ResourceId, UnexpectedDeposit>,
    /// The payments that return them. No two of them share a name.
    #[serde(default)]
    pub payments: BTreeMap<ResourceId, ReturnPayment>,
    /// The deposits that are not to be returned before they are reviewed: another deposit reports their coin as credited.
    /// Not stated by the provider: it follows from the recovery's relations.
    #[serde(skip)]
    pub suspended: BTreeSet<ResourceId>,
    /// The deposits that are not to be returned, because a person decided so. Not stated by the provider either.
    #[serde(skip)]
    pub decided: BTreeSet<ResourceId>,
}

/// Which recovery money belongs to: one per user, asset and network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryKey {
    /// The user who owns the money.
    pub account: String,
    /// The asset's code, without the network.
    pub asset: String,
    /// The network, when known.
    pub network: Option<Network>,
}

impl RecoveryKey {
    /// What the recovery is named by.
    pub fn parts(&self) -> [String; 3] {
        let slug = self.network.as_ref().map_or("", Network::slug);
        [self.account.clone(), self.asset.to_uppercase(), slug.to_owned()]
    }

    /// The id of the recovery for the organization of `feed`. It is always zerohash's, although Connect's webhooks
    /// report deposits to return too.
    pub fn resource(&self, feed: &Feed) -> Result<ResourceId, ResourceIdError> {
        let Self { account, asset, network } = self;
        let slug = network.as_ref().map_or("-", Network::slug);
        let native = format!("{account}:{}:{slug}", asset.to_uppercase());
        ResourceId::new(Kind::Recovery, feed.of(Provider::Zerohash), &native)
    }
}

/// A deposit to return, as one webhook family reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnexpectedDeposit {
    /// The amount in whole coins.
    pub value: DecimalValue,
    /// The hash of the transaction that it arrived in.
    pub transaction: String,
    /// The webhook family that reported it. Several families report the same coin.
    pub family: WebhookFamily,
    /// When it arrived, according to the provider.
    pub occurred_at: Timestamp,
}

/// A payment that returns money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPayment {
    /// The other names of the withdrawal, when the provider names it by several ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub also_named: BTreeSet<ResourceId>,
    /// How far it has progressed.
    pub status: WithdrawalStatus,
    /// The amount that leaves the account, in whole coins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<DecimalValue>,
}

impl RecoveryDetails {
    /// States that the deposit `id` is to be returned.
    pub fn of_deposit(key: RecoveryKey, id: ResourceId, deposit: UnexpectedDeposit) -> Self {
        let deposits = BTreeMap::from([(id, deposit)]);
        let RecoveryKey { account, asset, network } = key;
        Self {
            account,
            asset,
            network,
            deposits,
            payments: BTreeMap::new(),
            suspended: BTreeSet::new(),
            decided: BTreeSet::new(),
        }
    }

    /// States how far the payment `id` has progressed.
    pub fn of_payment(key: RecoveryKey, id: ResourceId, payment: ReturnPayment) -> Self {
        let payments = BTreeMap::from([(id, payment)]);
        let RecoveryKey { account, asset, network } = key;
        Self {
            account,
            asset,
            network,
            deposits: BTreeMap::new(),
            payments,
            suspended: BTreeSet::new(),
            decided: BTreeSet::new(),
        }
    }

    /// What is to be returned in all, in whole coins. A coin that several webhook families report counts once, and one
    /// that is suspended does not count.
    ///
    /// Each family reports all deposits of a transaction. So for each transaction the sums of the families are
    /// alternatives, not parts, and while one family lags behind, the greatest sum is the right one.
    pub fn expected(&self) -> DecimalValue {
        let mut by_transaction: BTreeMap<String, BTreeMap<WebhookFamily, DecimalValue>> = BTreeMap::new();
        let counted =
            self.deposits.iter().filter(|(id, _)| !self.suspended.contains(*id) && !self.decided.contains(*id));
        for (_, deposit) in counted {
            let families = by_transaction.entry(self.transaction_id(&deposit.transaction)).or_default();
            let sum = families.entry(deposit.family).or_insert_with(DecimalValue::zero);
            *sum = sum.clone() + &deposit.value;
        }
        let sums = by_transaction.into_values().filter_map(|families| families.into_values().max());
        sums.fold(DecimalValue::zero(), |total, sum| total + &sum)
    }

    /// The canonical id of a transaction, or what the provider writes in its place.
    fn transaction_id(&self, hash: &str) -> String {
        let (asset, network) = (Some(self.asset.as_str()), self.network.as_ref());
        let coin = CoinId::of(ToldCoin { hash: Some(hash), asset, network, ..ToldCoin::default() });
        coin.transaction().unwrap_or(hash).to_owned()
    }

    /// What was returned and settled, in whole coins.
    pub fn returned(&self) -> DecimalValue {
        self.sum_of(|status| status == WithdrawalStatus::Confirmed)
    }

    /// What is in transit back to its sender, in whole coins.
    pub fn moving(&self) -> DecimalValue {
        self.sum_of(is_moving)
    }

    fn sum_of(&self, counts: impl Fn(WithdrawalStatus) -> bool) -> DecimalValue {
        let counted = self.payments.values().filter(|payment| counts(payment.status));
        counted.filter_map(|payment| payment.value.as_ref()).fold(DecimalValue::zero(), |total, value| total + value)
    }

    /// What remains to be returned, in whole coins. Negative when more was returned than is known to have arrived.
    pub fn outstanding(&self) -> DecimalValue {
        self.expected() - &self.returned()
    }

    /// The recovery's status, computed from its deposits and payments.
    pub fn status(&self) -> Status {
        Status::Recovery(if self.payments.values().any(|payment| is_moving(payment.status)) {
            RecoveryStatus::InProgress
        } else if self.outstanding().is_positive() {
            RecoveryStatus::Required
        } else if !self.suspended.is_empty() {
            RecoveryStatus::Suspended
        } else {
            RecoveryStatus::Resolved
        })
    }

    /// The ids of the deposits and payments.
    pub fn related(&self) -> BTreeSet<ResourceId> {
        let names = self.payments.iter().flat_map(|(id, payment)| payment.also_named.iter().chain([id]));
        self.deposits.keys().chain(names).cloned().collect()
    }

    pub(crate) fn merge(&mut self, later: &Self) {
        let Self { account: _, asset: _, network, deposits, payments, suspended: _, decided: _ } = later;
        replace(&mut self.network, network);
        self.deposits.extend(deposits.iter().map(|(id, deposit)| (id.clone(), deposit.clone())));
        payments.iter().for_each(|(id, payment)| self.merge_payment(id.clone(), payment.clone()));
    }

    /// Adds what is stated of a payment. Entries that share a name are one payment; it may be this statement that joins
    /// them.
    fn merge_payment(&mut self, id: ResourceId, payment: ReturnPayment) {
        let mut merged = (id, payment);
        while let Some(known) = self.take_payment_of(&names_of(&merged)) {
            merged = one_payment(known, merged);
        }
        self.payments.extend([merged]);
    }

    fn take_payment_of(&mut self, names: &BTreeSet<ResourceId>) -> Option<(ResourceId, ReturnPayment)> {
        let is_same =
            |id: &ResourceId, known: &ReturnPayment| names.contains(id) || !names.is_disjoint(&known.also_named);
        let id = self.payments.iter().find_map(|(id, known)| is_same(id, known).then(|| id.clone()))?;
        self.payments.remove_entry(&id)
    }
}

fn names_of((id, payment): &(ResourceId, ReturnPayment)) -> BTreeSet<ResourceId> {
    payment.also_named.iter().chain([id]).cloned().collect()
}

/// What two entries of one payment add up to.
fn one_payment(known: (ResourceId, ReturnPayment), later: (ResourceId, ReturnPayment)) -> (ResourceId, ReturnPayment) {
    let mut also_named = names_of(&known);
    also_named.extend(names_of(&later));
    // The id that a statement with several names gives first is the payment's own.
    let own =
        [&known, &later].into_iter().filter(|(_, payment)| !payment.also_named.is_empty()).map(|(id, _)| id).min();
    let id = own.unwrap_or(&known.0).clone();
    also_named.remove(&id);
    // The samples of one payment have one date [zerohash-recovery §7], so only the status shows its progress. Of two
    // final statuses the worse one counts: money is not taken as returned while that is in doubt.
    let progress = |status: &WithdrawalStatus| (Status::Withdrawal(*status).rank(), *status);
    let status = [known.1.status, later.1.status].into_iter().max_by_key(progress).unwrap_or(known.1.status);
    let value = later.1.value.or(known.1.value);
    (id, ReturnPayment { also_named, status, value })
}

fn is_moving(status: WithdrawalStatus) -> bool {
    match status {
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => true,
        WithdrawalStatus::Confirmed
        | WithdrawalStatus::Failed
        | WithdrawalStatus::Abandoned
        | WithdrawalStatus::Returned => false,
    }
}
