//! Requests signed with a shared secret.

use fundhook_providers::{striga, zerohash};

use super::provider::zerohash::{shared, signature};

/// The headers of a webhook of zerohash that is signed with `secret` at `timestamp`.
pub(crate) fn by_zerohash(secret: &str, timestamp: &str, body: &[u8]) -> Vec<(String, String)> {
    let signed = signature(secret, body, timestamp);
    named(&[(zerohash::TIMESTAMP_HEADER, timestamp), (zerohash::SIGNATURE_HEADER, &signed)])
}

/// The headers of a webhook of Striga that is signed with `secret`.
pub(crate) fn by_striga(secret: &str, body: &[u8]) -> Vec<(String, String)> {
    named(&[(striga::SIGNATURE_HEADER, &shared(secret).sign(body))])
}

/// These headers.
pub(crate) fn named(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
