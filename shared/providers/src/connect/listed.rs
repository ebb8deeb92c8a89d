//! The rows of Connect's `GET /transactions` (seed 000, section 7): what the provider says when it is asked.
//!
//! A row has the members of zerohash's fund webhook, and is read as one. Nothing is signed; it was read over TLS from the
//! configured host with the organization's own token, which is the weakest class of evidence.

use fundhook_domain::{Attestation, EvidenceClass, Feed, Provider, Scheme, Timestamp};

use crate::Envelope;
use crate::normalise::{Draft, NotUnderstood, Received};
use crate::wire::{Fields, members};
use crate::zerohash::{FundContext, fund_draft};

/// The event's name of what a row says.
const EVENT: &str = "connect.transactions";

/// An envelope of `row`, the JSON text of a row as it was read at `url`, about a deposit of `feed`: of Connect's, or of
/// zerohash's where its fund webhooks tell of the same `fund_id`.
pub fn listed(feed: &Feed, row: String, url: &str, read_at: Timestamp) -> Envelope {
    let attestation = Attestation {
        scheme: Scheme::ConnectTransactionsApi,
        class: EvidenceClass::Api,
        key: origin(url).to_owned(),
        signed_at: None,
        token_verified: false,
    };
    Envelope::of_answer(feed.clone(), url.to_owned(), row, read_at, attestation)
}

/// The `deposit_timestamp` of `row`, the JSON text of a row, by which the provider chooses and orders what it lists; what the
/// row says may have happened later.
///
/// It has the forms of the times in what a row says: an RFC 3339 text, or a UNIX time in seconds, milliseconds or
/// nanoseconds, as a number or a text. `None` when there is none, or what is there is no instant, or the row no JSON object.
pub fn deposited_at(row: &str) -> Option<Timestamp> {
    members(row.as_bytes()).ok()?.time("deposit_timestamp").ok().flatten()
}

/// Whose API it is: `https://api.connect.xyz`.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find('/').map_or(url.len(), |at| authority + at);
    &url[..end]
}

/// What a row says.
pub(crate) fn drafts(received: &Received<'_>, members: Fields) -> Result<Vec<Draft>, NotUnderstood> {
    let feed = received.envelope.feed();
    // Under zerohash's feed it tells what the fund webhook tells; under Connect's, the same coin may be told of twice.
    let stream = if feed.provider() == Provider::Zerohash { "zerohash.fund" } else { EVENT };
    let context = FundContext { feed, event_type: EVENT, stream, sent_at: received.sent_at };
    let stated = fund_draft(&context, members).map(|draft| vec![draft]);
    stated.map_err(|reason| NotUnderstood { named: None, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_api_it_was_is_told_without_the_path() {
        for (url, whose) in [
            ("https://api.connect.xyz/transactions", "https://api.connect.xyz"),
            ("http://127.0.0.1:8080/v1/transactions", "http://127.0.0.1:8080"),
            ("https://api.connect.xyz", "https://api.connect.xyz"),
            ("nowhere", "nowhere"),
        ] {
            assert_eq!(origin(url), whose);
        }
    }
}
