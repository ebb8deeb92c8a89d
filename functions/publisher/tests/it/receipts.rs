//! Receipts: one for each deposit that the topic accepted as one that may be credited, so that control totals can compare
//! what was recorded with what was published.

use fundhook_domain::{
    AccountDetails, Details, Kind, Provider, Quantity, ResourceId, Statement, TransferDetails, WebhookFamily,
    events_after,
};
use fundhook_ports::fakes::{Fail, Fake, ReceiptTable, Topic};
use fundhook_reconciliation::{Flow, Moved, Receipt};
use serde_json::Value;

use crate::support::coins::{Table, of_coin, reported};
use crate::support::{
    at, changed, folded, handled_at, noted_ids, published_ids, refusing, statement, statement_in, statement_of, write,
};

async fn handled(topic: &Fake<Topic>, receipts: &Fake<ReceiptTable>, records: &[Value]) -> Option<String> {
    handled_at(60, topic, receipts, records).await
}

fn life() -> Vec<Statement> {
    vec![statement("a", "pending", 0), statement("a", "confirmed", 40)]
}

/// `statement` with this amount, or without one.
fn with_amount(mut statement: Statement, value: Option<&str>) -> Statement {
    if let Details::Transfer(details) = &mut statement.content.details {
        details.quantity = value.map(|value| Quantity::major(value.parse().expect("a decimal")));
    }
    statement
}

/// A resource of `kind` reached the status `name`.
fn of_kind(kind: Kind, name: &str) -> Statement {
    let details = match kind {
        Kind::Participant | Kind::ExternalAccount => Details::Account(Box::<AccountDetails>::default()),
        Kind::Deposit
        | Kind::Withdrawal
        | Kind::Fee
        | Kind::Exchange
        | Kind::Recovery
        | Kind::Balance
        | Kind::Unrecognized => Details::Transfer(Box::default()),
    };
    let id = ResourceId::new(kind, Provider::Connect, "other").expect("a valid id");
    statement_of(id, name, name, 40, details)
}

/// What a receipt says when this much USDC came in.
fn came_in(value: &str) -> Vec<Moved> {
    vec![Moved { flow: Flow::In, asset: "USDC".to_owned(), value: value.parse().expect("a decimal") }]
}

#[tokio::test]
async fn a_deposit_that_was_published_as_confirmed_has_a_receipt_with_its_amount_and_event() {
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    assert_eq!(handled(&topic, &receipts, &[write("1", &life(), 0)]).await, None);
    assert_eq!(published_ids(&topic), ["a#1", "a#2"]);
    let expected = Receipt {
        resource: statement("a", "confirmed", 40).resource,
        event: "deposit#connect#a#2".to_owned(),
        moved: came_in("119078888888888888887.01"),
        posted: came_in("119078888888888888887.01"),
        published_at: at(60),
    };
    assert_eq!(receipts.noted(), [expected]);
}

#[tokio::test]
async fn a_later_event_of_a_confirmed_deposit_has_a_receipt_with_the_new_amount() {
    // The first statement has no amount.
    let without = with_amount(statement("a", "confirmed", 40), None);
    let more = statement_in("with an amount", "a", "confirmed", 50);
    let more = with_amount(more, Some("0.000000000000000000000000000000000000000000001"));
    let (known, next) = (folded(std::slice::from_ref(&without)), folded(&[without, more]));
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    assert_eq!(handled(&topic, &receipts, &[changed("1", Some(&known), &next)]).await, None);
    let noted = receipts.noted();
    let [receipt] = &noted[..] else { unreachable!("one receipt: {noted:?}") };
    assert_eq!(receipt.event, "deposit#connect#a#2");
    assert_eq!(receipt.moved, came_in("0.000000000000000000000000000000000000000000001"), "every digit is kept");
}

#[tokio::test]
async fn a_confirmed_deposit_that_is_reported_with_another_amount_has_a_receipt_that_says_so() {
    let known = folded(&life());
    let other = with_amount(statement_in("with another amount", "a", "confirmed", 50), Some("99"));
    let next = folded(&[life(), vec![other]].concat());
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    assert_eq!(handled(&topic, &receipts, &[changed("1", Some(&known), &next)]).await, None);
    let events = topic.events();
    let [event] = &events[..] else { unreachable!("one event: {events:?}") };
    assert_eq!(event.event_type, "fundhook.deposit.conflicting");
    assert_eq!(
        (&event.data.conflicting[..], &event.data.conflict_about[..]),
        (&["confirmed"][..], &["amount".to_owned()][..])
    );
    let noted: Vec<_> = receipts.noted().into_iter().map(|receipt| (receipt.event, receipt.moved)).collect();
    assert_eq!(noted, [(event.id.clone(), Vec::new())], "what was published before no longer counts");
}

#[tokio::test]
async fn the_receipt_of_a_deposit_without_an_amount_says_that_nothing_came_in() {
    let details = Details::Transfer(Box::<TransferDetails>::default());
    let statement = statement_of(statement("a", "confirmed", 0).resource, "without an amount", "confirmed", 0, details);
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    assert_eq!(handled(&topic, &receipts, &[write("1", &[statement], 0)]).await, None);
    let noted: Vec<_> = receipts.noted().into_iter().map(|receipt| receipt.moved).collect();
    assert_eq!(noted, [Vec::new()]);
}

#[tokio::test]
async fn what_has_not_moved_has_no_receipt_or_one_that_says_so() {
    let confirmed = folded(&[statement("a", "confirmed", 40)]);
    let contradicted = folded(&[statement("a", "confirmed", 40), statement("a", "failed", 50)]);
    // What another feed reports about the coin: that it is credited, and that it is to be returned.
    let claiming = life().into_iter().map(|statement| of_coin(statement, WebhookFamily::ConnectDeposits));
    let claiming: Vec<Statement> = claiming.collect();
    let id = &claiming[0].resource;
    let mut duplicate = Table::after(&[reported(WebhookFamily::ZerohashFund, "b", "confirmed")]);
    duplicate.record(&claiming);
    let mut disputed = Table::after(&claiming);
    let undisputed = disputed.resource(id);
    disputed.record(&[reported(WebhookFamily::ZerohashDepositStatus, "b", "unexpected")]);
    let repeated = [life(), vec![statement_in("with its members in another order", "a", "confirmed", 40)]].concat();

    let others = [
        (Kind::Withdrawal, "broadcast"),
        (Kind::Fee, "charged"),
        (Kind::Participant, "approved"),
        (Kind::ExternalAccount, "approved"),
    ];
    let statuses = ["pending", "submitted", "held", "abandoned", "failed"];
    let mut cases: Vec<(&str, Value, usize)> =
        statuses.into_iter().map(|name| (name, write("1", &[statement("a", name, 0)], 0), 1)).collect();
    cases.extend(others.into_iter().map(|(kind, name)| (kind.as_str(), write("1", &[of_kind(kind, name)], 0), 1)));
    cases.extend([
        ("a contradiction", changed("1", Some(&confirmed), &contradicted), 1),
        ("a duplicate", changed("1", None, &duplicate.resource(id)), 2),
        ("a contradiction by another deposit", changed("1", Some(&undisputed), &disputed.resource(id)), 1),
        ("a repetition", write("1", &repeated, 2), 0),
        ("a removal", crate::support::record("1", Some(crate::support::image(&confirmed)), None), 0),
    ]);
    for (what, record, events) in cases {
        let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
        assert_eq!(handled(&topic, &receipts, &[record]).await, None, "{what}");
        assert_eq!(topic.events().len(), events, "{what}");
        let says_so = ["a contradiction", "a duplicate", "a contradiction by another deposit"].contains(&what);
        assert_eq!(receipts.calls(), usize::from(says_so), "{what}");
        assert!(receipts.noted().iter().all(|receipt| receipt.moved.is_empty()), "{what}");
    }
}

#[tokio::test]
async fn the_receipts_of_a_batch_are_stored_in_one_call() {
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    let records = [
        write("100", &life(), 0),
        write("200", &[statement("b", "pending", 0)], 0),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    assert_eq!(handled(&topic, &receipts, &records).await, None);
    assert_eq!(noted_ids(&receipts), ["a#2", "c#1"]);
    assert_eq!(receipts.calls(), 1);
}

#[tokio::test]
async fn an_event_that_the_topic_refused_has_no_receipt() {
    let records = [
        write("100", &life(), 0),
        write("200", &[statement("b", "confirmed", 0)], 0),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    for (refused, first, noted) in [
        (&["a#2"][..], "100", &["b#1", "c#1"][..]),
        // A refused earlier event does not matter to the receipt of the confirmed one.
        (&["a#1"], "100", &["a#2", "b#1", "c#1"]),
        (&["b#1", "c#1"], "200", &["a#2"]),
        (&["c#1"], "300", &["a#2", "b#1"]),
        (&["a#2", "b#1", "c#1"], "100", &[]),
    ] {
        let (topic, receipts) = (refusing(refused), Fake::<ReceiptTable>::default());
        assert_eq!(handled(&topic, &receipts, &records).await.as_deref(), Some(first), "{refused:?}");
        assert_eq!(noted_ids(&receipts), noted, "{refused:?}");
    }
}

#[tokio::test]
async fn a_receipt_that_cannot_be_stored_has_its_record_delivered_again_and_no_event_is_lost() {
    let records = [
        write("100", &[statement("b", "pending", 0)], 0),
        write("200", &life(), 0),
        write("300", &[statement("c", "confirmed", 0)], 0),
        write("400", &[statement("d", "pending", 0)], 0),
    ];
    let all = ["b#1", "a#1", "a#2", "c#1", "d#1"];
    for (refused, first) in [
        (&[][..], "200"),
        (&["b#1"], "100"),
        (&["c#1"], "200"),
        (&["d#1"], "200"),
        // A refused event has no receipt, so its record fails because of the topic.
        (&["a#2"], "200"),
    ] {
        let (topic, receipts) = (refusing(refused), Fake::<ReceiptTable>::default());
        receipts.now().on_note = Fail::Always;
        assert_eq!(handled(&topic, &receipts, &records).await.as_deref(), Some(first), "{refused:?}");
        assert_eq!(published_ids(&topic), all, "{refused:?}: every event was sent to the topic");
        assert!(receipts.noted().is_empty());

        // Lambda delivers again from there, and topic and table are up again.
        let (again, from) =
            (Fake::<Topic>::default(), records.iter().position(|record| record["dynamodb"]["SequenceNumber"] == first));
        receipts.now().on_note = Fail::Never;
        assert_eq!(handled(&again, &receipts, &records[from.expect("a record")..]).await, None);
        assert_eq!(noted_ids(&receipts), ["a#2", "c#1"], "{refused:?}");
        let first_time = topic.events();
        assert!(again.events().iter().all(|event| first_time.contains(event)), "the same events with the same ids");
    }
}

#[tokio::test]
async fn receipts_of_the_records_before_an_unreadable_one_are_stored() {
    let mut bad = crate::support::image(&folded(&life()));
    bad[fundhook_adapters::table::FACTS] = serde_json::json!({ "S": "[]" });
    let records = [
        write("100", &[statement("b", "confirmed", 0)], 0),
        crate::support::record("bad", None, Some(bad)),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    assert_eq!(handled(&topic, &receipts, &records).await.as_deref(), Some("bad"));
    assert_eq!(noted_ids(&receipts), ["b#1"]);
}

#[tokio::test]
async fn a_record_that_is_delivered_again_has_the_same_receipt_with_a_later_time() {
    let (topic, receipts) = <(Fake<Topic>, Fake<ReceiptTable>)>::default();
    let records = [write("1", &life(), 1)];
    for seconds in [60, 70] {
        assert_eq!(handled_at(seconds, &topic, &receipts, &records).await, None);
    }
    let noted = receipts.noted();
    let [first, second] = &noted[..] else { unreachable!("two receipts: {noted:?}") };
    assert_eq!((first.published_at, second.published_at), (at(60), at(70)));
    assert_eq!(Receipt { published_at: at(70), ..first.clone() }, *second);
    assert_eq!(first.event, events_after(&folded(&life()), 1)[0].id);
}
