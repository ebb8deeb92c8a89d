//! Credentials, the access token that they are exchanged for, and the caller that presents it.

use std::time::Duration;

use fundhook_http_api::{ApiError, Call, exact};
use secrecy::SecretString;
use serde::Deserialize;

/// The longest lifetime that is accepted. A longer one is an error, or in another unit.
const SECONDS_MAX: u64 = 365 * 24 * 60 * 60;

/// What the provider gave the organization at onboarding [connect-guide §P4].
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Identifies the credentials.
    pub client_id: String,
    /// The secret that belongs to `client_id`.
    pub client_secret: SecretString,
    /// The organization's id.
    pub organization_id: String,
}

impl Credentials {
    /// The organization with the token that it was granted.
    pub fn caller(&self, granted: &AccessToken) -> Caller {
        Caller { organization_id: self.organization_id.clone(), token: granted.access_token.clone() }
    }
}

/// An organization with an access token.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization's id, sent in the header `client-id`.
    pub organization_id: String,
    /// Its access token, sent in the header `authorization`.
    pub token: SecretString,
}

/// An access token and its lifetime.
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token.
    pub access_token: SecretString,
    /// The token's type in the provider's own spelling: `Bearer`.
    pub token_type: String,
    /// The lifetime from the time of the request, at least a second and at most a year. It is the response's field, not the
    /// hour in the prose of [connect-guide §3].
    pub expires_in: Duration,
}

/// The provider's response [connect-guide §3].
#[derive(Deserialize)]
pub(crate) struct TokenReply {
    #[serde(deserialize_with = "exact::secret")]
    access_token: SecretString,
    token_type: String,
    #[serde(deserialize_with = "exact::whole")]
    expires_in: u64,
}

impl TokenReply {
    pub(crate) const SHAPE: &str = "{access_token, token_type, expires_in}";

    pub(crate) fn granted(self, call: &Call) -> Result<AccessToken, ApiError> {
        if !self.token_type.eq_ignore_ascii_case("Bearer") {
            // RFC 6749, section 7.1.
            let problem = "the token's type is not Bearer".to_owned();
            return Err(ApiError::UnusableReply { call: call.clone(), problem });
        }
        let expires_in = lifetime(self.expires_in, call)?;
        Ok(AccessToken { access_token: self.access_token, token_type: self.token_type, expires_in })
    }
}

/// Checks a lifetime that the provider granted.
pub(crate) fn lifetime(seconds: u64, call: &Call) -> Result<Duration, ApiError> {
    if (1..=SECONDS_MAX).contains(&seconds) {
        Ok(Duration::from_secs(seconds))
    } else {
        let problem = format!("granted for {seconds} s, expected 1 s to a year of 365 days");
        Err(ApiError::UnusableReply { call: call.clone(), problem })
    }
}
