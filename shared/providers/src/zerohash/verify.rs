//! zerohash signs `{body}{timestamp}` with HMAC-SHA256, with RSA and SHA-256, or with both, in hex
//! [zerohash-webhook-security].
//!
//! Its legacy headers sign only the body, so such a request can be replayed at any time after it was seen once. They
//! count only if the operator enabled them, and never for a request that has a current header: removing the timestamp
//! must not help an attacker.

use std::time::Duration;

use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme, Timestamp};
use jsonwebtoken::Algorithm;

use super::{
    LEGACY_RSA_SIGNATURE_HEADER, LEGACY_SIGNATURE_HEADER, NOTIFICATION_ID_HEADER, PAYLOAD_TYPE_HEADER,
    RSA_SIGNATURE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, pss,
};
use crate::jose::Key;
use crate::window::check_window;
use crate::{Headers, KeySet, Rejection, Secrets, VerifiedWebhook, Webhook};

/// How a deployment verifies zerohash's webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How far the signed timestamp may be from now, in either direction.
    pub tolerance: Duration,
    /// The padding of RSA signatures, which the provider's documents do not state.
    pub rsa_padding: RsaPadding,
    /// Whether a signature over the body alone is accepted if there is no other.
    pub legacy: bool,
}

/// The padding of an RSA signature [rfc-8017 §8]. A signature with the other padding is never accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RsaPadding {
    /// RSASSA-PKCS1-v1_5.
    Pkcs1,
    /// RSASSA-PSS with SHA-256, also in the mask, and a salt of any length. The default, because the one known client
    /// of an integrator verifies zerohash's signatures with it.
    #[default]
    Pss,
}

impl RsaPadding {
    /// The paddings that can be configured.
    pub const ALL: [Self; 2] = [Self::Pkcs1, Self::Pss];

    /// The name in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pkcs1 => "pkcs1",
            Self::Pss => "pss",
        }
    }

    /// The padding that is not configured if this one is.
    pub fn other(self) -> Self {
        match self {
            Self::Pkcs1 => Self::Pss,
            Self::Pss => Self::Pkcs1,
        }
    }
}

/// Verifies that zerohash signed `webhook`, within the tolerance around `now` if a timestamp is signed.
///
/// Every signature that has a key must verify, and there must be at least one. A webhook that does not verify is
/// returned with the reason, so that it can be verified again with newer secrets.
pub fn verify(
    webhook: Webhook,
    feed: &Feed,
    settings: &Settings,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<VerifiedWebhook, (Webhook, Rejection)> {
    match attest(&webhook, settings, secrets, now) {
        Ok(attestation) => {
            let kept = [
                SIGNATURE_HEADER,
                RSA_SIGNATURE_HEADER,
                TIMESTAMP_HEADER,
                LEGACY_SIGNATURE_HEADER,
                LEGACY_RSA_SIGNATURE_HEADER,
                PAYLOAD_TYPE_HEADER,
                NOTIFICATION_ID_HEADER,
            ];
            let url = webhook.path.clone();
            Ok(VerifiedWebhook::attested(webhook, feed.clone(), url, &kept, attestation))
        }
        Err(rejection) => Err((webhook, rejection)),
    }
}

/// The bytes that zerohash signs.
pub fn signed_message(body: &[u8], timestamp: &str) -> Vec<u8> {
    [body, timestamp.as_bytes()].concat()
}

/// Whether a request has a current header, so that its legacy headers do not count.
pub fn is_current(headers: &Headers) -> bool {
    [SIGNATURE_HEADER, RSA_SIGNATURE_HEADER, TIMESTAMP_HEADER].iter().any(|name| headers.has(name))
}

fn attest(webhook: &Webhook, settings: &Settings, secrets: &Secrets, now: Timestamp) -> Result<Attestation, Rejection> {
    let headers = &webhook.headers;
    if is_current(headers) {
        let timestamp = headers.required(TIMESTAMP_HEADER)?;
        let signed_at = unix_time(timestamp)?;
        let signatures = Signatures::read(headers, SIGNATURE_HEADER, RSA_SIGNATURE_HEADER)?;
        check_window(signed_at, now, settings.tolerance)?;
        let message = signed_message(&webhook.body, timestamp);
        let schemes = match settings.rsa_padding {
            RsaPadding::Pkcs1 => (Scheme::ZerohashHmacSha256, Scheme::ZerohashRsaSha256),
            RsaPadding::Pss => (Scheme::ZerohashHmacSha256, Scheme::ZerohashRsaPssSha256),
        };
        signatures.attest(&message, schemes, settings, secrets, Some(signed_at))
    } else if settings.legacy {
        let signatures = Signatures::read(headers, LEGACY_SIGNATURE_HEADER, LEGACY_RSA_SIGNATURE_HEADER)?;
        let schemes = match settings.rsa_padding {
            RsaPadding::Pkcs1 => (Scheme::ZerohashLegacyHmacSha256, Scheme::ZerohashLegacyRsaSha256),
            RsaPadding::Pss => (Scheme::ZerohashLegacyHmacSha256, Scheme::ZerohashLegacyRsaPssSha256),
        };
        signatures.attest(&webhook.body, schemes, settings, secrets, None)
    } else if headers.has(LEGACY_SIGNATURE_HEADER) || headers.has(LEGACY_RSA_SIGNATURE_HEADER) {
        Err(Rejection::LegacySignature)
    } else {
        Err(Rejection::HeaderMissing(SIGNATURE_HEADER.to_owned()))
    }
}

/// The signatures of a request: at least one.
struct Signatures {
    hmac: Option<Vec<u8>>,
    rsa: Option<Vec<u8>>,
    hmac_header: &'static str,
}

impl Signatures {
    fn read(headers: &Headers, hmac_header: &'static str, rsa_header: &'static str) -> Result<Self, Rejection> {
        let hmac = hex_header(headers, hmac_header)?;
        let rsa = hex_header(headers, rsa_header)?;
        if hmac.is_none() && rsa.is_none() {
            return Err(Rejection::HeaderMissing(hmac_header.to_owned()));
        }
        Ok(Self { hmac, rsa, hmac_header })
    }

    fn attest(
        &self,
        message: &[u8],
        (hmac_scheme, rsa_scheme): (Scheme, Scheme),
        settings: &Settings,
        secrets: &Secrets,
        signed_at: Option<Timestamp>,
    ) -> Result<Attestation, Rejection> {
        let by_secret = self.hmac.as_ref().filter(|_| secrets.has_shared());
        let by_key = self.rsa.as_ref().filter(|_| !secrets.public_keys().is_empty());
        let secret = by_secret.map(|tag| secrets.verifying(message, tag).ok_or(Rejection::SignatureUnverified));
        let key = by_key.map(|signature| {
            let verifying = |keys| verifying_key(keys, settings.rsa_padding, message, signature);
            let key = secrets.public_keys().iter().find_map(verifying);
            key.map(|key| key.thumbprint().to_owned()).ok_or(Rejection::SignatureUnverified)
        });
        let (secret, key) = (secret.transpose()?, key.transpose()?);
        // The attestation names the stronger of the two.
        let attested = match (key, secret) {
            (Some(key), _) => Some((rsa_scheme, EvidenceClass::Asymmetric, key)),
            (None, Some(secret)) => Some((hmac_scheme, EvidenceClass::SharedSecret, secret.name().to_owned())),
            (None, None) => None,
        };
        let (scheme, class, key) =
            attested.ok_or_else(|| Rejection::NoKeyForScheme { header: self.unusable_header().to_owned() })?;
        Ok(Attestation { scheme, class, key, signed_at, token_verified: false })
    }

    /// The header of the signature that has no key.
    fn unusable_header(&self) -> &'static str {
        match (&self.hmac, self.hmac_header == SIGNATURE_HEADER) {
            (Some(_), _) => self.hmac_header,
            (None, true) => RSA_SIGNATURE_HEADER,
            (None, false) => LEGACY_RSA_SIGNATURE_HEADER,
        }
    }
}

/// The key that made the RSA signature `signature` over `message`.
fn verifying_key<'a>(keys: &'a KeySet, padding: RsaPadding, message: &[u8], signature: &[u8]) -> Option<&'a Key> {
    match padding {
        RsaPadding::Pkcs1 => keys.verifying(Algorithm::RS256, message, signature),
        RsaPadding::Pss => {
            let mut keys = keys.keys().iter().filter(|key| key.allows(Algorithm::PS256));
            keys.find(|key| pss::verifies(key, message, signature))
        }
    }
}

fn hex_header(headers: &Headers, name: &'static str) -> Result<Option<Vec<u8>>, Rejection> {
    let Some(value) = headers.one(name)?.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let expected = "a signature in hex";
    hex::decode(value).map(Some).map_err(|_| Rejection::HeaderMalformed { name: name.to_owned(), expected })
}

/// The documents say milliseconds and integrators have seen seconds. The number of digits distinguishes them.
fn unix_time(text: &str) -> Result<Timestamp, Rejection> {
    let known = Some(text).filter(|text| matches!(text.len(), 10 | 13));
    known.and_then(|text| Timestamp::from_unix_digits(text).ok()).ok_or_else(|| Rejection::HeaderMalformed {
        name: TIMESTAMP_HEADER.to_owned(),
        expected: "UNIX time in milliseconds, such as 1760484866123, or in seconds",
    })
}
