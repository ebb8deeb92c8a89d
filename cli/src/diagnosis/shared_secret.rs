//! Diagnoses webhooks of zerohash and Striga.
//!
//! Nothing can be recovered from an HMAC. The messages that senders and receivers confuse are few, so each is tried.
//! The other padding of an RSA signature is tried too; verification itself never does that.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use fundhook_domain::{Attestation, Provider, Timestamp};
use fundhook_providers::zerohash::{self, RsaPadding, Settings, signed_message};
use fundhook_providers::{Headers, Rejection, Secrets, VerifiedWebhook, Webhook, striga};

use super::bodies::other_bodies;
use super::rsa::rsa_cause;

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
    /// The RSA signature verifies with the padding that is not configured.
    OtherPadding { configured: RsaPadding },
    /// No key made the RSA signature over the body, with either padding.
    WrongRsaKey,
}

type Verified = Result<VerifiedWebhook, (Webhook, Rejection)>;

/// Whether `webhook` verifies as Striga's, and if not, why.
pub fn diagnose_striga(webhook: &Webhook, secrets: &Secrets) -> SecretDiagnosis {
    let verify = |webhook: Webhook, _| striga::verify(webhook, &Provider::Striga.into(), secrets);
    let header = striga::SIGNATURE_HEADER;
    let unverified = || hmac_cause(webhook, header, secrets, None).unwrap_or(SecretCause::WrongSecret);
    diagnose(webhook, header, None, &verify, &unverified)
}

/// Whether `webhook` verifies as zerohash's at `now`, and if not, why.
pub fn diagnose_zerohash(webhook: &Webhook, settings: &Settings, secrets: &Secrets, now: Timestamp) -> SecretDiagnosis {
    let verify = |webhook: Webhook, at: Option<Timestamp>| {
        zerohash::verify(webhook, &Provider::Zerohash.into(), settings, secrets, at.unwrap_or(now))
    };
    let timestamp = webhook.headers.first(zerohash::TIMESTAMP_HEADER).map(str::trim);
    let header = match zerohash::is_current(&webhook.headers) {
        true => zerohash::SIGNATURE_HEADER,
        false => zerohash::LEGACY_SIGNATURE_HEADER,
    };
    let unverified = || {
        let signed_at = timestamp.and_then(|digits| Timestamp::from_unix_digits(digits).ok());
        let rsa = rsa_cause(webhook, settings, secrets, signed_at.unwrap_or(now));
        match (rsa, hmac_cause(webhook, header, secrets, timestamp)) {
            (Some(padding @ SecretCause::OtherPadding { .. }), _) => padding,
            // The RSA signature's cause also says that the other padding was tried.
            (Some(rsa), None | Some(SecretCause::WrongSecret)) => rsa,
            (_, hmac) => hmac.unwrap_or(SecretCause::WrongSecret),
        }
    };
    diagnose(webhook, header, timestamp, &verify, &unverified)
}

fn diagnose(
    webhook: &Webhook,
    header: &str,
    timestamp: Option<&str>,
    verify: &dyn Fn(Webhook, Option<Timestamp>) -> Verified,
    unverified: &dyn Fn() -> SecretCause,
) -> SecretDiagnosis {
    let rejection = match verify(webhook.clone(), None) {
        Ok(verified) => return SecretDiagnosis::Verified(verified.attestation().clone()),
        Err((_, rejection)) => rejection,
    };
    SecretDiagnosis::Refused(match &rejection {
        Rejection::TimestampTooOld { .. } | Rejection::TimestampInFuture { .. } => {
            let signed_at = timestamp.and_then(|digits| Timestamp::from_unix_digits(digits).ok());
            let fits = signed_at.is_some_and(|at| verify(webhook.clone(), Some(at)).is_ok());
            if fits { SecretCause::Stale(rejection) } else { unverified() }
        }
        Rejection::SignatureUnverified => unverified(),
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

/// Why the HMAC in `header` does not verify: common mistakes are tried, the most likely first. `None` if it verifies,
/// or if there is none or no secret for it.
fn hmac_cause(webhook: &Webhook, header: &str, secrets: &Secrets, timestamp: Option<&str>) -> Option<SecretCause> {
    secrets.current()?;
    let tag = hex::decode(webhook.headers.first(header)?.trim()).ok().filter(|tag| !tag.is_empty())?;
    let fits = |message: &[u8]| secrets.verifying(message, &tag).is_some();
    let message = |body: &[u8]| timestamp.map_or_else(|| body.to_vec(), |timestamp| signed_message(body, timestamp));
    if fits(&message(&webhook.body)) {
        return None;
    }
    if let Some((what, _)) = other_bodies(&webhook.body).into_iter().find(|(_, body)| fits(&message(body))) {
        return Some(SecretCause::OtherBody(what));
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
    Some(other.map_or(SecretCause::WrongSecret, |(what, _)| SecretCause::OtherMessage(what)))
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
            Self::OtherPadding { configured } => write!(
                f,
                "the RSA signature does not verify with the padding `{}`; it verifies with `{other}`. Set the parameter `ZerohashRsaPadding` of the stack to `{other}`; for this command, `--rsa-padding {other}`",
                configured.as_str(),
                other = configured.other().as_str()
            ),
            Self::WrongRsaKey => f.write_str(
                "none of the given `rsa_public_keys` made the RSA signature over the given body, neither with the padding `pkcs1` nor with `pss`. Check that the key is the one for webhooks, of the right environment (sandbox or production), and that the body is the raw one",
            ),
        }
    }
}
