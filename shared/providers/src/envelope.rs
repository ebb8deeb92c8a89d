//! A verified webhook on the ingress queue and in the evidence archive.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::json_fault;
use fundhook_domain::{Attestation, Feed, Timestamp};
use serde::{Deserialize, Serialize};

use crate::VerifiedWebhook;

/// The version of the envelope that this code writes and reads.
const VERSION: u8 = 1;

/// A verified webhook, or a row of the provider's list, with all that is needed to verify it again: the URL, the headers that the signature covers or
/// that name the type, the raw body, and which key verified it.
///
/// Made only from a [`VerifiedWebhook`] or from a row of the provider's list ([`connect::listed`](crate::connect::listed)),
/// or read back from the queue and the archive, which only the receiver, the reconciler and fan-out may write to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    v: u8,
    feed: Feed,
    received_at: Timestamp,
    url: String,
    headers: Vec<(String, String)>,
    body: Body,
    attestation: Attestation,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    trace: Option<String>,
}

/// The raw body: as text where it is UTF-8, so that people and tools can read the archive, else as base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    fn of(text: String) -> Self {
        // Escaping can make text six times as long (control characters); base64 never more than a third longer.
        if escaped_len(&text) <= text.len() / 3 * 4 {
            Self::Text(text)
        } else {
            Self::Base64(BASE64_STANDARD.encode(text))
        }
    }
}

/// Why a message is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// It does not have the envelope's shape.
    #[error("the message is not an envelope: {0}")]
    Shape(String),
    /// It is of a version that this code does not know.
    #[error("the envelope is of version {0}, this code reads version {VERSION}")]
    Version(u8),
    /// Its body does not decode.
    #[error("the envelope's body is not valid base64")]
    Body(#[source] base64::DecodeError),
}

impl Envelope {
    /// Wraps a verified webhook. `trace` is the tracing header of the request it came in, where there is one.
    pub fn seal(webhook: VerifiedWebhook, received_at: Timestamp, trace: Option<String>) -> Self {
        let VerifiedWebhook { feed, url, headers, body, attestation } = webhook;
        let body = match String::from_utf8(body) {
            Ok(text) => Body::of(text),
            Err(error) => Body::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        };
        Self { v: VERSION, feed, received_at, url, headers, body, attestation, trace }
    }

    /// Wraps what was read at `read_at` from the provider's API at `url`.
    pub(crate) fn of_answer(
        feed: Feed,
        url: String,
        body: String,
        read_at: Timestamp,
        attestation: Attestation,
    ) -> Self {
        let (headers, body) = (Vec::new(), Body::of(body));
        Self { v: VERSION, feed, received_at: read_at, url, headers, body, attestation, trace: None }
    }

    /// Reads an envelope from its JSON.
    pub fn from_json(json: &str) -> Result<Self, EnvelopeError> {
        let envelope: Self = serde_json::from_str(json).map_err(|error| EnvelopeError::Shape(json_fault(&error)))?;
        if envelope.v != VERSION {
            return Err(EnvelopeError::Version(envelope.v));
        }
        if let Body::Base64(text) = &envelope.body {
            BASE64_STANDARD.decode(text).map_err(EnvelopeError::Body)?;
        }
        Ok(envelope)
    }

    /// Who sent it, and for whom.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// When Fundhook received it.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The URL that the signature covers; the path it came in on when it covers none; where it was read, if it was.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that were kept: those that it takes to verify it again, and those that tell what it is.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The header `name`, if it was kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body, to the byte as it was received.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.body {
            Body::Text(text) => Cow::Borrowed(text.as_bytes()),
            // Checked by `from_json` and true by construction in `seal`, so there is nothing to report here.
            Body::Base64(text) => Cow::Owned(BASE64_STANDARD.decode(text).unwrap_or_default()),
        }
    }

    /// What its verification established.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }
}

/// How long `text` is as a JSON string, without its quotes.
fn escaped_len(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}
