//! The JWT that may come along with a webhook.

use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};
use fundhook_domain::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use super::KeySet;

/// What a token must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPolicy {
    /// The `iss` it must have.
    pub issuer: String,
    /// The `organization.id` it must have where it has one.
    pub organization_id: Option<String>,
    /// How far clocks may differ.
    pub leeway: Duration,
}

/// Why a token was refused. Nothing of the token is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRejection {
    /// It is not three base64url parts, the first two of them JSON objects.
    #[error("it is not a JWT with a known `alg`")]
    Malformed,
    /// Its `alg` is `none`, symmetric, or another that is never accepted.
    #[error("its algorithm is not one of RS256, PS256, ES256 and EdDSA")]
    AlgorithmNotAllowed,
    /// It brings or names its own key.
    #[error("its header names a key of its own (`{0}`); keys come from the provider's key set alone")]
    BringsItsOwnKey(&'static str),
    /// It has a critical extension that nobody here understands (RFC 7515 section 4.1.11).
    #[error("its header has critical extensions")]
    CriticalExtension,
    /// No trusted key of the algorithm's type verifies it.
    #[error("no key of the provider's key set verifies it")]
    SignatureUnverified,
    /// A claim that is needed is missing or not of the form it should have.
    #[error("its claim `{0}` is missing or malformed")]
    Claim(&'static str),
    /// Its `exp` has passed.
    #[error("it has expired")]
    Expired,
    /// Its `nbf` or `iat` has not come yet.
    #[error("it is not valid yet")]
    NotYetValid,
    /// Its `iss` is somebody else.
    #[error("its issuer is not the expected one")]
    Issuer,
    /// Its `organization.id` is another organization's.
    #[error("it was issued for another organization")]
    Organization,
}

/// The algorithms a token may be signed with: asymmetric ones alone, so that a public key can never be abused as an
/// HMAC secret (RFC 8725 section 3.1).
const ALLOWED: [Algorithm; 4] = [Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];

/// Verifies a compact JWT against `keys` and `policy` at the instant `now`.
pub fn verify_token(token: &str, keys: &KeySet, policy: &TokenPolicy, now: Timestamp) -> Result<(), TokenRejection> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRejection::Malformed)?;
    if !ALLOWED.contains(&header.alg) {
        return Err(TokenRejection::AlgorithmNotAllowed);
    }
    let own_keys = [
        ("jwk", header.jwk.is_some()),
        ("jku", header.jku.is_some()),
        ("x5u", header.x5u.is_some()),
        ("x5c", header.x5c.is_some()),
    ];
    if let Some((member, _)) = own_keys.into_iter().find(|(_, present)| *present) {
        return Err(TokenRejection::BringsItsOwnKey(member));
    }
    if header.crit.is_some() {
        return Err(TokenRejection::CriticalExtension);
    }

    // By hand rather than by the library's `decode`: the clock is an argument here, the seeds write times as RFC 3339
    // text, and a claim of an odd form must not read as a signature that does not verify.
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

/// A time claim as a NumericDate (RFC 7519 section 2; without an exponent, fractions are cut off) or, as in seed 000, as
/// RFC 3339 text.
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
