//! The table's stream: the records of a key in order, redelivered until they are finished.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::dynamodb::{Event, EventRecord};
use fundhook_adapters::table::{FACTS, PK, VERSION};
use fundhook_domain::{Resource, digest_hex};
use serde_json::{Value, json};
use tokio::sync::Notify;

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
    records: Mutex<VecDeque<EventRecord>>,
    changed: Notify,
    written: Mutex<u64>,
}

impl Part {
    fn records(&self) -> MutexGuard<'_, VecDeque<EventRecord>> {
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
        part.records().extend(record_of(sequence, old, new));
        part.changed.notify_one();
    }

    /// The first unfinished records of a part, at most `limit`. Waits until there is one.
    pub(crate) async fn batch(&self, part: usize, limit: usize) -> Event {
        let part = &self.parts[part];
        loop {
            let records: Vec<EventRecord> = part.records().iter().take(limit.min(BATCH)).cloned().collect();
            if !records.is_empty() {
                let mut event = Event::default();
                event.records = records;
                return event;
            }
            part.changed.notified().await;
        }
    }

    /// Finishes the records before the one with this sequence number; all `count` of the batch, if none failed.
    pub(crate) fn finish(&self, part: usize, count: usize, first_failed: Option<&str>) -> usize {
        let mut records = self.parts[part].records();
        let is_failed = |record: &EventRecord| record.change.sequence_number.as_deref() == first_failed;
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
pub(crate) fn record_of(sequence: u64, old: Option<&Resource>, new: &Resource) -> Option<EventRecord> {
    serde_json::from_value(record(sequence, old.map(image), &image(new))).ok()
}

/// A resource's item, as far as a record needs it.
fn image(resource: &Resource) -> Value {
    let facts = resource.facts().iter().map(|fact| json!({ "S": serde_json::to_string(fact).unwrap_or_default() }));
    json!({
        PK: { "S": resource.id().to_string() },
        FACTS: { "L": facts.collect::<Vec<_>>() },
        VERSION: { "N": resource.version().to_string() },
    })
}

fn record(sequence: u64, old: Option<Value>, new: &Value) -> Value {
    let mut change = json!({
        "ApproximateCreationDateTime": 1_767_571_200,
        "Keys": { PK: new[PK] },
        "SequenceNumber": sequence.to_string(),
        "SizeBytes": 1024,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
        "NewImage": new,
    });
    if let Some(old) = old {
        change["OldImage"] = old;
    }
    json!({
        "eventID": sequence.to_string(),
        "eventName": "MODIFY",
        "awsRegion": "us-east-1",
        "dynamodb": change,
    })
}
