//! Sessions, with which the organization's frontend shows the provider's SDK to one user.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use fundhook_http_api::{ApiError, Call, Redactions, exact};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::token;

/// What a session lets its user do. The set is open: [`FromStr`] accepts names that this crate does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Cow<'static, str>);

/// The text is not a scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a scope; expected a name without spaces, such as user:deposit:send")]
pub struct ScopeError(String);

impl Scope {
    /// Deposits [connect-guide §4].
    pub const DEPOSIT_SEND: Self = Self(Cow::Borrowed("user:deposit:send"));
    /// Withdrawals [connect-guide §W2].
    pub const WITHDRAWAL_SEND: Self = Self(Cow::Borrowed("user:withdrawal:send"));
    /// Requests for withdrawals [connect-openapi].
    pub const WITHDRAWAL_REQUEST: Self = Self(Cow::Borrowed("user:withdrawal:request"));
    /// Recoveries of deposits [connect-openapi].
    pub const RECOVERY_SEND: Self = Self(Cow::Borrowed("user:recovery:send"));

    /// The scope's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_for_withdrawals(&self) -> bool {
        self.0.starts_with("user:withdrawal:")
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(ScopeError(text.chars().take(64).collect()))
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A session to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRequest {
    /// The user's code: the `participant_code` that `POST /users` returned.
    pub reference_id: String,
    /// Data of the platform, which every webhook of the session repeats in `session.metadata`.
    pub metadata: Map<String, Value>,
    /// What the user may do; at least one scope.
    pub scopes: Vec<Scope>,
}

impl SessionRequest {
    /// A session in which the user `reference_id` deposits.
    pub fn deposits(reference_id: &str) -> Self {
        Self { reference_id: reference_id.to_owned(), metadata: Map::new(), scopes: vec![Scope::DEPOSIT_SEND] }
    }

    /// A session in which the user `reference_id` withdraws.
    pub fn withdrawals(reference_id: &str) -> Self {
        Self { scopes: vec![Scope::WITHDRAWAL_SEND], ..Self::deposits(reference_id) }
    }

    /// A session in which the user `reference_id` returns unexpected deposits [zerohash-recovery-2].
    pub fn recovery(reference_id: &str) -> Self {
        Self { scopes: vec![Scope::RECOVERY_SEND], ..Self::deposits(reference_id) }
    }

    /// The same session with `metadata`.
    #[must_use]
    pub fn with_metadata(self, metadata: Map<String, Value>) -> Self {
        Self { metadata, ..self }
    }

    /// Whether the session is for withdrawals only.
    pub(crate) fn is_for_withdrawals(&self) -> bool {
        self.scopes.iter().all(Scope::is_for_withdrawals)
    }

    /// The values that no message may repeat: the user's code and the metadata.
    pub(crate) fn redactions(&self) -> Redactions {
        Redactions::of([self.reference_id.clone()]).and(Redactions::leaves_of(&json!(self.metadata)))
    }

    /// The request's body, byte for byte as it is signed and sent.
    pub(crate) fn body(&self) -> Result<Vec<u8>, ApiError> {
        if self.reference_id.trim().is_empty() {
            return Err(ApiError::InvalidRequest("reference_id is empty, expected the user's participant_code".into()));
        }
        if self.scopes.is_empty() {
            return Err(ApiError::InvalidRequest("scopes is empty, expected at least one".into()));
        }
        let body = json!({
            "account": { "reference_id": self.reference_id },
            "session": { "metadata": self.metadata },
            "scopes": self.scopes,
        });
        Ok(body.to_string().into_bytes())
    }
}

/// What the frontend passes to the provider's SDK.
#[derive(Clone, Debug)]
pub struct SessionToken {
    /// The session's token. It is not an access token: no call of this client accepts it.
    pub jwt: SecretString,
    /// The lifetime from the time of the request, at least a second and at most a year.
    pub expires_in: Duration,
}

#[derive(Deserialize)]
struct Flat {
    #[serde(deserialize_with = "exact::secret")]
    jwt: SecretString,
    #[serde(deserialize_with = "exact::whole")]
    expires_in: u64,
}

/// The provider's response: flat for deposits [connect-guide §4], under `token` for withdrawals [connect-guide §W2].
#[derive(Deserialize)]
#[serde(try_from = "EitherReply")]
pub(crate) struct SessionReply(Flat);

/// The members of both forms of the response.
#[derive(Deserialize)]
struct EitherReply {
    token: Option<Flat>,
    jwt: Option<SecretString>,
    #[serde(default, deserialize_with = "exact::optional_text")]
    expires_in: Option<String>,
}

impl TryFrom<EitherReply> for SessionReply {
    type Error = &'static str;

    fn try_from(reply: EitherReply) -> Result<Self, Self::Error> {
        if let Some(nested) = reply.token {
            return Ok(Self(nested));
        }
        let jwt = reply.jwt.filter(|jwt| !jwt.expose_secret().trim().is_empty()).ok_or("expected jwt")?;
        let expires_in = reply.expires_in.as_deref().and_then(|seconds| seconds.parse().ok());
        Ok(Self(Flat { jwt, expires_in: expires_in.ok_or("expected expires_in as a whole number")? }))
    }
}

impl SessionReply {
    pub(crate) const SHAPE: &str = "{jwt, expires_in} or {token: {jwt, expires_in}}";

    pub(crate) fn opened(self, call: &Call) -> Result<SessionToken, ApiError> {
        Ok(SessionToken { jwt: self.0.jwt, expires_in: token::lifetime(self.0.expires_in, call)? })
    }
}
