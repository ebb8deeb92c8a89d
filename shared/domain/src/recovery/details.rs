//! What is known of a recovery: lines about deposits to return and about the payments that return them.
//!
//! A payment that returns money does not name the deposits that it returns. So a recovery belongs to one user and asset,
//! and each of its facts adds one deposit to return or one payment's progress. Everything else is computed from these two
//! sets (docs/internals/decisions/recovery-over-time.md).

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::time_line::{RecoverySums, TimeLine};
use crate::merge::replace;
use crate::{
    CoinId, DecimalValue, Feed, Kind, Network, Outflow, Provider, RecoveryStatus, ResourceId, ResourceIdError, Status,
    Timestamp, ToldCoin, WebhookFamily, WithdrawalStatus,
};

/// What is known of a recovery: the deposits to return and the payments that return them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryDetails {
    /// The user who owns the money.
    pub account: String,
    /// The asset's canonical code. Money is returned in the asset in which it arrived.
    pub asset: String,
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
    /// The deposits that are not to be returned here, because a person decided so, or because their coin is to be returned
    /// under the user's other name. Not stated by the provider either.
    #[serde(skip)]
    pub decided: BTreeSet<ResourceId>,
}

/// Which recovery money belongs to: one per user and asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryKey {
    account: String,
    asset: String,
}

impl RecoveryKey {
    /// The recovery of `account` in the asset with this code, on this network if it is known. `None` when the code names
    /// nothing.
    ///
    /// The asset counts in canonical spelling. Its network does not count: zerohash writes `USDC` and `USDC.ETH` for one
    /// coin [zerohash-fund-update], and pays back per asset [zerohash-recovery-2].
    pub fn new(account: &str, asset: &str, network: Option<&Network>) -> Option<Self> {
        let coin = CoinId::of(ToldCoin { asset: Some(asset), network, ..ToldCoin::default() });
        Some(Self { account: account.to_owned(), asset: coin.asset()?.to_owned() })
    }

    /// What the recovery is named by.
    pub fn parts(&self) -> [&str; 2] {
        [&self.account, &self.asset]
    }

    /// The id of the recovery for the organization of `feed`, if it is called `native` there. It is always zerohash's,
    /// although Connect's webhooks report deposits to return too.
    pub fn resource(feed: &Feed, native: &str) -> Result<ResourceId, ResourceIdError> {
        ResourceId::new(Kind::Recovery, feed.of(Provider::Zerohash), native)
    }
}

/// A deposit to return, as one webhook family reported it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnexpectedDeposit {
    /// The amount in whole coins.
    pub value: DecimalValue,
    /// The hash of the transaction that it arrived in.
    pub transaction: String,
    /// The network, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
    /// The webhook family that reported it. Several families report the same coin.
    pub family: WebhookFamily,
    /// When it arrived, according to the provider. Where that gives no date, a view has the time when it was first sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub occurred_at: Option<Timestamp>,
}

impl UnexpectedDeposit {
    /// The coin that arrived, in canonical spelling.
    pub(super) fn coin(&self, asset: &str) -> CoinId {
        let (hash, network) = (Some(self.transaction.as_str()), self.network.as_ref());
        CoinId::of(ToldCoin { hash, asset: Some(asset), network, ..ToldCoin::default() })
    }
}

/// A payment that returns money.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPayment {
    /// The other names of the withdrawal, when the provider names it by several ids.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub also_named: BTreeSet<ResourceId>,
    /// The network, when known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub network: Option<Network>,
    /// What was stated about it, from the least progress to the furthest.
    pub steps: BTreeSet<PaymentStep>,
}

/// What one statement says about a payment. The further the payment has progressed, the greater the step; of two final
/// statuses, the worse one is the greater.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentStep {
    /// How far the payment has progressed.
    pub status: WithdrawalStatus,
    /// When it happened, according to the provider. Where that gives no date, a view has the time when it was first sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub occurred_at: Option<Timestamp>,
    /// When the provider created the payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_at: Option<Timestamp>,
    /// What leaves the account.
    #[serde(default)]
    pub outflow: Outflow,
}

impl PaymentStep {
    fn order(&self) -> (u8, WithdrawalStatus, Option<Timestamp>, Option<Timestamp>, &Outflow) {
        let Self { status, occurred_at, created_at, outflow } = self;
        (Status::Withdrawal(*status).rank(), *status, *occurred_at, *created_at, outflow)
    }
}

impl PartialOrd for PaymentStep {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PaymentStep {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl ReturnPayment {
    /// How far it has progressed. The samples of one payment have one date [zerohash-recovery §7], so only the status shows
    /// it. Of two final statuses the worse one counts: money is not taken as returned while that is in doubt.
    pub fn status(&self) -> WithdrawalStatus {
        self.steps.last().map_or(WithdrawalStatus::Initiated, |step| step.status)
    }

    /// What leaves the account in all, in whole coins.
    pub fn value(&self) -> Option<DecimalValue> {
        let mut outflow = Outflow::default();
        self.steps.iter().for_each(|step| outflow.merge(&step.outflow));
        outflow.leaving()?.in_major()
    }

    /// When the payment began. Its amount is fixed then, so it returns only what had arrived by then.
    pub fn began_at(&self) -> Option<Timestamp> {
        self.steps.iter().filter_map(|step| step.created_at.or(step.occurred_at)).min()
    }

    fn merge(&mut self, later: Self) {
        let Self { also_named, network, steps } = later;
        self.also_named.extend(also_named);
        replace(&mut self.network, &network);
        self.steps.extend(steps);
    }
}

impl RecoveryDetails {
    fn of(key: RecoveryKey) -> Self {
        let RecoveryKey { account, asset } = key;
        Self {
            account,
            asset,
            deposits: BTreeMap::new(),
            payments: BTreeMap::new(),
            suspended: BTreeSet::new(),
            decided: BTreeSet::new(),
        }
    }

    /// States that the deposit `id` is to be returned.
    pub fn of_deposit(key: RecoveryKey, id: ResourceId, deposit: UnexpectedDeposit) -> Self {
        Self { deposits: BTreeMap::from([(id, deposit)]), ..Self::of(key) }
    }

    /// States how far the payment `id` has progressed.
    pub fn of_payment(key: RecoveryKey, id: ResourceId, payment: ReturnPayment) -> Self {
        Self { payments: BTreeMap::from([(id, payment)]), ..Self::of(key) }
    }

    /// Whether both report the same deposits and the same progress of the same payments. Their dates may differ, and one may
    /// give a payment more names.
    pub(crate) fn reports_the_same_as(&self, other: &Self) -> bool {
        let has_deposit = |(id, deposit): (&ResourceId, &UnexpectedDeposit)| {
            let same = other.deposits.get(id).filter(|known| known.value == deposit.value);
            same.is_some_and(|known| known.coin(&other.asset) == deposit.coin(&self.asset))
        };
        let has_payment = |(id, payment): (&ResourceId, &ReturnPayment)| {
            let names = |id: &ResourceId, payment: &ReturnPayment| names_of(&(id.clone(), payment.clone()));
            let own = names(id, payment);
            let same = other.payments.iter().find(|(id, known)| !names(id, known).is_disjoint(&own));
            same.is_some_and(|(_, known)| known.status() == payment.status() && known.value() == payment.value())
        };
        (self.deposits.len(), self.payments.len()) == (other.deposits.len(), other.payments.len())
            && self.deposits.iter().all(has_deposit)
            && self.payments.iter().all(has_payment)
    }

    /// What remains to be returned, what is in transit, and what was returned.
    pub fn sums(&self) -> RecoverySums {
        RecoverySums::of(self)
    }

    /// What was returned in all beyond what had arrived before; `None` when nothing was, or each payment returned no more
    /// beyond it than according to `resolved`, an earlier state of the recovery that a person resolved.
    pub(crate) fn surplus_unless(&self, resolved: Option<&Self>) -> Option<DecimalValue> {
        let resolved = resolved.map(TimeLine::of).map(|line| line.surpluses).unwrap_or_default();
        let line = TimeLine::of(self);
        let is_more = |(id, surplus): &(&ResourceId, DecimalValue)| {
            let names = self.payments.get(*id).map(|payment| &payment.also_named);
            let is_this = |name: &ResourceId| name == *id || names.is_some_and(|names| names.contains(name));
            let known = resolved.iter().filter(|(name, _)| is_this(name)).map(|(_, surplus)| surplus);
            *surplus > known.fold(DecimalValue::zero(), |sum, value| sum + value)
        };
        line.surpluses.iter().any(is_more).then_some(line.sums.surplus)
    }

    /// The recovery's status, computed from its deposits and payments.
    pub fn status(&self) -> Status {
        self.status_with(&self.sums())
    }

    /// The same, when its sums are known already.
    pub(crate) fn status_with(&self, sums: &RecoverySums) -> Status {
        Status::Recovery(if self.payments.values().any(|payment| is_moving(payment.status())) {
            RecoveryStatus::InProgress
        } else if sums.outstanding.is_positive() {
            RecoveryStatus::Required
        } else if !self.suspended.is_empty() {
            RecoveryStatus::Suspended
        } else {
            RecoveryStatus::Resolved
        })
    }

    /// The network of its lines, when all that state one state the same.
    pub fn network(&self) -> Option<&Network> {
        let of_deposits = self.deposits.values().filter_map(|deposit| deposit.network.as_ref());
        let mut networks = of_deposits.chain(self.payments.values().filter_map(|payment| payment.network.as_ref()));
        let first = networks.next()?;
        networks.all(|other| other.slug() == first.slug()).then_some(first)
    }

    /// The ids of the deposits and payments.
    pub fn related(&self) -> BTreeSet<ResourceId> {
        let names = self.payments.iter().flat_map(|(id, payment)| payment.also_named.iter().chain([id]));
        self.deposits.keys().chain(names).cloned().collect()
    }

    /// Gives lines without a date the date `sent_at`.
    pub(crate) fn date(&mut self, sent_at: Timestamp) {
        let dated = |stated: Option<Timestamp>| stated.or(Some(sent_at));
        self.deposits.values_mut().for_each(|deposit| deposit.occurred_at = dated(deposit.occurred_at));
        for payment in self.payments.values_mut() {
            let steps = std::mem::take(&mut payment.steps).into_iter();
            payment.steps = steps.map(|step| PaymentStep { occurred_at: dated(step.occurred_at), ..step }).collect();
        }
    }

    pub(crate) fn merge(&mut self, later: &Self) {
        let Self { account: _, asset: _, deposits, payments, suspended: _, decided: _ } = later;
        deposits.iter().for_each(|(id, deposit)| self.merge_deposit(id, deposit));
        payments.iter().for_each(|(id, payment)| self.merge_payment(id.clone(), payment.clone()));
    }

    /// Adds what is stated of a deposit. It arrived when it was first reported, and the rest may be corrected later.
    fn merge_deposit(&mut self, id: &ResourceId, later: &UnexpectedDeposit) {
        let mut merged = later.clone();
        if let Some(known) = self.deposits.get(id) {
            merged.occurred_at = [merged.occurred_at, known.occurred_at].into_iter().flatten().min();
            merged.network = merged.network.or_else(|| known.network.clone());
        }
        self.deposits.insert(id.clone(), merged);
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
        let is_same = |known: &ReturnPayment| !known.also_named.is_empty() && !names.is_disjoint(&known.also_named);
        let by_name = names.iter().find(|name| self.payments.contains_key(*name)).cloned();
        let id = by_name.or_else(|| self.payments.iter().find_map(|(id, known)| is_same(known).then(|| id.clone())))?;
        self.payments.remove_entry(&id)
    }
}

fn names_of((id, payment): &(ResourceId, ReturnPayment)) -> BTreeSet<ResourceId> {
    payment.also_named.iter().chain([id]).cloned().collect()
}

/// What two entries of one payment add up to.
fn one_payment(known: (ResourceId, ReturnPayment), later: (ResourceId, ReturnPayment)) -> (ResourceId, ReturnPayment) {
    let names: BTreeSet<ResourceId> = names_of(&known).into_iter().chain(names_of(&later)).collect();
    // The id that a statement with several names gives first is the payment's own.
    let own =
        [&known, &later].into_iter().filter(|(_, payment)| !payment.also_named.is_empty()).map(|(id, _)| id).min();
    let id = own.unwrap_or(&known.0).clone();
    let (mut payment, later) = (known.1, later.1);
    payment.merge(later);
    payment.also_named = names.into_iter().filter(|name| *name != id).collect();
    (id, payment)
}

pub(super) fn is_moving(status: WithdrawalStatus) -> bool {
    match status {
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => true,
        WithdrawalStatus::Confirmed
        | WithdrawalStatus::Failed
        | WithdrawalStatus::Abandoned
        | WithdrawalStatus::Returned => false,
    }
}
