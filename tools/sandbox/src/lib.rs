//! The sandbox provider: what Connect, zerohash and Striga do, on loopback.
//!
//! It publishes Connect's key set, shares secrets with the platform for the other two, rotates them on request, and signs
//! webhooks exactly as each of them does. It answers what a platform asks Connect for: tokens, sessions, users, and the list
//! of what it has signed; each of them as badly as it is told to. Its keys, secrets and credentials are made when it starts.

mod api;
mod client;
mod controls;
mod drops;
mod http;
mod keys;
mod secrets;
mod server;
mod state;

pub use api::{ApiPath, Counts, Fault, JWKS_PATH};
pub use client::{SandboxClient, SandboxError};
pub use http::loopback_client;
pub use keys::{KeyError, SigningKey};
pub use secrets::{SandboxSecrets, signed_with};
pub use server::Sandbox;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Feed, Provider};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request to sign a webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignRequest {
    /// Whose webhook it is to be.
    pub feed: Feed,
    /// The URL it is registered under; only Connect signs it.
    pub url: String,
    /// UNIX time in seconds; Striga signs none.
    pub timestamp: i64,
    /// The raw body, in base64.
    pub body: String,
    /// Sign with a key or secret that was never published or shared, as a forger would.
    #[serde(default)]
    pub forge: bool,
    /// With what zerohash signs.
    #[serde(default)]
    pub zerohash: ZerohashSignature,
}

/// With what zerohash signs a webhook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ZerohashSignature {
    /// HMAC over body and timestamp.
    #[default]
    Hmac,
    /// RSA (PKCS#1 v1.5) over body and timestamp.
    Rsa,
    /// Both.
    Both,
    /// HMAC over the body alone, in the legacy header.
    LegacyHmac,
}

impl SignRequest {
    /// The request to sign `body` as the provider of `feed` does at `timestamp` (UNIX time in seconds).
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

    /// The request to sign `body` as Connect does for `url`.
    pub fn connect(url: &str, timestamp: i64, body: &[u8]) -> Self {
        Self::new(Provider::Connect, timestamp, body).to(url)
    }

    /// The same, to be sent to `url`.
    #[must_use]
    pub fn to(self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self }
    }

    /// The same, by a forger if `forge`.
    #[must_use]
    pub fn forged(self, forge: bool) -> Self {
        Self { forge, ..self }
    }

    /// The same, signed by zerohash in this way.
    #[must_use]
    pub fn by(self, zerohash: ZerohashSignature) -> Self {
        Self { zerohash, ..self }
    }
}

/// A request for a JWT.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TokenRequest {
    /// What it shall say.
    pub claims: Value,
    /// Sign with a key that was never published, as a forger would.
    #[serde(default)]
    pub forge: bool,
}

/// A request for faults in what a path answers next.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultRequest {
    /// Where.
    pub path: ApiPath,
    /// What is wrong with the answers.
    pub fault: Fault,
    /// How many of them; 0 ends the faults of the path.
    pub times: u32,
}

/// The headers of a signed webhook.
pub type SignedHeaders = Vec<(String, String)>;

/// A signed webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Signed {
    /// The headers to send it with.
    pub headers: SignedHeaders,
    /// Whether the provider drops it: it is told of in the list of transactions, and never sent.
    pub dropped: bool,
}
