//! Records of the stream.

pub(crate) mod coins;

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use fundhook_adapters::table::{FACTS, PK, VERSION};
use fundhook_domain::{
    Attestation, CorrelationId, Details, Event, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, Network,
    Provider, Quantity, Reading, Resource, ResourceId, Scheme, Statement, StatementContent, Status, Timestamp,
    TransferDetails, Units, fold,
};
use fundhook_ports::fakes::{Fake, ReceiptTable, ResourceTable, Topic};
use fundhook_reconciliation::Receipt;
use fundhook_runtime::metrics::Metrics;
use publisher::Publisher;
use serde_json::{Value, json};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// The deposit `native` reached the status `name` this many seconds after the start. `body` distinguishes
/// statements that are otherwise equal.
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

/// The same about any resource, with `details`.
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
        status: Some(Status::named(resource.kind(), name).expect("a status of the kind")),
        occurred_at: at(seconds),
        undated: false,
        details,
        evidence: Evidence {
            received_at: at(seconds),
            attestation,
            archived,
            correlation_id: CorrelationId::of([seconds.to_string().as_bytes()]),
            backfilled: None,
        },
        reading: Reading { at: at(seconds), revision: 1, settings: String::new() },
    };
    Statement { resource, content }
}

pub(crate) fn statement(native: &str, name: &str, seconds: i64) -> Statement {
    statement_in(name, native, name, seconds)
}

pub(crate) fn folded(statements: &[Statement]) -> Resource {
    let unknown = Resource::unknown(statements.first().expect("at least one statement").resource.clone());
    statements.iter().fold(unknown, |resource, statement| fold(resource, statement.clone()).into_resource())
}

/// A resource's item as it is in a stream record.
pub(crate) fn image(resource: &Resource) -> Value {
    let facts = resource.facts().iter().map(|fact| json!({ "S": serde_json::to_string(fact).expect("JSON") }));
    let mut image = json!({
        PK: { "S": resource.id().to_string() },
        FACTS: { "L": facts.collect::<Vec<_>>() },
        VERSION: { "N": resource.version().to_string() },
        "updated_at": { "S": at(60).sortable() },
    });
    if let Some(view) = resource.view() {
        image["status"] = json!({ "S": view.status.expect("a status").as_str() });
        image["final"] = json!({ "BOOL": view.status.expect("a status").is_final() });
    }
    image
}

/// The record of a write that changed `old` to `new`.
pub(crate) fn changed(sequence: &str, old: Option<&Resource>, new: &Resource) -> Value {
    record(sequence, old.filter(|old| old.version() > 0).map(image), Some(image(new)))
}

/// A record as Lambda receives it, with the sequence number `sequence`.
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

/// The record of a write that added all of `statements` except the first `known`, which were recorded before.
pub(crate) fn write(sequence: &str, statements: &[Statement], known: usize) -> Value {
    let old = statements.get(..known).filter(|old| !old.is_empty()).map(|old| image(&folded(old)));
    record(sequence, old, Some(image(&folded(statements))))
}

pub(crate) fn batch(records: &[Value]) -> StreamEvent {
    // From text, as the runtime API sends it.
    serde_json::from_str(&json!({ "Records": records }).to_string()).expect("a stream event")
}

/// What the ids of the events of these tests begin with.
const DEPOSIT: &str = "deposit#connect#";

/// A topic that refuses the events of deposits with these ids, such as `a#1`.
pub(crate) fn refusing(ids: &[&str]) -> Fake<Topic> {
    Fake::<Topic>::refusing(ids.iter().map(|id| format!("{DEPOSIT}{id}")))
}

/// The ids of all events that were published, in order, without [`DEPOSIT`].
pub(crate) fn published_ids(topic: &Fake<Topic>) -> Vec<String> {
    let short = |event: Event| event.id.strip_prefix(DEPOSIT).expect("an event of a deposit").to_owned();
    topic.events().into_iter().map(short).collect()
}

/// The ids of the events of which a receipt was noted, in order, without [`DEPOSIT`].
pub(crate) fn noted_ids(receipts: &Fake<ReceiptTable>) -> Vec<String> {
    let short = |receipt: Receipt| receipt.event.trim_start_matches(DEPOSIT).to_owned();
    receipts.noted().into_iter().map(short).collect()
}

/// Handles the records. Returns the sequence number from which Lambda delivers again.
pub(crate) async fn handled(topic: &Fake<Topic>, records: &[Value]) -> Option<String> {
    handled_at(60, topic, &Fake::default(), records).await
}

/// The same, this many seconds after the start and with these receipts.
pub(crate) async fn handled_at(
    seconds: i64,
    topic: &Fake<Topic>,
    receipts: &Fake<ReceiptTable>,
    records: &[Value],
) -> Option<String> {
    handled_with(seconds, topic, receipts, &Fake::default(), records).await
}

/// The same, when the table holds these resources with many facts.
pub(crate) async fn handled_with(
    seconds: i64,
    topic: &Fake<Topic>,
    receipts: &Fake<ReceiptTable>,
    pages: &Fake<ResourceTable>,
    records: &[Value],
) -> Option<String> {
    let publisher = Publisher::to_topic(topic.clone(), receipts.clone(), pages.clone(), Metrics::recorded(false));
    let response: DynamoDbEventResponse = publisher.handle(batch(records), at(seconds)).await;
    assert!(response.batch_item_failures.len() <= 1, "Lambda takes the lowest; one is enough");
    let first = response.batch_item_failures.into_iter().next()?;
    Some(first.item_identifier.expect("a record is named by its sequence number"))
}
