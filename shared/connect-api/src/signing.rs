//! The organization's signature over a request.

use std::fmt;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use reqwest::{Method, Url};

use crate::settings::SignedPart;

/// The organization's private RSA key, whose public half the provider has [connect-guide §P2].
pub struct SigningKey(EncodingKey);

/// The text is not a private RSA key in PEM.
#[derive(Debug, thiserror::Error)]
#[error(
    "not a private RSA key of at least 2048 bits in PEM, as PKCS#8 (BEGIN PRIVATE KEY) or PKCS#1 (BEGIN RSA PRIVATE KEY)"
)]
pub struct SigningKeyError(#[source] Error);

impl SigningKey {
    /// Parses a key in PEM, as PKCS#8 or PKCS#1. A returned key can sign.
    pub fn from_pem(pem: &str) -> Result<Self, SigningKeyError> {
        let key = Self(EncodingKey::from_rsa_pem(pem.trim().as_bytes()).map_err(SigningKeyError)?);
        // The key inside the PEM is parsed only when it signs.
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

/// The parts of a request that a signature can cover.
pub(crate) struct SignedRequest<'a> {
    pub(crate) timestamp: &'a str,
    pub(crate) method: &'a Method,
    pub(crate) url: &'a Url,
    pub(crate) body: &'a [u8],
}

impl SignedRequest<'_> {
    /// The bytes to sign: these `parts` in order, with nothing between them.
    pub(crate) fn bytes(&self, parts: &[SignedPart]) -> Vec<u8> {
        let bytes = |part: &SignedPart| match part {
            SignedPart::Timestamp => self.timestamp.as_bytes(),
            SignedPart::Method => self.method.as_str().as_bytes(),
            SignedPart::Url => self.url.as_str().as_bytes(),
            SignedPart::Path => self.url.path().as_bytes(),
            SignedPart::Body => self.body,
        };
        parts.iter().flat_map(bytes).copied().collect()
    }
}
