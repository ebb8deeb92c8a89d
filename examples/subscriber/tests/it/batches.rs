//! The outcome of a batch of events: which deposits are credited, and which messages are finished.

use serde_json::{Value, json};
use subscriber::{EventError, Instruction, Subscriber};

use crate::support::{
    Entry, LedgerFailure, MemoryLedger, NOW, batch, confirmed, conflicting, converted, credit, duplicate, event,
    failed, logged, pending, restated, sequences, submitted, with, without,
};

/// Handles the events as one batch; returns the messages that were not finished.
async fn handled<T: ToString>(ledger: &MemoryLedger, bodies: &[T]) -> Vec<String> {
    let response = Subscriber::new(ledger.clone()).handle(batch(bodies), NOW).await;
    failed(&response).into_iter().map(str::to_owned).collect()
}

/// Handles the events one batch each; returns for each whether it was finished.
async fn handled_singly(ledger: &MemoryLedger, events: &[Value]) -> Vec<bool> {
    let mut finished = Vec::new();
    for event in events {
        finished.push(handled(ledger, std::slice::from_ref(event)).await.is_empty());
    }
    finished
}

#[tokio::test]
async fn every_order_and_repetition_of_a_deposits_events_credits_it_once() {
    let life = [pending("a"), submitted("a"), confirmed("a")];
    for sequence in sequences(life.len(), 6) {
        let events: Vec<Value> = sequence.iter().map(|choice| life[*choice].clone()).collect();
        let expected = usize::from(sequence.contains(&2));

        let in_one_batch = MemoryLedger::default();
        assert!(handled(&in_one_batch, &events).await.is_empty(), "{sequence:?}");
        assert_eq!(in_one_batch.credits("a"), expected, "{sequence:?}");

        let singly = MemoryLedger::default();
        assert!(handled_singly(&singly, &events).await.iter().all(|finished| *finished), "{sequence:?}");
        assert_eq!(singly.credits("a"), expected, "{sequence:?}");
    }
}

#[tokio::test]
async fn each_deposit_is_credited_with_its_own_terms() {
    let ether = with(confirmed("b"), "/credit/net", json!({ "value": "119.078888888888888887", "asset": "ETH" }));
    let ether = with(with(ether, "/amount/asset", json!("ETH")), "/amount/network/slug", json!("ethereum"));
    let ledger = MemoryLedger::default();
    assert!(handled(&ledger, &[confirmed("a"), ether, confirmed("a"), converted("c")]).await.is_empty());
    let contents = ledger.contents();
    let terms: Vec<_> = contents.credited.iter().map(subscriber::Credit::terms).collect();
    assert_eq!(
        terms,
        [
            [("tenant", "-"), ("account", "USER01"), ("asset", "BTC"), ("network", "bitcoin"), ("value", "0.013")],
            [
                ("tenant", "-"),
                ("account", "USER01"),
                ("asset", "ETH"),
                ("network", "ethereum"),
                ("value", "119.078888888888888887")
            ],
            [("tenant", "-"), ("account", "USER01"), ("asset", "USD"), ("network", "-"), ("value", "495")],
        ]
    );
}

#[tokio::test]
async fn what_arrived_does_not_decide_what_is_credited() {
    for amount in [
        json!({ "value": "119078888888888888887", "units": "wei", "asset": "ETH" }),
        json!({ "value": "7", "units": "not known", "asset": "USDC", "network": { "slug": "ethereum" } }),
        json!({ "value": "not a number", "units": "major" }),
        Value::Null,
    ] {
        let ledger = MemoryLedger::default();
        assert!(handled(&ledger, &[with(converted("a"), "/amount", amount.clone())]).await.is_empty(), "{amount}");
        assert_eq!(ledger.entry("a"), Some(Entry::Credited(credit(&converted("a")))), "{amount}");
    }
}

#[tokio::test]
async fn only_what_is_credited_as_it_arrived_has_a_network() {
    let in_kind = |event| with(event, "/credit/form", json!("in_kind"));
    let of_usdc = |event| with(event, "/credit/net/asset", json!("USDC"));
    for (event, balance) in [
        (confirmed("a"), "-#USER01#BTC#bitcoin"),
        (in_kind(of_usdc(converted("a"))), "-#USER01#USDC#ethereum"),
        // The form and the asset must both say so.
        (converted("a"), "-#USER01#USD#-"),
        (of_usdc(converted("a")), "-#USER01#USDC#-"),
        (in_kind(converted("a")), "-#USER01#USD#-"),
        (without(confirmed("a"), "/amount"), "-#USER01#BTC#-"),
        (without(confirmed("a"), "/amount/asset"), "-#USER01#BTC#-"),
    ] {
        assert_eq!(credit(&event).balance(), balance, "{event}");
    }
}

#[tokio::test]
async fn money_without_a_network_is_credited_to_a_separate_balance() {
    for unnamed in [without(confirmed("a"), "/amount/network"), with(confirmed("a"), "/amount/network", Value::Null)] {
        let ledger = MemoryLedger::default();
        assert!(handled(&ledger, &[unnamed.clone(), confirmed("b"), unnamed.clone()]).await.is_empty(), "{unnamed}");
        let contents = ledger.contents();
        let balances: Vec<String> = contents.credited.iter().map(subscriber::Credit::balance).collect();
        assert_eq!(balances, ["-#USER01#BTC#-", "-#USER01#BTC#bitcoin"], "{unnamed}");
    }
}

#[tokio::test]
async fn users_of_two_organizations_with_the_same_name_have_separate_balances() {
    let ledger = MemoryLedger::default();
    let of = |deposit: &str, tenant: &str| with(confirmed(deposit), "/tenant", json!(tenant));
    assert!(handled(&ledger, &[of("a", "acme"), of("b", "bolt"), confirmed("c")]).await.is_empty());
    let balances: Vec<String> = ledger.contents().credited.iter().map(subscriber::Credit::balance).collect();
    assert_eq!(balances, ["acme#USER01#BTC#bitcoin", "bolt#USER01#BTC#bitcoin", "-#USER01#BTC#bitcoin"]);
}

#[tokio::test]
async fn a_contradiction_before_the_confirmation_prevents_the_credit_and_needs_review() {
    // In a separate event, or as a member of another event.
    let aside = |name| with(event("a", 5, name), "/conflicting", json!(["confirmed", "failed"]));
    for contradiction in [conflicting("a"), without(conflicting("a"), "/conflicting"), aside("updated")] {
        let ledger = MemoryLedger::default();
        let finished = handled_singly(&ledger, &[contradiction.clone(), contradiction, confirmed("a")]).await;
        assert_eq!(finished, [true, true, false], "the confirmation waits in the dead-letter queue");
        assert_eq!((ledger.credits("a"), ledger.entry("a")), (0, Some(Entry::Held)));
    }
}

#[tokio::test]
async fn a_confirmation_that_names_its_own_contradiction_is_not_credited() {
    let contradicted = with(confirmed("a"), "/conflicting", json!(["confirmed", "failed"]));
    let ledger = MemoryLedger::default();
    assert!(handled(&ledger, &[contradicted]).await.is_empty());
    assert_eq!((ledger.credits("a"), ledger.entry("a")), (0, Some(Entry::Held)));
}

#[tokio::test]
async fn a_contradiction_after_the_credit_disputes_it_and_takes_nothing_back() {
    let ledger = MemoryLedger::default();
    let events = [confirmed("a"), conflicting("a"), conflicting("a"), confirmed("a")];
    assert_eq!(handled_singly(&ledger, &events).await, [true; 4], "the confirmation is known; nothing to do");
    assert_eq!((ledger.credits("a"), ledger.entry("a")), (1, Some(Entry::Disputed(credit(&confirmed("a"))))));
}

#[tokio::test]
async fn a_duplicate_is_never_credited() {
    let confirmed_as_duplicate = with(confirmed("a"), "/duplicate_of", json!("deposit#zerohash#1"));
    for said in [duplicate("a"), without(duplicate("a"), "/duplicate_of"), confirmed_as_duplicate] {
        let ledger = MemoryLedger::default();
        assert!(handled(&ledger, &[pending("a"), said.clone(), submitted("a"), said]).await.is_empty());
        assert_eq!(ledger.credits("a"), 0);
    }
}

#[tokio::test]
async fn a_confirmed_deposit_that_may_not_be_credited_is_credited_at_most_once_and_needs_review() {
    for other in [duplicate("a"), restated("a"), event("a", 4, "reversed")] {
        let life = [confirmed("a"), other];
        for sequence in sequences(2, 4).into_iter().filter(|sequence| sequence.contains(&0) && sequence.contains(&1)) {
            let events: Vec<Value> = sequence.iter().map(|choice| life[*choice].clone()).collect();
            let ledger = MemoryLedger::default();
            handled_singly(&ledger, &events).await;
            let disputed = Entry::Disputed(credit(&confirmed("a")));
            let (credits, entry) = if sequence[0] == 0 { (1, disputed) } else { (0, Entry::Held) };
            assert_eq!((ledger.credits("a"), ledger.entry("a")), (credits, Some(entry)), "{sequence:?}");
        }
    }
}

#[tokio::test]
async fn a_credit_that_is_restated_away_is_disputed_and_a_warning_asks_a_person_to_take_it_back() {
    let ledger = MemoryLedger::default();
    let log = logged(async {
        assert_eq!(handled_singly(&ledger, &[confirmed("a"), restated("a")]).await, [true; 2]);
    });
    let warning = log.await.pop().expect("a line");
    for (field, expected) in [
        ("level", "WARN"),
        // The template's alarm counts lines with this field.
        ("needs", "review"),
        ("resource.id", "deposit#connect#a"),
        ("event.id", "deposit#connect#a#4"),
        ("reason", "restated: fee_bearer_unknown"),
        ("message", "deposit#connect#a was credited and may not be credited now; needs review: take the credit back"),
    ] {
        assert_eq!(warning[field], expected, "{warning}");
    }
    assert_eq!((ledger.credits("a"), ledger.entry("a")), (1, Some(Entry::Disputed(credit(&confirmed("a"))))));
}

#[tokio::test]
async fn a_credit_that_a_person_reverses_is_disputed_and_a_warning_asks_to_take_it_back() {
    let ledger = MemoryLedger::default();
    let log = logged(async {
        assert_eq!(handled_singly(&ledger, &[confirmed("a"), event("a", 4, "reversed")]).await, [true; 2]);
    });
    let warning = log.await.pop().expect("a line");
    for (field, expected) in [("level", "WARN"), ("needs", "review"), ("reason", "reversed")] {
        assert_eq!(warning[field], expected, "{warning}");
    }
    assert_eq!((ledger.credits("a"), ledger.entry("a")), (1, Some(Entry::Disputed(credit(&confirmed("a"))))));
}

#[tokio::test]
async fn a_credit_can_be_restated_away_by_an_event_of_any_type() {
    let failed = with(event("a", 4, "failed"), "/restated", json!(["credit", "status"]));
    for event in [without(restated("a"), "/hold"), failed] {
        let ledger = MemoryLedger::default();
        assert_eq!(handled_singly(&ledger, &[confirmed("a"), event.clone()]).await, [true; 2], "{event}");
        assert_eq!(ledger.entry("a"), Some(Entry::Disputed(credit(&confirmed("a")))), "{event}");
    }
}

#[tokio::test]
async fn a_deposit_that_is_held_for_another_reason_is_credited_once_it_is_confirmed() {
    let held = event("a", 2, "held");
    let for_another_reason = with(restated("a"), "/restated", json!(["hold"]));
    let confirmed_by_a_setting = with(confirmed("a"), "/restated", json!(["credit", "final", "hold", "status"]));
    // It has a credit, so nothing is taken back.
    let mut updated = confirmed_by_a_setting.clone();
    updated["type"] = json!("fundhook.deposit.updated");
    let ledger = MemoryLedger::default();
    let events = [held, for_another_reason, updated.clone(), confirmed_by_a_setting, updated];
    assert_eq!(handled_singly(&ledger, &events).await, [true; 5]);
    assert_eq!(ledger.entry("a"), Some(Entry::Credited(credit(&confirmed("a")))));
}

#[tokio::test]
async fn a_second_confirmation_with_other_terms_needs_review() {
    for (pointer, value) in [
        ("/credit/net/value", "0.014"),
        ("/credit/net/asset", "ETH"),
        ("/credit/form", "converted"),
        ("/amount/network/slug", "litecoin"),
        ("/account", "USER02"),
        ("/tenant", "acme"),
    ] {
        let other = with(confirmed("a"), pointer, json!(value));
        // SNS and SQS may deliver either of them first.
        for [first, second] in [[confirmed("a"), other.clone()], [other, confirmed("a")]] {
            let ledger = MemoryLedger::default();
            let events = [first.clone(), second.clone(), first.clone(), second];
            assert_eq!(handled(&ledger, &events).await, ["message-1", "message-3"], "{pointer}");
            assert_eq!(ledger.credits("a"), 1, "{pointer}");
            assert_eq!(ledger.entry("a"), Some(Entry::Credited(credit(&first))), "{pointer}");
        }
    }
}

#[tokio::test]
async fn the_log_says_which_deposit_was_confirmed_again_with_another_credit() {
    let mut again = with(converted("a"), "/credit/net/value", json!("500"));
    again["id"] = json!("deposit#connect#a#4");
    let ledger = MemoryLedger::default();
    let log = logged(async {
        assert_eq!(handled(&ledger, &[converted("a"), again]).await, ["message-1"]);
    });
    let error = log.await.pop().expect("a line");
    assert_eq!(error["level"], "ERROR");
    assert_eq!(
        error["message"],
        "message message-1 cannot be processed and needs review: deposit#connect#a is credited already with a different \
         value, so deposit#connect#a#4 was not credited and nothing was changed; needs review"
    );
}

#[tokio::test]
async fn another_credit_with_the_same_net_is_no_other_credit() {
    let platform_pays = with(converted("a"), "/credit/gross/value", json!("495"));
    let platform_pays = with(platform_pays, "/credit/fees/0/borne_by", json!("platform"));
    let ledger = MemoryLedger::default();
    assert!(handled(&ledger, &[converted("a"), platform_pays]).await.is_empty());
    assert_eq!(ledger.credits("a"), 1);
}

#[tokio::test]
async fn the_same_net_in_another_spelling_is_the_same_credit() {
    let spellings = ["0.013", "00.0130", ".013"].map(|value| with(confirmed("a"), "/credit/net/value", json!(value)));
    let ledger = MemoryLedger::default();
    assert!(handled(&ledger, &spellings).await.is_empty());
    assert_eq!(ledger.credits("a"), 1);
}

#[tokio::test]
async fn an_incomplete_confirmation_is_never_acknowledged() {
    let incomplete = [
        without(confirmed("a"), "/account"),
        with(confirmed("a"), "/account", json!("")),
        with(confirmed("a"), "/account", json!("  ")),
        with(confirmed("a"), "/account", Value::Null),
        without(confirmed("a"), "/credit"),
        with(confirmed("a"), "/credit", Value::Null),
        with(confirmed("a"), "/credit", json!({})),
        without(confirmed("a"), "/credit/form"),
        without(confirmed("a"), "/credit/net"),
        without(confirmed("a"), "/credit/net/value"),
        without(confirmed("a"), "/credit/net/asset"),
        without(confirmed("a"), "/amount/network/slug"),
    ];
    let unusable = [
        with(confirmed("a"), "/credit/form", json!("a later form")),
        with(confirmed("a"), "/credit/net/value", json!(0.013)),
        with(confirmed("a"), "/credit/net/value", json!("-0.013")),
        with(confirmed("a"), "/credit/net/value", json!("0")),
        with(confirmed("a"), "/credit/net/value", json!("13 satoshis")),
        with(confirmed("a"), "/credit/net/value", json!("9".repeat(39))),
        with(confirmed("a"), "/credit/net/asset", json!("")),
        with(confirmed("a"), "/credit/net/asset", json!("BTC#bitcoin")),
        with(confirmed("a"), "/amount/network/slug", json!("a#b")),
        with(confirmed("a"), "/amount/network/slug", json!("")),
    ];
    for event in incomplete.into_iter().chain(unusable) {
        let ledger = MemoryLedger::default();
        assert_eq!(handled(&ledger, std::slice::from_ref(&event)).await, ["message-0"], "{event}");
        assert!(ledger.contents().entries.is_empty(), "{event}");
    }
}

#[test]
fn a_confirmation_without_a_credit_is_refused_even_if_it_restates_the_credit() {
    let without_credit = without(confirmed("a"), "/credit");
    for event in [with(without_credit.clone(), "/restated", json!(["credit"])), without_credit] {
        let refused = Instruction::from_event(&event.to_string());
        assert!(matches!(refused, Err(EventError::Missing("credit"))), "{refused:?}");
    }
}

#[tokio::test]
async fn an_event_that_does_not_concern_the_ledger_is_acknowledged_whatever_its_content() {
    let of_another_kind = |kind: &str| {
        let mut event = with(confirmed("a"), "/kind", json!(kind));
        event["type"] = json!(format!("fundhook.{kind}.confirmed"));
        event
    };
    let mut unheard_of = confirmed("a");
    unheard_of["type"] = json!("fundhook.deposit.confirmed.v2");
    let mut without_a_resource = without(of_another_kind("balance"), "/resource");
    without_a_resource["data"]["amount"] = json!([]);
    let names = ["pending", "submitted", "held", "abandoned", "failed", "unexpected", "updated", "overdue"];
    let events = names.map(|name| without(event("a", 1, name), "/amount")).into_iter().chain([
        of_another_kind("withdrawal"),
        of_another_kind("recovery"),
        unheard_of,
        without_a_resource,
    ]);
    let ledger = MemoryLedger::default();
    assert_eq!(handled(&ledger, &events.collect::<Vec<_>>()).await, [""; 0]);
    assert!(ledger.contents().entries.is_empty());
}

#[tokio::test]
async fn one_poison_message_fails_alone() {
    let mut of_another_version = confirmed("p");
    of_another_version["specversion"] = json!("2.0");
    for poison in [
        String::new(),
        "not JSON".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        // An event without raw message delivery.
        json!({ "Type": "Notification", "Message": confirmed("p").to_string() }).to_string(),
        without(confirmed("p"), "/kind").to_string(),
        without(confirmed("p"), "/resource").to_string(),
        with(confirmed("p"), "/conflicting", json!("failed")).to_string(),
        of_another_version.to_string(),
        confirmed("p").to_string()[..200].to_owned(),
    ] {
        let ledger = MemoryLedger::default();
        let bodies = [confirmed("a").to_string(), poison.clone(), confirmed("b").to_string()];
        assert_eq!(handled(&ledger, &bodies).await, ["message-1"], "{poison}");
        assert_eq!((ledger.credits("a"), ledger.credits("p"), ledger.credits("b")), (1, 0, 1), "{poison}");
    }
}

#[tokio::test]
async fn a_message_that_the_ledger_could_not_process_is_not_acknowledged() {
    for is_transient in [true, false] {
        for event in [confirmed("b"), conflicting("b"), duplicate("b"), restated("b")] {
            let ledger = MemoryLedger::with([LedgerFailure::Succeeds, LedgerFailure::Fails { is_transient }]);
            let batch = [confirmed("a"), event, confirmed("c")];
            assert_eq!(handled(&ledger, &batch).await, ["message-1"]);
            assert_eq!((ledger.credits("a"), ledger.entry("b"), ledger.credits("c")), (1, None, 1));
            assert!(handled(&ledger, &batch).await.is_empty(), "it is finished when delivered again");
        }
    }
}

#[tokio::test]
async fn a_lost_response_does_not_repeat_the_write() {
    let events = [confirmed("a"), conflicting("a")];
    for sequence in sequences(2, 3) {
        let once: Vec<Value> = sequence.iter().map(|choice| events[*choice].clone()).collect();
        let undisturbed = MemoryLedger::default();
        handled_singly(&undisturbed, &once).await;

        let ledger = MemoryLedger::default();
        for event in &once {
            ledger.contents().fates.push_back(LedgerFailure::AnswerIsLost);
            assert_eq!(handled(&ledger, std::slice::from_ref(event)).await, ["message-0"], "it is delivered again");
            handled(&ledger, std::slice::from_ref(event)).await;
        }
        assert_eq!(ledger.entry("a"), undisturbed.entry("a"), "{sequence:?}");
        assert_eq!(ledger.credits("a"), undisturbed.credits("a"), "{sequence:?}");
    }
}
