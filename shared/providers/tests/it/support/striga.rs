//! Striga's webhooks, with valid signatures.

use fundhook_domain::{Feed, Provider};
use fundhook_providers::striga::{SIGNATURE_HEADER, verify};
use fundhook_providers::{Envelope, Secrets, Webhook};
use serde_json::json;

use super::sealed;
use super::zerohash::{secrets_of, shared};

/// The path of Striga's webhooks, to which the provider appends the subject.
pub(crate) const PATH: &str = "/webhooks/striga/tx";
/// The API key, with which Striga signs.
pub(crate) const SECRET: &str = "striga test api key 0123456789abcdef";
/// The previous API key.
pub(crate) const PREVIOUS_SECRET: &str = "striga test api key of last year";

/// Striga's webhooks for the default organization.
pub(crate) fn feed() -> Feed {
    Feed::from(Provider::Striga)
}

/// The secrets with only [`SECRET`].
pub(crate) fn secrets() -> Secrets {
    secrets_of(&json!({ "current": SECRET }))
}

/// The request with `body` and these headers.
pub(crate) fn request<N: Into<String>, V: Into<String>>(
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
) -> Webhook {
    Webhook { path: PATH.to_owned(), ..super::request(headers, body) }
}

/// The webhook with `body` as Striga sends it.
pub(crate) fn webhook(body: &[u8]) -> Webhook {
    request([(SIGNATURE_HEADER, shared(SECRET).sign(body))], body)
}

/// The envelope of Striga's webhook with `body`.
pub(crate) fn envelope(body: &[u8]) -> Envelope {
    envelope_for(&feed(), body)
}

pub(super) fn envelope_for(feed: &Feed, body: &[u8]) -> Envelope {
    sealed(verify(webhook(body), feed, &secrets()).expect("the test secret signed it"))
}
