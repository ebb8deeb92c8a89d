//! Who calls: credentials, the access token that they are exchanged for, and the caller that holds it.

use std::time::Duration;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de};

use crate::error::{ApiError, Call};
use crate::exact;

/// The longest time that anything is taken to be granted for; more is a mistake, or another unit.
const SECONDS_MAX: u64 = 365 * 24 * 60 * 60;

/// What the provider gave the organization at its onboarding (seed 000, "Organization credentials").
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Names the pair of id and secret.
    pub client_id: String,
    /// Proves it.
    pub client_secret: SecretString,
    /// The organization.
    pub organization_id: String,
}

impl Credentials {
    /// The organization, with the token that it was granted.
    pub fn caller(&self, granted: &GrantedToken) -> Caller {
        Caller { organization_id: self.organization_id.clone(), token: granted.access_token.clone() }
    }
}

/// An organization with an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization; sent as the header `client-id`.
    pub organization_id: String,
    /// Its access token; sent as the header `authorization`.
    pub token: SecretString,
}

/// An access token.
#[derive(Clone, Debug)]
pub struct GrantedToken {
    /// The token.
    pub access_token: SecretString,
    /// How it is presented, in the provider's own spelling: `Bearer`.
    pub token_type: String,
    /// How long it is valid from when it was requested: the answer's field, not the hour that the prose of seed 000
    /// speaks of. At least a second, at most a year.
    pub expires_in: Duration,
}

/// The provider's answer, as seed 000 shows it.
#[derive(Deserialize)]
pub(crate) struct TokenReply {
    #[serde(deserialize_with = "secret")]
    access_token: SecretString,
    token_type: String,
    #[serde(deserialize_with = "exact::whole")]
    expires_in: u64,
}

impl TokenReply {
    pub(crate) const SHAPE: &str = "{access_token, token_type, expires_in}";

    pub(crate) fn granted(self, call: &Call) -> Result<GrantedToken, ApiError> {
        if !self.token_type.eq_ignore_ascii_case("Bearer") {
            return Err(ApiError::UnknownTokenType { call: call.clone() });
        }
        let expires_in = lifetime(self.expires_in, call)?;
        Ok(GrantedToken { access_token: self.access_token, token_type: self.token_type, expires_in })
    }
}

/// A time that something may be granted for.
pub(crate) fn lifetime(seconds: u64, call: &Call) -> Result<Duration, ApiError> {
    if (1..=SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        Err(ApiError::InvalidLifetime { call: call.clone(), seconds })
    }
}

/// A secret text that is not empty.
pub(crate) fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(de::Error::custom("expected a token that is not empty"));
    }
    Ok(text.into())
}
