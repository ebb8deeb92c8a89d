//! Records of the stream, and a topic in memory.
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use fundhook_adapters::table::{FACTS, OWNERSHIP, PK, VERSION};
use fundhook_domain::{
    Attestation, Details, Event, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, Network, Ownership, Provider,
    Quantity, Resource, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp, TransferDetails, Units,
    fold,
};
use fundhook_ports::{Disposition, PortError, PublishEvents, Receipts};
use fundhook_reconciliation::Receipt;
use publisher::Publisher;
use serde_json::{Value, json};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// That the deposit `native` reached the status `name` after so many seconds, said in the bytes called `body`.
pub(crate) fn statement_in(body: &str, native: &str, name: &str, seconds: i64) -> Statement {
    let resource = ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("a valid id");
    let details = TransferDetails {
        quantity: Some(Quantity { value: "119078888888888888887.01".parse().expect("a decimal"), units: Units::Major }),
        asset: Some("USDC".to_owned()),
        network: Some(Network::named("Polygon Testnet Amoy")),
        account: Some("abc123".to_owned()),
        reference_id: Some("order-1".to_owned()),
        ..Default::default()
    };
    statement_of(resource, body, name, seconds, Details::Transfer(Box::new(details)))
}

/// That `resource` reached the status `name` after so many seconds, and what else was said in the bytes called `body`.
pub(crate) fn statement_of(resource: ResourceId, body: &str, name: &str, seconds: i64, details: Details) -> Statement {
    let event_type = format!("connect.deposits.{name}");
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
        signed_at: Some(at(seconds)),
        token_verified: false,
    };
    let archived = EvidencePointer { object: "evidence/v1/2025/10/07/x.ndjson.gz".to_owned(), line: 0 };
    let content = StatementContent {
        id: FactId::of(&resource, &event_type, body.as_bytes()),
        event_type,
        status: Status::named(resource.kind(), name).expect("a status of the kind"),
        occurred_at: at(seconds),
        details,
        evidence: Evidence { received_at: at(seconds), attestation, archived },
    };
    Statement { resource, content }
}

pub(crate) fn statement(native: &str, name: &str, seconds: i64) -> Statement {
    statement_in(name, native, name, seconds)
}

pub(crate) fn folded(statements: &[Statement]) -> Resource {
    let unknown = Resource::unknown(statements.first().expect("at least one signal").resource.clone());
    statements.iter().fold(unknown, |resource, statement| fold(resource, statement.clone()).into_resource())
}

/// A resource's item, as the stream shows it.
pub(crate) fn image(resource: &Resource) -> Value {
    let facts = resource.facts().iter().map(|fact| json!({ "S": serde_json::to_string(fact).expect("JSON") }));
    let view = resource.view().expect("a view");
    let mut image = json!({
        PK: { "S": resource.id().to_string() },
        FACTS: { "L": facts.collect::<Vec<_>>() },
        VERSION: { "N": resource.version().to_string() },
        "view": { "S": serde_json::to_string(&view).expect("JSON") },
        "status": { "S": view.status.as_str() },
        "final": { "BOOL": view.status.is_final() },
        "updated_at": { "S": at(60).sortable() },
    });
    if *resource.ownership() != Ownership::Unclaimed {
        image[OWNERSHIP] = json!({ "S": serde_json::to_string(resource.ownership()).expect("JSON") });
    }
    image
}

/// The record of a write that made `new` of `old`.
pub(crate) fn changed(sequence: &str, old: Option<&Resource>, new: &Resource) -> Value {
    record(sequence, old.filter(|old| old.version() > 0).map(image), Some(image(new)))
}

/// A record as Lambda hands it over, which is called `sequence`.
pub(crate) fn record(sequence: &str, old: Option<Value>, new: Option<Value>) -> Value {
    let name = match (&old, &new) {
        (None, _) => "INSERT",
        (Some(_), Some(_)) => "MODIFY",
        (Some(_), None) => "REMOVE",
    };
    let key = new.as_ref().or(old.as_ref()).map(|image| image[PK].clone());
    let mut change = json!({
        "ApproximateCreationDateTime": 1_759_866_291,
        "Keys": { PK: key },
        "SequenceNumber": sequence,
        "SizeBytes": 1024,
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    });
    for (name, image) in [("OldImage", old), ("NewImage", new)] {
        if let Some(image) = image {
            change[name] = image;
        }
    }
    json!({
        "eventID": format!("event-{sequence}"),
        "eventName": name,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": change,
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/fundhook/stream/2026-11-22T00:00:00.000",
    })
}

/// The record of a write that made `signals` of the first `known` of them.
pub(crate) fn write(sequence: &str, statements: &[Statement], known: usize) -> Value {
    let old = statements.get(..known).filter(|old| !old.is_empty()).map(|old| image(&folded(old)));
    record(sequence, old, Some(image(&folded(statements))))
}

pub(crate) fn batch(records: &[Value]) -> StreamEvent {
    // As a text, as it comes over the runtime API.
    serde_json::from_str(&json!({ "Records": records }).to_string()).expect("a stream event")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A topic in memory.
#[derive(Clone, Default)]
pub(crate) struct Topic {
    pub(crate) calls: Arc<Mutex<Vec<Vec<Event>>>>,
    /// It refuses the events with these ids.
    pub(crate) refused: BTreeSet<String>,
}

impl PublishEvents for Topic {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), PortError>> {
        lock(&self.calls).push(events.to_vec());
        let outcome = |event: &Event| {
            let refused = || PortError::new("publish an event", Disposition::Retry, "it is down");
            if self.refused.contains(&event.id) { Err(refused()) } else { Ok(()) }
        };
        events.iter().map(outcome).collect()
    }
}

impl Topic {
    pub(crate) fn refusing(ids: &[&str]) -> Self {
        Self { refused: ids.iter().map(|id| format!("deposit#connect#{id}")).collect(), ..Self::default() }
    }

    /// All that was published, in order.
    pub(crate) fn events(&self) -> Vec<Event> {
        lock(&self.calls).concat()
    }

    /// The ids of all that was published, without what all of them begin with.
    pub(crate) fn ids(&self) -> Vec<String> {
        let short = |event: Event| event.id.strip_prefix("deposit#connect#").expect("a deposit's event").to_owned();
        self.events().into_iter().map(short).collect()
    }
}

/// Receipts in memory.
#[derive(Clone, Default)]
pub(crate) struct ReconciliationStore {
    pub(crate) calls: Arc<Mutex<Vec<Vec<Receipt>>>>,
    is_down: Arc<AtomicBool>,
}

impl Receipts for ReconciliationStore {
    async fn note(&self, receipts: &[Receipt]) -> Result<(), PortError> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(PortError::new("note what was published", Disposition::Retry, "it is down"));
        }
        lock(&self.calls).push(receipts.to_vec());
        Ok(())
    }

    async fn receipts(&self, resources: &[ResourceId]) -> Result<Vec<Receipt>, PortError> {
        unreachable!("the publisher notes and never asks: {resources:?}")
    }
}

impl ReconciliationStore {
    /// Notes nothing from now on, or does again.
    pub(crate) fn down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// All that was noted, in order.
    pub(crate) fn noted(&self) -> Vec<Receipt> {
        lock(&self.calls).concat()
    }

    /// The events that were noted, without what the ids of all begin with.
    pub(crate) fn ids(&self) -> Vec<String> {
        let short = |receipt: Receipt| receipt.event.trim_start_matches("deposit#connect#").to_owned();
        self.noted().into_iter().map(short).collect()
    }
}

/// The record from which on Lambda delivers again.
pub(crate) async fn handled(topic: &Topic, records: &[Value]) -> Option<String> {
    handled_at(60, topic, &ReconciliationStore::default(), records).await
}

/// The same, so many seconds in, and with these books.
pub(crate) async fn handled_at(
    seconds: i64,
    topic: &Topic,
    store: &ReconciliationStore,
    records: &[Value],
) -> Option<String> {
    let publisher = Publisher::new(topic.clone(), store.clone());
    let response: DynamoDbEventResponse = publisher.handle(batch(records), at(seconds)).await;
    assert!(response.batch_item_failures.len() <= 1, "Lambda takes the lowest; one is enough");
    let first = response.batch_item_failures.into_iter().next()?;
    Some(first.item_identifier.expect("a record is named by its sequence number"))
}
