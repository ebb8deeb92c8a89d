//! The table's stream: the records of a key in order, redelivered until they are finished.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use fundhook_adapters::table::{FACTS, PK, VERSION};
use fundhook_domain::{Resource, digest_hex};
use serde_dynamo::AttributeValue;
use tokio::sync::Notify;
use tokio::time::Instant;

/// As many as the template's parallelization factor: keys are in one of them, each in order.
pub(crate) const PARTS: usize = 4;

/// As in the template.
const BATCH: usize = 100;

/// The stream. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Stream {
    parts: Arc<[Part; PARTS]>,
}

#[derive(Default)]
struct Part {
    records: Mutex<VecDeque<(Instant, EventRecord)>>,
    changed: Notify,
    written: Mutex<u64>,
}

impl Part {
    fn records(&self) -> MutexGuard<'_, VecDeque<(Instant, EventRecord)>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    /// Adds the record of a write that replaced `old`.
    pub(crate) fn add(&self, old: Option<&Resource>, new: &Resource) {
        let key = new.id().to_string();
        let part = usize::from(digest_hex(key.as_bytes()).as_bytes()[0]) % PARTS;
        let part = &self.parts[part];
        let sequence = {
            let mut written = part.written.lock().unwrap_or_else(PoisonError::into_inner);
            *written += 1;
            *written
        };
        part.records().push_back((Instant::now(), record_of(sequence, old, new)));
        part.changed.notify_one();
    }

    /// The first unfinished records of a part, at most `limit`, and how long the first one has waited. Waits until there is one.
    pub(crate) async fn batch(&self, part: usize, limit: usize) -> (Event, Duration) {
        let part = &self.parts[part];
        loop {
            let oldest = part.records().front().map(|(written, _)| *written);
            if let Some(oldest) = oldest {
                let mut event = Event::default();
                event.records =
                    part.records().iter().take(limit.min(BATCH)).map(|(_, record)| record.clone()).collect();
                return (event, oldest.elapsed());
            }
            part.changed.notified().await;
        }
    }

    /// Finishes the records before the one with this sequence number; all `count` of the batch, if none failed.
    pub(crate) fn finish(&self, part: usize, count: usize, first_failed: Option<&str>) -> usize {
        let mut records = self.parts[part].records();
        let is_failed = |(_, record): &(Instant, EventRecord)| record.change.sequence_number.as_deref() == first_failed;
        let failed = first_failed.and_then(|_| records.iter().position(is_failed));
        let finished = failed.unwrap_or(count).min(records.len());
        records.drain(..finished);
        finished
    }

    /// Whether every record is finished.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.records().is_empty())
    }
}

/// The record of a write that replaced `old`.
pub(crate) fn record_of(sequence: u64, old: Option<&Resource>, new: &Resource) -> EventRecord {
    let facts = new.facts().iter().map(|fact| text(serde_json::to_string(fact).unwrap_or_default()));
    let mut record = EventRecord::default();
    record.event_id = sequence.to_string();
    record.event_name = "MODIFY".to_owned();
    record.change.sequence_number = Some(sequence.to_string());
    record.change.old_image = old.map(key_and_version).unwrap_or_default().into();
    let mut image = key_and_version(new);
    image.insert(FACTS.to_owned(), AttributeValue::L(facts.collect()));
    record.change.new_image = image.into();
    record
}

/// The key and the version of a resource's item: no more is needed of an old one.
fn key_and_version(resource: &Resource) -> HashMap<String, AttributeValue> {
    let version = AttributeValue::N(resource.version().to_string());
    HashMap::from([(PK.to_owned(), text(resource.id().to_string())), (VERSION.to_owned(), version)])
}

fn text(text: String) -> AttributeValue {
    AttributeValue::S(text)
}
