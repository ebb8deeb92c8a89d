//! Why a webhook of zerohash or Striga does or does not verify.
//!
//! An HMAC cannot be opened. But the messages that senders and receivers confuse are few, so each is tried.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, Provider, Timestamp};
use fundhook_providers::zerohash::{self, Settings, signed_message};
use fundhook_providers::{Headers, Rejection, Secrets, VerifiedWebhook, Webhook, striga};

use super::bodies::other_bodies;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretDiagnosis {
    /// It verifies, and this is what that establishes.
    Verified(Attestation),
    /// It does not, and this is why.
    Refused(SecretCause),
}

/// Why a webhook does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretCause {
    /// A header is missing, doubled or malformed, or there is no key for it; nothing else was found.
    Rejected(Rejection),
    /// The signature is right, and too old or too far in the future.
    Stale(Rejection),
    /// The signature is in base64, and fits.
    Base64,
    /// It was signed over another form of the same body.
    OtherBody(&'static str),
    /// It was signed over other bytes than body and timestamp.
    OtherMessage(&'static str),
    /// No secret made the signature over anything that was tried.
    WrongSecret,
}

type Verified = Result<VerifiedWebhook, (Webhook, Rejection)>;

/// Finds out whether `webhook` verifies as Striga's, and if not, why.
pub fn diagnose_striga(webhook: &Webhook, secrets: &Secrets) -> SecretDiagnosis {
    let verify = |webhook: Webhook, _| striga::verify(webhook, &Provider::Striga.into(), secrets);
    diagnose(webhook, striga::SIGNATURE_HEADER, secrets, None, &verify)
}

/// Finds out whether `webhook` verifies as zerohash's at `now`, and if not, why.
pub fn diagnose_zerohash(webhook: &Webhook, settings: &Settings, secrets: &Secrets, now: Timestamp) -> SecretDiagnosis {
    let verify = |webhook: Webhook, at: Option<Timestamp>| {
        zerohash::verify(webhook, &Provider::Zerohash.into(), settings, secrets, at.unwrap_or(now))
    };
    let timestamp = webhook.headers.first(zerohash::TIMESTAMP_HEADER).map(str::trim);
    diagnose(webhook, zerohash::SIGNATURE_HEADER, secrets, timestamp, &verify)
}

fn diagnose(
    webhook: &Webhook,
    header: &str,
    secrets: &Secrets,
    timestamp: Option<&str>,
    verify: &dyn Fn(Webhook, Option<Timestamp>) -> Verified,
) -> SecretDiagnosis {
    let rejection = match verify(webhook.clone(), None) {
        Ok(verified) => return SecretDiagnosis::Verified(verified.attestation().clone()),
        Err((_, rejection)) => rejection,
    };
    SecretDiagnosis::Refused(match &rejection {
        Rejection::TimestampTooOld { .. } | Rejection::TimestampInFuture { .. } => {
            let signed_at = timestamp.and_then(|digits| Timestamp::from_unix_digits(digits).ok());
            let fits = signed_at.is_some_and(|at| verify(webhook.clone(), Some(at)).is_ok());
            if fits { SecretCause::Stale(rejection) } else { unverified(webhook, header, secrets, timestamp) }
        }
        Rejection::SignatureUnverified => unverified(webhook, header, secrets, timestamp),
        Rejection::HeaderMalformed { name, .. } if name == header => {
            in_base64(webhook, header, verify).unwrap_or(SecretCause::Rejected(rejection))
        }
        Rejection::HeaderMissing(_)
        | Rejection::HeaderRepeated(_)
        | Rejection::HeaderMalformed { .. }
        | Rejection::NoKeyForScheme { .. }
        | Rejection::LegacySignature
        | Rejection::TokenMissing(_)
        | Rejection::Token(_) => SecretCause::Rejected(rejection),
    })
}

/// Whether the signature fits once it is read as base64.
fn in_base64(
    webhook: &Webhook,
    header: &str,
    verify: &dyn Fn(Webhook, Option<Timestamp>) -> Verified,
) -> Option<SecretCause> {
    let tag = BASE64_STANDARD.decode(webhook.headers.first(header)?.trim()).ok()?;
    let others = webhook.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(header));
    let others = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mended: Headers = others.chain([(header.to_owned(), hex::encode(tag))]).collect();
    let verifies = verify(Webhook { headers: mended, ..webhook.clone() }, None).is_ok();
    verifies.then_some(SecretCause::Base64)
}

/// Looks for what would have verified, nearest first.
fn unverified(webhook: &Webhook, header: &str, secrets: &Secrets, timestamp: Option<&str>) -> SecretCause {
    let tag = webhook.headers.first(header).and_then(|value| hex::decode(value.trim()).ok());
    let Some(tag) = tag else {
        return SecretCause::WrongSecret;
    };
    let fits = |message: &[u8]| secrets.verifying(message, &tag).is_some();
    let message = |body: &[u8]| timestamp.map_or_else(|| body.to_vec(), |timestamp| signed_message(body, timestamp));
    if let Some((what, _)) = other_bodies(&webhook.body).into_iter().find(|(_, body)| fits(&message(body))) {
        return SecretCause::OtherBody(what);
    }
    let timestamp = timestamp.unwrap_or_default();
    let seconds = timestamp.get(..10).unwrap_or(timestamp);
    let others = [
        ("the body alone, without the timestamp", webhook.body.clone()),
        ("the timestamp before the body", [timestamp.as_bytes(), &webhook.body].concat()),
        ("body and timestamp in seconds", signed_message(&webhook.body, seconds)),
        ("body and timestamp in milliseconds", signed_message(&webhook.body, &format!("{seconds}000"))),
        ("`timestamp.body`", [timestamp.as_bytes(), b".", &webhook.body].concat()),
    ];
    let other = others.iter().find(|(_, message)| fits(message));
    other.map_or(SecretCause::WrongSecret, |(what, _)| SecretCause::OtherMessage(what))
}

impl fmt::Display for SecretDiagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verified(attestation) => write!(f, "verified: by {}", attestation.key),
            Self::Refused(cause) => write!(f, "not verified: {cause}"),
        }
    }
}

impl fmt::Display for SecretCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejection) => write!(f, "{rejection}"),
            Self::Stale(rejection) => write!(
                f,
                "the signature is right, but {rejection}. Check this machine's clock, or pass `--at` with the time of receipt"
            ),
            Self::Base64 => f.write_str("the signature is in base64; the provider sends hex, and in that form it verifies"),
            Self::OtherBody(what) => write!(
                f,
                "the body was changed on its way: the signature fits {what}. Pass the raw bytes on; do not parse and write them again before they are verified"
            ),
            Self::OtherMessage(what) => write!(f, "other bytes were signed: the signature fits {what}"),
            Self::WrongSecret => f.write_str(
                "no secret given made this signature over the body as it is given. Check that the secret is the right environment's (sandbox or production) and that the body is the raw one",
            ),
        }
    }
}
