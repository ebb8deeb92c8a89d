//! The outcome of a batch of events: what is booked, and which messages are finished.

use serde_json::{Value, json};
use subscriber::{Entry, EventError, Subscriber, chain};

use crate::support::{
    LedgerFailure, MemoryLedger, NOW, batch, converted, entry, event, failed, life, logged, orders, with,
};

/// Handles the events as one batch; returns the messages that were not finished.
async fn handled<T: ToString>(ledger: &MemoryLedger, bodies: &[T]) -> Vec<String> {
    let response = Subscriber::new(ledger.clone()).handle(batch(bodies), NOW).await;
    failed(&response).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn every_order_and_repetition_of_the_events_ends_with_the_same_balances() {
    let life = life();
    let expected = ["customer:USER01 -0.013 BTC", "provider:connect 0.013 BTC"];
    for order in orders(life.len()) {
        let events: Vec<Value> = order.iter().map(|at| life[*at].clone()).collect();
        for at in 0..events.len() {
            let ledger = MemoryLedger::default();
            let repeated = [&events[..], &events[at..], &events[..at]].concat();
            assert!(handled(&ledger, &repeated).await.is_empty(), "{order:?}");
            assert_eq!(ledger.balances(), expected, "{order:?}");
            assert_eq!(ledger.contents().booked.len(), 4, "the event without lines is not stored");
        }
    }
}

#[tokio::test]
async fn each_step_of_a_conflict_and_its_end_is_booked() {
    let ledger = MemoryLedger::default();
    let life = life();
    for (event, expected) in life.iter().zip([
        &[][..],
        &["held:connect -0.013 BTC", "provider:connect 0.013 BTC"],
        &["customer:USER01 -0.013 BTC", "provider:connect 0.013 BTC"],
        &["held:connect -0.013 BTC", "provider:connect 0.013 BTC"],
        &["customer:USER01 -0.013 BTC", "provider:connect 0.013 BTC"],
    ]) {
        assert!(handled(&ledger, std::slice::from_ref(event)).await.is_empty());
        assert_eq!(ledger.balances(), expected);
    }
}

#[tokio::test]
async fn a_conversion_with_a_fee_is_booked_in_both_assets() {
    let ledger = MemoryLedger::default();
    assert!(handled(&ledger, &[converted()]).await.is_empty());
    assert_eq!(
        ledger.balances(),
        [
            "conversion:zerohash 500 USD",
            "conversion:zerohash -500 USDC",
            "customer:USER01 -495 USD",
            "fees:zerohash -5 USD",
            "provider:zerohash 500 USDC",
        ]
    );
}

#[tokio::test]
async fn an_event_that_cannot_be_booked_fails_alone_and_needs_review() {
    let unbalanced = event("deposit#connect#c", 1, "confirmed", &["credit customer:USER01 1 BTC"]);
    let life = life();
    let ledger = MemoryLedger::default();
    let log = logged(async {
        let bodies = [life[1].to_string(), unbalanced.to_string(), "a secret".to_owned(), life[2].to_string()];
        assert_eq!(handled(&ledger, &bodies).await, ["message-1", "message-2"]);
    });
    let errors: Vec<String> =
        log.await.iter().filter(|line| line["level"] == "ERROR").map(|line| line["message"].to_string()).collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[0].contains("in BTC, debits and credits differ by -1"), "{errors:?}");
    assert!(!errors[1].contains("secret"), "the message is not repeated: {errors:?}");
    assert_eq!(ledger.balances(), ["customer:USER01 -0.013 BTC", "provider:connect 0.013 BTC"]);
}

#[tokio::test]
async fn what_the_ledger_did_not_finish_is_delivered_again_and_booked_once() {
    let life = life();
    for failure in [
        LedgerFailure::Fails { is_transient: true },
        LedgerFailure::Fails { is_transient: false },
        LedgerFailure::AnswerIsLost,
    ] {
        let ledger = MemoryLedger::with([failure]);
        assert_eq!(handled(&ledger, &life[1..3]).await, ["message-0"], "{failure:?}");
        assert!(handled(&ledger, &life[1..2]).await.is_empty(), "{failure:?}");
        assert_eq!(ledger.balances(), ["customer:USER01 -0.013 BTC", "provider:connect 0.013 BTC"], "{failure:?}");
    }
}

#[test]
fn lines_of_one_account_and_asset_are_one_line() {
    let lines = [
        "debit a:b 1 BTC",
        "debit a:b 2 BTC",
        "credit c:d 4 BTC",
        "debit c:d 1 BTC",
        "debit e:f 1 ETH",
        "credit e:f 1 ETH",
    ];
    let entry = entry(&event("deposit#connect#c", 1, "confirmed", &lines));
    let lines: Vec<String> =
        entry.lines().iter().map(|line| format!("{} {} {}", line.account(), line.value(), line.asset())).collect();
    assert_eq!(lines, ["a:b 3 BTC", "c:d -3 BTC"]);
}

#[test]
fn a_message_that_is_no_usable_event_says_why() {
    let good = life()[1].clone();
    let fault = |event: Value| chain(&Entry::from_event(&event.to_string()).expect_err("it is unusable"));
    for (event, expected) in [
        (json!("text"), "not one of Fundhook's events"),
        (with(good.clone(), "/specversion", json!("2.0")), "version \"2.0\""),
        (with(good.clone(), "/time", json!("yesterday")), "\"yesterday\" is not a date-time"),
        (with(good.clone(), "/data/tenant", json!("a#b")), "tenant of the event is empty or contains a #"),
        (with(good.clone(), "/data/postings", json!({})), "another shape"),
        (event_with("ledger_account", json!(" ")), "ledger account of the event is empty"),
        (event_with("asset", json!("B#C")), "asset of the event is empty or contains a #"),
        (event_with("value", json!("-1")), "\"-1\" is not a decimal number"),
        (event_with("value", json!("0")), "the number is zero"),
        (event_with("value", json!("9".repeat(39))), "39 digits"),
        (event_with("direction", json!("up")), "another shape"),
    ] {
        let fault = fault(event);
        assert!(fault.contains(expected), "{expected:?} is not in {fault:?}");
    }
    assert!(matches!(Entry::from_event(""), Err(EventError::Shape(_))));
}

/// An event whose first line has this member.
fn event_with(name: &str, value: Value) -> Value {
    let mut event = life()[1].clone();
    event["data"]["postings"][0][name] = value;
    event
}
