//! What a recovery's deposits and payments add up to, laid on the provider's time line.

use std::collections::BTreeMap;

use super::details::{RecoveryDetails, ReturnPayment, UnexpectedDeposit, is_moving};
use crate::{DecimalValue, ResourceId, Timestamp, WebhookFamily, WithdrawalStatus};

/// What a recovery adds up to, in whole coins. Nothing is ever below zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySums {
    /// What remains to be returned.
    pub outstanding: DecimalValue,
    /// What is to be returned in all. A coin that several webhook families report counts once, and one that is suspended
    /// does not count.
    pub expected: DecimalValue,
    /// What is in transit back to its sender.
    pub moving: DecimalValue,
    /// What was returned and settled.
    pub returned: DecimalValue,
    /// What of that was returned beyond what had arrived before.
    pub surplus: DecimalValue,
}

/// What happens on the time line. Of two at one time, the deposit comes before the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Movement<'a> {
    Arrival,
    Return(&'a ResourceId),
}

impl RecoverySums {
    pub(super) fn of(recovery: &RecoveryDetails) -> Self {
        TimeLine::of(recovery).sums
    }
}

/// What a recovery adds up to, and what each of its payments returned beyond what had arrived before it.
pub(super) struct TimeLine<'a> {
    pub(super) sums: RecoverySums,
    pub(super) surpluses: Vec<(&'a ResourceId, DecimalValue)>,
}

impl<'a> TimeLine<'a> {
    /// A payment returns only what was there before it, so a settled payment without a deposit is a surplus.
    pub(super) fn of(recovery: &'a RecoveryDetails) -> Self {
        let arrivals = arrivals(recovery).map(|(at, value)| (at, Movement::Arrival, value));
        let returns = returns(recovery).map(|(at, id, value)| (at, Movement::Return(id), value));
        let mut movements: Vec<(Timestamp, Movement<'a>, DecimalValue)> = arrivals.chain(returns).collect();
        // Providers date payments by the second.
        movements.sort_by_key(|(at, movement, _)| (at.whole_second(), *movement));

        let zero = DecimalValue::zero;
        let moving = recovery.payments.values().filter(|payment| is_moving(payment.status()));
        let moving = moving.filter_map(ReturnPayment::value).fold(zero(), |sum, value| sum + &value);
        let mut sums =
            RecoverySums { outstanding: zero(), expected: zero(), moving, returned: zero(), surplus: zero() };
        let mut surpluses = Vec::new();
        for (_, movement, value) in movements {
            match movement {
                Movement::Arrival => {
                    sums.outstanding = sums.outstanding + &value;
                    sums.expected = sums.expected + &value;
                }
                Movement::Return(payment) => {
                    let offset = sums.outstanding.clone().min(value.clone());
                    let surplus = value.clone() - &offset;
                    sums.outstanding = sums.outstanding - &offset;
                    sums.surplus = sums.surplus + &surplus;
                    sums.returned = sums.returned + &value;
                    surpluses.push((payment, surplus));
                }
            }
        }
        Self { sums, surpluses }
    }
}

/// The settled payments: when each began, and how much it returned.
fn returns(recovery: &RecoveryDetails) -> impl Iterator<Item = (Timestamp, &ResourceId, DecimalValue)> {
    let settled = recovery.payments.iter().filter(|(_, payment)| payment.status() == WithdrawalStatus::Confirmed);
    settled.filter_map(|(id, payment)| Some((payment.began_at()?, id, payment.value()?)))
}

/// What arrived in each transaction, and when that was first reported.
fn arrivals(recovery: &RecoveryDetails) -> impl Iterator<Item = (Timestamp, DecimalValue)> {
    let mut transactions: BTreeMap<String, Arrivals> = BTreeMap::new();
    let counts = |id: &_| !recovery.suspended.contains(id) && !recovery.decided.contains(id);
    for (_, deposit) in recovery.deposits.iter().filter(|(id, _)| counts(*id)) {
        let coin = deposit.coin(&recovery.asset);
        let transaction = coin.transaction().unwrap_or(&deposit.transaction).to_owned();
        transactions.entry(transaction).or_default().add(coin.output(), deposit);
    }
    transactions.into_values().filter_map(|arrivals| Some((arrivals.first_at?, arrivals.value())))
}

/// What several webhook families report about one transaction.
#[derive(Debug, Default)]
struct Arrivals {
    first_at: Option<Timestamp>,
    /// What each family reports, by output. Families that tell no output report under `None`.
    by_output: BTreeMap<Option<String>, BTreeMap<WebhookFamily, DecimalValue>>,
}

impl Arrivals {
    fn add(&mut self, output: Option<&str>, deposit: &UnexpectedDeposit) {
        self.first_at = [self.first_at, deposit.occurred_at].into_iter().flatten().min();
        let families = self.by_output.entry(output.map(str::to_owned)).or_default();
        let sum = families.entry(deposit.family).or_insert_with(DecimalValue::zero);
        *sum = sum.clone() + &deposit.value;
    }

    /// Each coin once. A family reports each coin once, so two of its deposits are two coins. What two families report of
    /// one output is the same coin. What a family reports without an output may be any of the outputs that it does not
    /// name; only what it reports beyond them is more. While one family lags behind, the greatest sum is the right one.
    fn value(&self) -> DecimalValue {
        let zero = DecimalValue::zero;
        let greatest = |families: &BTreeMap<WebhookFamily, DecimalValue>| families.values().max().cloned();
        let outputs = || self.by_output.iter().filter(|(output, _)| output.is_some()).map(|(_, families)| families);
        let named = outputs().filter_map(greatest).fold(zero(), |sum, value| sum + &value);
        let unnamed: BTreeMap<&WebhookFamily, &DecimalValue> =
            self.by_output.get(&None).into_iter().flatten().collect();
        let beyond = unnamed.into_iter().map(|(family, value)| {
            let others = outputs().filter(|families| !families.contains_key(family)).filter_map(greatest);
            value.clone() - &others.fold(zero(), |sum, value| sum + &value)
        });
        named + &beyond.max().unwrap_or_else(zero).max(zero())
    }
}
