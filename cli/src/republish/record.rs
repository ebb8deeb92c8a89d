//! The record that the table's stream has for a write, and the events that the publisher is invoked with.

use serde_json::{Value, json};

use super::due::Due;

/// How many bytes the records of one invocation have at most. Lambda takes 6 MB; an item has at most 400 KB, so one record
/// always fits, and an invocation that runs longer than a few seconds is not needed for the others.
pub const REQUEST_BYTES_MAX: usize = 900_000;
/// How many records one invocation has at most, as the stream's own batches.
const RECORDS_MAX: usize = 100;

/// The records of one invocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The index of the first of the resources in it; the others follow it.
    pub first: usize,
    /// The records, in the form of the stream.
    pub records: Vec<Value>,
}

impl Request {
    /// The event with the records from `start` on. Sequence numbers are positions, by which the publisher names the first
    /// record that it did not finish.
    pub fn event(&self, start: usize) -> Value {
        json!({ "Records": self.records.get(start..).unwrap_or_default() })
    }

    /// The position of the record with this sequence number.
    pub fn position(&self, sequence_number: &str) -> Option<usize> {
        sequence_number.parse().ok().filter(|position| *position < self.records.len())
    }
}

/// The requests for `due`, in order, each below the limits.
pub fn requests(due: &[Due]) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    let mut bytes = 0;
    for (index, due) in due.iter().enumerate() {
        let size = due.item.facts.iter().map(|fact| escaped_len(fact)).sum::<usize>() + 1_000;
        bytes += size;
        let open = requests.last_mut().filter(|open| bytes <= REQUEST_BYTES_MAX && open.records.len() < RECORDS_MAX);
        match open {
            Some(open) => open.records.push(record(due, open.records.len())),
            None => {
                bytes = size;
                requests.push(Request { first: index, records: vec![record(due, 0)] });
            }
        }
    }
    requests
}

/// The length of a fact's JSON as a JSON string, at most.
fn escaped_len(fact: &str) -> usize {
    fact.len() + fact.bytes().filter(|byte| matches!(byte, b'"' | b'\\')).count()
}

/// The record of a write that recorded what is due.
fn record(due: &Due, position: usize) -> Value {
    let facts: Vec<Value> = due.item.facts.iter().map(|fact| json!({ "S": fact })).collect();
    let pk = json!({ "S": due.item.id });
    let mut new_image = json!({ "pk": pk, "version": { "N": due.version.to_string() }, "facts": { "L": facts } });
    if due.item.pages > 0 {
        new_image["pages"] = json!({ "N": due.item.pages.to_string() });
    }
    // A new resource has no old image.
    let old_image = match due.after {
        0 => json!({}),
        after => json!({ "pk": pk, "version": { "N": after.to_string() } }),
    };
    json!({
        "eventID": format!("republish-{position}"),
        "eventName": if due.after == 0 { "INSERT" } else { "MODIFY" },
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "",
        "dynamodb": {
            "ApproximateCreationDateTime": due.item.updated_at.unix_seconds(),
            "Keys": { "pk": pk },
            "NewImage": new_image,
            "OldImage": old_image,
            "SequenceNumber": position.to_string(),
            "SizeBytes": 0,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    })
}
