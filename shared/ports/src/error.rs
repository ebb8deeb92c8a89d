//! Why a call to the outside failed, and what to do about it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// The same call may succeed later: the queue, the stream or the provider delivers it again.
    Retry,
    /// The same call fails every time: it waits in the dead-letter queue for a person.
    DeadLetter,
}

/// A call to the outside that failed.
#[derive(Debug)]
pub struct PortError {
    attempted: &'static str,
    disposition: Disposition,
    retry_after: Option<Duration>,
    source: Box<dyn Error + Send + Sync>,
}

impl PortError {
    /// The failure of what was `attempted`, such as "send a message to the ingress queue".
    pub fn new(
        attempted: &'static str,
        disposition: Disposition,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self { attempted, disposition, retry_after: None, source: source.into() }
    }

    /// The same, after which who was asked wants to be left alone for so long.
    #[must_use]
    pub fn to_be_retried_after(self, retry_after: Option<Duration>) -> Self {
        Self { retry_after, ..self }
    }

    /// How long who was asked wants to be left alone, where that was said (`Retry-After`, RFC 9110 section 10.2.3).
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What is to be done about it.
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

/// An error and everything behind it in one line, for logs.
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
