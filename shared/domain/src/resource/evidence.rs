//! Why a fact is believed: who signed it, when, and where the raw request lies.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How strong a piece of evidence is. The weakest comes first, so that `max` is the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceClass {
    /// Read from the provider's API over TLS; nothing is signed.
    Api,
    /// Authenticated by a secret that the platform holds too.
    SharedSecret,
    /// Signed with a key that only the provider holds.
    Asymmetric,
}

/// The signature scheme that verified a webhook, or how else a statement was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `{timestamp}POST{url}{body}` (zerohash Connect).
    ConnectRsaSha256,
    /// HMAC with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashHmacSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashRsaSha256,
    /// RSASSA-PSS with SHA-256 over `{body}{timestamp}` (zerohash).
    ZerohashRsaPssSha256,
    /// HMAC with SHA-256 over the body alone (zerohash's legacy header): no proof of when it was sent.
    ZerohashLegacyHmacSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 over the body alone (zerohash's legacy header): no proof of when it was sent.
    ZerohashLegacyRsaSha256,
    /// RSASSA-PSS with SHA-256 over the body alone (zerohash's legacy header): no proof of when it was sent.
    ZerohashLegacyRsaPssSha256,
    /// HMAC with SHA-256 over the body (Striga): no proof of when it was sent.
    StrigaHmacSha256,
    /// None: a row of Connect's `GET /transactions`, read over TLS with the organization's access token.
    ConnectTransactionsApi,
}

/// What the verification of a webhook established.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attestation {
    /// How it was signed.
    pub scheme: Scheme,
    /// How strong that is.
    pub class: EvidenceClass,
    /// The key that verified the signature: of a public key the RFC 7638 thumbprint (SHA-256, base64url), of a shared
    /// secret a name that tells it from others and tells nothing about it; of what was read from an API, whose API.
    pub key: String,
    /// When the sender says it signed, where that is signed too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signed_at: Option<Timestamp>,
    /// Whether a JWT came along and verified too.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub token_verified: bool,
}

/// Where an archived request lies: an object in the evidence bucket, and the line in it, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidencePointer {
    /// The object's key.
    pub object: String,
    /// The line of the uncompressed NDJSON.
    pub line: u32,
}

impl Evidence {
    /// Whether it was read from the provider's API, and not sent by the provider.
    pub fn is_from_the_api(&self) -> bool {
        self.attestation.class == EvidenceClass::Api
    }

    /// When the webhook was sent, as far as is known: when it was signed, else when it was received.
    pub fn sent_at(&self) -> Timestamp {
        self.attestation.signed_at.unwrap_or(self.received_at)
    }
}

/// The evidence of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// When Fundhook received the request.
    pub received_at: Timestamp,
    /// What its verification established.
    pub attestation: Attestation,
    /// Where its raw bytes lie.
    pub archived: EvidencePointer,
}
