//! Withdrawals with several names: which one has the facts, and what the others publish.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use fundhook_domain::{
    Change, Event, FactContent, FactId, Feed, Kind, NewFact, Outcome, Provider, Resource, ResourceId, SecondName,
    Status, Stored, View, WithdrawalStatus, attributes_schema, event_schema, event_types, events_after, fold,
};
use serde_json::json;

use super::support::{Shape, payment, request, said, withdrawal};
use crate::support::orders::permutations;
use WithdrawalStatus::{Broadcast, Confirmed, Failed, Submitted};

/// What is stored: every fact is recorded as the state updater records it.
#[derive(Default)]
struct World(Stored);

impl World {
    fn of(facts: impl IntoIterator<Item = NewFact>) -> Self {
        let mut world = Self::default();
        facts.into_iter().for_each(|fact| world.record(fact));
        world
    }

    fn resource(&self, id: &ResourceId) -> Resource {
        self.0.resource(id).cloned().unwrap_or_else(|| Resource::unknown(id.clone()))
    }

    fn resources(&self) -> impl Iterator<Item = &Resource> {
        self.0.resources().filter(|resource| resource.version() > 0)
    }

    fn record(&mut self, fact: NewFact) {
        self.0.record(&[fact]).expect("an owner");
    }

    /// The only resource that is not a second name.
    fn only_owner(&self) -> &Resource {
        let owners: Vec<&Resource> = self.resources().filter(|resource| resource.second_name_of().is_none()).collect();
        let [owner] = owners[..] else { unreachable!("one payment has one owner: {owners:?}") };
        let others = self.resources().filter_map(Resource::second_name_of);
        assert!(others.into_iter().all(|named| named == owner.id()), "every second name leads to the owner");
        owner
    }
}

fn fact_ids(resource: &Resource) -> BTreeSet<FactId> {
    let ids: BTreeSet<FactId> = resource.facts().iter().map(|fact| fact.content.id().clone()).collect();
    assert_eq!(ids.len() as u64, resource.version(), "a fact is recorded twice");
    ids
}

fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.event_type.rsplit('.').next().unwrap_or_default()).collect()
}

fn facts(life: &[(Shape, WithdrawalStatus)]) -> Vec<NewFact> {
    (0..).zip(life).map(|(seconds, (shape, status))| shape.says(*status, seconds * 10)).collect()
}

#[test]
fn one_payment_is_one_withdrawal_with_the_same_facts_and_view_in_any_order_and_shape() {
    // Each shape at each place of a life, with each shape at least once or twice.
    for shapes in permutations(&Shape::ALL) {
        let statuses = [Submitted, Broadcast, Confirmed];
        let life: Vec<_> = shapes.iter().copied().zip(statuses).chain([(Shape::Both, Confirmed)]).collect();
        let mut ends: Vec<(BTreeSet<FactId>, Arc<View>)> = Vec::new();
        for order in permutations(&facts(&life)) {
            let mut stored = World::of(order.clone());
            let end = |stored: &World| (fact_ids(stored.only_owner()), stored.only_owner().view().expect("a view"));
            ends.push(end(&stored));
            assert_eq!(ends.last().map(|(_, view)| view.status), Some(Some(Status::Withdrawal(Confirmed))));

            let before: Vec<Resource> = stored.resources().cloned().collect();
            order.into_iter().for_each(|fact| stored.record(fact));
            assert_eq!(stored.resources().cloned().collect::<Vec<_>>(), before, "all of it again changes nothing");
        }
        assert!(ends.iter().all(|end| *end == ends[0]), "{shapes:?}");
    }
}

#[test]
fn the_name_under_which_something_is_recorded_is_the_owner_and_else_the_payments_own() {
    for (life, owner) in [
        (vec![(Shape::Both, Submitted)], payment()),
        (vec![(Shape::OnlyPayment, Submitted), (Shape::Both, Broadcast)], payment()),
        (vec![(Shape::OnlyRequest, Submitted), (Shape::Both, Broadcast)], request()),
        (vec![(Shape::OnlyRequest, Submitted), (Shape::OnlyPayment, Broadcast), (Shape::Both, Confirmed)], payment()),
        (vec![(Shape::OnlyRequest, Submitted), (Shape::Both, Broadcast), (Shape::OnlyPayment, Confirmed)], request()),
    ] {
        let stored = World::of(facts(&life));
        assert_eq!(*stored.only_owner().id(), owner, "{life:?}");
        assert_eq!(stored.only_owner().version(), life.len() as u64);
    }
}

#[test]
fn what_was_recorded_separately_is_recorded_on_the_payment_and_the_request_becomes_its_duplicate() {
    let stored = World::of(facts(&[
        (Shape::OnlyRequest, Submitted),
        (Shape::OnlyPayment, Broadcast),
        (Shape::Both, Confirmed),
        (Shape::OnlyRequest, Confirmed),
    ]));
    let (owner, duplicate) = (stored.resource(&payment()), stored.resource(&request()));
    assert_eq!((owner.version(), duplicate.version()), (4, 2), "later statements go to the owner");
    assert_eq!(duplicate.second_name_of(), Some(&payment()));

    let events = events_after(&duplicate, 0);
    assert_eq!(types(&events), ["submitted", "duplicate"]);
    let last = &events[1];
    assert_eq!(last.event_type, "fundhook.withdrawal.duplicate");
    assert_eq!((&last.data.duplicate_of, last.data.status), (&Some(payment()), Some("submitted")));
    assert_eq!((last.status_attribute(), last.data.is_final), (Some("duplicate"), true));
    assert!(!events[0].data.is_final && events[0].data.duplicate_of.is_none(), "nothing was known of it before");

    let view = duplicate.view().expect("a view");
    assert!(!view.is_awaited(Kind::Withdrawal) && view.is_final());
    assert_eq!(NewFact::overdue(&duplicate, Duration::from_secs(60)), None);

    let events = events_after(&owner, 0);
    assert_eq!(types(&events), ["broadcast", "updated", "confirmed", "updated"]);
    let fundhook_domain::EventBody::Transfer(body) = &events[3].data.body else { unreachable!("a withdrawal") };
    assert_eq!(body.also_named, BTreeSet::from([request()]), "without its own id");
}

#[test]
fn a_name_under_which_nothing_was_recorded_publishes_nothing() {
    let stored = World::of(facts(&[(Shape::OnlyRequest, Submitted), (Shape::Both, Confirmed)]));
    let named = stored.resource(&payment());
    assert_eq!((named.version(), named.sequence(), named.view()), (1, 0, None));
    assert_eq!(events_after(&named, 0), []);
    assert_eq!(named.current_status(), None);
    assert_eq!(types(&events_after(stored.only_owner(), 0)), ["submitted", "confirmed"]);
}

#[test]
fn a_duplicate_leaves_the_conflict_to_its_owner() {
    let life = [(Shape::OnlyRequest, Confirmed), (Shape::OnlyRequest, Failed), (Shape::OnlyPayment, Submitted)];
    let stored = World::of(facts(&[life.as_slice(), &[(Shape::Both, Submitted)]].concat()));
    assert_eq!(stored.resource(&payment()).view().expect("a view").conflicting().len(), 2);
    let events = events_after(&stored.resource(&request()), 0);
    assert_eq!(types(&events), ["confirmed", "conflicting", "duplicate"]);
    assert_eq!(events[2].status_attribute(), Some("duplicate"));
}

#[test]
fn a_notice_about_a_second_name_is_not_recorded_on_the_owner() {
    let mut stored = World::of(facts(&[(Shape::OnlyRequest, Submitted)]));
    let notice = NewFact::overdue(&stored.resource(&request()), Duration::from_secs(60)).expect("it is awaited");
    stored.record(notice.clone());
    for later in [Shape::OnlyPayment.says(Broadcast, 10), Shape::Both.says(Broadcast, 20), notice] {
        stored.record(later);
    }
    let owner = stored.only_owner();
    assert!(owner.facts().iter().all(|fact| fact.statement().is_some()), "{owner:?}");
    assert_eq!((owner.version(), stored.resource(&request()).version()), (3, 3));
    assert!(!stored.resource(&request()).is_overdue() || !owner.is_overdue());
}

#[test]
fn a_resource_is_a_second_name_of_one_owner() {
    let stored =
        World::of(facts(&[(Shape::OnlyRequest, Submitted), (Shape::OnlyPayment, Broadcast), (Shape::Both, Confirmed)]));
    let duplicate = stored.resource(&request());
    let FactContent::SecondName(known) = duplicate.facts()[1].content.clone() else { unreachable!("a relation") };
    let again = fold(duplicate.clone(), FactContent::SecondName(known.clone()));
    assert!(matches!(again, Outcome::AlreadyKnown { .. }), "{again:?}");
    let owner = withdrawal(Provider::Zerohash, "another");
    let id = FactId::of(&request(), "fundhook.second_name", owner.to_string().as_bytes());
    let other = fold(duplicate, FactContent::SecondName(SecondName { id, owner, ..known.clone() }));
    assert!(matches!(other, Outcome::Stale { .. }), "{other:?}");

    let recorded = fold(Resource::unknown(request()), FactContent::SecondName(known.clone()));
    assert!(matches!(recorded, Outcome::Recorded { change: None, .. }), "{recorded:?}");
    let submitted = fold(Resource::unknown(request()), Shape::OnlyRequest.says(Submitted, 0)).into_resource();
    let Outcome::Recorded { change, .. } = fold(submitted, FactContent::SecondName(known)) else {
        unreachable!("it is new");
    };
    assert_eq!(change, Some(Change::Duplicate { of: payment() }));
}

#[test]
fn names_of_another_organization_provider_or_kind_join_nothing() {
    let acme: Feed = "zerohash/acme".parse().expect("a feed");
    let deposit = ResourceId::new(Kind::Deposit, Provider::Zerohash, "request").expect("a valid id");
    for foreign in [withdrawal(acme, "request"), withdrawal(Provider::Striga, "request"), deposit] {
        let fact = said(payment(), BTreeSet::from([payment(), foreign.clone()]), Submitted, 0);
        assert_eq!(fact.names(), BTreeSet::from([payment()]), "{foreign}");
    }
}

#[test]
fn names_and_relations_read_back_as_they_are_written() {
    let fact = Shape::Both.says(Submitted, 0);
    let message = fact.to_message().expect("JSON");
    assert_eq!(NewFact::from_message(&message).expect("a fact"), fact);

    let stored =
        World::of(facts(&[(Shape::OnlyRequest, Submitted), (Shape::OnlyPayment, Broadcast), (Shape::Both, Confirmed)]));
    for fact in stored.resource(&request()).facts() {
        let json = serde_json::to_string(fact).expect("JSON");
        assert_eq!(serde_json::from_str::<fundhook_domain::Fact>(&json).expect("a fact"), *fact);
    }
}

#[test]
fn the_schemas_of_withdrawals_name_duplicates_and_second_names() {
    assert!(event_types(Kind::Withdrawal).contains(&"fundhook.withdrawal.duplicate".to_owned()));
    let statuses = &attributes_schema(Kind::Withdrawal)["properties"]["status"]["enum"];
    assert!(statuses.as_array().expect("a list").contains(&json!("duplicate")), "{statuses}");
    for (kind, duplicates, also_named) in [
        (Kind::Deposit, true, false),
        (Kind::Withdrawal, true, true),
        (Kind::Fee, false, false),
        (Kind::Exchange, false, false),
        (Kind::Recovery, false, false),
    ] {
        let schema = event_schema(kind);
        let members = schema["properties"]["data"]["properties"].as_object().expect("members");
        assert_eq!(members.contains_key("duplicate_of"), duplicates, "{kind}");
        assert_eq!(members.contains_key("also_named"), also_named, "{kind}");
        let has_type = event_types(kind).iter().any(|name| name.ends_with(".duplicate"));
        assert_eq!(has_type, duplicates, "{kind}");
    }
}
