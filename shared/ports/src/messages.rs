//! Queues, the evidence bucket and the topic: where messages, requests and events are handed over.

use std::future::Future;

use fundhook_domain::Event;

use crate::PortError;

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

/// Publishes events to subscribers.
pub trait PublishEvents {
    /// Returns, for each event in order, whether the topic took it.
    fn publish(&self, events: &[Event]) -> impl Future<Output = Vec<Result<(), PortError>>> + Send;
}
