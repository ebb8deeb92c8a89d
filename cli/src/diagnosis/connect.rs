//! Why a webhook of Connect does or does not verify.
//!
//! A signature that fails says nothing by itself. But an RSA signature can be opened with the public key: what is inside
//! is the digest that was signed. So a wrong key and a changed message can be told apart, and what changed can be
//! looked for.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::{Provider, Timestamp};
use fundhook_providers::connect::{SIGNATURE_HEADER, Settings, TIMESTAMP_HEADER, signed_message, verify};
use fundhook_providers::jose::Key;
use fundhook_providers::{Headers, KeySet, Rejection, Webhook};
use num_bigint::BigUint;
use sha2::{Digest, Sha256};

use super::bodies::other_bodies;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// It verifies, by this key, for this URL.
    Verified {
        /// The key's thumbprint.
        key: String,
        /// The URL that was signed for.
        url: String,
    },
    /// It does not, and this is why.
    Refused(Cause),
}

/// Why a webhook does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A header is missing, doubled or malformed, or the token does not verify; nothing else was found.
    Rejected(Rejection),
    /// The signature is right, and too old or too far in the future.
    Stale(Rejection),
    /// The signature is in the URL-safe alphabet of base64.
    Base64Url {
        /// Whether it verifies once that is mended.
        verifies: bool,
    },
    /// It was signed for another URL, and this one fits.
    OtherUrl(String),
    /// It was signed over another form of the same body.
    OtherBody(&'static str),
    /// The signature is padded as RSASSA-PSS.
    Pss,
    /// A trusted key signed it, and it was another message: the body, the URL or the timestamp changed.
    OtherMessage {
        /// The key that signed.
        key: String,
        /// The SHA-256 digest it signed, in hex.
        signed: String,
        /// The SHA-256 digest of what was received, in hex.
        received: String,
    },
    /// No key of the set made the signature.
    WrongKey {
        /// How many keys were tried.
        keys: usize,
    },
}

/// Finds out whether `webhook` verifies at `now`, and if not, why.
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
        | Rejection::Token(_) => Cause::Rejected(rejection),
    })
}

/// Whether the signature verifies for `url` and `body`, whenever it was made.
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
    let mended = Webhook { headers, ..webhook.clone() };
    let verifies = settings.webhook_urls.iter().any(|url| verifies(&mended, settings, keys, url, &webhook.body));
    Some(Cause::Base64Url { verifies })
}

/// Looks for what would have verified, nearest first.
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
    opened(webhook, settings, keys).unwrap_or(Cause::WrongKey { keys: keys.keys().len() })
}

/// Spellings of a URL that are easily taken for each other.
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

/// Opens the signature with each key, and says what is inside.
fn opened(webhook: &Webhook, settings: &Settings, keys: &KeySet) -> Option<Cause> {
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
                signed: hex(digest),
                received: hex(&Sha256::digest(received)),
            });
        }
        // RFC 8017 section 9.1: the last byte of a PSS block, whatever the salt.
        (block.last() == Some(&0xbc)).then_some(Cause::Pss)
    })
}

/// RFC 8017 section 5.2.2: the block that the private key turned into `signature`.
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified { key, url } => write!(f, "verified: signed by the key {key} for {url}"),
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
                "the signature is right, but {rejection}. Check this machine's clock, or pass `--at` with the time of receipt"
            ),
            Self::Base64Url { verifies: true } => f.write_str(
                "the signature is in URL-safe base64 (`-` and `_`); Connect sends the standard alphabet (`+` and `/`), and in that form it verifies",
            ),
            Self::Base64Url { verifies: false } => f.write_str(
                "the signature is in URL-safe base64 (`-` and `_`); Connect sends the standard alphabet (`+` and `/`), and in that form it does not verify either",
            ),
            Self::OtherUrl(url) if url.is_empty() => f.write_str("it was signed without any URL"),
            Self::OtherUrl(url) => write!(
                f,
                "the URL differs: it was signed for `{url}`. Set the webhook URL to exactly what is registered with the provider"
            ),
            Self::OtherBody(what) => write!(
                f,
                "the body was changed on its way: the signature fits {what}. Pass the raw bytes on; do not parse and write them again before they are verified"
            ),
            Self::Pss => f.write_str("the signature is padded as RSASSA-PSS; Connect signs with RSASSA-PKCS1-v1_5"),
            Self::OtherMessage { key, signed, received } => write!(
                f,
                "the key {key} did sign, but another message: the body, the URL or the timestamp is not what was signed. Signed was a message with the SHA-256 digest {signed}; timestamp, POST, URL and body as given here have {received}. A body that was parsed and written again is another body: give the raw bytes"
            ),
            Self::WrongKey { keys } => write!(
                f,
                "wrong key: none of the {keys} usable keys made this signature. Fetch the provider's current key set, or check that it is the right environment's (sandbox or production)"
            ),
        }
    }
}
