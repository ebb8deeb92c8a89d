//! What is noted of what was published: a receipt of each deposit that the topic took as one that may be credited, so that
//! what came in can be held against what was said of it.

use fundhook_domain::{AccountDetails, Details, Kind, Provider, ResourceId, Statement, TransferDetails, events_after};
use fundhook_reconciliation::Receipt;
use serde_json::Value;

use crate::support::{
    ReconciliationStore, Topic, at, changed, folded, handled_at, lock, statement, statement_in, statement_of, write,
};

async fn handled(topic: &Topic, store: &ReconciliationStore, records: &[Value]) -> Option<String> {
    handled_at(60, topic, store, records).await
}

fn life() -> Vec<Statement> {
    vec![statement("a", "pending", 0), statement("a", "confirmed", 40)]
}

/// That a resource of `kind` reached the status `name`.
fn of_kind(kind: Kind, name: &str) -> Statement {
    let details = match kind {
        Kind::Participant | Kind::ExternalAccount => Details::Account(Box::<AccountDetails>::default()),
        Kind::Deposit | Kind::Withdrawal | Kind::Fee | Kind::Recovery | Kind::Balance | Kind::Unrecognized => {
            Details::Transfer(Box::default())
        }
    };
    let id = ResourceId::new(kind, Provider::Connect, "other").expect("a valid id");
    statement_of(id, name, name, 40, details)
}

#[tokio::test]
async fn a_deposit_that_was_published_as_confirmed_is_noted_with_its_amount_and_the_event_that_said_so() {
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    assert_eq!(handled(&topic, &store, &[write("1", &life(), 0)]).await, None);
    assert_eq!(topic.ids(), ["a#1", "a#2"]);
    let expected = Receipt {
        resource: statement("a", "confirmed", 40).resource,
        event: "deposit#connect#a#2".to_owned(),
        asset: "USDC".to_owned(),
        value: "119078888888888888887.01".parse().expect("a decimal"),
        published_at: at(60),
    };
    assert_eq!(store.noted(), [expected]);
}

#[tokio::test]
async fn what_is_further_said_of_a_confirmed_deposit_is_noted_as_it_then_is() {
    let known = folded(&life());
    let mut more = statement_in("with another amount", "a", "confirmed", 50);
    if let Details::Transfer(details) = &mut more.content.details {
        let quantity = details.quantity.as_mut().expect("an amount");
        quantity.value = "0.000000000000000000000000000000000000000000001".parse().expect("a decimal");
    }
    let next = folded(&[life(), vec![more]].concat());
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    assert_eq!(handled(&topic, &store, &[changed("1", Some(&known), &next)]).await, None);
    let noted = store.noted();
    let [receipt] = &noted[..] else { unreachable!("one receipt: {noted:?}") };
    assert_eq!(receipt.event, "deposit#connect#a#3");
    assert_eq!(receipt.value.to_string(), "0.000000000000000000000000000000000000000000001", "to the digit");
}

#[tokio::test]
async fn a_deposit_whose_amount_nobody_said_is_noted_as_nothing_of_an_asset_without_a_name() {
    let silent = Details::Transfer(Box::<TransferDetails>::default());
    let said = statement_of(statement("a", "confirmed", 0).resource, "silent", "confirmed", 0, silent);
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    assert_eq!(handled(&topic, &store, &[write("1", &[said], 0)]).await, None);
    let noted: Vec<_> = store.noted().into_iter().map(|said| (said.asset, said.value.to_string())).collect();
    assert_eq!(noted, [("-".to_owned(), "0".to_owned())]);
}

#[tokio::test]
async fn what_may_not_be_credited_is_not_noted() {
    let confirmed = folded(&[statement("a", "confirmed", 40)]);
    let contradicted = folded(&[statement("a", "confirmed", 40), statement("a", "failed", 50)]);
    let owner = ResourceId::new(Kind::Deposit, Provider::Zerohash, "363b5b15").expect("a valid id");
    let duplicate = folded(&life()).duplicating(owner, 1);
    let repeated = [life(), vec![statement_in("its members in another order", "a", "confirmed", 40)]].concat();

    let others = [
        (Kind::Withdrawal, "confirmed"),
        (Kind::Fee, "charged"),
        (Kind::Participant, "approved"),
        (Kind::ExternalAccount, "approved"),
    ];
    let statuses = ["pending", "submitted", "held", "abandoned", "failed", "unexpected"];
    let mut cases: Vec<(&str, Value, usize)> =
        statuses.into_iter().map(|name| (name, write("1", &[statement("a", name, 0)], 0), 1)).collect();
    cases.extend(others.into_iter().map(|(kind, name)| (kind.as_str(), write("1", &[of_kind(kind, name)], 0), 1)));
    cases.extend([
        ("a contradiction", changed("1", Some(&confirmed), &contradicted), 1),
        ("a duplicate", changed("1", None, &duplicate), 2),
        ("a repetition", write("1", &repeated, 2), 0),
        ("a removal", crate::support::record("1", Some(crate::support::image(&confirmed)), None), 0),
    ]);
    for (what, record, events) in cases {
        let (topic, store) = <(Topic, ReconciliationStore)>::default();
        assert_eq!(handled(&topic, &store, &[record]).await, None, "{what}");
        assert_eq!(topic.events().len(), events, "{what}");
        assert!(lock(&store.calls).is_empty(), "{what}: the table is not even called");
    }
}

#[tokio::test]
async fn the_receipts_of_a_batch_are_noted_in_one_call() {
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    let records = [
        write("100", &life(), 0),
        write("200", &[statement("b", "pending", 0)], 0),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    assert_eq!(handled(&topic, &store, &records).await, None);
    assert_eq!(store.ids(), ["a#2", "c#1"]);
    assert_eq!(lock(&store.calls).len(), 1);
}

#[tokio::test]
async fn what_the_topic_refused_is_not_noted() {
    let records = [
        write("100", &life(), 0),
        write("200", &[statement("b", "confirmed", 0)], 0),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    for (refused, first, noted) in [
        (&["a#2"][..], "100", &["b#1", "c#1"][..]),
        // What the deposit was before does not matter to what it was confirmed as.
        (&["a#1"], "100", &["a#2", "b#1", "c#1"]),
        (&["b#1", "c#1"], "200", &["a#2"]),
        (&["c#1"], "300", &["a#2", "b#1"]),
        (&["a#2", "b#1", "c#1"], "100", &[]),
    ] {
        let (topic, store) = (Topic::refusing(refused), ReconciliationStore::default());
        assert_eq!(handled(&topic, &store, &records).await.as_deref(), Some(first), "{refused:?}");
        assert_eq!(store.ids(), noted, "{refused:?}");
    }
}

#[tokio::test]
async fn a_receipt_that_cannot_be_noted_makes_its_record_come_again_and_no_event_is_lost() {
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
        // Whose receipt there is none of, that record is not the books' business.
        (&["a#2"], "200"),
    ] {
        let (topic, store) = (Topic::refusing(refused), ReconciliationStore::default());
        store.down(true);
        assert_eq!(handled(&topic, &store, &records).await.as_deref(), Some(first), "{refused:?}");
        assert_eq!(topic.ids(), all, "{refused:?}: everything was given to the topic");
        assert!(store.noted().is_empty());

        // Lambda delivers again from there. By now all is well.
        let (again, from) =
            (Topic::default(), records.iter().position(|record| record["dynamodb"]["SequenceNumber"] == first));
        store.down(false);
        assert_eq!(handled(&again, &store, &records[from.expect("a record")..]).await, None);
        assert_eq!(store.ids(), ["a#2", "c#1"], "{refused:?}");
        let said = topic.events();
        assert!(again.events().iter().all(|event| said.contains(event)), "the same events, under the same ids");
    }
}

#[tokio::test]
async fn an_unreadable_record_keeps_nothing_before_it_from_being_noted() {
    let mut bad = crate::support::image(&folded(&life()));
    bad[fundhook_adapters::table::FACTS] = serde_json::json!({ "S": "[]" });
    let records = [
        write("100", &[statement("b", "confirmed", 0)], 0),
        crate::support::record("bad", None, Some(bad)),
        write("300", &[statement("c", "confirmed", 0)], 0),
    ];
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    assert_eq!(handled(&topic, &store, &records).await.as_deref(), Some("bad"));
    assert_eq!(store.ids(), ["b#1"]);
}

#[tokio::test]
async fn a_record_that_comes_again_is_noted_again_as_the_same_but_for_the_time() {
    let (topic, store) = <(Topic, ReconciliationStore)>::default();
    let records = [write("1", &life(), 1)];
    for seconds in [60, 70] {
        assert_eq!(handled_at(seconds, &topic, &store, &records).await, None);
    }
    let noted = store.noted();
    let [first, second] = &noted[..] else { unreachable!("two receipts: {noted:?}") };
    assert_eq!((first.published_at, second.published_at), (at(60), at(70)));
    assert_eq!(Receipt { published_at: at(70), ..first.clone() }, *second);
    assert_eq!(first.event, events_after(&folded(&life()), 1)[0].id);
}
