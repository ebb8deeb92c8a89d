//! The topic, and a subscriber that keeps books of what it receives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fundhook_domain::{Event, ResourceId, digest_hex};
use fundhook_ports::{PortError, PublishEvents};

use crate::books::Sums;
use crate::log::Log;

/// The topic. Clones share it.
#[derive(Clone)]
pub(crate) struct Topic {
    log: Log,
    received: Arc<Mutex<Received>>,
}

/// What the subscriber received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// The digest of each event, by resource and sequence.
    pub(crate) events: BTreeMap<ResourceId, BTreeMap<u64, String>>,
    /// The books of each resource.
    pub(crate) books: BTreeMap<ResourceId, Sums>,
    /// The ids of events that were published with two contents.
    pub(crate) changed: Vec<String>,
}

impl Topic {
    pub(crate) fn new(log: &Log) -> Self {
        Self { log: log.clone(), received: Arc::default() }
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest of what subscribers get of an event.
pub(crate) fn content(event: &Event) -> String {
    digest_hex(serde_json::to_string(event).unwrap_or_default().as_bytes())
}

impl PublishEvents for Topic {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let mut received = self.received();
        for event in events {
            let resource = &event.data.resource;
            let content = content(event);
            let of_resource = received.events.entry(resource.clone()).or_default();
            match of_resource.insert(event.sequence, content.clone()) {
                None => {
                    self.log.note("event published", &event.id);
                    received.books.entry(resource.clone()).or_default().post(&event.data.postings);
                }
                Some(known) => {
                    self.log.note("event published again", &event.id);
                    if known != content {
                        received.changed.push(event.id.clone());
                    }
                }
            }
        }
        events.iter().map(|_| Ok(())).collect()
    }
}
