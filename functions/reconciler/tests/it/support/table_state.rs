//! Everything that is recorded, so that two worlds can be compared.
//!
//! All members are compared, including those that are added later, except the ones listed here: a row cannot state them
//! as the webhook does that it replaces.

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Claim, Provider, Resource, ResourceId, events_after};
use fundhook_ports::fakes::{IndexKeys, ReconciliationTable};
use serde_json::{Value, json};

/// Members about the statements behind a view and when they were received. A row is another statement and is read
/// later, and the webhook before it may have been dropped, so that the previous status and what the event adds to the books
/// differ.
const EVIDENCE: [&str; 12] = [
    "/view/fact",
    "/view/evidence",
    "/view/reading",
    "/view/history",
    "/event/evidence",
    "/event/history",
    "/event/reconciled",
    "/event/late",
    "/event/previous_status",
    "/event/postings",
    "/indexes/open_since",
    "/claim/families",
];

/// Members of Connect's webhooks that the list does not have. A row has no session, no status except whether it
/// succeeded, and the dates of the deposit and of the fund transaction.
pub(crate) const ONLY_IN_WEBHOOKS: [&str; 4] = ["session", "provider_status", "created_at", "updated_at"];

/// Members of the list's rows about Connect's deposits that the webhooks do not have.
pub(crate) const ONLY_IN_ROWS: [&str; 4] = ["conversion", "sub_account", "reference_id", "status_reason_code"];

/// Members that both have, with different values: the webhook family (in events `stream`), the status reason, the
/// spelling of the network, and the provider's other data.
pub(crate) const WORDED_DIFFERENTLY: [&str; 5] = ["family", "stream", "status_reason", "network/name", "provider_data"];

/// Everything that is recorded, by resource, as JSON.
#[derive(Clone, Debug)]
pub(crate) struct TableState(BTreeMap<ResourceId, Value>);

impl TableState {
    pub(super) fn of(table: &ReconciliationTable) -> Self {
        let resources = table.resources.resources();
        Self(resources.iter().map(|resource| (resource.id().clone(), recorded(table, resource))).collect())
    }

    /// The differences from `other` as text, empty if there are none. The members `ignored` of Connect's deposits are
    /// not compared. zerohash's rows have the same members as its webhooks.
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

/// What is recorded of a resource: its view, what the claims on its coins say, its index keys, and its latest event.
fn recorded(table: &ReconciliationTable, resource: &Resource) -> Value {
    let resources = table.resources.now();
    let latest = events_after(resource, 0).pop();
    let entries = resources.claims.values().flat_map(Claim::entries);
    let claims = entries.filter(|entry| entry.resource == *resource.id()).map(|entry| (entry.key(), entry.fate));
    json!({
        "view": resource.view(),
        "claims": claims.collect::<Vec<_>>(),
        "indexes": table.contents.now().indexes.keys(resource.id()).map(named),
        "event": latest.map(|event| event.data),
    })
}

/// The keys by name. The time of writing is not compared.
fn named(IndexKeys { open, settled, account, updated_at: _ }: &IndexKeys) -> Value {
    let (overdue, open_since) = open.unzip();
    json!({ "overdue": overdue, "open_since": open_since, "settled": settled, "account": account })
}

/// The members of a resource that are compared.
fn compared(id: &ResourceId, known: &Value, ignored: &[&str]) -> Value {
    let mut known = known.clone();
    EVIDENCE.iter().for_each(|pointer| remove(&mut known, pointer));
    if id.feed().provider() == Provider::Connect {
        ignored.iter().for_each(|member| remove(&mut known, &format!("/view/details/transfer/{member}")));
        // What a webhook adds after a row makes no event.
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
