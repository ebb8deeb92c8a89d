//! The organization's signature of a request.

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use reqwest::Url;

use crate::settings::SignedPart;

/// The organization's private RSA key, whose public half the provider was given (seed 000, "public_key").
pub struct SigningKey(EncodingKey);

/// A text that is no private RSA key in PEM.
#[derive(Debug, thiserror::Error)]
#[error(
    "no private RSA key of at least 2048 bits in PEM: PKCS#8 (BEGIN PRIVATE KEY) or PKCS#1 (BEGIN RSA PRIVATE KEY)"
)]
pub struct SigningKeyError(#[source] Error);

impl SigningKey {
    /// Reads a key in PEM, PKCS#8 or PKCS#1. What is returned can sign.
    pub fn from_pem(pem: &str) -> Result<Self, SigningKeyError> {
        let key = Self(EncodingKey::from_rsa_pem(pem.trim().as_bytes()).map_err(SigningKeyError)?);
        // What the PEM holds is first looked at where it signs.
        key.sign(b"").map_err(SigningKeyError)?;
        Ok(key)
    }

    /// The signature of `message`: RSA PKCS#1 v1.5 with SHA-256, in standard base64.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String, Error> {
        let url_safe = crypto::sign(message, &self.0, Algorithm::RS256)?;
        Ok(BASE64_STANDARD.encode(BASE64_URL_SAFE_NO_PAD.decode(url_safe)?))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// The bytes that are signed: the `parts` of the request, one after the other.
pub(crate) fn string_to_sign(parts: &[SignedPart], timestamp: &str, method: &str, url: &Url, body: &[u8]) -> Vec<u8> {
    let bytes = |part: &SignedPart| match part {
        SignedPart::Timestamp => timestamp.as_bytes().to_vec(),
        SignedPart::Method => method.as_bytes().to_vec(),
        SignedPart::Url => url.as_str().as_bytes().to_vec(),
        SignedPart::Path => url.path().as_bytes().to_vec(),
        SignedPart::Body => body.to_vec(),
    };
    parts.iter().flat_map(bytes).collect()
}
