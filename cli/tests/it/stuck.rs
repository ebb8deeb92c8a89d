//! Envelopes and recorded resources, for what is listed, replayed and published again.

use fundhook_domain::{EvidencePointer, NewFact, Resource, ResourceId, Timestamp};
use fundhook_ports::fakes::{Fake, ResourceTable};
use fundhook_providers::{Envelope, ReadingSettings, facts};
use serde_json::{Value, json};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// The JSON of an envelope, written by hand because only a verified webhook makes one.
pub(crate) fn envelope_json(feed: &str, payload_type: Option<&str>, body: &str, received_at: &str) -> String {
    let headers: Vec<(&str, &str)> = payload_type.map(|name| ("x-zh-hook-payload-type", name)).into_iter().collect();
    json!({
        "v": 1,
        "feed": feed,
        "received_at": received_at,
        "url": format!("/webhooks/{feed}"),
        "headers": headers,
        "body": { "text": body },
        "attestation": {
            "scheme": "connect-rsa-sha256",
            "class": "asymmetric",
            "key": "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA",
            "signed_at": received_at,
        },
    })
    .to_string()
}

/// Connect reports this about the deposit `id`.
pub(crate) fn connect(event: &str, id: &str, received_at: &str) -> String {
    let body = json!({
        "event": format!("connect.deposits.{event}"),
        "deposit": {
            "id": id, "amount": "1", "network": "bitcoin", "asset": "BTC", "status": event.to_uppercase(),
            "created_at": "2026-11-20T10:00:00Z", "updated_at": received_at,
            "transaction": { "hash": "", "to": "tb1" },
        },
        "account": { "reference_id": "CUST01" },
    });
    envelope_json("connect", None, &body.to_string(), received_at)
}

pub(crate) fn envelope(json: &str) -> Envelope {
    Envelope::from_json(json).expect("an envelope")
}

/// What an envelope states, read with these settings.
pub(crate) fn facts_with(json: &str, settings: &ReadingSettings) -> Vec<NewFact> {
    facts(&envelope(json), EvidencePointer { object: "evidence/v1/none".to_owned(), line: 0 }, settings)
}

/// A table in which these envelopes are recorded.
pub(crate) fn recorded<'a>(envelopes: impl IntoIterator<Item = &'a String>) -> Fake<ResourceTable> {
    let table = Fake::new(ResourceTable::default());
    for envelope in envelopes {
        facts_with(envelope, &ReadingSettings::default()).into_iter().for_each(|fact| table.now().record(fact));
    }
    table
}

pub(crate) fn deposit(id: &str) -> ResourceId {
    format!("deposit#connect#{id}").parse().expect("an id")
}

/// The ids of the events of a resource.
pub(crate) fn event_ids(resource: &Resource) -> Vec<String> {
    fundhook_domain::events_after(resource, 0).into_iter().map(|event| event.id).collect()
}

/// The answer of a publisher that did not finish the record with this sequence number; with none, it finished all.
pub(crate) fn answer(unfinished: Option<&str>) -> fundhook::invocation::Invocation {
    let failures: Vec<Value> = unfinished.map(|number| json!({ "itemIdentifier": number })).into_iter().collect();
    fundhook::invocation::Invocation { payload: json!({ "batchItemFailures": failures }), failed: false }
}
