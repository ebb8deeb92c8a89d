//! What is published of deposits whose coin another feed told of, and of resources that have let old facts go.

use fundhook_adapters::table::{OWNERSHIP, PK};
use fundhook_domain::{
    AccountDetails, Details, Kind, LATEST_FACTS_MAX, Provider, Resource, ResourceId, Statement, fold,
};
use serde_json::{Value, json};

use crate::support::{Topic, at, changed, folded, handled, image, lock, record, statement, statement_in, statement_of};

/// The deposit that the coin is credited under.
fn owner() -> ResourceId {
    ResourceId::new(Kind::Deposit, Provider::Zerohash, "363b5b15").expect("a valid id")
}

/// What was published: each event's type, without what all begin with, and the deposit that it says it duplicates.
fn told(topic: &Topic) -> Vec<(String, Option<ResourceId>)> {
    let told = topic.events().into_iter();
    told.map(|event| (event.event_type.replace("fundhook.deposit.", ""), event.data.duplicate_of)).collect()
}

#[tokio::test]
async fn a_deposit_whose_coin_is_credited_under_another_is_published_as_its_duplicate_and_never_as_confirmed() {
    let life = [statement("a", "pending", 0), statement("a", "confirmed", 40), statement("a", "submitted", 10)];
    let (pending, duplicate) = (folded(&life[..1]), folded(&life).duplicating(owner(), 1));
    let of = |name: &str| (name.to_owned(), Some(owner()));
    for records in [
        vec![changed("1", None, &duplicate)],
        vec![changed("1", None, &pending), changed("2", Some(&pending), &duplicate)],
    ] {
        let topic = Topic::default();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(told(&topic), [("pending".to_owned(), None), of("duplicate"), of("updated")]);
        let confirmed = topic.events().remove(1);
        assert_eq!(confirmed.attributes()[0], ("type", "fundhook.deposit.duplicate"), "whoever filters sees it");
        let json = serde_json::to_value(&confirmed).expect("JSON");
        assert_eq!(json["data"]["duplicate_of"], "deposit#zerohash#363b5b15");
        assert_eq!((&json["data"]["status"], &json["id"]), (&json!("confirmed"), &json!("deposit#connect#a#2")));
    }
}

#[tokio::test]
async fn what_was_said_before_a_coin_was_found_to_be_credited_elsewhere_is_said_again_as_it_was() {
    // Confirmed and published, before its transaction was known.
    let first = folded(&[statement("a", "confirmed", 40)]);
    let news = statement_in("with its transaction", "a", "confirmed", 50);
    let news = fold(first.clone(), news).into_resource().duplicating(owner(), 1);
    let expected = [("confirmed".to_owned(), None), ("duplicate".to_owned(), Some(owner()))];
    let (step_by_step, at_once) = <(Topic, Topic)>::default();
    handled(&step_by_step, &[changed("1", None, &first), changed("2", Some(&first), &news)]).await;
    handled(&at_once, &[changed("1", None, &news)]).await;
    assert_eq!(told(&step_by_step), expected);
    assert_eq!(step_by_step.events(), at_once.events());
}

#[tokio::test]
async fn the_owner_of_a_coin_is_published_as_any_deposit() {
    let statements = [statement("a", "pending", 0), statement("a", "confirmed", 40)];
    let owned = folded(&statements).owning_its_coin();
    let (topic, plain) = <(Topic, Topic)>::default();
    assert_eq!(handled(&topic, &[changed("1", None, &owned)]).await, None);
    handled(&plain, &[changed("1", None, &folded(&statements))]).await;
    assert_eq!(topic.events(), plain.events());
    assert_eq!(told(&topic).pop(), Some(("confirmed".to_owned(), None)));
}

/// A claim's item, as the stream shows it.
fn claim() -> Value {
    let claim =
        json!({ "coin": "cd9e98ae#0x34f53aea#USDC", "owner": "deposit#connect#a", "families": ["connect.deposits"] });
    json!({
        PK: { "S": "claim#cd9e98ae#0x34f53aea#USDC" },
        "claim": { "S": claim.to_string() },
        "owner": { "S": "deposit#connect#a" },
        "claimed_at": { "S": at(60).sortable() },
    })
}

#[tokio::test]
async fn the_claim_that_is_written_with_a_deposit_is_nothing_to_publish() {
    let owned = folded(&[statement("a", "confirmed", 40)]).owning_its_coin();
    let deposit = changed("200", None, &owned);
    for records in [
        vec![record("100", None, Some(claim())), deposit.clone()],
        vec![deposit, record("300", None, Some(claim())), record("400", Some(claim()), None)],
    ] {
        let topic = Topic::default();
        assert_eq!(handled(&topic, &records).await, None);
        assert_eq!(topic.ids(), ["a#1"]);
    }
    let topic = Topic::default();
    assert_eq!(handled(&topic, &[record("100", None, Some(claim()))]).await, None);
    assert!(lock(&topic.calls).is_empty(), "the topic is not even called");
}

#[tokio::test]
async fn a_deposit_of_which_it_cannot_be_read_whose_the_coin_is_waits() {
    let mut unreadable = image(&folded(&[statement("a", "confirmed", 40)]).owning_its_coin());
    for text in ["", "{", "\"somebody\"", r#"{"duplicate_of":{}}"#] {
        unreadable[OWNERSHIP] = json!({ "S": text });
        let topic = Topic::default();
        assert_eq!(handled(&topic, &[record("100", None, Some(unreadable.clone()))]).await.as_deref(), Some("100"));
        assert!(lock(&topic.calls).is_empty(), "nobody is told that it may be credited");
    }
}

/// That the user changed, so many seconds in.
fn user_changed(seconds: i64) -> Statement {
    let name = if seconds % 2 == 0 { "approved" } else { "locked" };
    let details = AccountDetails { updated_at: Some(at(seconds)), ..AccountDetails::default() };
    let user = ResourceId::new(Kind::Participant, Provider::Zerohash, "CUST01").expect("a valid id");
    statement_of(user, &seconds.to_string(), name, seconds, Details::Account(Box::new(details)))
}

#[tokio::test]
async fn a_resource_that_has_let_facts_go_publishes_exactly_what_each_write_added() {
    let mut stored = Resource::unknown(user_changed(0).resource);
    let topic = Topic::default();
    let (mut seconds, mut records) = (0, Vec::new());
    // A first write beyond what is kept, some small ones, and a large one.
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
        // Of the first write, what it let go again was never told to anybody.
        let first = if *before == 0 { 7 } else { before + 1 };
        assert_eq!(numbers.first(), Some(&first));
        assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    }
    let last = topic.events().pop().expect("an event");
    assert_eq!((last.sequence, last.id.as_str()), (145, "participant#zerohash#CUST01#145"));
    assert_eq!(last.event_type, "fundhook.participant.approved");
    assert_eq!(last.data.history.len(), LATEST_FACTS_MAX);

    // A record that comes again says the same again, and nothing of what came before it.
    let again = Topic::default();
    let (before, record) = &records[3];
    handled(&again, std::slice::from_ref(record)).await;
    let numbers: Vec<u64> = again.events().iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (before + 1..=before + 10).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_late_fact_of_a_full_resource_is_published_as_late_and_what_it_pushed_out_is_not_said_again() {
    let kept = i64::try_from(LATEST_FACTS_MAX).expect("few");
    let full = folded(&(100..100 + kept).map(user_changed).collect::<Vec<_>>());
    let late = statement_of(full.id().clone(), "late", "disabled", 110, user_changed(110).content.details);
    let next = fold(full.clone(), late).into_resource();
    assert_eq!((next.facts().len(), next.version()), (LATEST_FACTS_MAX, 65));
    let topic = Topic::default();
    assert_eq!(handled(&topic, &[changed("1", Some(&full), &next)]).await, None);
    let [event] = &topic.events()[..] else { unreachable!("one event: {:?}", topic.events()) };
    assert_eq!(
        (event.sequence, event.event_type.as_str(), event.data.late),
        (65, "fundhook.participant.updated", true)
    );
    assert_eq!(event.data.status, "locked", "the latest stands");
}
