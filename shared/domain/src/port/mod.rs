//! What the use cases ask of the world outside, in the domain's words. The adapters answer; tests answer from memory.

mod credentials;
mod reconciliation;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

pub use credentials::{
    AccessTokens, CLOCKS_DIFFER_MAX, FetchKeySet, FetchedKeySet, GrantedToken, KeySets, LEFT_ALONE_MAX, Lease,
    ReadSecret, RequestToken, StoredKeySet, StoredToken,
};
pub use reconciliation::{
    AccountResources, Advance, Claims, IndexEntry, IndexPage, ListError, ListPage, ListQuery, ListTransactions,
    OpenQuery, OpenResources, Receipts, Report, Reports, SettledDeposits, Watermark, Watermarks, Window,
};

use crate::{Claim, Event, Resource, ResourceId, Timestamp};

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

/// Where a JSON text could not be read, without repeating any of it: what `serde_json` says of an odd value quotes it, and
/// a message holds what its sender would not like to see in a log.
pub fn json_fault(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "it is not JSON",
        serde_json::error::Category::Data => "it has another shape",
        serde_json::error::Category::Eof => "it ends too early",
    };
    format!("{what}, at line {} column {}", error.line(), error.column())
}

/// Puts one message on a queue, durably.
pub trait SendMessage {
    /// Returns once the queue has taken the message.
    fn send(&self, body: String) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Puts many messages on a queue.
pub trait SendMessages {
    /// Returns, for each message in order, whether the queue took it.
    fn send_all(&self, bodies: Vec<String>) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}

/// Stores an object under a key made from its content.
pub trait Archive {
    /// Returns once the object is stored. Storing the same key again is harmless: it holds the same content.
    fn put(&self, key: &str, content: Vec<u8>) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// The resources as they are stored.
pub trait Resources {
    /// The resources `ids`, in any order; one that was never written is at version 0. `ids` are distinct.
    fn read(&self, ids: &[ResourceId]) -> impl Future<Output = Result<Vec<Resource>, PortError>> + Send;

    /// Writes each resource if it still is at the version it was read at. The outcomes are in the order of `writes`.
    fn write(&self, writes: Vec<Write>, now: Timestamp) -> impl Future<Output = Vec<WriteOutcome>> + Send;
}

/// One conditional write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// The resource as it shall be.
    pub resource: Resource,
    /// The version at which it was read.
    pub read_version: u64,
    /// The coin that it claims at once; both are written or neither.
    pub claim: Option<Claim>,
}

/// What became of a conditional write.
#[derive(Debug)]
pub enum WriteOutcome {
    /// It is stored.
    Written,
    /// Somebody else wrote first. The resource as it now is comes along where the store says it.
    Lost(Option<Resource>),
    /// The coin that it claims is claimed already, so. Nothing was written.
    Claimed(Claim),
    /// It was not stored, and not because of its condition.
    Failed(PortError),
}

/// Publishes events to subscribers.
pub trait PublishEvents {
    /// Returns, for each event in order, whether the topic took it.
    fn publish(&self, events: &[Event]) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}
