//! What a recovery's deposits and payments add up to, laid on the provider's time line.

use std::collections::BTreeMap;

use super::details::{RecoveryDetails, ReturnPayment, UnexpectedDeposit, is_moving};
use crate::{DecimalValue, Timestamp, WebhookFamily, WithdrawalStatus};

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
enum Movement {
    Arrival,
    Return,
}

impl RecoverySums {
    /// A payment returns only what was there before it, so a settled payment without a deposit is a surplus.
    pub(super) fn of(recovery: &RecoveryDetails) -> Self {
        let arrivals = arrivals(recovery).map(|(at, value)| (at, Movement::Arrival, value));
        let mut movements: Vec<(Timestamp, Movement, DecimalValue)> =
            arrivals.chain(returns(recovery).map(|(at, value)| (at, Movement::Return, value))).collect();
        movements.sort_by_key(|(at, movement, _)| (*at, *movement));

        let zero = DecimalValue::zero;
        let moving = recovery.payments.values().filter(|payment| is_moving(payment.status()));
        let moving = moving.filter_map(ReturnPayment::value).fold(zero(), |sum, value| sum + &value);
        let mut sums = Self { outstanding: zero(), expected: zero(), moving, returned: zero(), surplus: zero() };
        for (_, movement, value) in movements {
            match movement {
                Movement::Arrival => {
                    sums.outstanding = sums.outstanding + &value;
                    sums.expected = sums.expected + &value;
                }
                Movement::Return => {
                    let offset = sums.outstanding.clone().min(value.clone());
                    sums.outstanding = sums.outstanding - &offset;
                    sums.surplus = sums.surplus + &(value.clone() - &offset);
                    sums.returned = sums.returned + &value;
                }
            }
        }
        sums
    }
}

/// The settled payments: when each began, and how much it returned.
fn returns(recovery: &RecoveryDetails) -> impl Iterator<Item = (Timestamp, DecimalValue)> {
    let settled = recovery.payments.values().filter(|payment| payment.status() == WithdrawalStatus::Confirmed);
    settled.filter_map(|payment| Some((payment.began_at()?, payment.value()?)))
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
