//! What is known of resources, in forms that can be compared.

use std::collections::BTreeSet;

use fundhook_domain::{Resource, ResourceId};
use serde_json::Value;

/// The ids of the events about `id` when so many different statements are recorded of it.
pub fn event_ids(id: &ResourceId, statements: usize) -> BTreeSet<String> {
    (1..=statements).map(|sequence| format!("{id}#{sequence}")).collect()
}

/// What the facts about `resource` add up to, with each text replaced by the one beside it and without the evidence, which
/// each telling has its own of.
pub fn plain_view(resource: &Resource, renamed: &[(&str, &str)]) -> Value {
    let view = resource.view().expect("it has facts");
    let text = serde_json::to_string(&view).expect("JSON");
    let text = renamed.iter().fold(text, |text, (own, sample)| text.replace(own, sample));
    let mut view: Value = serde_json::from_str(&text).expect("JSON");
    let members = view.as_object_mut().expect("an object");
    members.retain(|name, _| !["evidence", "fact"].contains(&name.as_str()));
    view
}
