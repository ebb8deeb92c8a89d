//! Merging a later statement's details into those of earlier ones.

use serde_json::{Map, Value};

/// Replaces `earlier` by `later`, unless `later` is empty.
pub(crate) fn replace<T: Clone>(earlier: &mut Option<T>, later: &Option<T>) {
    if later.is_some() {
        earlier.clone_from(later);
    }
}

/// Replaces the members of `earlier` by those of `later`; objects are merged member by member.
pub(crate) fn merge_members(earlier: &mut Map<String, Value>, later: &Map<String, Value>) {
    for (name, value) in later {
        merge_json(earlier.entry(name.clone()).or_insert(Value::Null), value);
    }
}

fn merge_json(earlier: &mut Value, later: &Value) {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => merge_members(earlier, later),
        (earlier, later) => earlier.clone_from(later),
    }
}
