//! Recording in the table as the state updater and the publisher do.

use std::collections::BTreeMap;

use fundhook_domain::{NewFact, Resource, ResourceId, Timestamp};
use fundhook_ports::fakes::{ReconciliationTable, ResourceTable};
use fundhook_reconciliation::receipt_of;

/// Does what the state updater and the publisher do with a message.
pub(crate) fn record(table: &ReconciliationTable, fact: NewFact, now: Timestamp) {
    let mut resources = table.resources.now();
    let versions = |table: &ResourceTable| -> BTreeMap<ResourceId, u64> {
        table.resources.iter().map(|(id, resource)| (id.clone(), resource.version())).collect()
    };
    let (before, published) = (versions(&resources), resources.published.len());
    resources.record(fact);
    // A fact may change others too: the owner of a second name, and the deposits of a coin.
    let changed = versions(&resources).into_iter().filter(|(id, version)| before.get(id) != Some(version));
    let changed: Vec<Resource> = changed.map(|(id, _)| resources.resource(&id)).collect();
    let receipts = resources.published[published..].iter().filter_map(|event| receipt_of(event, now));
    table.receipts.now().stored.extend(receipts.map(|receipt| (receipt.resource.clone(), receipt)));
    changed.iter().for_each(|resource| table.index(resource, now));
}
