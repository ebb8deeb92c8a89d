//! Diagnoses webhooks of Connect.
//!
//! The public key recovers the signed digest from an RSA signature. This distinguishes a wrong key from a changed message,
//! and common changes are then tried.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::connect::{SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, signed_message, verify};
use fundhook_providers::jose::Key;
use fundhook_providers::{Headers, KeySet, Rejection, Webhook};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use super::bodies::other_bodies;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    Verified {
        /// The thumbprint.
        key: String,
        /// The signed URL.
        url: String,
    },
    Refused(Cause),
}

/// Why a webhook does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A header is missing, repeated or malformed, or the token does not verify.
    Rejected(Rejection),
    /// The signature verifies, but its time is outside the tolerance.
    Stale(Rejection),
    /// The signature is in the URL-safe alphabet of base64.
    Base64Url {
        /// Whether it verifies in the standard alphabet.
        verifies: bool,
    },
    /// It verifies for this URL.
    OtherUrl(String),
    /// It verifies for this form of the body.
    OtherBody(&'static str),
    /// The signature is padded as RSASSA-PSS.
    Pss,
    /// A trusted key signed another message: the body, the URL or the timestamp differs.
    OtherMessage {
        /// The thumbprint of the key.
        key: String,
        /// The signed SHA-256 digest, in hex.
        signed: String,
        /// The SHA-256 digest of the received message, in hex.
        received: String,
    },
    /// No key of the set made the signature.
    WrongKey {
        /// The number of keys tried.
        keys: usize,
    },
}

/// Whether `webhook` verifies at `now`, and if not, why.
pub fn diagnose(webhook: &Webhook, settings: &Settings, keys: &KeySet, now: Timestamp) -> Diagnosis {
    let rejection = match verify(webhook.clone(), &Provider::Connect.into(), settings, keys, now) {
        Ok(verified) => {
            let url = settings.webhook_urls.iter().find(|url| verifies(webhook, settings, keys, url, &webhook.body));
            let key = verified.attestation().key.clone();
            return Diagnosis::Verified { key, url: url.cloned().unwrap_or_default() };
        }
        Err((_, rejection)) => rejection,
    };
    Diagnosis::Refused(match &rejection {
        Rejection::HeaderMalformed { name, .. } if name == SIGNATURE_HEADER => {
            base64_variant(webhook, settings, keys).unwrap_or(Cause::Rejected(rejection))
        }
        Rejection::TimestampTooOld { .. } | Rejection::TimestampInFuture { .. } => {
            let signed = settings.webhook_urls.iter().any(|url| verifies(webhook, settings, keys, url, &webhook.body));
            if signed { Cause::Stale(rejection) } else { unverified(webhook, settings, keys) }
        }
        Rejection::SignatureUnverified => unverified(webhook, settings, keys),
        Rejection::HeaderMissing(_)
        | Rejection::HeaderRepeated(_)
        | Rejection::HeaderMalformed { .. }
        | Rejection::NoKeyForScheme { .. }
        | Rejection::LegacySignature
        | Rejection::TokenMissing(_)
        | Rejection::NotAToken { .. }
        | Rejection::Token(_) => Cause::Rejected(rejection),
    })
}

/// Whether the signature verifies for `url` and `body` at any time.
fn verifies(webhook: &Webhook, settings: &Settings, keys: &KeySet, url: &str, body: &[u8]) -> bool {
    let changed = Webhook { body: body.to_vec(), ..webhook.clone() };
    signed_at(webhook).is_some_and(|signed_at| {
        let mut settings = Settings { webhook_urls: vec![url.to_owned()], ..settings.clone() };
        settings.jwt.mode = fundhook_providers::connect::JwtMode::Off;
        verify(changed, &Provider::Connect.into(), &settings, keys, signed_at).is_ok()
    })
}

fn signed_at(webhook: &Webhook) -> Option<Timestamp> {
    let seconds = webhook.headers.first(TIMESTAMP_HEADER)?.trim().parse().ok()?;
    Timestamp::from_unix_seconds(seconds).ok()
}

fn base64_variant(webhook: &Webhook, settings: &Settings, keys: &KeySet) -> Option<Cause> {
    let text = webhook.headers.first(SIGNATURE_HEADER)?.trim();
    let bytes = BASE64_URL_SAFE.decode(text).or_else(|_| BASE64_URL_SAFE_NO_PAD.decode(text)).ok()?;
    let headers: Headers = [
        (TIMESTAMP_HEADER, webhook.headers.first(TIMESTAMP_HEADER)?.to_owned()),
        (SIGNATURE_HEADER, BASE64_STANDARD.encode(bytes)),
    ]
    .into_iter()
    .collect();
    let corrected = Webhook { headers, ..webhook.clone() };
    let verifies = settings.webhook_urls.iter().any(|url| verifies(&corrected, settings, keys, url, &webhook.body));
    Some(Cause::Base64Url { verifies })
}

/// Tries common mistakes, the most likely first.
fn unverified(webhook: &Webhook, settings: &Settings, keys: &KeySet) -> Cause {
    for url in &settings.webhook_urls {
        if let Some(url) = other_urls(url).into_iter().find(|url| verifies(webhook, settings, keys, url, &webhook.body))
        {
            return Cause::OtherUrl(url);
        }
        let bodies = other_bodies(&webhook.body);
        if let Some((what, _)) = bodies.into_iter().find(|(_, body)| verifies(webhook, settings, keys, url, body)) {
            return Cause::OtherBody(what);
        }
    }
    recovered(webhook, settings, keys).unwrap_or(Cause::WrongKey { keys: keys.keys().len() })
}

/// Spellings of a URL that are easily confused.
fn other_urls(url: &str) -> Vec<String> {
    let toggled = url.strip_suffix('/').map_or_else(|| format!("{url}/"), str::to_owned);
    let without_query = url.split_once('?').map_or(url, |(url, _)| url).to_owned();
    let scheme = match url.split_once("://") {
        Some(("https", rest)) => format!("http://{rest}"),
        Some((_, rest)) => format!("https://{rest}"),
        None => format!("https://{url}"),
    };
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest).to_owned();
    let path = after_scheme.find('/').map_or("/", |at| &after_scheme[at..]).to_owned();
    vec![toggled, without_query, scheme, url.to_lowercase(), after_scheme, path, String::new()]
}

/// Recovers the signed block with each key.
fn recovered(webhook: &Webhook, settings: &Settings, keys: &KeySet) -> Option<Cause> {
    let text = webhook.headers.first(SIGNATURE_HEADER)?.trim();
    let signature = BASE64_STANDARD.decode(text).ok()?;
    let timestamp = webhook.headers.first(TIMESTAMP_HEADER)?.trim();
    let message = |url: &String| signed_message(timestamp, url, &webhook.body);
    keys.keys().iter().find_map(|key| {
        let block = encoded_message(key, &signature)?;
        if let Some(digest) = pkcs1_digest(&block) {
            let received = settings.webhook_urls.first().map(message).unwrap_or_default();
            return Some(Cause::OtherMessage {
                key: key.thumbprint().to_owned(),
                signed: hex::encode(digest),
                received: hex::encode(Sha256::digest(received)),
            });
        }
        // RFC 8017 section 9.1: the last byte of a PSS block, whatever the salt.
        (block.last() == Some(&0xbc)).then_some(Cause::Pss)
    })
}

/// The block that the private key signed (RFC 8017 section 5.2.2).
fn encoded_message(key: &Key, signature: &[u8]) -> Option<Vec<u8>> {
    let (modulus, exponent) = key.rsa_components()?;
    let modulus_bytes = modulus.len();
    let modulus = BigUint::from_bytes_be(modulus);
    let signature = BigUint::from_bytes_be(signature);
    if signature >= modulus {
        return None;
    }
    let block = signature.modpow(&BigUint::from_bytes_be(exponent), &modulus).to_bytes_be();
    let zeros = modulus_bytes.checked_sub(block.len())?;
    Some([vec![0; zeros], block].concat())
}

/// RFC 8017 section 9.2: `00 01 FF … FF 00`, the DER prefix of a SHA-256 digest, and the digest.
fn pkcs1_digest(block: &[u8]) -> Option<&[u8]> {
    const SHA256_PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04,
        0x20,
    ];
    let padded = block.strip_prefix(&[0, 1])?;
    let end = padded.iter().position(|byte| *byte != 0xff)?;
    let digest = padded[end..].strip_prefix(&[0])?.strip_prefix(&SHA256_PREFIX)?;
    (digest.len() == 32).then_some(digest)
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { key, url } => write!(f, "verified: signed with the key {key} for {url}"),
            Self::Refused(cause) => write!(f, "not verified: {cause}"),
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => write!(f, "{}", fundhook_ports::chain(rejection)),
            Self::Stale(rejection) => write!(
                f,
                "the signature verifies, but {rejection}. Check this machine's clock, or pass the time of receipt with `--at`"
            ),
            Self::Base64Url { verifies: true } => f.write_str(
                "the signature is in URL-safe base64 (`-` and `_`); Connect uses the standard alphabet (`+` and `/`). In that alphabet it verifies",
            ),
            Self::Base64Url { verifies: false } => f.write_str(
                "the signature is in URL-safe base64 (`-` and `_`); Connect uses the standard alphabet (`+` and `/`). In that alphabet it does not verify either",
            ),
            Self::OtherUrl(url) if url.is_empty() => f.write_str("it was signed without a URL"),
            Self::OtherUrl(url) => write!(
                f,
                "it was signed for another URL: `{url}`. Set the webhook URL exactly as registered with the provider"
            ),
            Self::OtherBody(what) => write!(
                f,
                "the body was changed in transit: the signature verifies for {what}. Verify the raw bytes before any software parses and serialises them again"
            ),
            Self::Pss => f.write_str("the signature is padded as RSASSA-PSS; Connect signs with RSASSA-PKCS1-v1_5"),
            Self::OtherMessage { key, signed, received } => write!(
                f,
                "the key {key} signed another message: the body, the URL or the timestamp differs. The SHA-256 digest of the signed message is {signed}; the one of the given timestamp, POST, URL and body is {received}. Pass the raw body: serialising it again changes its bytes"
            ),
            Self::WrongKey { keys } => write!(
                f,
                "wrong key: none of the {keys} usable keys made this signature. Fetch the provider's current key set, and check that it is of the right environment (sandbox or production)"
            ),
        }
    }
}
