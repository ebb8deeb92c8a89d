//! Envelopes: verified webhooks on the ingress queue and in the evidence archive.

use std::borrow::Cow;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, Backfill, CorrelationId, EvidenceClass, Feed, Scheme, Timestamp, json_fault};
use serde::{Deserialize, Serialize};

use crate::{PAYLOAD_TYPE_HEADER, VerifiedWebhook, Webhook};

/// The version of the envelope that this code writes and reads.
const VERSION: u8 = 1;

/// A verified webhook, or a row of the provider's list, with everything that verifying it again requires: the URL, the
/// headers that the signature covers or that name the type, the raw body, and the key that verified it.
///
/// It is made from a [`VerifiedWebhook`], from a row of the provider's list ([`listed`](crate::listed)), from a person's
/// [decision](crate::DecisionRecord) or from a [notice](crate::notice_envelope) of Fundhook's own, or read back from the queue
/// and the archive. Only the receiver, the reconciler and fan-out may write to those.
///
/// The one exception is [`Envelope::unverified`], for a preview. It says in its attestation that nothing was verified,
/// and [`Envelope::from_json`] rejects it, so it cannot pass a queue or the archive.
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
    /// When an operator had it read again. It is not a part of what was received.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    replayed_at: Option<Timestamp>,
    /// That a backfill of a past period read it. It is not a part of what was received.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    backfilled: Option<Backfill>,
}

/// The raw body: as text if it is UTF-8, so that people and tools can read the archive; otherwise as base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    fn of_bytes(bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(text) => Self::of(text),
            Err(error) => Self::Base64(BASE64_STANDARD.encode(error.as_bytes())),
        }
    }

    fn of(text: String) -> Self {
        // Escaping may make a text six times as long (control characters); base64 adds a third.
        if escaped_len(&text) <= text.len() / 3 * 4 {
            Self::Text(text)
        } else {
            Self::Base64(BASE64_STANDARD.encode(text))
        }
    }
}

/// A row that was read from a provider's API.
pub(crate) struct Row {
    pub(crate) feed: Feed,
    pub(crate) url: String,
    pub(crate) body: String,
    pub(crate) read_at: Timestamp,
    pub(crate) attestation: Attestation,
}

/// Why a message is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The message does not have the form of an envelope.
    #[error("the message is not an envelope: {0}")]
    Shape(String),
    /// The envelope has a version that this code does not read.
    #[error("the envelope has version {0}; this code reads version {VERSION}")]
    Version(u8),
    /// The body is not valid base64.
    #[error("the envelope's body is not valid base64")]
    Body(#[source] base64::DecodeError),
}

impl Envelope {
    /// Wraps a verified webhook. `trace` is the tracing header of its request, if there is one.
    pub fn seal(webhook: VerifiedWebhook, received_at: Timestamp, trace: Option<String>) -> Self {
        let VerifiedWebhook { feed, url, headers, body, attestation } = webhook;
        Self {
            v: VERSION,
            feed,
            received_at,
            url,
            headers,
            body: Body::of_bytes(body),
            attestation,
            trace,
            replayed_at: None,
            backfilled: None,
        }
    }

    /// Wraps a webhook of `feed` without verifying it. Only a preview (`cargo fundhook preview`) uses it: to show what
    /// the webhook would become if it were verified.
    ///
    /// Its attestation is [`Scheme::Unverified`], and [`Envelope::from_json`] rejects it. It keeps the header that
    /// names the payload type, and the statements in it have the time of receipt as the time of sending.
    pub fn unverified(webhook: Webhook, feed: Feed, received_at: Timestamp) -> Self {
        let Webhook { path, headers, body } = webhook;
        let payload_type = headers.first(PAYLOAD_TYPE_HEADER);
        let payload_type = payload_type.map(|name| (PAYLOAD_TYPE_HEADER.to_owned(), name.trim().to_owned()));
        Self {
            v: VERSION,
            feed,
            received_at,
            url: path,
            headers: payload_type.into_iter().collect(),
            body: Body::of_bytes(body),
            attestation: Attestation {
                scheme: Scheme::Unverified,
                class: EvidenceClass::Unverified,
                key: "none".to_owned(),
                signed_at: None,
                token_verified: false,
            },
            trace: None,
            replayed_at: None,
            backfilled: None,
        }
    }

    /// Wraps a row that was read from a provider's API.
    pub(crate) fn of_row(row: Row) -> Self {
        let Row { feed, url, body, read_at: received_at, attestation } = row;
        let (headers, body) = (Vec::new(), Body::of(body));
        let (v, trace, replayed_at, backfilled) = (VERSION, None, None, None);
        Self { v, feed, received_at, url, headers, body, attestation, trace, replayed_at, backfilled }
    }

    /// Wraps what a person decided at `decided_at`.
    pub(crate) fn of_decision(feed: Feed, body: String, decided_at: Timestamp, attestation: Attestation) -> Self {
        Self::of_fundhook("fundhook:decision", feed, body, decided_at, attestation)
    }

    /// Wraps a notice of Fundhook's own, made at `at`.
    pub(crate) fn of_notice(feed: Feed, body: String, at: Timestamp, attestation: Attestation) -> Self {
        Self::of_fundhook("fundhook:notice", feed, body, at, attestation)
    }

    fn of_fundhook(url: &str, feed: Feed, body: String, received_at: Timestamp, attestation: Attestation) -> Self {
        let (url, headers, body) = (url.to_owned(), Vec::new(), Body::of(body));
        let (v, trace, replayed_at, backfilled) = (VERSION, None, None, None);
        Self { v, feed, received_at, url, headers, body, attestation, trace, replayed_at, backfilled }
    }

    /// Reads an envelope from its JSON. One that was not verified is rejected.
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

    /// The same webhook, to be read again at `at`: everything that was received stays, and so do its correlation id and the
    /// ids of its facts. What it is read as then is newer than every reading before.
    #[must_use]
    pub fn replayed(self, at: Timestamp) -> Self {
        Self { replayed_at: Some(at), ..self }
    }

    /// The webhook as it was received, without the mark of having been replayed.
    #[must_use]
    pub fn as_received(self) -> Self {
        Self { replayed_at: None, ..self }
    }

    /// Whether it has the mark of having been replayed.
    pub fn is_replayed(&self) -> bool {
        self.replayed_at.is_some()
    }

    /// When its bytes were last to be read: when it was replayed, or else when it was received.
    pub fn read_at(&self) -> Timestamp {
        self.replayed_at.unwrap_or(self.received_at)
    }

    /// The same row, read by a backfill of a past period: what is recorded of it says so.
    #[must_use]
    pub fn read_by(self, backfill: Backfill) -> Self {
        Self { backfilled: Some(backfill), ..self }
    }

    /// What a backfill that read it does with it; `None` if none did.
    pub fn backfilled(&self) -> Option<Backfill> {
        self.backfilled
    }

    /// The feed that it belongs to.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// When Fundhook received it.
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// The URL that the signature covers, or the request's path when it covers none; for a row, the URL that it was
    /// read from.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that were kept: those that verifying it again requires, and those that identify it.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// The value of the header `name`, if it was kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body's bytes, as received.
    pub fn body(&self) -> Cow<'_, [u8]> {
        match &self.body {
            Body::Text(text) => Cow::Borrowed(text.as_bytes()),
            // Valid base64: `from_json` checks it, and `Body::of_bytes` wrote it.
            Body::Base64(text) => Cow::Owned(BASE64_STANDARD.decode(text).unwrap_or_default()),
        }
    }

    /// The id of the webhook in logs, evidence and events: a digest of what was received, where, and when.
    pub fn correlation_id(&self) -> CorrelationId {
        let (feed, received_at) = (self.feed.to_string(), self.received_at.to_string());
        let body = self.body();
        let parts = [feed.as_bytes(), received_at.as_bytes(), self.url.as_bytes(), &body];
        CorrelationId::of(parts)
    }

    /// The result of its verification.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }
}

/// The length of `text` as a JSON string, without its quotes.
fn escaped_len(text: &str) -> usize {
    text.bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
            0..0x20 => 6,
            _ => 1,
        })
        .sum()
}
