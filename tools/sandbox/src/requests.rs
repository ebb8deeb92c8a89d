//! The messages between [`SandboxClient`](crate::SandboxClient) and the sandbox's controls.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request to sign a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignRequest {
    pub feed: Feed,
    /// The registered URL; only Connect signs it.
    pub url: String,
    /// UNIX time in seconds; Striga does not sign it.
    pub timestamp: i64,
    /// The raw body, in base64.
    pub body: String,
    /// Sign as a forger would, with a key or secret that was never published or shared.
    #[serde(default)]
    pub forge: bool,
    #[serde(default)]
    pub zerohash: ZerohashSignature,
}

/// How zerohash signs a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZerohashSignature {
    /// HMAC over body and timestamp.
    #[default]
    Hmac,
    /// RSA (PKCS#1 v1.5) over body and timestamp.
    Rsa,
    /// HMAC and RSA.
    Both,
    /// HMAC over only the body, in the legacy header.
    LegacyHmac,
}

impl SignRequest {
    /// A request to sign `body` as the provider of `feed` does at `timestamp` (UNIX time in seconds).
    pub fn new(feed: impl Into<Feed>, timestamp: i64, body: &[u8]) -> Self {
        Self {
            feed: feed.into(),
            url: String::new(),
            timestamp,
            body: BASE64_STANDARD.encode(body),
            forge: false,
            zerohash: ZerohashSignature::default(),
        }
    }

    /// A request to sign `body` as Connect does for `url`.
    pub fn connect(url: &str, timestamp: i64, body: &[u8]) -> Self {
        Self::new(Provider::Connect, timestamp, body).to(url)
    }

    #[must_use]
    pub fn to(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    #[must_use]
    pub fn forged(self, forge: bool) -> Self {
        Self { forge, ..self }
    }

    #[must_use]
    pub fn by(self, zerohash: ZerohashSignature) -> Self {
        Self { zerohash, ..self }
    }
}

/// A request for a JWT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRequest {
    pub claims: Value,
    /// Sign as a forger would, with a key that was never published.
    #[serde(default)]
    pub forge: bool,
}

/// The headers of a signed webhook.
pub type SignedHeaders = Vec<(String, String)>;

/// A signed webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signed {
    pub headers: SignedHeaders,
    /// Whether the provider drops it: its transaction is listed, and it is never sent.
    pub dropped: bool,
}
