//! Limits on how much of a webhook is carried on resources and events.

use fundhook_domain::Details;
use serde_json::{Map, Value, json};

/// The largest part of a webhook that is carried. A DynamoDB item holds 400 KB: six facts of a deposit's lifecycle and
/// the view, with two parts each, are 7 × 48 KiB. An SNS message holds 256 KiB. A larger part is replaced by a note.
const CARRIED_BYTES_MAX: usize = 24 * 1024;

/// The same limit for kinds without an end, of which 64 facts are kept: 65 × 4 KiB fit into an item of 400 KB.
const CARRIED_WITHOUT_END_BYTES_MAX: usize = 4 * 1024;

/// The deepest nesting that is carried. A part is nested up to 7 levels deeper in a message than in its webhook;
/// serde_json reads 128 levels, and some subscribers' parsers read 64.
const CARRIED_LEVELS_MAX: usize = 32;

/// Replaces each part that is too large to be carried by a note about its size. The part remains in the archived
/// request.
pub(crate) fn bound(details: &mut Details) {
    match details {
        Details::Transfer(transfer) => {
            if let Some(metadata) = &mut transfer.session.metadata
                && let Some(note) = left_in_evidence(metadata, CARRIED_BYTES_MAX)
            {
                *metadata = note;
            }
            bound_members(&mut transfer.provider_data, CARRIED_BYTES_MAX);
        }
        Details::Account(account) => bound_members(&mut account.provider_data, CARRIED_WITHOUT_END_BYTES_MAX),
        Details::Balance(balance) => bound_members(&mut balance.provider_data, CARRIED_WITHOUT_END_BYTES_MAX),
        Details::Recovery(_) | Details::Unrecognized(_) => {}
    }
}

fn bound_members(members: &mut Map<String, Value>, bytes_max: usize) {
    if let Some(note) = left_in_evidence(&Value::Object(members.clone()), bytes_max) {
        *members = Map::from_iter([("fundhook".to_owned(), note)]);
    }
}

/// The note that replaces `value` when it is too large or nested too deeply to be carried.
fn left_in_evidence(value: &Value, bytes_max: usize) -> Option<Value> {
    let (bytes, levels) = (value.to_string().len(), levels(value));
    (bytes > bytes_max || levels > CARRIED_LEVELS_MAX).then(|| {
        json!({ "left_in_evidence": {
            "bytes": bytes,
            "carried_bytes_max": bytes_max,
            "levels": levels,
            "carried_levels_max": CARRIED_LEVELS_MAX,
        } })
    })
}

/// How many arrays and objects enclose the innermost part of `value`.
fn levels(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => 1 + items.iter().map(levels).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(levels).max().unwrap_or(0),
    }
}
