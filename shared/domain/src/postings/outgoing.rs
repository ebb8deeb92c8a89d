//! What withdrawals, fees and exchanges book.

use super::books::{Booked, Books, LedgerAccount};
use crate::{
    Amount, ExchangeStatus, FeeStatus, Feed, Kind, Purpose, Side, Status, TransferDetails, View, WithdrawalStatus,
};

/// Who pays: the customer, or the money that is to be returned. Money whose owner is not known is held.
fn payer(transfer: &TransferDetails, feed: &Feed) -> LedgerAccount {
    match (transfer.purpose, &transfer.account) {
        (Some(Purpose::Return), _) => LedgerAccount::Returns(feed.clone()),
        (_, Some(account)) => LedgerAccount::Customer(account.clone()),
        (_, None) => LedgerAccount::Held(feed.clone()),
    }
}

/// What a withdrawal books. While it is under way, or its statements conflict, its money is set apart: the customer cannot
/// spend it, and it has not left.
pub(super) fn withdrawal(view: &View, transfer: &TransferDetails, feed: &Feed) -> Option<Books> {
    let Status::Withdrawal(status) = view.status? else {
        return None;
    };
    let parts = Parts::of(transfer)?;
    match transfer.purpose {
        Some(Purpose::BankDebit) => return bank_debit(view, status, transfer, feed, &parts.whole()),
        // Whether money comes in or leaves is not known.
        Some(Purpose::BankTransfer) => return None,
        Some(Purpose::Return | Purpose::BankCredit) | None => {}
    }
    let payer = payer(transfer, feed);
    let mut books = Books::default();
    let set_apart = |books: &mut Books, account: LedgerAccount| {
        books.book(payer.clone(), account.clone(), &parts.whole());
        parts.other_fee.iter().for_each(|fee| books.book(payer.clone(), account.clone(), fee));
    };
    match status {
        _ if view.conflict.is_some() => set_apart(&mut books, LedgerAccount::Held(feed.clone())),
        WithdrawalStatus::Initiated | WithdrawalStatus::Submitted | WithdrawalStatus::Broadcast => {
            set_apart(&mut books, LedgerAccount::InTransit(feed.clone()));
        }
        WithdrawalStatus::Confirmed => {
            let (provider, fees) = (LedgerAccount::Provider(feed.clone()), LedgerAccount::Fees(feed.clone()));
            parts.sent.iter().for_each(|sent| books.book(payer.clone(), provider.clone(), sent));
            parts.fees().for_each(|fee| books.book(payer.clone(), fees.clone(), fee));
        }
        WithdrawalStatus::Failed | WithdrawalStatus::Abandoned | WithdrawalStatus::Returned => {
            // What the provider says that it did not give back.
            let refunded = transfer.refunded.as_ref().and_then(|refunded| refunded.in_major());
            let kept = refunded.and_then(|refunded| parts.whole().less(&refunded));
            kept.iter().for_each(|kept| books.book(payer.clone(), LedgerAccount::Held(feed.clone()), kept));
        }
    }
    Some(books)
}

/// What a withdrawal consists of.
struct Parts {
    /// What is sent.
    sent: Option<Booked>,
    /// The fee in the same asset.
    fee: Option<Booked>,
    /// The fee in another asset.
    other_fee: Option<Booked>,
    whole: Booked,
}

impl Parts {
    /// `None` when the amount is not known. A fee that is a resource of its own books itself.
    fn of(transfer: &TransferDetails) -> Option<Self> {
        let (asset, network) = (transfer.asset.as_deref(), transfer.network.as_ref());
        let outflow = transfer.outflow();
        if transfer.related.iter().any(|id| id.kind() == Kind::Fee) {
            let quantity = outflow.quantity.or(outflow.total)?;
            let whole = Booked::of(quantity.in_major(), asset, network)?;
            return Some(Self { sent: Some(whole.clone()), fee: None, other_fee: None, whole });
        }
        let whole = Booked::of(outflow.leaving()?.in_major(), asset, network)?;
        let fee = outflow.fee_in_major().and_then(|fee| whole.part(fee.min(whole.value.clone())));
        let sent = match &fee {
            Some(fee) => whole.less(&fee.value),
            None => Some(whole.clone()),
        };
        let other_fee = transfer.fee.as_ref().filter(|_| outflow.fee.is_none());
        let other_fee =
            other_fee.and_then(|fee| Booked::of(fee.quantity.in_major(), fee.asset.as_deref(), fee.network.as_ref()));
        Some(Self { sent, fee, other_fee, whole })
    }

    fn whole(&self) -> Booked {
        self.whole.clone()
    }

    fn fees(&self) -> impl Iterator<Item = &Booked> {
        self.fee.iter().chain(&self.other_fee)
    }
}

/// A payment that draws money from the customer's bank account: nothing has arrived before it is confirmed.
fn bank_debit(
    view: &View,
    status: WithdrawalStatus,
    transfer: &TransferDetails,
    feed: &Feed,
    amount: &Booked,
) -> Option<Books> {
    let owner = match status {
        _ if view.conflict.is_some() => LedgerAccount::Held(feed.clone()),
        WithdrawalStatus::Confirmed => payer(transfer, feed),
        WithdrawalStatus::Initiated
        | WithdrawalStatus::Submitted
        | WithdrawalStatus::Broadcast
        | WithdrawalStatus::Failed
        | WithdrawalStatus::Abandoned
        | WithdrawalStatus::Returned => return None,
    };
    let mut books = Books::default();
    books.book(LedgerAccount::Provider(feed.clone()), owner, amount);
    Some(books)
}

/// What a fee books. The credit to the account that receives it books nothing: the debit of the account that pays it does.
pub(super) fn fee(view: &View, transfer: &TransferDetails, feed: &Feed) -> Option<Books> {
    let Status::Fee(status) = view.status? else {
        return None;
    };
    if status == FeeStatus::Charged && transfer.side == Some(Side::Credit) {
        return None;
    }
    let charged = transfer.quantity.as_ref().and_then(|quantity| quantity.in_major());
    let charged = Booked::of(charged, transfer.asset.as_deref(), transfer.network.as_ref())?;
    let booked = match status {
        _ if view.conflict.is_some() => Some(charged),
        FeeStatus::Charged => Some(charged),
        // What was not given back, if the provider says how much was.
        FeeStatus::Refunded => {
            let refunded = transfer.refunded.as_ref().and_then(|refunded| refunded.in_major());
            refunded.and_then(|refunded| charged.less(&refunded))
        }
    };
    let account = if view.conflict.is_some() { LedgerAccount::Held } else { LedgerAccount::Fees };
    let mut books = Books::default();
    books.book(payer(transfer, feed), account(feed.clone()), &booked?);
    Some(books)
}

/// What an exchange books. Until both sides are known, the customer gets nothing.
pub(super) fn exchange(view: &View, transfer: &TransferDetails, feed: &Feed) -> Option<Books> {
    let Status::Exchange(status) = view.status? else {
        return None;
    };
    let side = |amount: &Option<Amount>| {
        let amount = amount.as_ref()?;
        Booked::of(amount.major.clone(), amount.asset.as_deref(), amount.network.as_ref())
    };
    let (sold, bought) = (side(&transfer.exchange.sold), side(&transfer.exchange.bought));
    let (owner, conversion) = (payer(transfer, feed), LedgerAccount::Conversion(feed.clone()));
    let mut books = Books::default();
    match (status, sold, bought) {
        (_, sold, _) if view.conflict.is_some() => books.book(owner, LedgerAccount::Held(feed.clone()), &sold?),
        (ExchangeStatus::Pending, sold, _) | (ExchangeStatus::Confirmed, sold @ Some(_), None) => {
            books.book(owner, LedgerAccount::InTransit(feed.clone()), &sold?);
        }
        (ExchangeStatus::Confirmed, Some(sold), Some(bought)) => {
            books.book(owner.clone(), conversion.clone(), &sold);
            books.book(conversion, owner, &bought);
        }
        (ExchangeStatus::Confirmed, None, Some(bought)) => {
            books.book(conversion, LedgerAccount::Held(feed.clone()), &bought);
        }
        (ExchangeStatus::Refunded, sold, _) => {
            // What did not come back, if the provider says how much did. Another asset that came back is not a part of it.
            let (sold, refunded) = (sold?, side(&transfer.exchange.refunded)?);
            let kept = if sold.asset == refunded.asset { sold.less(&refunded.value)? } else { sold };
            books.book(owner, LedgerAccount::Held(feed.clone()), &kept);
        }
        (ExchangeStatus::Confirmed, None, None) => return None,
    }
    Some(books)
}
