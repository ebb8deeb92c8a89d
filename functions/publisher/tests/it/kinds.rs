//! What is published of deposits whose coin another feed reported too, of what resources must know of those reports, and of
//! resources that have evicted old facts.

use fundhook_adapters::table::{FACTS, PK};
use fundhook_domain::WebhookFamily::{ConnectDeposits, ZerohashDepositFailed, ZerohashFund};
use fundhook_domain::{
    AccountDetails, Details, Kind, LATEST_FACTS_MAX, Provider, RecoveryDetails, RecoveryKey, Resource, ResourceId,
    Statement, UnexpectedDeposit, fold,
};
use fundhook_ports::fakes::{Fake, Topic};
use serde_json::{Value, json};

use crate::support::coins::{Table, of_coin, reported};
use crate::support::{at, changed, folded, handled, published_ids, record, statement, statement_in, statement_of};

/// The deposit that is credited with the coin.
fn owner() -> Statement {
    reported(ZerohashFund, "363b5b15", "confirmed")
}

/// The deposit `a` is credited with the same coin.
fn confirmed() -> Statement {
    of_coin(statement("a", "confirmed", 40), ConnectDeposits)
}

/// The events that were published: the end of each type, and the deposit that it names as the owner of its coin.
fn published(topic: &Fake<Topic>) -> Vec<(String, Option<ResourceId>)> {
    let events = topic.events().into_iter();
    events.map(|event| (event.event_type.replace("fundhook.deposit.", ""), event.data.duplicate_of)).collect()
}

#[tokio::test]
async fn a_deposit_whose_coin_is_credited_as_another_one_is_published_as_its_duplicate_and_never_as_confirmed() {
    let life = [statement("a", "pending", 0), confirmed(), statement("a", "submitted", 10)];
    let of = |name: &str| (name.to_owned(), Some(owner().resource));
    for writes in [vec![&life[..]], vec![&life[..1], &life[1..]]] {
        let mut table = Table::after(&[owner()]);
        let records: Vec<Value> = writes.into_iter().flat_map(|statements| table.record(statements)).collect();
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(published(&topic), [("pending".to_owned(), None), of("duplicate"), of("updated")]);
        let confirmed = topic.events().remove(1);
        assert_eq!(
            confirmed.attributes()[0],
            ("type", "fundhook.deposit.duplicate"),
            "a subscription can filter by it"
        );
        let json = serde_json::to_value(&confirmed).expect("JSON");
        assert_eq!(json["data"]["duplicate_of"], "deposit#zerohash#363b5b15");
        assert_eq!((&json["data"]["status"], &json["id"]), (&json!("confirmed"), &json!("deposit#connect#a#2")));
    }
}

#[tokio::test]
async fn events_published_before_a_deposit_was_known_to_be_a_duplicate_are_repeated_unchanged() {
    // The deposit was confirmed and published before its transaction was known.
    let first = statement("a", "confirmed", 40);
    let news = of_coin(statement_in("with its transaction", "a", "confirmed", 50), ConnectDeposits);
    let mut table = Table::after(&[owner()]);
    let records = [table.record(std::slice::from_ref(&first)), table.record(&[news])].concat();
    let expected = [("confirmed".to_owned(), None), ("duplicate".to_owned(), Some(owner().resource))];
    let (step_by_step, at_once) = <(Fake<Topic>, Fake<Topic>)>::default();
    handled(&step_by_step, &records).await;
    handled(&at_once, &[changed("1", None, &table.resource(&first.resource))]).await;
    assert_eq!(published(&step_by_step), expected);
    assert_eq!(step_by_step.events(), at_once.events());
}

#[tokio::test]
async fn the_owner_of_a_coin_is_published_like_any_other_deposit() {
    let statements = [statement("a", "pending", 0), confirmed()];
    let (topic, plain) = <(Fake<Topic>, Fake<Topic>)>::default();
    assert_eq!(handled(&topic, &Table::default().record(&statements)).await, None);
    handled(&plain, &[changed("1", None, &folded(&statements))]).await;
    assert_eq!(topic.events(), plain.events());
    assert_eq!(published(&topic).pop(), Some(("confirmed".to_owned(), None)));
}

#[tokio::test]
async fn the_claim_that_is_written_with_a_deposit_is_not_published() {
    let records = Table::default().record(&[confirmed()]);
    let [deposit, claim] = &records[..] else { unreachable!("a deposit and its claim: {records:?}") };
    let removed = record("3", Some(claim["dynamodb"]["NewImage"].clone()), None);
    for records in [vec![claim.clone(), deposit.clone()], vec![deposit.clone(), claim.clone(), removed]] {
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(published_ids(&topic), ["a#1"]);
    }
    let topic = Fake::<Topic>::default();
    assert_eq!(handled(&topic, std::slice::from_ref(claim)).await, None);
    assert_eq!(topic.calls(), 0, "the topic is not called");
}

#[tokio::test]
async fn a_deposit_with_an_unreadable_relation_waits_and_is_not_published_as_creditable() {
    let mut duplicate = Table::after(&[owner()]).record(&[confirmed()]).remove(0);
    let relation = duplicate["dynamodb"]["NewImage"][FACTS]["L"][0]["S"].as_str().expect("a text").to_owned();
    assert!(relation.contains(r#""duplicate_of""#), "{relation}");
    for text in ["", "{", "{}", &relation.replace("duplicate_of", "unknown"), &relation.replace("zerohash", "unknown")]
    {
        duplicate["dynamodb"]["NewImage"][FACTS]["L"][0]["S"] = json!(text);
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, std::slice::from_ref(&duplicate)).await.as_deref(), Some("2"), "{text}");
        assert_eq!(topic.calls(), 0, "{text}");
    }
}

/// The recovery that asks to return the coin of `deposit`.
fn to_return(deposit: &ResourceId) -> Statement {
    let key = RecoveryKey::new("abc123", "USDC", None).expect("an asset");
    let came = UnexpectedDeposit {
        value: "119078888888888888887.01".parse().expect("a decimal"),
        transaction: "the transaction".to_owned(),
        network: None,
        family: ZerohashDepositFailed,
        occurred_at: Some(at(40)),
    };
    let recovery = RecoveryKey::resource(deposit.feed(), "abc123:USDC").expect("a valid id");
    let details = Details::Recovery(Box::new(RecoveryDetails::of_deposit(key, deposit.clone(), came)));
    statement_of(recovery, "required", "required", 40, details)
}

#[tokio::test]
async fn a_relation_that_is_recorded_before_the_first_statement_is_published_with_it() {
    let mut unexpected = reported(ZerohashDepositFailed, "failed-1", "unexpected");
    let recovery = to_return(&unexpected.resource);
    if let Details::Transfer(details) = &mut unexpected.content.details {
        details.related = [recovery.resource.clone()].into();
    }
    // The recovery is told that its coin is credited elsewhere, and has no statement yet.
    let mut table = Table::after(&[unexpected]);
    let told = table.record(&[confirmed()]);
    let is_about_recovery = |record: &&Value| record["dynamodb"]["Keys"][PK]["S"] == recovery.resource.to_string();
    let told: Vec<Value> = told.iter().filter(is_about_recovery).cloned().collect();
    assert_eq!((told.len(), table.resource(&recovery.resource).view()), (1, None));
    let topic = Fake::<Topic>::default();
    assert_eq!(handled(&topic, &told).await, None);
    assert_eq!(topic.calls(), 0, "there is nothing to publish yet");

    let stated = table.record(std::slice::from_ref(&recovery));
    for records in [stated, vec![changed("1", None, &table.resource(&recovery.resource))]] {
        let topic = Fake::<Topic>::default();
        assert_eq!(handled(&topic, &records).await, None);
        let events = topic.events();
        let published: Vec<_> = events.iter().map(|event| (event.sequence, event.event_type.as_str())).collect();
        let (first, further) = ("fundhook.recovery.suspended", "fundhook.recovery.updated");
        assert_eq!(published, [(1, first), (2, further), (3, further)], "what two deposits say, and the statement");
        assert!(events.iter().all(|event| event.status_attribute() == Some("suspended")), "it asks for nothing");
    }
}

/// The user's status changed this many seconds after the start.
fn user_changed(seconds: i64) -> Statement {
    let name = if seconds % 2 == 0 { "approved" } else { "locked" };
    let details = AccountDetails { updated_at: Some(at(seconds)), ..AccountDetails::default() };
    let user = ResourceId::new(Kind::Participant, Provider::Zerohash, "CUST01").expect("a valid id");
    statement_of(user, &seconds.to_string(), name, seconds, Details::Account(Box::new(details)))
}

#[tokio::test]
async fn a_resource_that_has_evicted_facts_publishes_exactly_what_each_write_added() {
    let mut stored = Resource::unknown(user_changed(0).resource);
    let topic = Fake::<Topic>::default();
    let (mut seconds, mut records) = (0, Vec::new());
    // The first write has more facts than are kept; then some small ones and a large one.
    for count in [70, 1, 3, 10, 1, 60] {
        let next = (seconds..seconds + count).map(user_changed);
        let next = next.fold(stored.clone(), |resource, statement| fold(resource, statement).into_resource());
        seconds += count;
        records.push((stored.version(), changed("1", Some(&stored), &next)));
        stored = next;
    }
    assert_eq!((stored.version(), stored.facts().len()), (145, LATEST_FACTS_MAX));

    for (before, record) in &records {
        let already = topic.events().len();
        assert_eq!(handled(&topic, std::slice::from_ref(record)).await, None);
        let numbers: Vec<u64> = topic.events()[already..].iter().map(|event| event.sequence).collect();
        // The facts that the first write itself evicted are never published.
        let first = if *before == 0 { 7 } else { before + 1 };
        assert_eq!(numbers.first(), Some(&first));
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    }
    let last = topic.events().pop().expect("an event");
    assert_eq!((last.sequence, last.id.as_str()), (145, "participant#zerohash#CUST01#145"));
    assert_eq!(last.event_type, "fundhook.participant.approved");
    assert_eq!(last.data.history.len(), LATEST_FACTS_MAX);

    // A record that is delivered again publishes the same events, and none from before it.
    let again = Fake::<Topic>::default();
    let (before, record) = &records[3];
    handled(&again, std::slice::from_ref(record)).await;
    let numbers: Vec<u64> = again.events().iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (before + 1..=before + 10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_late_fact_of_a_full_resource_is_published_as_late_and_the_fact_it_evicts_is_not_published_again() {
    let kept = i64::try_from(LATEST_FACTS_MAX).expect("few");
    let full = folded(&(100..100 + kept).map(user_changed).collect::<Vec<_>>());
    let late = statement_of(full.id().clone(), "late", "disabled", 110, user_changed(110).content.details);
    let next = fold(full.clone(), late).into_resource();
    assert_eq!((next.facts().len(), next.version()), (LATEST_FACTS_MAX, 65));
    let topic = Fake::<Topic>::default();
    assert_eq!(handled(&topic, &[changed("1", Some(&full), &next)]).await, None);
    let [event] = &topic.events()[..] else { unreachable!("one event: {:?}", topic.events()) };
    assert_eq!(
        (event.sequence, event.event_type.as_str(), event.data.late),
        (65, "fundhook.participant.updated", true)
    );
    assert_eq!(event.data.status, Some("locked"), "the status is that of the latest fact");
}
