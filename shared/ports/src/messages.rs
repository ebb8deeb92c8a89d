//! Queues, the evidence bucket and the topic.

use std::future::Future;

use fundhook_domain::Event;

use crate::PortError;

/// A message for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// The content.
    pub body: String,
    /// The X-Ray tracing header of the webhook that it is about, as Lambda passed it to the function. The queue hands it to
    /// the next function, so that a trace goes on there.
    pub trace: Option<String>,
}

/// A message without a trace.
impl From<String> for QueueMessage {
    fn from(body: String) -> Self {
        Self { body, trace: None }
    }
}

/// Sends one message to a queue.
pub trait SendMessage {
    /// Returns once the queue has stored the message durably.
    fn send(&self, message: QueueMessage) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Sends many messages to a queue.
pub trait SendMessages {
    /// Returns one outcome for each message, in the order of `messages`: whether the queue has stored it durably. A message
    /// may fail while others of the same call succeed.
    fn send_all(&self, messages: Vec<QueueMessage>) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}

/// Stores objects in the evidence bucket.
pub trait Archive {
    /// Returns once the object is stored. The key is derived from the content, so storing an object again is harmless.
    fn put(&self, key: &str, content: Vec<u8>) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Publishes events to subscribers.
pub trait PublishEvents {
    /// Whether subscribers get the events of a resource in the order in which they were published.
    fn keeps_order(&self) -> bool {
        false
    }

    /// Returns one outcome for each event, in the order of `events`: whether the topic has accepted it. An event may fail
    /// while others of the same call succeed.
    fn publish(&self, events: &[Event]) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}
