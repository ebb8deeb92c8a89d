//! Rows of the lists of the providers' APIs.
//!
//! A row is read like the webhook about the same thing. It is not signed: it was read over TLS from the configured host with
//! the organization's own credentials, which is the weakest class of evidence.

use fundhook_domain::{
    Attestation, EvidenceClass, Feed, ListKind, ListedAt, Provider, Scheme, Timestamp, WebhookFamily,
};

use crate::Envelope;
use crate::accounts::{AccountSort, account_row};
use crate::draft::{Draft, NotUnderstood, Received};
use crate::envelope::Row;
use crate::wire::{Fields, members};
use crate::zerohash::{self, FundContext, fund_draft};

/// A row of a list as it was read.
#[derive(Clone, Debug)]
pub struct RawRow<'a> {
    /// The list.
    pub list: ListKind,
    /// The feed that the row reconciles. For a row of Connect's list, Connect's, or zerohash's when its fund webhooks
    /// report the same `fund_id`.
    pub feed: &'a Feed,
    /// The row's JSON text, unchanged.
    pub json: String,
    /// The URL that it was read from.
    pub url: &'a str,
    /// When it was read.
    pub read_at: Timestamp,
}

/// The envelope of a row.
pub fn listed(row: RawRow<'_>) -> Envelope {
    let RawRow { list, feed, json, url, read_at } = row;
    let attestation = Attestation {
        scheme: Scheme::of_list(list),
        class: EvidenceClass::Api,
        key: origin(url).to_owned(),
        signed_at: None,
        token_verified: false,
    };
    Envelope::of_row(Row { feed: feed.clone(), url: url.to_owned(), body: json, read_at, attestation })
}

/// The date by which the provider selects `row`, the JSON text of a row. What the row reports may have happened later.
///
/// It may be an RFC 3339 string, or a UNIX time in seconds, milliseconds or nanoseconds as a number or a string.
pub fn listed_at(list: ListKind, row: &str) -> ListedAt {
    let member = match list {
        ListKind::ConnectTransactions | ListKind::FundTransactions => "deposit_timestamp",
        ListKind::Payments => "created_at",
        ListKind::Participants | ListKind::ExternalAccounts => return first_time(row, &["updated_at", "created_at"]),
        ListKind::Accounts => "last_update",
        // [zerohash-openapi] documents neither what `from_timestamp` compares, nor a date in a bank payment's row.
        ListKind::Deposits | ListKind::BankPayments => return ListedAt::AsRequested,
    };
    first_time(row, &[member])
}

/// The first of these members that is a time.
fn first_time(row: &str, names: &[&str]) -> ListedAt {
    let members = members(row.as_bytes()).ok();
    let stated = members.and_then(|members| names.iter().find_map(|name| members.time(name)));
    stated.map_or(ListedAt::Missing, ListedAt::At)
}

/// The origin of `url`: `https://api.connect.xyz`.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    &url[..end]
}

/// The name of the event that a row reports.
fn event(list: ListKind) -> &'static str {
    match list {
        ListKind::ConnectTransactions => "connect.transactions",
        ListKind::FundTransactions => "zerohash.fund_transactions",
        ListKind::Deposits => "zerohash.deposits",
        ListKind::Payments => "zerohash.payments",
        ListKind::BankPayments => "zerohash.bank_payments",
        ListKind::Participants => "zerohash.participants",
        ListKind::ExternalAccounts => "zerohash.external_accounts",
        ListKind::Accounts => "zerohash.accounts",
    }
}

/// What a row of `list` states.
pub(crate) fn drafts(
    list: ListKind,
    received: &Received<'_>,
    mut members: Fields,
) -> Result<Vec<Draft>, NotUnderstood> {
    let event_type = event(list);
    let fund = |family, members| {
        let context = FundContext { feed: received.envelope.feed(), event_type, family, settings: received.settings };
        fund_draft(&context, members).map(|draft| vec![draft])
    };
    let drafts = match list {
        ListKind::ConnectTransactions => {
            // For zerohash's feed, a row reports what the fund webhook reports. For Connect's feed, the list and the
            // webhooks may both report a coin, so they are two families.
            let family = match received.envelope.feed().provider() {
                Provider::Zerohash => WebhookFamily::ZerohashFund,
                Provider::Connect | Provider::Striga => WebhookFamily::ConnectTransactions,
            };
            fund(family, members)
        }
        ListKind::FundTransactions => fund(WebhookFamily::ZerohashFund, members),
        ListKind::Deposits => zerohash::deposit_row(received, event_type, members),
        ListKind::Payments => zerohash::payment_row(received, event_type, members),
        ListKind::BankPayments => zerohash::bank_payment_row(received, event_type, members),
        ListKind::Participants => account_row(received, event_type, AccountSort::Participant, members),
        ListKind::ExternalAccounts => account_row(received, event_type, AccountSort::ExternalAccount, members),
        ListKind::Accounts => {
            for (listed, member) in [("account_owner", "participant_code"), ("last_update", "timestamp")] {
                members.rename(listed, member);
            }
            account_row(received, event_type, AccountSort::Balance, members)
        }
    };
    drafts.map_err(|reason| NotUnderstood { named: None, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_a_url_has_no_path() {
        for (url, expected) in [
            ("https://api.connect.xyz/transactions", "https://api.connect.xyz"),
            ("http://127.0.0.1:8080/v1/transactions", "http://127.0.0.1:8080"),
            ("https://api.connect.xyz", "https://api.connect.xyz"),
            ("nowhere", "nowhere"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
