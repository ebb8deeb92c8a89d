//! Recovery is arithmetic: what came in unexpectedly, less what went back (DESIGN.md section 3.1).
//!
//! A payment that returns money does not name the deposit it returns. So a recovery is about one user, asset and network,
//! and each fact of it says one thing: a deposit that is to be returned, or how far a payment back has come. Put together
//! they are a set of deposits and a set of payments, and everything else is a sum over the two.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::coin::canonical_hash;
use crate::resource::replace;
use crate::{
    DecimalValue, Feed, Kind, Network, Provider, RecoveryStatus, ResourceId, ResourceIdError, Status, Timestamp,
    WithdrawalStatus,
};

/// What is known of a recovery: the deposits that are to be returned and the payments that return them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryDetails {
    /// The user whose money it is.
    pub account: String,
    /// Of which asset: its code, without a network's. Money goes back in the asset it came in.
    pub asset: String,
    /// On which network, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
    /// The deposits that are to be returned.
    #[serde(default)]
    pub deposits: BTreeMap<ResourceId, UnexpectedDeposit>,
    /// The payments that return them.
    #[serde(default)]
    pub payments: BTreeMap<ResourceId, ReturnPayment>,
}

/// A deposit that is to be returned, as one of the provider's streams announced it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnexpectedDeposit {
    /// How much, in whole coins.
    pub value: DecimalValue,
    /// The hash of the transaction it came in.
    pub transaction: String,
    /// Which stream of webhooks announced it. Several announce the same coin.
    pub stream: String,
    /// When the provider says it came.
    pub occurred_at: Timestamp,
}

/// A payment that returns money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPayment {
    /// How far it has come.
    pub status: WithdrawalStatus,
    /// How much leaves the account, in whole coins.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value: Option<DecimalValue>,
}

impl RecoveryDetails {
    /// The recovery of `asset` on `network` for `account`: zerohash's, whichever of its streams tells of it.
    pub fn resource(
        feed: &Feed,
        account: &str,
        asset: &str,
        network: Option<&Network>,
    ) -> Result<ResourceId, ResourceIdError> {
        let slug = network.map_or("-", Network::slug);
        let asset = asset.to_uppercase();
        ResourceId::new(Kind::Recovery, feed.of(Provider::Zerohash), &format!("{account}:{asset}:{slug}"))
    }

    /// The statement that a deposit is to be returned.
    pub fn of_deposit(
        account: String,
        asset: String,
        network: Option<Network>,
        id: ResourceId,
        deposit: UnexpectedDeposit,
    ) -> Self {
        let deposits = BTreeMap::from([(id, deposit)]);
        Self { account, asset, network, deposits, payments: BTreeMap::new() }
    }

    /// The statement of how far a payment back has come.
    pub fn of_payment(
        account: String,
        asset: String,
        network: Option<Network>,
        id: ResourceId,
        payment: ReturnPayment,
    ) -> Self {
        let payments = BTreeMap::from([(id, payment)]);
        Self { account, asset, network, deposits: BTreeMap::new(), payments }
    }

    /// What is to be returned, in whole coins: each coin once, however many streams announce it.
    ///
    /// Each stream tells of all the deposits in a transaction, so the sums of the streams are alternatives and not parts;
    /// while one of them still lags behind, the greatest is right.
    pub fn expected(&self) -> DecimalValue {
        let mut by_transaction: BTreeMap<String, BTreeMap<&str, DecimalValue>> = BTreeMap::new();
        for deposit in self.deposits.values() {
            let streams = by_transaction.entry(canonical_hash(&deposit.transaction)).or_default();
            let sum = streams.entry(&deposit.stream).or_insert_with(DecimalValue::zero);
            *sum = sum.clone() + &deposit.value;
        }
        let sums = by_transaction.into_values().filter_map(|streams| streams.into_values().max());
        sums.fold(DecimalValue::zero(), |total, sum| total + &sum)
    }

    /// What was returned for good, in whole coins.
    pub fn returned(&self) -> DecimalValue {
        self.sum_of(|status| status == WithdrawalStatus::Confirmed)
    }

    /// What is on its way back, in whole coins.
    pub fn moving(&self) -> DecimalValue {
        self.sum_of(is_moving)
    }

    fn sum_of(&self, counts: impl Fn(WithdrawalStatus) -> bool) -> DecimalValue {
        let counted = self.payments.values().filter(|payment| counts(payment.status));
        counted.filter_map(|payment| payment.value.as_ref()).fold(DecimalValue::zero(), |total, value| total + value)
    }

    /// What is left to return, in whole coins. Below zero when more went back than is known to have come.
    pub fn outstanding(&self) -> DecimalValue {
        self.expected() - &self.returned()
    }

    /// Where the recovery stands.
    pub fn status(&self) -> Status {
        Status::Recovery(if self.payments.values().any(|payment| is_moving(payment.status)) {
            RecoveryStatus::InProgress
        } else if self.outstanding().is_positive() {
            RecoveryStatus::Required
        } else {
            RecoveryStatus::Resolved
        })
    }

    /// The deposits and the payments.
    pub fn related(&self) -> BTreeSet<ResourceId> {
        self.deposits.keys().chain(self.payments.keys()).cloned().collect()
    }

    pub(crate) fn overlay(&mut self, later: &Self) {
        let Self { account: _, asset: _, network, deposits, payments } = later;
        replace(&mut self.network, network);
        self.deposits.extend(deposits.iter().map(|(id, deposit)| (id.clone(), deposit.clone())));
        for (id, later) in payments {
            let known = self.payments.entry(id.clone()).or_insert_with(|| later.clone());
            // Its three samples share one date (seed 002), so how far it has come is told by the status alone. Of two
            // final ones the graver stands: money is not taken for returned while that is in doubt.
            let progress = |status: WithdrawalStatus| (Status::Withdrawal(status).rank(), status);
            if progress(later.status) > progress(known.status) {
                known.status = later.status;
            }
            replace(&mut known.value, &later.value);
        }
    }
}

fn is_moving(status: WithdrawalStatus) -> bool {
    match status {
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => true,
        WithdrawalStatus::Confirmed | WithdrawalStatus::Failed | WithdrawalStatus::Abandoned => false,
    }
}
