//! Why a call to AWS or a provider failed, and whether to retry it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What to do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The same call may succeed later: the queue, the stream or the provider delivers again.
    Retry,
    /// The same call fails every time: the message waits in the dead-letter queue for an operator.
    DeadLetter,
}

/// A call to AWS or a provider that failed. `Display` says what was attempted; the reason is the source.
#[derive(Debug)]
pub struct PortError {
    attempted: &'static str,
    disposition: Disposition,
    retry_after: Option<Duration>,
    source: Box<dyn Error + Send + Sync>,
}

impl PortError {
    /// The failure of what was `attempted`, a verb with its object such as "send a message to the ingress queue".
    pub fn new(
        attempted: &'static str,
        disposition: Disposition,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { attempted, disposition, retry_after: None, source: source.into() }
    }

    /// The same error, with the server's `Retry-After`.
    #[must_use]
    pub fn with_retry_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// How long the server asked to wait before the next request (`Retry-After` [rfc-9110 §10.2.3]); `None` if it did not.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Whether the call may be retried.
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not {}", self.attempted)
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// An error and all its sources in one line, separated by `: `, for logs.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
