//! The outcome of a batch of stream records: the events of each write, and the record from which Lambda delivers again.
//!
//! Partial failures are tested only here: the emulator of the local stack acknowledges the whole batch.

use fundhook_adapters::table::{FACTS, PK};
use std::collections::BTreeSet;

use fundhook_domain::{
    Details, Kind, Outflow, PaymentStep, Provider, Quantity, RecoveryDetails, RecoveryKey, ResourceId, ReturnPayment,
    Statement, WithdrawalStatus,
};
use fundhook_ports::fakes::{Fake, ReceiptTable, ResourceTable, Topic};
use fundhook_runtime::metrics::Metrics;
use publisher::Publisher;
use serde_json::{Value, json};

use crate::support::{
    at, batch, folded, handled, image, published_ids, record, refusing, statement, statement_in, statement_of, write,
};

fn life() -> Vec<Statement> {
    vec![statement("a", "pending", 0), statement("a", "confirmed", 40), statement("a", "submitted", 10)]
}

#[tokio::test]
async fn a_write_publishes_what_it_added() {
    let life = life();
    for (known, ids) in [(0, &["a#1", "a#2", "a#3"][..]), (1, &["a#2", "a#3"]), (2, &["a#3"]), (3, &[])] {
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, &[write("1", &life, known)]).await, None);
        assert_eq!(published_ids(&topic), ids, "{known} facts were known");
    }
}

#[tokio::test]
async fn three_facts_in_one_write_are_three_events_in_one_call() {
    let topic = Fake::<Topic>::default();
    assert_eq!(handled(&topic, &[write("1", &life(), 0)]).await, None);
    assert_eq!(topic.calls(), 1);
    let events = topic.events();
    let published: Vec<_> =
        events.iter().map(|event| (event.sequence, event.event_type.as_str(), event.time)).collect();
    assert_eq!(
        published,
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
    let at_once = Fake::<Topic>::default();
    handled(&at_once, &[write("1", &life, 0)]).await;
    for cuts in [&[0, 1, 2, 3][..], &[0, 1, 3], &[0, 2, 3]] {
        let topic = Fake::<Topic>::default();
        let records: Vec<Value> = cuts.windows(2).map(|cut| write("1", &life[..cut[1]], cut[0])).collect();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(topic.events(), at_once.events(), "{cuts:?}");
        assert_eq!(topic.calls(), 1, "one batch is one call to the port");
    }
}

#[tokio::test]
async fn a_record_that_is_delivered_again_publishes_the_same_events_again() {
    let topic = Fake::<Topic>::default();
    let records = [write("1", &life(), 1)];
    handled(&topic, &records).await;
    handled(&topic, &records).await;
    let events = topic.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events[..2], events[2..]);
}

#[tokio::test]
async fn where_order_is_kept_no_event_overtakes_an_earlier_one_of_its_resource_that_failed() {
    let one = life();
    let other = vec![statement("b", "pending", 0), statement("b", "confirmed", 40)];
    let records = [write("1", &one[..1], 0), write("2", &other, 0), write("3", &one, 1)];
    for (refused, taken, failed) in [
        (None, &["a#1", "b#1", "b#2", "a#2", "a#3"][..], None),
        (Some("a#1"), &["b#1", "b#2"], Some("1")),
        (Some("a#2"), &["a#1", "b#1", "b#2"], Some("3")),
        (Some("b#1"), &["a#1", "a#2", "a#3"], Some("2")),
    ] {
        let topic = refusing(&refused.into_iter().collect::<Vec<_>>());
        topic.now().keeps_order = true;
        assert_eq!(handled(&topic, &records).await.as_deref(), failed, "{refused:?}");
        let refused: BTreeSet<String> = topic.now().refuses.clone();
        let accepted = topic.events().into_iter().map(|event| event.id).filter(|id| !refused.contains(id));
        let accepted: Vec<String> = accepted.map(|id| id.replace("deposit#connect#", "")).collect();
        assert_eq!(accepted, taken, "{refused:?}");
        topic.now().refuses.clear();
        assert_eq!(handled(&topic, &records).await, None, "delivered again");
    }
}

#[tokio::test]
async fn what_changes_nothing_for_subscribers_publishes_nothing() {
    let life = life();
    let repeated =
        [life.clone(), vec![statement_in("with its members in another order", "a", "confirmed", 40)]].concat();
    assert_eq!(folded(&repeated).version(), 4, "other bytes are another fact");
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
        ("an update that adds no fact", record("1", Some(known.clone()), Some(touched))),
        ("a removal", record("1", Some(known), None)),
        ("a removal by expiry", record("1", Some(key_set(0)), None)),
        ("a first key set", record("1", None, Some(key_set(0)))),
        ("a newer key set", record("1", Some(key_set(0)), Some(key_set(300)))),
        ("a key set in the history", record("1", None, Some(history))),
        ("a watermark", record("1", None, Some(watermark))),
    ] {
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, &[record]).await, None, "{what}");
        assert_eq!(topic.calls(), 0, "{what}: the topic is not called");
    }
}

#[tokio::test]
async fn an_empty_batch_publishes_nothing() {
    let topic = Fake::<Topic>::default();
    assert_eq!(handled(&topic, &[]).await, None);
    assert_eq!(topic.calls(), 0);
}

#[tokio::test]
async fn lambda_delivers_again_from_the_first_record_with_a_refused_event() {
    let records = [
        write("100", &life()[..1], 0),
        write("200", &[statement("b", "pending", 0), statement("b", "held", 5)], 0),
        write("300", &life(), 1),
        write("400", &[statement("c", "pending", 0)], 0),
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
        let topic = refusing(refused);
        assert_eq!(handled(&topic, &records).await.as_deref(), first, "{refused:?}");
        assert_eq!(published_ids(&topic), all, "in the order of the stream");
    }
}

/// Records with the key of a resource whose item is not a readable resource.
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
        ("a fact without its members", altered(|image| image[FACTS]["L"][2] = json!({ "S": "{}" }))),
        ("a key without an id", altered(|image| image[PK] = json!({ "S": "deposit#connect#" }))),
        ("a key of an unknown feed", altered(|image| image[PK] = json!({ "S": "deposit#unknown#1" }))),
    ]
}

#[tokio::test]
async fn an_unreadable_record_is_reported_and_later_records_wait() {
    for (what, bad) in unreadable() {
        let topic = Fake::<Topic>::default();
        let records = [write("100", &[statement("b", "pending", 0)], 0), bad, write("300", &life(), 0)];
        assert_eq!(handled(&topic, &records).await.as_deref(), Some("bad"), "{what}");
        assert_eq!(published_ids(&topic), ["b#1"], "{what}: only what comes before it is published");
    }
}

#[tokio::test]
async fn a_refused_event_before_an_unreadable_record_comes_first() {
    let (_, bad) = unreadable().remove(0);
    let topic = refusing(&["b#1"]);
    let records = [write("100", &[statement("b", "pending", 0)], 0), write("200", &life(), 0), bad];
    assert_eq!(handled(&topic, &records).await.as_deref(), Some("100"));
    assert_eq!(published_ids(&topic), ["b#1", "a#1", "a#2", "a#3"]);
}

#[tokio::test]
async fn an_event_has_the_attributes_that_subscriptions_filter_by() {
    let topic = Fake::<Topic>::default();
    handled(&topic, &[write("1", &life(), 1)]).await;
    let events = topic.events();
    let expected = |event_type| {
        vec![
            ("type", event_type),
            ("kind", "deposit"),
            ("provider", "connect"),
            ("status", "confirmed"),
            ("asset", "USDC"),
            ("network", "polygon-amoy"),
            ("account", "abc123"),
            ("reference_id", "order-1"),
        ]
    };
    assert_eq!(events[0].attributes(), expected("fundhook.deposit.confirmed"));
    assert_eq!(events[1].attributes(), expected("fundhook.deposit.updated"));
    let json = serde_json::to_value(&events[0]).expect("JSON");
    assert_eq!(json["data"]["amount"]["value"], "119078888888888888887.01", "every digit is kept through the stream");
}

#[tokio::test]
async fn published_events_are_counted_by_type_and_those_that_failed_are_not() {
    let topic = refusing(&["a#3"]);
    let metrics = Metrics::recorded(false);
    let publisher =
        Publisher::to_topic(topic, Fake::<ReceiptTable>::default(), Fake::<ResourceTable>::default(), metrics.clone());
    publisher.handle(batch(&[write("1", &life(), 0), write("2", &life()[..1], 0)]), at(60)).await;
    let counted = |line: &Value| (line["type"].as_str().map(str::to_owned), line["PublishedEvents"].as_u64());
    let counted: Vec<_> = metrics.lines().iter().map(counted).collect();
    let named = |name: &str, count| (Some(name.to_owned()), Some(count));
    assert_eq!(counted, [named("fundhook.deposit.confirmed", 1), named("fundhook.deposit.pending", 2)]);
}

/// A payment returned 100 USDC to `CUST01` that had not arrived.
fn surplus() -> Statement {
    let recovery = ResourceId::new(Kind::Recovery, Provider::Zerohash, "CUST01:USDC").expect("a valid id");
    let payment = ResourceId::new(Kind::Withdrawal, Provider::Zerohash, "payment").expect("a valid id");
    let total = Quantity::major("100".parse().expect("a decimal"));
    let step = PaymentStep {
        status: WithdrawalStatus::Confirmed,
        occurred_at: Some(at(40)),
        created_at: None,
        outflow: Outflow { total: Some(total), ..Outflow::default() },
    };
    let paid = ReturnPayment { steps: BTreeSet::from([step]), ..ReturnPayment::default() };
    let key = RecoveryKey::new("CUST01", "USDC", None).expect("an asset");
    let details = Details::Recovery(Box::new(RecoveryDetails::of_payment(key, payment, paid)));
    statement_of(recovery, "surplus", "resolved", 40, details)
}

#[tokio::test]
async fn a_published_surplus_of_a_recovery_is_counted_by_itself_too() {
    for (refused, counted) in [(None, vec![1]), (Some("recovery#zerohash#CUST01:USDC#1"), vec![])] {
        let topic = Fake::<Topic>::refusing(refused.map(str::to_owned));
        let metrics = Metrics::recorded(false);
        let (receipts, pages) = <(Fake<ReceiptTable>, Fake<ResourceTable>)>::default();
        let publisher = Publisher::to_topic(topic.clone(), receipts, pages, metrics.clone());
        publisher.handle(batch(&[write("1", &life(), 0), write("2", &[surplus()], 0)]), at(60)).await;
        let event = topic.events().pop().expect("an event of the recovery");
        assert_eq!(event.event_type, "fundhook.recovery.surplus");
        let lines = metrics.lines();
        let surpluses: Vec<_> = lines.iter().filter_map(|line| line["RecoverySurpluses"].as_u64()).collect();
        assert_eq!(surpluses, counted, "{refused:?}");
    }
}

#[tokio::test]
async fn a_bus_gets_the_same_events_as_the_topic_and_fails_for_itself() {
    let (topic, bus) = (Fake::<Topic>::default(), refusing(&["a#2"]));
    assert_eq!(handled(&topic, &[write("1", &life(), 0)]).await, None);
    let to_bus = Publisher::<_, Fake<ReceiptTable>, _>::to_bus(bus.clone(), Fake::<ResourceTable>::default());
    let response = to_bus.handle(batch(&[write("1", &life(), 0)]), at(60)).await;
    assert_eq!(response.batch_item_failures.len(), 1, "its own record is delivered to it again");
    let accepted = |ids: Vec<String>| ids.into_iter().filter(|id| id != "a#2").collect::<Vec<_>>();
    assert_eq!(accepted(published_ids(&bus)), accepted(published_ids(&topic)));
}
