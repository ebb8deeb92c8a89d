//! Why the provider refuses a caller.

use std::fmt;

use fundhook_http_api::{ApiError, Call};

/// What the provider refused. The two need different remedies, and both are status 403.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The address that the request came from. The provider accepts requests from listed static addresses only
    /// [zerohash-api-security]: list the egress address, or send the requests from a listed one.
    Address,
    /// The API key, the passphrase, the signature, the time of the signature, or a permission of the key.
    Credentials,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "address that the request came from",
            Self::Credentials => "credentials",
        })
    }
}

/// What `error` refused, if it refused the caller. `time` is the call of `GET /time`.
/// [`ZerohashClient::refusal`](crate::ZerohashClient::refusal) states the rule and its doubts. Cloudflare answers before the
/// API, with a web page, plain text, or JSON without the members `error`, `errors` and `message`.
pub(crate) fn refusal(error: &ApiError, time: &Call) -> Option<Refusal> {
    match error {
        ApiError::Unauthorized { .. } => Some(Refusal::Credentials),
        ApiError::Status { status: 403, call, message, .. } if call == time || !message.is_api_error => {
            Some(Refusal::Address)
        }
        ApiError::Status { status: 403, .. } => Some(Refusal::Credentials),
        ApiError::Status { .. }
        | ApiError::Client(_)
        | ApiError::InvalidRequest(_)
        | ApiError::Signing(_)
        | ApiError::ConnectFailed { .. }
        | ApiError::TimedOut { .. }
        | ApiError::Disconnected { .. }
        | ApiError::TruncatedBody { .. }
        | ApiError::TooManyRequests { .. }
        | ApiError::EmptyBody { .. }
        | ApiError::NotJson { .. }
        | ApiError::TooLarge { .. }
        | ApiError::UnexpectedShape { .. }
        | ApiError::UnusableReply { .. } => None,
    }
}
