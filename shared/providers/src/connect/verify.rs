//! Connect signs `{timestamp}POST{webhook_url}{raw_body}`, without separators, with RSASSA-PKCS1-v1_5 and SHA-256, and
//! publishes its keys as a JWKS [connect-webhooks].
//!
//! A JWT may accompany the signature ("validate the jwt and the request signature" [connect-guide §O5]). No document
//! names its header, so that is a setting.

use std::time::Duration;

use fundhook_domain::{Attestation, EvidenceClass, Feed, Scheme, Timestamp};
use jsonwebtoken::Algorithm;

use super::{CLIENT_ID_HEADER, PAYLOAD_TYPE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER};
use crate::jose::{TokenPolicy, decode_standard_base64, verify_token};
use crate::window::check_window;
use crate::{Headers, KeySet, Rejection, VerifiedWebhook, Webhook};

/// How a deployment verifies Connect's webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The full URLs as registered with the provider; deposits and withdrawals may have different ones. They are
    /// configured and never taken from the request's `Host`.
    pub webhook_urls: Vec<String>,
    /// How far the `timestamp` header may be from now, in either direction.
    pub tolerance: Duration,
    /// What is required of a JWT.
    pub jwt: JwtSettings,
}

/// What is required of a JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwtSettings {
    /// Whether a JWT is read.
    pub mode: JwtMode,
    /// The header that contains it, with or without the prefix `Bearer `. Credentials of another scheme, such as
    /// `Basic`, are not a JWT and are ignored.
    pub header: String,
    /// The claims that it must have.
    pub policy: TokenPolicy,
}

/// Whether a JWT is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwtMode {
    /// A JWT is ignored.
    Off,
    /// A JWT may be missing; if present, it must verify.
    Optional,
    /// A JWT must be present and verify.
    Required,
}

/// Verifies that Connect signed `webhook` for one of our URLs, within the tolerance around `now`.
///
/// A webhook that does not verify is returned with the reason, so that it can be verified again with a newer key set.
pub fn verify(
    webhook: Webhook,
    feed: &Feed,
    settings: &Settings,
    keys: &KeySet,
    now: Timestamp,
) -> Result<VerifiedWebhook, (Webhook, Rejection)> {
    match attest(&webhook, settings, keys, now) {
        Ok((url, attestation)) => {
            let kept = [CLIENT_ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER, PAYLOAD_TYPE_HEADER];
            Ok(VerifiedWebhook::attested(webhook, feed.clone(), url, &kept, attestation))
        }
        Err(rejection) => Err((webhook, rejection)),
    }
}

/// The URL that the signature covers, and the result of the verification.
fn attest(
    webhook: &Webhook,
    settings: &Settings,
    keys: &KeySet,
    now: Timestamp,
) -> Result<(String, Attestation), Rejection> {
    let signed_at_text = webhook.headers.required(TIMESTAMP_HEADER)?;
    let signed_at = unix_seconds(signed_at_text)?;
    let signature = webhook.headers.required(SIGNATURE_HEADER)?;
    let signature = decode_standard_base64(signature).ok_or_else(|| Rejection::HeaderMalformed {
        name: SIGNATURE_HEADER.to_owned(),
        expected: "an RSA signature in base64 with the standard alphabet (RFC 4648 section 4)",
    })?;
    check_window(signed_at, now, settings.tolerance)?;

    let signed_for = |url: &String| {
        let message = signed_message(signed_at_text, url, &webhook.body);
        Some((url.clone(), keys.verifying(Algorithm::RS256, &message, &signature)?))
    };
    let (url, key) = settings.webhook_urls.iter().find_map(signed_for).ok_or(Rejection::SignatureUnverified)?;
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: key.thumbprint().to_owned(),
        signed_at: Some(signed_at),
        token_verified: check_token(&webhook.headers, &settings.jwt, keys, now)?,
    };
    Ok((url, attestation))
}

/// The bytes that Connect signs.
pub fn signed_message(timestamp: &str, url: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"POST", url.as_bytes(), body].concat()
}

fn unix_seconds(text: &str) -> Result<Timestamp, Rejection> {
    // Only digits: the text itself is signed, so `+5` and `5` must not have the same meaning.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text);
    let seconds = digits.and_then(|digits| digits.parse().ok());
    seconds.and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok()).ok_or_else(|| Rejection::HeaderMalformed {
        name: TIMESTAMP_HEADER.to_owned(),
        expected: "UNIX time in whole seconds, such as 1760484866",
    })
}

/// Whether a token was verified; an error if a token that is required or present does not verify.
fn check_token(headers: &Headers, jwt: &JwtSettings, keys: &KeySet, now: Timestamp) -> Result<bool, Rejection> {
    let required = match jwt.mode {
        JwtMode::Off => return Ok(false),
        JwtMode::Optional => false,
        JwtMode::Required => true,
    };
    let Some(value) = headers.one(&jwt.header)?.filter(|value| !value.is_empty()) else {
        return if required { Err(Rejection::TokenMissing(jwt.header.clone())) } else { Ok(false) };
    };
    match Credentials::read(value) {
        Credentials::Token(token) => {
            verify_token(token, keys, &jwt.policy, now).map_err(Rejection::Token).map(|()| true)
        }
        Credentials::OfScheme(scheme) if required => Err(Rejection::NotAToken { header: jwt.header.clone(), scheme }),
        Credentials::OfScheme(_) => Ok(false),
    }
}

/// What the header for the token contains [rfc-9110 §11.4].
enum Credentials<'a> {
    /// What may be a token, without the prefix `Bearer `.
    Token(&'a str),
    /// Credentials of another scheme. A sender adds `Basic` if the webhook's URL contains a user and a password.
    OfScheme(&'static str),
}

impl<'a> Credentials<'a> {
    /// The schemes that are named in errors. No other word of a header is: it could be a part of a secret.
    const NAMED_SCHEMES: [&'static str; 3] = ["Basic", "Digest", "Negotiate"];

    fn read(value: &'a str) -> Self {
        // A scheme is one word. The parts of a JWT are separated by dots.
        let is_scheme = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        match value.split_once(' ').filter(|(word, _)| is_scheme(word)) {
            None => Self::Token(value),
            Some((word, token)) if word.eq_ignore_ascii_case("Bearer") => Self::Token(token.trim()),
            Some((word, _)) => {
                let named = Self::NAMED_SCHEMES.into_iter().find(|scheme| scheme.eq_ignore_ascii_case(word));
                Self::OfScheme(named.unwrap_or("other"))
            }
        }
    }
}
