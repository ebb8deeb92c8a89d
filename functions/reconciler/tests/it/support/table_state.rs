//! All that is recorded, so that two worlds can be compared whole.
//!
//! Everything is compared, whatever is added to it, but for what is listed here: what a row cannot tell as the webhook does
//! that it stands in for.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Provider, Resource, ResourceId, events_after};
use serde_json::{Value, json};

use super::table::Contents;

/// What says on which statements it rests and when they were heard: a row is another statement, and is read later; and the
/// webhook before it may have been dropped, so that another status stood there, or none.
const EVIDENCE: [&str; 10] = [
    "/view/fact",
    "/view/evidence",
    "/view/history",
    "/event/evidence",
    "/event/history",
    "/event/reconciled",
    "/event/late",
    "/event/previous_status",
    "/indexes/open_since",
    "/claim/stream",
];

/// What Connect's webhooks tell of a deposit, and the list does not: it has no session, no status but whether it succeeded,
/// and its dates are the deposit's and the fund transaction's.
pub(crate) const ONLY_IN_WEBHOOKS: [&str; 4] = ["session", "provider_status", "created_at", "updated_at"];

/// What the list tells of Connect's deposits, and the webhooks do not.
pub(crate) const ONLY_IN_ROWS: [&str; 3] = ["conversion", "sub_account", "reference_id"];

/// What both tell of Connect's deposits, each in its own words: who tells of it, why it stands there, how the network is
/// spelled, and what Fundhook has no name for.
pub(crate) const WORDED_DIFFERENTLY: [&str; 4] = ["stream", "status_reason", "network/name", "provider_data"];

/// All that is recorded, by resource, as JSON.
#[derive(Clone, Debug)]
pub(crate) struct TableState(BTreeMap<ResourceId, Value>);

impl TableState {
    pub(super) fn of(contents: &Contents) -> Self {
        let resources = contents.resources.values();
        Self(resources.map(|resource| (resource.id().clone(), recorded(contents, resource))).collect())
    }

    /// What differs from `other`, for a person; nothing when nothing does. `ignored` is what is not compared of the details of
    /// Connect's deposits. Rows of zerohash's tell what its webhooks do.
    pub(crate) fn differences_from(&self, other: &Self, ignored: &[&str]) -> String {
        let mut differences = String::new();
        for id in self.0.keys().chain(other.0.keys()).collect::<BTreeSet<_>>() {
            let [ours, theirs] =
                [self, other].map(|table_state| table_state.0.get(id).map(|known| compared(id, known, ignored)));
            if ours != theirs {
                let [ours, theirs] =
                    [ours, theirs].map(|known| known.map_or("nothing".to_owned(), |it| format!("{it:#}")));
                differences += &format!("{id}: {ours}, not {theirs}\n");
            }
        }
        differences
    }
}

/// What is recorded of a resource: what it adds up to, whose its coin is, where the indexes have it, and what a subscriber
/// was told of it last.
fn recorded(contents: &Contents, resource: &Resource) -> Value {
    let claim = contents.claims.values().find(|claim| claim.owner == *resource.id());
    let latest = events_after(resource, 0).pop();
    json!({
        "view": resource.view(),
        "ownership": resource.ownership(),
        "claim": claim,
        "indexes": contents.indexes.get(resource.id()).map(super::table::Keys::named),
        "event": latest.map(|event| event.data),
    })
}

/// What is compared of what is known of a resource.
fn compared(id: &ResourceId, known: &Value, ignored: &[&str]) -> Value {
    let mut known = known.clone();
    EVIDENCE.iter().for_each(|pointer| remove(&mut known, pointer));
    if id.feed().provider() == Provider::Connect {
        ignored.iter().for_each(|member| remove(&mut known, &format!("/view/details/transfer/{member}")));
        // What a webhook adds to what a row told before it is no event of its own.
        for member in [&ONLY_IN_WEBHOOKS[..], &ONLY_IN_ROWS, &WORDED_DIFFERENTLY, &["amount/network/name"]].concat() {
            remove(&mut known, &format!("/event/{member}"));
        }
    }
    known
}

fn remove(known: &mut Value, pointer: &str) {
    let (parent, member) = pointer.rsplit_once('/').expect("a pointer begins with a slash");
    if let Some(members) = known.pointer_mut(parent).and_then(Value::as_object_mut) {
        members.remove(member);
    }
}
