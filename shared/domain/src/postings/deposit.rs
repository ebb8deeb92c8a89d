//! What a deposit books.

use super::books::{Booked, Books, LedgerAccount};
use crate::{Credit, CreditForm, DepositStatus, FeeBearer, Feed, HoldReason, Status, TransferDetails, View};

/// What a deposit books; `None` when it books nothing: nothing arrived, or what arrived cannot be stated.
pub(super) fn books(view: &View, transfer: &TransferDetails, feed: &Feed) -> Option<Books> {
    let Status::Deposit(status) = view.status? else {
        return None;
    };
    let held = || arrived(transfer).map(|amount| kept(&amount, feed, LedgerAccount::Held(feed.clone())));
    if view.conflict.is_some() {
        return held();
    }
    match status {
        DepositStatus::Pending | DepositStatus::Submitted | DepositStatus::Abandoned | DepositStatus::Failed => None,
        // Another webhook family reports the same coin, and that deposit books it.
        DepositStatus::Held if view.details.hold().is_some_and(|hold| hold.reason == HoldReason::Corroborates) => None,
        DepositStatus::Held => held(),
        DepositStatus::Confirmed => credited(transfer, feed).or_else(held),
        DepositStatus::Unexpected => {
            arrived(transfer).map(|amount| kept(&amount, feed, LedgerAccount::Returns(feed.clone())))
        }
        // What the confirmation booked is undone.
        DepositStatus::Reversed => None,
    }
}

/// Everything that arrived, on one account.
fn kept(amount: &Booked, feed: &Feed, account: LedgerAccount) -> Books {
    let mut books = Books::default();
    books.book(LedgerAccount::Provider(feed.clone()), account, amount);
    books
}

/// What arrived: the amount, or otherwise what was paid in according to the credit.
fn arrived(transfer: &TransferDetails) -> Option<Booked> {
    let quantity = transfer.quantity.as_ref().and_then(|quantity| quantity.in_major());
    let amount = Booked::of(quantity, transfer.asset.as_deref(), transfer.network.as_ref());
    amount.or_else(|| {
        let gross = &transfer.credit.as_ref()?.gross;
        Booked::of(Some(gross.value.clone()), Some(&gross.asset), None)
    })
}

/// The customer gets the net, and the fees that the customer bears are set apart. A fee that the platform bears is not
/// booked: the provider charges it on its own.
fn credited(transfer: &TransferDetails, feed: &Feed) -> Option<Books> {
    let credit = transfer.credit.as_ref()?;
    let customer = LedgerAccount::Customer(transfer.account.clone()?);
    let (network, given_up) = match credit.form {
        CreditForm::InKind => (transfer.network.as_ref(), None),
        CreditForm::Converted => (None, given_up(transfer, credit, feed)),
    };
    let source = if given_up.is_some() { LedgerAccount::Conversion } else { LedgerAccount::Provider }(feed.clone());
    let amount = |value| Booked::of(Some(value), Some(&credit.gross.asset), network);
    let mut books = Books::default();
    books.book(source.clone(), customer, &amount(credit.net.value.clone())?);
    for fee in credit.fees.iter().filter(|fee| fee.borne_by == FeeBearer::Customer) {
        if let Some(fee) = amount(fee.value.clone()) {
            books.book(source.clone(), LedgerAccount::Fees(feed.clone()), &fee);
        }
    }
    given_up.iter().for_each(|given_up| books += given_up);
    Some(books)
}

/// What arrived and was given up for what is credited.
fn given_up(transfer: &TransferDetails, credit: &Credit, feed: &Feed) -> Option<Books> {
    let from = credit.conversion.as_ref().map(|conversion| &conversion.from);
    let stated =
        from.and_then(|from| Booked::of(Some(from.value.clone()), Some(&from.asset), transfer.network.as_ref()));
    let amount = stated.or_else(|| arrived(transfer))?;
    Some(kept(&amount, feed, LedgerAccount::Conversion(feed.clone())))
}
