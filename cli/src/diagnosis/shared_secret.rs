//! Diagnoses webhooks of zerohash and Striga.
//!
//! Nothing can be recovered from an HMAC. The messages that senders and receivers confuse are few, so each is tried.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, Provider, Timestamp};
use fundhook_providers::zerohash::{self, Settings, signed_message};
use fundhook_providers::{Headers, Rejection, Secrets, VerifiedWebhook, Webhook, striga};

use super::bodies::other_bodies;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretDiagnosis {
    Verified(Attestation),
    Refused(SecretCause),
}

/// Why a webhook does not verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretCause {
    /// A header is missing, repeated or malformed, or there is no key for it.
    Rejected(Rejection),
    /// The signature verifies, but its time is outside the tolerance.
    Stale(Rejection),
    /// The signature is in base64 and verifies.
    Base64,
    /// It verifies for this form of the body.
    OtherBody(&'static str),
    /// It verifies for this message.
    OtherMessage(&'static str),
    /// No secret made the signature over any message that was tried.
    WrongSecret,
}

type Verified = Result<VerifiedWebhook, (Webhook, Rejection)>;

/// Whether `webhook` verifies as Striga's, and if not, why.
pub fn diagnose_striga(webhook: &Webhook, secrets: &Secrets) -> SecretDiagnosis {
    let verify = |webhook: Webhook, _| striga::verify(webhook, &Provider::Striga.into(), secrets);
    diagnose(webhook, striga::SIGNATURE_HEADER, secrets, None, &verify)
}

/// Whether `webhook` verifies as zerohash's at `now`, and if not, why.
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
        | Rejection::NotAToken { .. }
        | Rejection::Token(_) => SecretCause::Rejected(rejection),
    })
}

/// Whether the signature verifies when it is decoded as base64.
fn in_base64(
    webhook: &Webhook,
    header: &str,
    verify: &dyn Fn(Webhook, Option<Timestamp>) -> Verified,
) -> Option<SecretCause> {
    let tag = BASE64_STANDARD.decode(webhook.headers.first(header)?.trim()).ok()?;
    let others = webhook.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case(header));
    let others = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let corrected: Headers = others.chain([(header.to_owned(), hex::encode(tag))]).collect();
    let verifies = verify(Webhook { headers: corrected, ..webhook.clone() }, None).is_ok();
    verifies.then_some(SecretCause::Base64)
}

/// Tries common mistakes, the most likely first.
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
        ("the body without the timestamp", webhook.body.clone()),
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
            Self::Verified(attestation) => write!(f, "verified with {}", attestation.key),
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
                "the signature verifies, but {rejection}. Check this machine's clock, or pass the time of receipt with `--at`"
            ),
            Self::Base64 => f.write_str("the signature is in base64; the provider sends hex. In hex it verifies"),
            Self::OtherBody(what) => write!(
                f,
                "the body was changed in transit: the signature verifies for {what}. Verify the raw bytes before any software parses and serialises them again"
            ),
            Self::OtherMessage(what) => write!(f, "another message was signed: the signature verifies for {what}"),
            Self::WrongSecret => f.write_str(
                "none of the given secrets made this signature over the given body. Check that the secret is of the right environment (sandbox or production) and that the body is the raw one",
            ),
        }
    }
}
