//! The topic, standard or FIFO, and a subscriber that keeps books of what it receives.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fundhook_domain::{Event, ResourceId, Timestamp, digest_hex};
use fundhook_ports::{PortError, PublishEvents};

use crate::books::Sums;
use crate::clock::Clock;
use crate::cloudwatch::CloudWatch;
use crate::log::Log;

/// For how long a FIFO topic drops an event with an id that it took before.
const REPEATED_WITHIN: Duration = Duration::from_secs(300);

/// The topic. Clones share it.
#[derive(Clone)]
pub(crate) struct Topic {
    clock: Clock,
    log: Log,
    cloudwatch: CloudWatch,
    is_fifo: bool,
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
    /// The ids of events that a FIFO topic delivered after a later one of their resource.
    pub(crate) disordered: Vec<String>,
    /// When a FIFO topic took each id for the last time.
    taken: BTreeMap<String, Timestamp>,
}

impl Topic {
    pub(crate) fn new(clock: Clock, log: &Log, cloudwatch: &CloudWatch, is_fifo: bool) -> Self {
        Self { clock, log: log.clone(), cloudwatch: cloudwatch.clone(), is_fifo, received: Arc::default() }
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The digest of what subscribers get of an event.
pub(crate) fn content(event: &Event) -> String {
    digest_hex(serde_json::to_string(event).unwrap_or_default().as_bytes())
}

impl Topic {
    /// Whether a FIFO topic drops this event, because it took it a short time ago.
    fn drops(&self, received: &mut Received, event: &Event) -> bool {
        let now = self.clock.now();
        let before = received.taken.get(&event.id).copied();
        let is_dropped = self.is_fifo && before.is_some_and(|before| now.since(before) < REPEATED_WITHIN);
        if self.is_fifo && !is_dropped {
            received.taken.insert(event.id.clone(), now);
        }
        is_dropped
    }
}

impl PublishEvents for Topic {
    fn keeps_order(&self) -> bool {
        self.is_fifo
    }

    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        let mut received = self.received();
        for event in events {
            if self.drops(&mut received, event) {
                self.log.note("event dropped as a repetition", &event.id);
                continue;
            }
            let resource = &event.data.resource;
            let content = content(event);
            let of_resource = received.events.entry(resource.clone()).or_default();
            let latest = of_resource.last_key_value().map(|(sequence, _)| *sequence);
            match of_resource.insert(event.sequence, content.clone()) {
                None => {
                    self.log.note("event published", &event.id);
                    if event.is_surplus() {
                        self.cloudwatch.should_ring("RecoverySurplusAlarm".to_owned());
                    }
                    received.books.entry(resource.clone()).or_default().post(&event.data.postings);
                    if self.is_fifo && latest > Some(event.sequence) {
                        received.disordered.push(event.id.clone());
                    }
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
