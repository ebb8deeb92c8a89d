//! What a deposit or a withdrawal moved: the amounts that control totals add up.

use std::collections::BTreeSet;
use std::fmt;

use fundhook_domain::{
    Amount, Books, CoinId, Credit, DecimalValue, DepositStatus, Details, Event, EventBody, FeeBearer, HoldReason, Kind,
    LedgerAccount, Network, Purpose, Resource, Statement, Status, ToldCoin, TransferBody, TransferDetails,
    WithdrawalStatus,
};
use serde::{Deserialize, Serialize};

/// The asset of an amount that names none.
pub(crate) const UNNAMED_ASSET: &str = "-";

/// Which way money went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// It came in and was credited, or was drawn from the user's bank account.
    In,
    /// It came in outside the authorised flow, and is to be returned.
    Unexpected,
    /// It left: a withdrawal, with its fee.
    Out,
    /// It was returned: a payment that clears unexpected deposits, with its fee.
    Returned,
    /// A fee that the customer bore, in the asset in which it was taken.
    Fees,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::In => "in",
            Self::Unexpected => "unexpected",
            Self::Out => "out",
            Self::Returned => "returned",
            Self::Fees => "fees",
        })
    }
}

/// An amount that was moved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moved {
    /// Which way.
    pub flow: Flow,
    /// The asset's canonical code; `-` when none is named.
    pub asset: String,
    /// The amount in whole coins, not zero.
    pub value: DecimalValue,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.flow, self.value, self.asset)
    }
}

/// What a thing says about itself that its amounts depend on.
struct Stated<'a> {
    status: Status,
    purpose: Option<Purpose>,
    asset: Option<&'a str>,
    network: Option<&'a Network>,
    /// What arrived, or what left with its fee, in whole coins.
    amount: Option<DecimalValue>,
    /// The fee of a withdrawal, with its asset.
    fee: Option<(DecimalValue, Option<&'a str>)>,
    credit: Option<&'a Credit>,
}

impl Stated<'_> {
    /// What it moved; nothing unless its status is that of money which has arrived or left.
    fn moved(self) -> Vec<Moved> {
        let flow = match (self.status, self.purpose) {
            (Status::Deposit(DepositStatus::Confirmed), _) => Flow::In,
            (Status::Deposit(DepositStatus::Unexpected), _) => Flow::Unexpected,
            (Status::Withdrawal(WithdrawalStatus::Confirmed), Some(Purpose::Return)) => Flow::Returned,
            (Status::Withdrawal(WithdrawalStatus::Confirmed), Some(Purpose::BankDebit)) => Flow::In,
            (Status::Withdrawal(WithdrawalStatus::Confirmed), Some(Purpose::BankCredit) | None) => Flow::Out,
            // Whether money came in or left is not known.
            (Status::Withdrawal(WithdrawalStatus::Confirmed), Some(Purpose::BankTransfer)) => return Vec::new(),
            (
                Status::Deposit(
                    DepositStatus::Pending
                    | DepositStatus::Submitted
                    | DepositStatus::Abandoned
                    | DepositStatus::Held
                    | DepositStatus::Failed
                    | DepositStatus::Reversed,
                )
                | Status::Withdrawal(
                    WithdrawalStatus::Initiated
                    | WithdrawalStatus::Submitted
                    | WithdrawalStatus::Broadcast
                    | WithdrawalStatus::Failed
                    | WithdrawalStatus::Abandoned
                    | WithdrawalStatus::Returned,
                )
                | Status::Fee(_)
                | Status::Exchange(_)
                | Status::Recovery(_)
                | Status::Participant(_)
                | Status::ExternalAccount(_)
                | Status::Balance
                | Status::Unrecognized,
                _,
            ) => return Vec::new(),
        };
        let canonical = |asset: Option<&str>, network| {
            let coin = CoinId::of(ToldCoin { asset, network, ..ToldCoin::default() });
            coin.asset().unwrap_or(UNNAMED_ASSET).to_owned()
        };
        let gross = self.credit.filter(|_| self.amount.is_none()).map(|credit| &credit.gross);
        let (value, asset) = match gross {
            Some(gross) => (gross.value.clone(), canonical(Some(&gross.asset), None)),
            None => (self.amount.unwrap_or_else(DecimalValue::zero), canonical(self.asset, self.network)),
        };
        let mut moved = vec![Moved { flow, asset, value }];
        let of_customer = self.credit.into_iter().flat_map(|credit| &credit.fees);
        let of_customer = of_customer.filter(|fee| fee.borne_by == FeeBearer::Customer);
        let of_credit = of_customer.map(|fee| (fee.value.clone(), canonical(Some(&fee.asset), None)));
        let of_withdrawal = self.fee.map(|(value, asset)| (value, canonical(asset.or(self.asset), self.network)));
        let fees = of_credit.chain(of_withdrawal).filter(|(value, _)| value.is_positive());
        moved.extend(fees.map(|(value, asset)| Moved { flow: Flow::Fees, asset, value }));
        moved
    }
}

/// Amounts of one flow and asset as one amount, in order.
fn summed(moved: Vec<Moved>) -> Vec<Moved> {
    let mut sums: Vec<Moved> = Vec::with_capacity(moved.len());
    for one in moved {
        match sums.iter_mut().find(|sum| (sum.flow, &sum.asset) == (one.flow, &one.asset)) {
            Some(sum) => sum.value = sum.value.clone() + &one.value,
            None => sums.push(one),
        }
    }
    // What is not stated in coins cannot be added up.
    sums.retain(|sum| sum.value != DecimalValue::zero());
    sums.sort();
    sums
}

fn of_details(status: Status, details: &Details) -> Vec<Moved> {
    let transfer = match details {
        Details::Transfer(transfer) => transfer,
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => {
            return Vec::new();
        }
    };
    let TransferDetails { asset, network, purpose, fee, credit, .. } = &**transfer;
    let outflow = transfer.outflow();
    let is_deposit = status.kind() == Kind::Deposit;
    let amount = if is_deposit { transfer.quantity.clone().or(transfer.total.clone()) } else { outflow.leaving() };
    let other_fee = || {
        let fee = fee.as_ref().filter(|_| outflow.fee.is_none())?;
        Some((fee.quantity.in_major()?, fee.asset.as_deref()))
    };
    let fee = outflow.fee_in_major().map(|fee| (fee, None)).or_else(other_fee);
    let stated = Stated {
        status,
        purpose: *purpose,
        asset: asset.as_deref(),
        network: network.as_ref(),
        amount: amount.and_then(|amount| amount.in_major()),
        fee: fee.filter(|_| !is_deposit),
        credit: credit.as_ref(),
    };
    summed(stated.moved())
}

/// What a row of a list says that was moved. A deposit counts as credited if the provider credited it, even if the row alone
/// does not tell who bears a fee.
pub fn moved_by_row(row: &Statement) -> Vec<Moved> {
    let confirmed = Status::Deposit(DepositStatus::Confirmed);
    let is_credited = row.content.details.hold().is_some_and(|hold| hold.reason == HoldReason::FeeBearerUnknown);
    let status = if is_credited { Some(confirmed) } else { row.content.status };
    status.map(|status| of_details(status, &row.content.details)).unwrap_or_default()
}

/// What is recorded that a resource moved. Nothing while its statements conflict, or if another resource counts in its place.
pub fn moved_by(resource: &Resource) -> Vec<Moved> {
    let Some(view) = resource.view() else {
        return Vec::new();
    };
    let counts = view.conflict.is_none() && view.duplicate_of.is_none() && view.booked_by.is_none();
    let status = view.status.filter(|_| counts);
    status.map(|status| of_details(status, &view.details)).unwrap_or_default()
}

/// What an event says that its resource moved.
pub(crate) fn moved_by_event(event: &Event) -> Vec<Moved> {
    let EventBody::Transfer(body) = &event.data.body else {
        return Vec::new();
    };
    let Some(status) = status_of(event) else {
        return Vec::new();
    };
    let TransferBody { amount, total, fee, asset, network, purpose, credit, .. } = &**body;
    let is_deposit = status.kind() == Kind::Deposit;
    let named = if is_deposit { amount.as_ref() } else { total.as_ref().or(amount.as_ref()) };
    // What a total is more than its amount is the fee, whether or not the provider states one.
    let major = |amount: &Option<Amount>| amount.as_ref().and_then(|amount| amount.major.clone());
    let fee_within = major(total).zip(major(amount)).map(|(total, amount)| (total - &amount, None));
    let fee_within = fee_within.filter(|(fee, _)| fee.is_positive());
    let fee_stated = fee.as_ref().and_then(|fee| Some((fee.major.clone()?, fee.asset.as_deref())));
    let stated = Stated {
        status,
        purpose: *purpose,
        asset: named.and_then(|amount| amount.asset.as_deref()).or(asset.as_deref()),
        network: named.and_then(|amount| amount.network.as_ref()).or(network.as_ref()),
        amount: named.and_then(|amount| amount.major.clone()),
        fee: fee_within.or(fee_stated).filter(|_| !is_deposit),
        credit: credit.as_ref(),
    };
    summed(stated.moved())
}

/// What the postings of a resource's events up to this one say that it moved.
pub(crate) fn moved_by_postings(event: &Event) -> Vec<Moved> {
    let Some(first) = moved_by_event(event).first().map(|moved| moved.flow) else {
        return Vec::new();
    };
    let zero = DecimalValue::zero;
    let mut moved = Vec::new();
    let booked: &Books = &event.data.booked;
    let assets: BTreeSet<&str> = booked.balances().map(|(asset, _, _)| asset).collect();
    for asset in assets {
        let sum = |is_wanted: fn(&LedgerAccount) -> bool| {
            let wanted = booked.balances().filter(|(of, account, _)| *of == asset && is_wanted(account));
            wanted.fold(zero(), |sum, (_, _, value)| sum + value)
        };
        let provider = sum(|account| matches!(account, LedgerAccount::Provider(_)));
        let fees = zero() - &sum(|account| matches!(account, LedgerAccount::Fees(_)));
        let at_provider = provider != zero();
        let flow_value = match first {
            Flow::In | Flow::Unexpected => provider,
            Flow::Out | Flow::Returned | Flow::Fees => fees.clone() - &provider,
        };
        if at_provider {
            moved.push(Moved { flow: first, asset: asset.to_owned(), value: flow_value });
        }
        if fees.is_positive() {
            moved.push(Moved { flow: Flow::Fees, asset: asset.to_owned(), value: fees });
        }
    }
    summed(moved)
}

/// The status that the event says its resource has; `None` if it has none, conflicts, is a duplicate, or is booked by another
/// resource.
fn status_of(event: &Event) -> Option<Status> {
    let named = event.status_attribute().filter(|_| event.data.booked_by.is_none())?;
    Status::ALL.into_iter().find(|status| status.kind().as_str() == event.data.kind && status.as_str() == named)
}
