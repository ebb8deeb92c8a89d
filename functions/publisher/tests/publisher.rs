//! What becomes of a batch of stream records: the events that each write added, and from which record on to try again.
//!
//! Partial failures are tested here and only here: the local stack's emulator acknowledges the whole batch.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lambda_events::dynamodb::Event as StreamEvent;
use aws_lambda_events::streams::DynamoDbEventResponse;
use fundhook_adapters::table::{FACTS, PK};
use fundhook_domain::port::{Disposition, PortError, PublishEvents};
use fundhook_domain::{
    Attestation, Details, Event, Evidence, EvidenceClass, EvidencePointer, FactId, Kind, Network, Provider, Quantity,
    Resource, ResourceId, Scheme, Signal, Status, Timestamp, TransferDetails, Units, fold,
};
use publisher::Publisher;
use serde_json::{Value, json};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_759_866_290 + seconds).expect("in range")
}

/// That the deposit `native` reached the status `name` after so many seconds, said in the bytes called `body`.
fn signal_in(body: &str, native: &str, name: &str, seconds: i64) -> Signal {
    let resource = ResourceId::new(Kind::Deposit, Provider::Connect, native).expect("a valid id");
    let event_type = format!("connect.deposits.{name}");
    let attestation = Attestation {
        scheme: Scheme::ConnectRsaSha256,
        class: EvidenceClass::Asymmetric,
        key: "fXlqkMIEzdQ0gSZ8F5RkRhbTzjxnrkSVRlHuAVm3FyA".to_owned(),
        signed_at: at(seconds),
        token_verified: false,
    };
    let archived = EvidencePointer { object: "evidence/v1/2025/10/07/x.ndjson.gz".to_owned(), line: 0 };
    let details = TransferDetails {
        quantity: Some(Quantity { value: "119078888888888888887.01".parse().expect("a decimal"), units: Units::Major }),
        asset: Some("USDC".to_owned()),
        network: Some(Network::named("Polygon Testnet Amoy")),
        account: Some("abc123".to_owned()),
        reference_id: Some("order-1".to_owned()),
        ..Default::default()
    };
    Signal {
        fact: FactId::of(&resource, &event_type, body.as_bytes()),
        resource,
        event_type,
        status: Status::named(Kind::Deposit, name).expect("a deposit's status"),
        occurred_at: at(seconds),
        details: Details::Transfer(Box::new(details)),
        evidence: Evidence { received_at: at(seconds), attestation, archived },
    }
}

fn signal(native: &str, name: &str, seconds: i64) -> Signal {
    signal_in(name, native, name, seconds)
}

fn folded(signals: &[Signal]) -> Resource {
    let unknown = Resource::unknown(signals.first().expect("at least one signal").resource.clone());
    signals.iter().fold(unknown, |resource, signal| fold(resource, signal.clone()).into_resource())
}

/// A resource's item, as the stream shows it.
fn image(resource: &Resource) -> Value {
    let facts = resource.facts().iter().map(|fact| json!({ "S": serde_json::to_string(fact).expect("JSON") }));
    let view = resource.view().expect("a view");
    json!({
        PK: { "S": resource.id().to_string() },
        FACTS: { "L": facts.collect::<Vec<_>>() },
        "version": { "N": resource.version().to_string() },
        "view": { "S": serde_json::to_string(&view).expect("JSON") },
        "status": { "S": view.status.as_str() },
        "final": { "BOOL": view.status.is_final() },
        "updated_at": { "S": at(60).sortable() },
    })
}

/// A record as Lambda hands it over, which is called `sequence`.
fn record(sequence: &str, old: Option<Value>, new: Option<Value>) -> Value {
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
fn write(sequence: &str, signals: &[Signal], known: usize) -> Value {
    let old = signals.get(..known).filter(|old| !old.is_empty()).map(|old| image(&folded(old)));
    record(sequence, old, Some(image(&folded(signals))))
}

fn batch(records: &[Value]) -> StreamEvent {
    // As a text, as it comes over the runtime API.
    serde_json::from_str(&json!({ "Records": records }).to_string()).expect("a stream event")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A topic in memory.
#[derive(Clone, Default)]
struct Topic {
    calls: Arc<Mutex<Vec<Vec<Event>>>>,
    /// It refuses the events with these ids.
    refused: BTreeSet<String>,
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
    fn refusing(ids: &[&str]) -> Self {
        Self { refused: ids.iter().map(|id| format!("deposit#connect#{id}")).collect(), ..Self::default() }
    }

    /// All that was published, in order.
    fn events(&self) -> Vec<Event> {
        lock(&self.calls).concat()
    }

    /// The ids of all that was published, without what all of them begin with.
    fn ids(&self) -> Vec<String> {
        let short = |event: Event| event.id.strip_prefix("deposit#connect#").expect("a deposit's event").to_owned();
        self.events().into_iter().map(short).collect()
    }
}

/// The record from which on Lambda delivers again.
async fn handled(topic: &Topic, records: &[Value]) -> Option<String> {
    let response: DynamoDbEventResponse = Publisher::new(topic.clone()).handle(batch(records)).await;
    assert!(response.batch_item_failures.len() <= 1, "Lambda takes the lowest; one is enough");
    let first = response.batch_item_failures.into_iter().next()?;
    Some(first.item_identifier.expect("a record is named by its sequence number"))
}

fn life() -> Vec<Signal> {
    vec![signal("a", "pending", 0), signal("a", "confirmed", 40), signal("a", "submitted", 10)]
}

#[tokio::test]
async fn a_write_publishes_what_it_added() {
    let life = life();
    for (known, ids) in [(0, &["a#1", "a#2", "a#3"][..]), (1, &["a#2", "a#3"]), (2, &["a#3"]), (3, &[])] {
        let topic = Topic::default();
        assert_eq!(handled(&topic, &[write("1", &life, known)]).await, None);
        assert_eq!(topic.ids(), ids, "{known} facts were known");
    }
}

#[tokio::test]
async fn three_facts_in_one_write_are_three_events_in_one_call() {
    let topic = Topic::default();
    assert_eq!(handled(&topic, &[write("1", &life(), 0)]).await, None);
    assert_eq!(lock(&topic.calls).len(), 1);
    let events = topic.events();
    let said: Vec<_> = events.iter().map(|event| (event.sequence, event.event_type.as_str(), event.time)).collect();
    assert_eq!(
        said,
        [
            (1, "fundhook.deposit.pending", at(0)),
            (2, "fundhook.deposit.confirmed", at(40)),
            (3, "fundhook.deposit.updated", at(10)),
        ]
    );
}

#[tokio::test]
async fn writes_cut_in_any_way_publish_the_same_events() {
    let life = life();
    let at_once = Topic::default();
    handled(&at_once, &[write("1", &life, 0)]).await;
    for cuts in [&[0, 1, 2, 3][..], &[0, 1, 3], &[0, 2, 3]] {
        let topic = Topic::default();
        let records: Vec<Value> = cuts.windows(2).map(|cut| write("1", &life[..cut[1]], cut[0])).collect();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(topic.events(), at_once.events(), "{cuts:?}");
        assert_eq!(lock(&topic.calls).len(), 1, "a batch of records is one call to the port");
    }
}

#[tokio::test]
async fn a_record_delivered_again_says_the_same_again() {
    let topic = Topic::default();
    let records = [write("1", &life(), 1)];
    handled(&topic, &records).await;
    handled(&topic, &records).await;
    let events = topic.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events[..2], events[2..]);
}

#[tokio::test]
async fn what_changes_nothing_for_subscribers_publishes_nothing() {
    let life = life();
    let repeated = [life.clone(), vec![signal_in("its members in another order", "a", "confirmed", 40)]].concat();
    assert_eq!(folded(&repeated).version(), 4, "it is a fact of its own");
    let known = image(&folded(&life));
    let mut touched = known.clone();
    touched["updated_at"] = json!({ "S": at(120).sortable() });
    let key_set = |fetched_at: i64| {
        json!({
            PK: { "S": "keys#connect" },
            "jwks": { "S": "{\"keys\":[]}" },
            "fetched_at": { "S": at(fetched_at).sortable() },
        })
    };
    let mut history = key_set(0);
    history[PK] = json!({ "S": "keys#connect#fingerprint" });
    let watermark = json!({ PK: { "S": "watermark#connect" }, "version": { "N": "1" } });

    for (what, record) in [
        ("a statement repeated in other bytes", write("1", &repeated, 3)),
        ("a touch that adds no fact", record("1", Some(known.clone()), Some(touched))),
        ("a removal", record("1", Some(known), None)),
        ("a removal that an expiry made", record("1", Some(key_set(0)), None)),
        ("a first key set", record("1", None, Some(key_set(0)))),
        ("a newer key set", record("1", Some(key_set(0)), Some(key_set(300)))),
        ("a key set in the history", record("1", None, Some(history))),
        ("a watermark", record("1", None, Some(watermark))),
    ] {
        let topic = Topic::default();
        assert_eq!(handled(&topic, &[record]).await, None, "{what}");
        assert!(lock(&topic.calls).is_empty(), "{what}: the topic is not even called");
    }
}

#[tokio::test]
async fn no_records_are_nothing_to_do() {
    let topic = Topic::default();
    assert_eq!(handled(&topic, &[]).await, None);
    assert!(lock(&topic.calls).is_empty());
}

#[tokio::test]
async fn the_first_record_with_a_refused_event_is_where_lambda_begins_again() {
    let records = [
        write("100", &life()[..1], 0),
        write("200", &[signal("b", "pending", 0), signal("b", "held", 5)], 0),
        write("300", &life(), 1),
        write("400", &[signal("c", "pending", 0)], 0),
    ];
    let all = ["a#1", "b#1", "b#2", "a#2", "a#3", "c#1"];
    for (refused, first) in [
        (&[][..], None),
        (&["a#1"], Some("100")),
        (&["b#1"], Some("200")),
        (&["b#2"], Some("200")),
        (&["a#3"], Some("300")),
        (&["c#1", "a#2"], Some("300")),
        (&["c#1"], Some("400")),
        (&all, Some("100")),
    ] {
        let topic = Topic::refusing(refused);
        assert_eq!(handled(&topic, &records).await.as_deref(), first, "{refused:?}");
        assert_eq!(topic.ids(), all, "in the order of the stream");
    }
}

/// Records that hold a resource's key and not a resource.
fn unreadable() -> Vec<(&'static str, Value)> {
    let whole = image(&folded(&life()));
    let altered = |alter: fn(&mut Value)| {
        let mut image = whole.clone();
        alter(&mut image);
        record("bad", None, Some(image))
    };
    vec![
        ("no facts", altered(|image| assert!(image.as_object_mut().expect("an image").remove(FACTS).is_some()))),
        ("facts of another type", altered(|image| image[FACTS] = json!({ "S": "[]" }))),
        ("a fact of another type", altered(|image| image[FACTS]["L"][1] = json!({ "N": "1" }))),
        ("a fact that is not JSON", altered(|image| image[FACTS]["L"][1] = json!({ "S": "{" }))),
        ("a fact without its shape", altered(|image| image[FACTS]["L"][2] = json!({ "S": "{}" }))),
        ("a key without an id", altered(|image| image[PK] = json!({ "S": "deposit#connect#" }))),
        ("a key of an unknown feed", altered(|image| image[PK] = json!({ "S": "deposit#nobody#1" }))),
    ]
}

#[tokio::test]
async fn an_unreadable_record_is_reported_and_what_follows_it_waits() {
    for (what, bad) in unreadable() {
        let topic = Topic::default();
        let records = [write("100", &[signal("b", "pending", 0)], 0), bad, write("300", &life(), 0)];
        assert_eq!(handled(&topic, &records).await.as_deref(), Some("bad"), "{what}");
        assert_eq!(topic.ids(), ["b#1"], "{what}: what came before it is said, and nothing after it");
    }
}

#[tokio::test]
async fn a_refused_event_before_an_unreadable_record_comes_first() {
    let (_, bad) = unreadable().remove(0);
    let topic = Topic::refusing(&["b#1"]);
    let records = [write("100", &[signal("b", "pending", 0)], 0), write("200", &life(), 0), bad];
    assert_eq!(handled(&topic, &records).await.as_deref(), Some("100"));
    assert_eq!(topic.ids(), ["b#1", "a#1", "a#2", "a#3"]);
}

#[tokio::test]
async fn an_event_carries_what_subscriptions_choose_by() {
    let topic = Topic::default();
    handled(&topic, &[write("1", &life(), 1)]).await;
    let events = topic.events();
    let expected = |event_type| {
        vec![
            ("type", event_type),
            ("kind", "deposit"),
            ("status", "confirmed"),
            ("provider", "connect"),
            ("asset", "USDC"),
            ("network", "polygon-amoy"),
            ("account", "abc123"),
            ("reference_id", "order-1"),
        ]
    };
    assert_eq!(events[0].attributes(), expected("fundhook.deposit.confirmed"));
    assert_eq!(events[1].attributes(), expected("fundhook.deposit.updated"));
    let json = serde_json::to_value(&events[0]).expect("JSON");
    assert_eq!(json["data"]["amount"]["value"], "119078888888888888887.01", "to the digit, through the stream");
}
