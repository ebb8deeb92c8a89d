//! The JWT that may accompany a webhook.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::KeySet;

/// The claims that a token must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The required `iss`.
    pub issuer: String,
    /// The required `organization.id`, if the token has one.
    pub organization_id: Option<String>,
    /// The tolerated clock skew.
    pub leeway: Duration,
}

/// Why a token was rejected. No variant contains any part of the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRejection {
    /// It does not consist of three base64url parts, the first two of which are JSON objects.
    #[error("it is not a JWT with a known `alg`")]
    Malformed,
    /// Its `alg` is `none`, symmetric, or not supported.
    #[error("its algorithm is not one of RS256, PS256, ES256 and EdDSA")]
    AlgorithmNotAllowed,
    /// It contains or names a key.
    #[error("its header names a key (`{0}`); only keys of the provider's key set are used")]
    NamesAKey(&'static str),
    /// It has a critical extension, and none is supported [rfc-7515 §4.1.11].
    #[error("its header has critical extensions")]
    CriticalExtension,
    /// No trusted key of the algorithm's type verifies it.
    #[error("no key of the provider's key set verifies it")]
    SignatureUnverified,
    /// A required claim is missing or malformed.
    #[error("its claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// Its `exp` has passed.
    #[error("it has expired")]
    Expired,
    /// Its `nbf` or `iat` is in the future.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Its `iss` is another issuer.
    #[error("its issuer is not the expected one")]
    Issuer,
    /// Its `organization.id` is another organization's.
    #[error("it was issued for another organization")]
    Organization,
}

/// The algorithms that a token may be signed with. All are asymmetric, so that a public key can never be used as an
/// HMAC secret [rfc-8725 §3.1].
const ALLOWED: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// Verifies a compact JWT against `keys` and `policy` at the instant `now`.
pub fn verify_token(token: &str, keys: &KeySet, policy: &TokenPolicy, now: Timestamp) -> Result<(), TokenRejection> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRejection::Malformed)?;
    if !ALLOWED.contains(&header.alg) {
        return Err(TokenRejection::AlgorithmNotAllowed);
    }
    let named_keys = [
        ("jwk", header.jwk.is_some()),
        ("jku", header.jku.is_some()),
        ("x5u", header.x5u.is_some()),
        ("x5c", header.x5c.is_some()),
    ];
    if let Some((member, _)) = named_keys.into_iter().find(|(_, present)| *present) {
        return Err(TokenRejection::NamesAKey(member));
    }
    if header.crit.is_some() {
        return Err(TokenRejection::CriticalExtension);
    }

    // The library's `decode` is not used: here the time is an argument, the samples have times as RFC 3339 strings
    // [connect-guide §4], and a malformed claim must not be reported as an invalid signature.
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenRejection::Malformed)?;
    let (_, claims) = signed.split_once('.').ok_or(TokenRejection::Malformed)?;
    let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenRejection::Malformed);
    let (claims, signature) = (decoded(claims)?, decoded(signature)?);
    keys.verifying(header.alg, signed.as_bytes(), &signature).ok_or(TokenRejection::SignatureUnverified)?;
    let claims = serde_json::from_slice(&claims).map_err(|_| TokenRejection::Malformed)?;
    check_claims(&claims, policy, now)
}

fn check_claims(claims: &Map<String, Value>, policy: &TokenPolicy, now: Timestamp) -> Result<(), TokenRejection> {
    let expires = instant(claims, "exp")?.ok_or(TokenRejection::Claim("exp"))?;
    if now >= expires.plus(policy.leeway) {
        return Err(TokenRejection::Expired);
    }
    for name in ["nbf", "iat"] {
        if instant(claims, name)?.is_some_and(|from| from > now.plus(policy.leeway)) {
            return Err(TokenRejection::NotYetValid);
        }
    }
    if claims.get("iss").and_then(Value::as_str).ok_or(TokenRejection::Claim("iss"))? != policy.issuer {
        return Err(TokenRejection::Issuer);
    }
    policy.organization_id.as_deref().map_or(Ok(()), |expected| check_organization(claims, expected))
}

fn check_organization(claims: &Map<String, Value>, expected: &str) -> Result<(), TokenRejection> {
    let malformed = TokenRejection::Claim("organization.id");
    match claims.get("organization") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(organization)) => match organization.get("id") {
            None => Ok(()),
            Some(Value::String(id)) if id == expected => Ok(()),
            Some(Value::String(_)) => Err(TokenRejection::Organization),
            Some(_) => Err(malformed),
        },
        Some(_) => Err(malformed),
    }
}

/// A time claim: a NumericDate [rfc-7519 §2] without an exponent, whose fraction is ignored, or an RFC 3339 string as
/// in [connect-guide §4].
fn instant(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, TokenRejection> {
    let malformed = || TokenRejection::Claim(name);
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| malformed()),
        Some(Value::Number(number)) => {
            let text = number.to_string();
            let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
            let seconds = seconds.parse().ok().filter(|_| fraction.bytes().all(|byte| byte.is_ascii_digit()));
            seconds.and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok()).map(Some).ok_or_else(malformed)
        }
        Some(_) => Err(malformed()),
    }
}
