//! zerohash's webhooks, with valid signatures.

use std::collections::BTreeMap;

use fundhook_domain::{Attestation, Feed, Provider, Tenant, Timestamp};
use fundhook_providers::zerohash::{
    NOTIFICATION_ID_HEADER, PAYLOAD_TYPE_HEADER, RsaPadding, SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER,
    signed_message, verify,
};
use fundhook_providers::{Envelope, Rejection, Secrets, SharedSecret, Webhook};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{SIGNED_AT, TOLERANCE, at, sealed};

/// The path of zerohash's webhooks.
pub(crate) const PATH: &str = "/webhooks/zerohash";
/// The secret that zerohash signs with.
pub(crate) const SECRET: &str = "zerohash test secret 0123456789abcdef";
/// The previous secret.
pub(crate) const PREVIOUS_SECRET: &str = "zerohash test secret of last year";
/// When requests are signed, as in their header: [`SIGNED_AT`] and a fraction of a second.
pub(crate) const SIGNED_AT_MILLISECONDS: &str = "1760484866123";

/// The default settings.
pub(crate) fn settings() -> Settings {
    Settings { tolerance: TOLERANCE, rsa_padding: RsaPadding::default(), legacy: false }
}

/// zerohash's webhooks for the default organization.
pub(crate) fn feed() -> Feed {
    Feed::from(Provider::Zerohash)
}

/// The secrets in `json`, which must be valid.
pub(crate) fn read(json: &Value) -> BTreeMap<Option<Tenant>, Secrets> {
    Secrets::from_json(&json.to_string()).expect("valid secrets")
}

/// The default organization's secrets when `entry` is stored for it.
pub(crate) fn secrets_of(entry: &Value) -> Secrets {
    read(&json!({ "default": entry })).remove(&None).expect("the default organization")
}

/// The secrets with only [`SECRET`].
pub(crate) fn secrets() -> Secrets {
    secrets_of(&json!({ "current": SECRET }))
}

/// `secret` as a shared secret.
pub(crate) fn shared(secret: &str) -> SharedSecret {
    SharedSecret::new(&SecretString::from(secret)).expect("long enough")
}

/// The HMAC by `secret` over `body` and `timestamp`.
pub(crate) fn signature(secret: &str, body: &[u8], timestamp: &str) -> String {
    shared(secret).sign(&signed_message(body, timestamp))
}

/// The request with `body` and these headers.
pub(crate) fn request<N: Into<String>, V: Into<String>>(
    headers: impl IntoIterator<Item = (N, V)>,
    body: &[u8],
) -> Webhook {
    Webhook { path: PATH.to_owned(), ..super::request(headers, body) }
}

/// The headers that zerohash sends with `body`, signed with [`SECRET`], in the order of its documentation.
pub(crate) fn headers(payload_type: Option<&str>, body: &[u8]) -> Vec<(String, String)> {
    let signature = signature(SECRET, body, SIGNED_AT_MILLISECONDS);
    let named = payload_type.map(|name| (PAYLOAD_TYPE_HEADER, name));
    let signed = [
        (NOTIFICATION_ID_HEADER, "cc3e3a41-ab74-4fc2-8d6e-5ac3fcf3e4f4"),
        (TIMESTAMP_HEADER, SIGNED_AT_MILLISECONDS),
        (SIGNATURE_HEADER, signature.as_str()),
    ];
    signed.into_iter().chain(named).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The envelope of zerohash's webhook with `body` and `payload_type` in its header.
pub(crate) fn envelope(payload_type: Option<&str>, body: &[u8]) -> Envelope {
    envelope_for(&feed(), payload_type, body)
}

pub(super) fn envelope_for(feed: &Feed, payload_type: Option<&str>, body: &[u8]) -> Envelope {
    let webhook = request(headers(payload_type, body), body);
    sealed(verify(webhook, feed, &settings(), &secrets(), at(SIGNED_AT)).expect("the test secret signed it"))
}

/// The instant of [`SIGNED_AT_MILLISECONDS`].
pub(crate) fn signed_at() -> Timestamp {
    Timestamp::from_unix_digits(SIGNED_AT_MILLISECONDS).expect("milliseconds")
}

/// The result of verifying `webhook`.
pub(crate) fn verified_with(
    webhook: Webhook,
    settings: &Settings,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<Attestation, Rejection> {
    let verified = verify(webhook, &feed(), settings, secrets, now);
    verified.map(|verified| verified.attestation().clone()).map_err(|(_, rejection)| rejection)
}

/// The public half of [`super::RSA`], as an operator stores it.
pub(crate) const PUBLIC_PEM: &str = include_str!("../../keys/test-key-rsa-2048.pub.pem");

/// The secrets with only the public key.
pub(crate) fn public_keys() -> Secrets {
    secrets_of(&json!({ "rsa_public_keys": [PUBLIC_PEM] }))
}

/// The secrets with [`SECRET`] and the public key.
pub(crate) fn both() -> Secrets {
    secrets_of(&json!({ "current": SECRET, "rsa_public_keys": [PUBLIC_PEM] }))
}
