//! Why a call failed: one variant per way, and what each means for calling again.

use std::fmt;
use std::time::Duration;

use crate::words::ProviderWords;

/// The call that failed, written as its method and its URL without the query: `GET https://api.connect.xyz/transactions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call(Box<str>);

impl Call {
    pub(crate) fn new(method: &str, url: &str) -> Self {
        Self(format!("{method} {url}").into_boxed_str())
    }

    /// Method and URL, a space between them.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a call to the provider failed. No message and no source of it repeats a secret of the call, or what the call sent about a
/// user: a new user's particulars, `participant_code`, `reference_id`, the values of a session's metadata, and what users are
/// looked up by.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The HTTP client could not be made. It is this computer's fault, not the provider's.
    #[error("the HTTP client could not be made")]
    Client(#[source] reqwest::Error),
    /// The request cannot be made of these arguments; nothing was sent.
    #[error("the request cannot be made: {0}")]
    InvalidRequest(String),
    /// The request could not be signed; nothing was sent.
    #[error("the request could not be signed")]
    Signing(#[source] jsonwebtoken::errors::Error),
    /// No connection: the provider has not seen the request.
    #[error("{call}: no connection")]
    NoConnection {
        /// Which call.
        call: Call,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer was not there in time. The provider may have acted.
    #[error("{call}: no whole answer within {} ms", after.as_millis())]
    TimedOut {
        /// Which call.
        call: Call,
        /// The time that an attempt has.
        after: Duration,
    },
    /// The connection broke before an answer began. The provider may have acted.
    #[error("{call}: the connection broke before an answer")]
    Disconnected {
        /// Which call.
        call: Call,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The answer broke off. The provider has acted, and what it said is not known.
    #[error("{call}: the answer of status {status} broke off after {bytes} bytes")]
    HalfBody {
        /// Which call.
        call: Call,
        /// The answer's status.
        status: u16,
        /// How much of it arrived.
        bytes: usize,
        /// Why, where the connection tells: an answer without a length may also just end within its JSON.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// Status 401: the credentials or the access token are not, or no longer, good.
    #[error("{call}: refused with status 401{said}")]
    Unauthorized {
        /// Which call.
        call: Call,
        /// The provider's words.
        said: Box<ProviderWords>,
    },
    /// Status 429: too many calls.
    #[error("{call}: too many calls, status 429{}{said}", Pause(*retry_after))]
    TooManyRequests {
        /// Which call.
        call: Call,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
        /// The provider's words.
        said: Box<ProviderWords>,
    },
    /// Another status than 2xx. A redirect is one of them: none is followed.
    #[error("{call}: status {status}, expected 2xx{}{said}", Pause(*retry_after))]
    Status {
        /// Which call.
        call: Call,
        /// The status.
        status: u16,
        /// How long the provider asked to wait.
        retry_after: Option<Duration>,
        /// The provider's words.
        said: Box<ProviderWords>,
    },
    /// The answer says that all is well and has nothing in it.
    #[error("{call}: the answer of status {status} is empty, expected {expected}")]
    Empty {
        /// Which call.
        call: Call,
        /// The answer's status.
        status: u16,
        /// What should have been there.
        expected: &'static str,
    },
    /// The answer is not JSON: the page of a gateway, or of another host than the API's.
    #[error("{call}: the answer of status {status} is no JSON, its content type: {content_type}")]
    NotJson {
        /// Which call.
        call: Call,
        /// The answer's status.
        status: u16,
        /// What it says that it is, such as `text/html`, or `none`.
        content_type: String,
    },
    /// The answer is longer than any answer of this API should be.
    #[error("{call}: the answer is longer than {bytes_max} bytes")]
    TooLarge {
        /// Which call.
        call: Call,
        /// The bound.
        bytes_max: usize,
    },
    /// The answer is JSON of another shape.
    #[error("{call}: the answer is JSON of another shape ({problem}), expected {expected}")]
    OtherShape {
        /// Which call.
        call: Call,
        /// What should have been there.
        expected: &'static str,
        /// Where and how it differs, without the values in it.
        problem: String,
    },
    /// The provider granted something for no time at all, or for more than a year.
    #[error("{call}: valid for {seconds} s, expected 1 s to a year of 365 days")]
    InvalidLifetime {
        /// Which call.
        call: Call,
        /// What the answer's `expires_in` says.
        seconds: u64,
    },
    /// The provider granted a token that is not presented as `Bearer` (RFC 6749, section 7.1).
    #[error("{call}: a token of another type than Bearer")]
    UnknownTokenType {
        /// Which call.
        call: Call,
    },
}

impl ApiError {
    /// Whether the credentials or the access token were refused: with another access token, the same call may succeed.
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }

    /// Whether the same call may succeed later, with nothing changed on this side. It says nothing about whether the
    /// provider has acted: see each variant before a `POST` is sent again.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::NoConnection { .. }
            | Self::TimedOut { .. }
            | Self::Disconnected { .. }
            | Self::HalfBody { .. }
            | Self::TooManyRequests { .. } => true,
            // 408 is the server's own timeout; 501 means that it cannot do that at all.
            Self::Status { status, .. } => *status == 408 || (500..600).contains(status) && *status != 501,
            Self::Client(_)
            | Self::InvalidRequest(_)
            | Self::Signing(_)
            | Self::Unauthorized { .. }
            | Self::Empty { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::OtherShape { .. }
            | Self::InvalidLifetime { .. }
            | Self::UnknownTokenType { .. } => false,
        }
    }

    /// How long the provider asked to wait before the next call.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooManyRequests { retry_after, .. } | Self::Status { retry_after, .. } => *retry_after,
            Self::Client(_)
            | Self::InvalidRequest(_)
            | Self::Signing(_)
            | Self::NoConnection { .. }
            | Self::TimedOut { .. }
            | Self::Disconnected { .. }
            | Self::HalfBody { .. }
            | Self::Unauthorized { .. }
            | Self::Empty { .. }
            | Self::NotJson { .. }
            | Self::TooLarge { .. }
            | Self::OtherShape { .. }
            | Self::InvalidLifetime { .. }
            | Self::UnknownTokenType { .. } => None,
        }
    }
}

/// The end of a message that says how long to wait.
struct Pause(Option<Duration>);

impl fmt::Display for Pause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pause) => write!(f, ", to be called again in {} s", pause.as_secs()),
            None => Ok(()),
        }
    }
}
