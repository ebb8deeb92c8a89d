//! Why a fact is believed: who signed it, when, and where the raw request lies.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How strong a piece of evidence is. Declared weakest first, so that `max` is the strongest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceClass {
    /// Read from the provider's API over TLS; nothing is signed.
    Api,
    /// Authenticated by a secret that the platform holds too.
    SharedSecret,
    /// Signed with a key that only the provider holds.
    Asymmetric,
}

/// The signature scheme that verified a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// RSASSA-PKCS1-v1_5 with SHA-256 over `{timestamp}POST{url}{body}` (zerohash Connect).
    ConnectRsaSha256,
}

/// What the verification of a webhook established.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// How it was signed.
    pub scheme: Scheme,
    /// How strong that is.
    pub class: EvidenceClass,
    /// The RFC 7638 thumbprint (SHA-256, base64url) of the key that verified the signature.
    pub key: String,
    /// When the sender says it signed.
    pub signed_at: Timestamp,
    /// Whether a JWT came along and verified too.
    pub token_verified: bool,
}

/// Where an archived request lies: an object in the evidence bucket, and the line in it, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidencePointer {
    /// The object's key.
    pub object: String,
    /// The line of the uncompressed NDJSON.
    pub line: u32,
}

/// The evidence of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// When Fundhook received the request.
    pub received_at: Timestamp,
    /// What its verification established.
    pub attestation: Attestation,
    /// Where its raw bytes lie.
    pub archived: EvidencePointer,
}
