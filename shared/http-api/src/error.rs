//! Why a call failed: one variant per cause, and what each means for calling again.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, Url};

use crate::provider_message::ProviderMessage;

/// Why a request could not be signed.
pub type SigningFailure = Box<dyn std::error::Error + Send + Sync>;

/// The call that failed, as its method and its URL without the query: `GET https://api.zerohash.com/payments`. The query is
/// left out because it may hold a user's data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call(Box<str>);

impl Call {
    /// The call with this method and URL.
    pub fn new(method: &Method, url: &Url) -> Self {
        let mut url = url.clone();
        url.set_query(None);
        Self(format!("{method} {url}").into_boxed_str())
    }

    /// Method and URL, separated by a space.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a call to the provider failed.
///
/// Neither the message nor a source of an error repeats a value in the call's [`Redactions`](crate::Redactions). Each client
/// puts into them the secrets of a call, and the data that the call sent about a user.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The HTTP client could not be built. The fault is on this computer, not with the provider.
    #[error("the HTTP client could not be built")]
    Client(#[source] reqwest::Error),
    /// The arguments do not make a valid request. Nothing was sent.
    #[error("invalid request: {0}")]
    InvalidRequest(String),
    /// The request could not be signed. Nothing was sent.
    #[error("the request could not be signed")]
    Signing(#[source] SigningFailure),
    /// No connection was made: the provider has not seen the request.
    #[error("{call}: no connection")]
    ConnectFailed {
        /// The call that failed.
        call: Call,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// No complete response arrived in time. The provider may have acted.
    #[error("{call}: no complete response within {} ms", after.as_millis())]
    TimedOut {
        /// The call that failed.
        call: Call,
        /// The timeout of an attempt.
        after: Duration,
    },
    /// The connection closed before a response began. The provider may have acted.
    #[error("{call}: the connection closed before a response")]
    Disconnected {
        /// The call that failed.
        call: Call,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// The response broke off. The provider has acted, and the result is unknown.
    #[error("{call}: the response with status {status} broke off after {bytes} bytes")]
    TruncatedBody {
        /// The call that failed.
        call: Call,
        /// The response's status.
        status: u16,
        /// How many bytes arrived.
        bytes: usize,
        /// The cause; `None` for a response without a length whose JSON is incomplete.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Status 401: the credentials or the access token are invalid or expired.
    #[error("{call}: unauthorized, status 401{message}")]
    Unauthorized {
        /// The call that failed.
        call: Call,
        /// What the provider says about it.
        message: Box<ProviderMessage>,
    },
    /// Status 429: too many calls.
    #[error("{call}: too many requests, status 429{}{message}", RetryAfter(*retry_after))]
    TooManyRequests {
        /// The call that failed.
        call: Call,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
        /// What the provider says about it.
        message: Box<ProviderMessage>,
    },
    /// Another status than 2xx. This includes redirects, which are not followed.
    #[error("{call}: status {status}, expected 2xx{}{message}", RetryAfter(*retry_after))]
    Status {
        /// The call that failed.
        call: Call,
        /// The response's status.
        status: u16,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
        /// Whether the response says that the request may be repeated, whatever it is
        /// ([`Exchange::with_retry_header`](crate::Exchange::with_retry_header)).
        allows_retry: bool,
        /// What the provider says about it.
        message: Box<ProviderMessage>,
    },
    /// The response reports success and has no content.
    #[error("{call}: the response with status {status} is empty, expected {expected}")]
    EmptyBody {
        /// The call that failed.
        call: Call,
        /// The response's status.
        status: u16,
        /// The expected content.
        expected: &'static str,
    },
    /// The response is not JSON: it comes from a gateway, or from another host than the API's.
    #[error("{call}: the response with status {status} is not JSON, content type {content_type}")]
    NotJson {
        /// The call that failed.
        call: Call,
        /// The response's status.
        status: u16,
        /// The response's media type, such as `text/html`, or `none`.
        content_type: String,
    },
    /// The response is larger than any response of this API should be.
    #[error("{call}: the response is larger than {bytes_max} bytes")]
    TooLarge {
        /// The call that failed.
        call: Call,
        /// The limit.
        bytes_max: usize,
    },
    /// The response is JSON of an unexpected shape.
    #[error("{call}: the response has an unexpected shape ({problem}), expected {expected}")]
    UnexpectedShape {
        /// The call that failed.
        call: Call,
        /// The expected content.
        expected: &'static str,
        /// Where and how it differs, without the values in it.
        problem: String,
    },
    /// The response has the expected shape, and a value that cannot be used: a lifetime of zero seconds, or another page
    /// than the requested one.
    #[error("{call}: {problem}")]
    UnusableReply {
        /// The call that failed.
        call: Call,
        /// What was received and what is expected.
        problem: String,
    },
}

impl ApiError {
    /// Whether the provider rejected the credentials or the access token. The same call may succeed with another access
    /// token.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the same call may succeed later without any change on this side. This does not say whether the provider has
    /// acted: read the variant before you repeat a `POST`.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::ConnectFailed { .. }
            | Self::TimedOut { .. }
            | Self::Disconnected { .. }
            | Self::TruncatedBody { .. }
            | Self::TooManyRequests { .. } => true,
            // 408 is the server's own timeout; 501 means that the server never can.
            Self::Status { status, .. } => *status == 408 || (500..600).contains(status) && *status != 501,
            Self::Client(_)
            | Self::InvalidRequest(_)
            | Self::Signing(_)
            | Self::Unauthorized { .. }
            | Self::EmptyBody { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::UnexpectedShape { .. }
            | Self::UnusableReply { .. } => false,
        }
    }

    /// How long the provider asked to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            Self::Client(_)
            | Self::InvalidRequest(_)
            | Self::Signing(_)
            | Self::ConnectFailed { .. }
            | Self::TimedOut { .. }
            | Self::Disconnected { .. }
            | Self::TruncatedBody { .. }
            | Self::Unauthorized { .. }
            | Self::EmptyBody { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::UnexpectedShape { .. }
            | Self::UnusableReply { .. } => None,
        }
    }
}

/// The part of a message that says how long to wait.
struct RetryAfter(Option<Duration>);

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pause) => write!(f, ", retry after {} s", pause.as_secs()),
            None => Ok(()),
        }
    }
}
