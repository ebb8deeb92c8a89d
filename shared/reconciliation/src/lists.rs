//! Which list contains what.

use fundhook_domain::{Details, Kind, ListKind, Provider, Purpose, Resource, ResourceId, WebhookFamily};

/// The lists in which the resource with this id can be asked for, the most specific first. `recorded` is what is known of it:
/// zerohash lists deposits of one family by their fund transactions, and those of another by their own ids.
///
/// Connect's list comes last for a zerohash deposit, because whether it has fund transactions is a setting.
pub fn lists_of(id: &ResourceId, recorded: Option<&Resource>) -> &'static [ListKind] {
    match (id.kind(), id.feed().provider()) {
        (Kind::Deposit, Provider::Connect) => &[ListKind::ConnectTransactions],
        (Kind::Deposit, Provider::Zerohash) => match recorded.and_then(family) {
            Some(WebhookFamily::ZerohashDepositStatus) => &[ListKind::Deposits],
            Some(WebhookFamily::ZerohashFund) => &[ListKind::FundTransactions, ListKind::ConnectTransactions],
            // `DEPOSIT_FAILED` gives no id that a list has.
            Some(WebhookFamily::ZerohashDepositFailed) => &[],
            Some(_) | None => &[ListKind::FundTransactions, ListKind::Deposits, ListKind::ConnectTransactions],
        },
        (Kind::Withdrawal, Provider::Zerohash) => match recorded.and_then(purpose) {
            Some(Purpose::BankDebit | Purpose::BankCredit | Purpose::BankTransfer) => &[ListKind::BankPayments],
            Some(Purpose::Return) | None => &[ListKind::Payments],
        },
        (Kind::Deposit, Provider::Striga) | (Kind::Withdrawal, Provider::Connect | Provider::Striga) => &[],
        (
            Kind::Fee
            | Kind::Exchange
            | Kind::Recovery
            | Kind::Participant
            | Kind::ExternalAccount
            | Kind::Balance
            | Kind::Unrecognized,
            Provider::Connect | Provider::Zerohash | Provider::Striga,
        ) => &[],
    }
}

/// Whether `list` contains resources like this one, so that its control totals count it.
///
/// Connect's list contains no deposit that zerohash reports under its own id (`deposit.status_changed`); such a deposit counts
/// where a listed row is about its coin.
pub fn is_listed_by(list: ListKind, resource: &Resource) -> bool {
    if list == ListKind::ConnectTransactions {
        return resource.id().kind() == Kind::Deposit && family(resource) != Some(WebhookFamily::ZerohashDepositStatus);
    }
    lists_of(resource.id(), Some(resource)).first() == Some(&list)
}

fn family(resource: &Resource) -> Option<WebhookFamily> {
    match &resource.view()?.details {
        Details::Transfer(transfer) => transfer.family,
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}

fn purpose(resource: &Resource) -> Option<Purpose> {
    match &resource.view()?.details {
        Details::Transfer(transfer) => transfer.purpose,
        Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => None,
    }
}
