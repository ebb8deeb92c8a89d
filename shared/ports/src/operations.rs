//! What an operator's commands need: the messages that wait in a queue, what is archived, and items as they are stored.

use std::future::Future;
use std::time::Duration;

use fundhook_domain::{Kind, ResourceId, Timestamp};

use crate::PortError;

/// A message that waits in a queue, and that was received to look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingMessage {
    /// The queue's id of the message. It stays when the message moves to a dead-letter queue.
    pub id: String,
    /// The content.
    pub body: String,
    /// The X-Ray tracing header that its sender gave it.
    pub trace: Option<String>,
    /// When it was first sent to a queue.
    pub sent_at: Timestamp,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// What names this receipt of the message, to give it back or to delete it.
    pub receipt: String,
}

/// Looks at the messages of a queue, and removes those that were dealt with.
pub trait WaitingMessages {
    /// Some messages, at most ten, which no other receiver gets for `hidden`. None when there is no visible message.
    fn receive(&self, hidden: Duration) -> impl Future<Output = Result<Vec<WaitingMessage>, PortError>> + Send;

    /// Makes the messages visible to others again, at once. One that is visible already is given back. Of several failures, the
    /// first is returned, and the other messages are given back.
    fn give_back(&self, messages: &[WaitingMessage]) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Deletes a message.
    fn delete(&self, message: &WaitingMessage) -> impl Future<Output = Result<(), PortError>> + Send;

    /// About how many messages are in the queue, those included that are hidden because they were received.
    fn count(&self) -> impl Future<Output = Result<u64, PortError>> + Send;
}

/// Reads the evidence bucket.
pub trait ReadArchive {
    /// One page of the keys of all objects, in order, beginning after the text `after`. None after the last one. Keys begin
    /// with the day on which what is in the object was received.
    fn objects(&self, after: &str) -> impl Future<Output = Result<Vec<String>, PortError>> + Send;

    /// The content of an object, as it was stored.
    fn content(&self, key: &str) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// The item of a resource as it is stored, with its facts as stored texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredItem {
    /// The resource.
    pub id: ResourceId,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// The number of pages with earlier facts.
    pub pages: u32,
    /// The facts in the item, each a JSON text, in the order in which they were recorded.
    pub facts: Vec<String>,
}

/// Which items a scan returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemsOf {
    /// The resources that were last written at this time or later.
    WrittenSince(Timestamp),
    /// The resources of this kind.
    Kind(Kind),
}

/// An item that is not a resource in the stored form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadableItem {
    /// Its key.
    pub key: String,
    /// Why it cannot be read.
    pub why: String,
}

/// Items that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemPage {
    /// The items. There may be none although a page follows.
    pub items: Vec<StoredItem>,
    /// Those that could not be read, which must not be skipped silently.
    pub unreadable: Vec<UnreadableItem>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<String>,
}

/// Reads resources as they are stored.
pub trait StoredItems {
    /// The items of these resources, without those that are not stored.
    fn items(&self, ids: &[ResourceId]) -> impl Future<Output = Result<ItemPage, PortError>> + Send;

    /// One page of a scan of the whole table. The first begins at `None`.
    fn scan(&self, which: ItemsOf, from: Option<String>) -> impl Future<Output = Result<ItemPage, PortError>> + Send;
}
