//! The rows of Connect's `GET /transactions` [connect-guide §7].
//!
//! A row has the members of zerohash's fund webhook and is read as one. It is not signed: it was read over TLS from the
//! configured host with the organization's own token, which is the weakest class of evidence.

use fundhook_domain::{Attestation, EvidenceClass, Feed, Provider, Scheme, Timestamp, WebhookFamily};

use crate::Envelope;
use crate::draft::{Draft, NotUnderstood, Received};
use crate::envelope::Row;
use crate::wire::{Fields, members};
use crate::zerohash::{FundContext, fund_draft};

/// The name of the event that a row reports.
const EVENT: &str = "connect.transactions";

/// A row of `GET /transactions` as it was read.
#[derive(Clone, Debug)]
pub struct RawRow<'a> {
    /// The feed that the row reconciles: Connect's, or zerohash's when its fund webhooks report the same `fund_id`.
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
    let RawRow { feed, json, url, read_at } = row;
    let attestation = Attestation {
        scheme: Scheme::ConnectTransactionsApi,
        class: EvidenceClass::Api,
        key: origin(url).to_owned(),
        signed_at: None,
        token_verified: false,
    };
    Envelope::of_row(Row { feed: feed.clone(), url: url.to_owned(), body: json, read_at, attestation })
}

/// The `deposit_timestamp` of `row`, the JSON text of a row. The provider selects and orders rows by it; what the row
/// reports may have happened later.
///
/// It may be an RFC 3339 string, or a UNIX time in seconds, milliseconds or nanoseconds as a number or a string. `None`
/// when it is missing or not an instant, or when the row is not a JSON object.
pub fn deposited_at(row: &str) -> Option<Timestamp> {
    members(row.as_bytes()).ok()?.time("deposit_timestamp")
}

/// The origin of `url`: `https://api.connect.xyz`.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    &url[..end]
}

/// What a row states.
pub(crate) fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let feed = received.envelope.feed();
    // For zerohash's feed, a row reports what the fund webhook reports. For Connect's feed, the list and the webhooks
    // may both report a coin, so they are two families.
    let family = match feed.provider() {
        Provider::Zerohash => WebhookFamily::ZerohashFund,
        Provider::Connect | Provider::Striga => WebhookFamily::ConnectTransactions,
    };
    let settings = received.settings;
    let context = FundContext { feed, event_type: EVENT, family, settings };
    let draft = fund_draft(&context, members).map(|draft| vec![draft]);
    draft.map_err(|reason| NotUnderstood { named: None, reason })
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
