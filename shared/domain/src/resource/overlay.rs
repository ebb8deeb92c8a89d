//! Putting what a later statement says over what an earlier one said.

use serde_json::{Map, Value};

/// Puts what `later` says, if anything, over `earlier`.
pub(crate) fn replace<T: Clone>(earlier: &mut Option<T>, later: &Option<T>) {
    if later.is_some() {
        earlier.clone_from(later);
    }
}

/// Puts the members of `later` over those of `earlier`, object by object.
pub(crate) fn overlay_members(earlier: &mut Map<String, Value>, later: &Map<String, Value>) {
    for (name, value) in later {
        overlay_json(earlier.entry(name.clone()).or_insert(Value::Null), value);
    }
}

fn overlay_json(earlier: &mut Value, later: &Value) {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => overlay_members(earlier, later),
        (earlier, later) => earlier.clone_from(later),
    }
}
