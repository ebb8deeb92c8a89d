//! Webhooks before and after verification.

use fundhook_domain::{Attestation, Feed};

use crate::Rejection;

/// The header in which zerohash and Connect name a payload's type. No signature covers it.
pub const PAYLOAD_TYPE_HEADER: &str = "x-zh-hook-payload-type";

/// The headers of a request. Names are compared without regard to case [rfc-9110 §5].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The value of the header `name`, which must occur at most once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let mut values = self.0.iter().filter(|(known, _)| known.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value.trim());
        match values.next() {
            Some(_) => Err(Rejection::HeaderRepeated(name.to_owned())),
            None => Ok(first),
        }
    }

    /// The value of the header `name`, which must occur exactly once and not be empty.
    pub fn required(&self, name: &str) -> Result<&str, Rejection> {
        let value = self.one(name)?.filter(|value| !value.is_empty());
        value.ok_or_else(|| Rejection::HeaderMissing(name.to_owned()))
    }

    /// All headers, as received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is a header `name`.
    pub fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    /// The first value of the header `name`, for headers that no decision depends on.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        Self(headers.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// A request as received. Untrusted: its body is not parsed before its signature is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The path of the request.
    pub path: String,
    /// The headers.
    pub headers: Headers,
    /// The body's bytes, unchanged.
    pub body: Vec<u8>,
}

/// A webhook whose signature verified. Only a provider's `verify` makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedWebhook {
    pub(crate) feed: Feed,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) attestation: Attestation,
}

impl VerifiedWebhook {
    /// Marks `webhook` as verified; only a provider's `verify` calls this. The headers `kept` are those that verifying
    /// it again requires, and those that identify it.
    pub(crate) fn attested(webhook: Webhook, feed: Feed, url: String, kept: &[&str], attestation: Attestation) -> Self {
        let Webhook { path: _, headers, body } = webhook;
        let header = |name: &&str| Some(((*name).to_owned(), headers.first(name)?.trim().to_owned()));
        let headers = kept.iter().filter_map(header).collect();
        Self { feed, url, headers, body, attestation }
    }

    /// The result of the verification.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The bytes that the signature covers, as received.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}
