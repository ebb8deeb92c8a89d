//! Views and events of resources, in comparable form.

use std::collections::BTreeSet;

use fundhook_domain::{Resource, ResourceId};
use serde_json::Value;

/// The ids of the events about `id` after this many different statements.
pub fn event_ids(id: &ResourceId, statements: usize) -> BTreeSet<String> {
    (1..=statements).map(|sequence| format!("{id}#{sequence}")).collect()
}

/// The view of `resource` without the evidence and the reading, which differ between webhooks, and with each pair's first text replaced by
/// the second.
pub fn plain_view(resource: &Resource, renamed: &[(&str, &str)]) -> Value {
    let view = resource.view().expect("it has facts");
    let text = serde_json::to_string(&view).expect("JSON");
    let text = renamed.iter().fold(text, |text, (own, sample)| text.replace(own, sample));
    let mut view: Value = serde_json::from_str(&text).expect("JSON");
    let members = view.as_object_mut().expect("an object");
    members.retain(|name, _| !["evidence", "fact", "reading"].contains(&name.as_str()));
    view
}
