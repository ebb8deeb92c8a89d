//! Ids of resources and facts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::feed::{Feed, FeedError};
use super::names::{Kind, UnknownName, serde_as_text};

serde_as_text!(ResourceId);
serde_as_text!(FactId);
serde_as_text!(CorrelationId);

/// The id of a resource: its kind, its feed and the provider's own id.
///
/// The text form is `deposit#connect#c55481bf-…`, and `deposit#connect/acme#c55481bf-…` for the tenant `acme`. It is
/// the partition key in the table and the `subject` of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    kind: Kind,
    feed: Feed,
    native: String,
}

/// Why a text is not a resource's id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourceIdError {
    /// The provider's id is empty.
    #[error("the provider's id is empty")]
    Empty,
    /// The provider's id is longer than [`ResourceId::NATIVE_BYTES_MAX`].
    #[error("the provider's id has {0} bytes; the limit is {max}", max = ResourceId::NATIVE_BYTES_MAX)]
    TooLong(usize),
    /// The provider's id contains a control character.
    #[error("the provider's id contains a control character")]
    ControlCharacter,
    /// The text does not have the form `kind#feed#id`.
    #[error("{0:?} does not have the form kind#feed#id, such as deposit#connect#c55481bf-626b-4410-8997-4cee83e1385f")]
    Form(String),
    /// The kind is not known.
    #[error(transparent)]
    Kind(#[from] UnknownName),
    /// The feed is not known.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

impl ResourceId {
    /// The longest provider's id that is accepted. Providers use UUIDs of 36 bytes; an SNS message attribute and a
    /// DynamoDB key (2,048 bytes) can hold 512 bytes and the parts around them.
    pub const NATIVE_BYTES_MAX: usize = 512;

    /// The resource of `kind` that the provider of `feed` calls `native`.
    pub fn new(kind: Kind, feed: impl Into<Feed>, native: &str) -> Result<Self, ResourceIdError> {
        if native.is_empty() {
            return Err(ResourceIdError::Empty);
        }
        if native.len() > Self::NATIVE_BYTES_MAX {
            return Err(ResourceIdError::TooLong(native.len()));
        }
        if native.chars().any(char::is_control) {
            return Err(ResourceIdError::ControlCharacter);
        }
        Ok(Self { kind, feed: feed.into(), native: native.to_owned() })
    }

    /// The resource of an unrecognized webhook. It is named by the digest of the body, so the same body is the same
    /// resource however often it arrives.
    pub fn unrecognized(feed: impl Into<Feed>, body: &[u8]) -> Self {
        Self { kind: Kind::Unrecognized, feed: feed.into(), native: digest_hex(body) }
    }

    /// The text form as a regular expression, for schemas.
    pub(crate) fn pattern() -> String {
        format!("^({})#{}#.+$", Kind::ALL.map(Kind::as_str).join("|"), Feed::pattern())
    }

    /// What sort of thing the resource is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The feed that reports it.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The provider's own id.
    pub fn native(&self) -> &str {
        &self.native
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}#{}", self.kind, self.feed, self.native)
    }
}

impl FromStr for ResourceId {
    type Err = ResourceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.splitn(3, '#');
        let (Some(kind), Some(feed), Some(native)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ResourceIdError::Form(text.to_owned()));
        };
        Self::new(kind.parse()?, feed.parse::<Feed>()?, native)
    }
}

/// The id of a fact: a SHA-256 digest of resource, event name and body, in lower-case hex.
///
/// It depends on signed bytes alone, never on a header outside the signature or on a queue's message id. So a webhook
/// that is sent again, replayed or redelivered is the same fact, and a webhook with another body is another fact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(String);

impl FactId {
    /// The id of the fact about `resource` that a webhook named `event_type` with this `body` states.
    pub fn of(resource: &ResourceId, event_type: &str, body: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in [resource.to_string().as_bytes(), event_type.as_bytes()] {
            // Each part is preceded by its length, so that two different lists of parts are never the same bytes.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(body);
        Self(hex::encode(digest.finalize()))
    }

    /// The digest as 64 hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for FactId {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digest = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_digest
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| UnknownName { name: text.to_owned(), expected: "fact id" })
    }
}

/// The id of one received webhook: the first 16 hex digits of the SHA-256 digest of its envelope.
///
/// It is in every log line about the accepted webhook, in the evidence of its facts and in the events that they cause. A webhook
/// that the provider sends again has another one, since it is received at another time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CorrelationId(String);

impl CorrelationId {
    const DIGITS: usize = 16;

    /// The id of an envelope that consists of `parts`.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let mut id = hex::encode(digest.finalize());
        id.truncate(Self::DIGITS);
        Self(id)
    }

    /// The text form as a regular expression, for schemas.
    pub(crate) fn pattern() -> String {
        format!("^[0-9a-f]{{{}}}$", Self::DIGITS)
    }
}

impl fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for CorrelationId {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_id = text.len() == Self::DIGITS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_id
            .then(|| Self(text.to_owned()))
            .ok_or_else(|| UnknownName { name: text.to_owned(), expected: "correlation id" })
    }
}

/// The SHA-256 digest of `bytes` in lower-case hex.
pub fn digest_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Provider;

    #[test]
    fn a_resource_id_reads_back_what_it_writes_even_with_number_signs_in_the_native_id() {
        for native in ["c55481bf-626b-4410-8997-4cee83e1385f", "a#b", "ü"] {
            let id = ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("valid");
            assert_eq!(id.to_string(), format!("deposit#connect#{native}"));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }

    #[test]
    fn a_rejected_resource_id_says_why() {
        let of = |native: &str| ResourceId::new(Kind::Deposit, Provider::Connect, native);
        assert_eq!(of(""), Err(ResourceIdError::Empty));
        assert_eq!(of(&"x".repeat(513)), Err(ResourceIdError::TooLong(513)));
        assert_eq!(of("a\nb"), Err(ResourceIdError::ControlCharacter));
        assert!(matches!("deposit#connect".parse::<ResourceId>(), Err(ResourceIdError::Form(_))));
        assert!(matches!("loan#connect#1".parse::<ResourceId>(), Err(ResourceIdError::Kind(_))));
        assert!(matches!("deposit#bank#1".parse::<ResourceId>(), Err(ResourceIdError::Feed(_))));
    }

    #[test]
    fn a_fact_id_depends_on_every_part_and_on_where_the_parts_end() {
        let resource = |native| ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("valid");
        let ids = [
            FactId::of(&resource("1"), "pending", b"{}"),
            FactId::of(&resource("2"), "pending", b"{}"),
            FactId::of(&resource("1"), "confirmed", b"{}"),
            FactId::of(&resource("1"), "pending", b"{ }"),
            FactId::of(&resource("1"), "pendin", b"g{}"),
        ];
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id));
            assert_eq!(id.to_string().parse().as_ref(), Ok(id));
        }
    }
}
