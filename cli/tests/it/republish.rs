//! Publishing again: the records are those of the stream, nothing is left out, and a failure names its resource.

use std::cell::RefCell;

use fundhook::invocation::{Invocation, InvocationError};
use fundhook::republish::{
    Destination, Due, REQUEST_BYTES_MAX, Republisher, Window, due, publish, republished_lines, requests,
};
use fundhook_domain::{Event, ResourceId, events_after};
use fundhook_ports::fakes::{Fake, ReceiptTable, ResourceTable, Topic};
use fundhook_ports::{ItemsOf, StoredItem, StoredItems as _};
use fundhook_runtime::metrics::Metrics;
use publisher::Publisher;
use serde_json::{Value, json};

use crate::stuck::{answer, at, connect, deposit, envelope_json, event_ids, recorded};

const EARLY: &str = "2026-11-20T10:00:00Z";
const MIDDLE: &str = "2026-11-20T11:00:00Z";
const LATE: &str = "2026-11-20T12:00:00Z";

/// A deposit with three facts, and another one with one.
fn table() -> Fake<ResourceTable> {
    recorded(&[
        connect("pending", "a", EARLY),
        connect("submitted", "a", MIDDLE),
        connect("on_hold", "a", LATE),
        connect("pending", "b", EARLY),
    ])
}

async fn item(table: &Fake<ResourceTable>, id: &ResourceId) -> StoredItem {
    table.items(std::slice::from_ref(id)).await.expect("the table answers").items.remove(0)
}

#[tokio::test]
async fn only_the_facts_of_the_window_are_published_again() {
    let item = item(&table(), &deposit("a")).await;
    let all = ["deposit#connect#a#1", "deposit#connect#a#2", "deposit#connect#a#3"];
    for (from, until, expected) in [
        (None, None, &all[..]),
        (Some(EARLY), None, &all[..]),
        (Some(MIDDLE), None, &all[1..]),
        (Some("2026-11-20T11:00:01Z"), None, &all[2..]),
        (None, Some(MIDDLE), &all[..2]),
        (Some(MIDDLE), Some(MIDDLE), &all[1..2]),
        (None, Some("2026-11-20T09:59:59Z"), &[]),
        (Some("2026-11-20T10:00:01Z"), Some("2026-11-20T10:59:59Z"), &[]),
        (Some("2026-11-20T12:00:01Z"), None, &[]),
    ] {
        let window = Window { from: from.map(at), until: until.map(at) };
        let due = due(item.clone(), Vec::new(), window).expect("the facts are read");
        let events: Vec<String> = due.into_iter().flat_map(|due| due.events).map(|event| event.id).collect();
        assert_eq!(events, expected, "{from:?} to {until:?}");
    }
    // The two oldest facts are on a page, which is published whole.
    let facts = table().resource(&deposit("a")).facts().to_vec();
    let head = StoredItem { pages: 1, facts: item.facts[2..].to_vec(), ..item.clone() };
    for (from, until, expected, kept) in
        [(Some(MIDDLE), None, &all[1..], 1), (None, Some(MIDDLE), &all[..2], 0), (Some(LATE), None, &all[2..], 1)]
    {
        let window = Window { from: from.map(at), until: until.map(at) };
        let due = due(head.clone(), facts[..2].to_vec(), window).expect("the facts are read").expect("due");
        let events: Vec<String> = due.events.into_iter().map(|event| event.id).collect();
        assert_eq!(
            (events.as_slice(), due.item.facts.len()),
            (&expected.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()[..], kept)
        );
    }
    // A webhook that waited in a queue: it was received before the time, and recorded after it.
    let written = StoredItem { updated_at: at("2026-11-20T13:30:00Z"), ..item };
    let window = Window { from: Some(at("2026-11-20T13:00:00Z")), until: None };
    let due = due(written, Vec::new(), window).expect("the facts are read").expect("its last fact");
    assert_eq!((due.after, due.events.len()), (2, 1));
}

#[tokio::test]
async fn the_deployed_publisher_makes_the_same_events_of_the_records() {
    let table = table();
    let topic = Fake::new(Topic::default());
    let publisher =
        Publisher::to_topic(topic.clone(), Fake::new(ReceiptTable::default()), table.clone(), Metrics::recorded(false));
    let invoke = async |_: Destination, event: Value| {
        let event = serde_json::from_value(event).expect("an event of the stream");
        let answer = Box::pin(publisher.handle(event, at(LATE))).await;
        let payload = serde_json::to_value(answer).expect("JSON");
        Ok::<_, InvocationError>(Invocation { payload, failed: false })
    };
    let republisher = Republisher::new(table.clone(), invoke, vec![Destination::Topic], false);
    let done = republisher.resources(&[deposit("a"), deposit("b")]).await.expect("the table answers");
    assert_eq!(done.failed().count(), 0, "{done:?}");
    let expected: Vec<_> =
        ["a", "b"].into_iter().flat_map(|id| events_after(&table.resource(&deposit(id)), 0)).collect();
    let mut published = topic.events();
    published.sort_by_key(|event| event.id.clone());
    assert_eq!(published, expected, "ids and contents");

    let window = Window { from: Some(at(LATE)), until: None };
    let done = republisher.window(window, ItemsOf::WrittenSince(at(LATE)), |_| {}).await.expect("the table answers");
    assert_eq!(done.resources.len(), 1);
    let last = topic.events().pop().expect("one more");
    assert_eq!((last.id.as_str(), topic.events().len()), ("deposit#connect#a#3", expected.len() + 1));
}

fn many(count: usize, fact_bytes: usize) -> Vec<Due> {
    let due = |number: usize| Due {
        item: StoredItem {
            id: deposit(&number.to_string()),
            updated_at: at(EARLY),
            pages: 0,
            facts: vec!["x".repeat(fact_bytes)],
        },
        version: 1,
        after: 0,
        events: Vec::new(),
    };
    (0..count).map(due).collect()
}

#[test]
fn a_request_is_bounded_and_every_resource_is_in_one() {
    for (count, bytes, expected) in
        [(0, 10, 0), (1, 10, 1), (100, 10, 1), (101, 10, 2), (10, 400_000, 5), (3, 1_000_000, 3)]
    {
        let due = many(count, bytes);
        let requests = requests(&due);
        assert_eq!(requests.len(), expected, "{count} of {bytes} bytes");
        let firsts: Vec<usize> = requests.iter().map(|request| request.first).collect();
        let mut next = 0;
        for request in &requests {
            assert_eq!(request.first, next, "{firsts:?}");
            next += request.records.len();
            let event = request.event(0).to_string();
            assert!(event.len() < REQUEST_BYTES_MAX + 100_000 || request.records.len() == 1, "{}", event.len());
        }
        assert_eq!(next, count);
    }
}

#[tokio::test]
async fn a_failure_names_its_resource_and_the_others_are_published() {
    let calls = RefCell::new(Vec::new());
    let invoke = async |event: Value| {
        let sent: Vec<String> = event["Records"]
            .as_array()
            .expect("records")
            .iter()
            .map(|record| record["dynamodb"]["SequenceNumber"].as_str().expect("a number").to_owned())
            .collect();
        let unfinished = sent.iter().any(|number| number == "1").then_some("1");
        calls.borrow_mut().push(sent);
        Ok(answer(unfinished))
    };
    let outcomes = publish(&many(4, 10), invoke).await;
    let failed: Vec<bool> = outcomes.iter().map(Option::is_some).collect();
    assert_eq!(failed, [false, true, false, false]);
    assert_eq!(*calls.borrow(), [vec!["0", "1", "2", "3"], vec!["2", "3"]], "what follows the failure is sent again");
}

#[tokio::test]
async fn a_publisher_that_fails_or_answers_something_else_published_nothing_for_sure() {
    for (payload, failed, why) in [
        (json!({ "errorMessage": "Task timed out" }), true, "the publisher failed: Task timed out"),
        (json!(null), false, "is not one of Fundhook's publisher"),
        (json!({ "batchItemFailures": [{ "itemIdentifier": "9" }] }), false, "was not sent"),
    ] {
        let outcomes = publish(&many(2, 10), async |_| Ok(Invocation { payload: payload.clone(), failed })).await;
        assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_some_and(|text| text.contains(why))), "{outcomes:?}");
    }
    // A topic that takes nothing is not asked for each of many.
    let asked = RefCell::new(0);
    let outcomes = publish(&many(50, 10), async |event: Value| {
        *asked.borrow_mut() += 1;
        Ok(answer(event["Records"][0]["dynamodb"]["SequenceNumber"].as_str()))
    })
    .await;
    assert_eq!((*asked.borrow(), outcomes.iter().filter(|outcome| outcome.is_some()).count()), (3, 50));
}

#[tokio::test]
async fn a_dry_run_invokes_nothing_and_what_is_not_recorded_is_named() {
    let table = table();
    let invoke = async |_, _| -> Result<Invocation, InvocationError> { unreachable!("nothing is invoked") };
    let republisher = Republisher::new(table.clone(), invoke, vec![Destination::Topic, Destination::Bus], true);
    let twice = [deposit("a"), deposit("unknown"), deposit("a")];
    let done = republisher.resources(&twice).await.expect("the table answers");
    let lines = republished_lines(&done, true);
    assert_eq!(
        lines,
        [
            "deposit#connect#unknown  FAILED: nothing is recorded about it",
            "deposit#connect#a  events #1 to #3",
            "1 of 2 resources could not be published",
        ]
    );
    let named: Vec<String> = done.resources.iter().flat_map(|one| &one.events).map(|event| event.id.clone()).collect();
    assert_eq!(named, event_ids(&table.resource(&deposit("a"))));
}

/// The balance after each of `count` changes.
fn balances(count: u64) -> Vec<String> {
    let change = |number: u64| {
        let body = json!({
            "participant_code": "CUST01", "account_group": "PLAT01", "account_type": "available", "account_label": "general",
            "asset": "USDC.BASE", "balance": number.to_string(), "movements": [], "timestamp": 1_795_168_800 + number,
        });
        let received_at = format!("2026-11-20T10:{:02}:{:02}Z", number / 60, number % 60);
        envelope_json("zerohash", Some("account_balance.changed"), &body.to_string(), &received_at)
    };
    (0..count).map(change).collect()
}

#[test]
fn of_a_resource_without_an_end_what_is_kept_is_published_again_with_a_shorter_history() {
    let table = recorded(&balances(80));
    let balance = table.resources().remove(0);
    let published = table.now().published.clone();
    let again = events_after(&balance, 0);
    assert_eq!((published.len(), again.len()), (80, 64), "the newest are kept");
    for event in &again {
        let first = published.iter().find(|first| first.id == event.id).expect("it was published");
        let without_history = |event: &Event| {
            let mut event = serde_json::to_value(event).expect("JSON");
            event["data"].as_object_mut().expect("an object").remove("history");
            event
        };
        assert_eq!(without_history(event), without_history(first));
    }
}
