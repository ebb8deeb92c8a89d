//! Contract 3 and 4: the same webhooks in any order, any number of times and cut into any batches end in one view and
//! one set of event ids.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use fundhook_domain::{Event, Kind, Outcome, Resource, Signal, Status, Transaction, events_after, fold};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;
use support::{Standing, deposit, in_other_bytes, quantity, signal_in, whole_deposit, with, withdrawal};

/// Everything that can be said of a deposit in its life, a contradiction, and a repetition in other bytes. The two
/// final statuses are reached at the same instant, so that nothing but what they say tells them apart.
fn life_of_a_deposit() -> Vec<Signal> {
    let confirmed = with(deposit("confirmed", 40), whole_deposit);
    vec![
        deposit("pending", 0),
        with(deposit("submitted", 10), |details| details.asset = Some("BTC".into())),
        with(deposit("held", 20), |details| details.quantity = Some(quantity("0.012"))),
        deposit("abandoned", 30),
        confirmed.clone(),
        with(deposit("failed", 40), |details| details.quantity = Some(quantity("0.014"))),
        in_other_bytes("confirmed, its members in another order", &confirmed),
    ]
}

/// The same for a withdrawal whose provider's times run backwards; `submitted` is left out to keep the orders few.
fn life_of_a_withdrawal() -> Vec<Signal> {
    let confirmed = with(withdrawal("confirmed", 10), |details| details.quantity = Some(quantity("3400")));
    vec![
        withdrawal("initiated", 40),
        withdrawal("broadcast", 20),
        confirmed.clone(),
        withdrawal("failed", 10),
        withdrawal("abandoned", 10),
        in_other_bytes("confirmed, its members in another order", &confirmed),
    ]
}

/// Goes through every order of every subset of some signals, from the resource that nobody has spoken of.
struct EveryOrder<'a> {
    signals: &'a [Signal],
    /// Where each subset led in the order that was gone through first.
    first: BTreeMap<u32, Standing>,
    orders: usize,
}

impl<'a> EveryOrder<'a> {
    fn of(signals: &'a [Signal]) -> Self {
        let mut every = Self { signals, first: BTreeMap::new(), orders: 0 };
        every.from(&Resource::unknown(signals[0].resource.clone()), &[], 0);
        every
    }

    /// `resource` has taken in the signals whose bits are set in `taken`, and `said` was published on the way.
    fn from(&mut self, resource: &Resource, said: &[Event], taken: u32) {
        self.orders += 1;
        let events = [said, &events_after(resource, resource.version().saturating_sub(1))].concat();
        let standing = Standing::after(resource, &events);
        assert_eq!(*self.first.entry(taken).or_insert_with(|| standing.clone()), standing, "facts {taken:#b}");

        // As a repetition changes nothing here, no number of them does anywhere.
        let is_taken = |index: usize| taken & (1 << index) != 0;
        let mut repeated = resource.clone();
        for (_, signal) in self.signals.iter().enumerate().filter(|(index, _)| is_taken(*index)) {
            let outcome = fold(repeated, signal.clone());
            assert!(matches!(outcome, Outcome::AlreadyKnown { .. }), "{} was taken in twice", signal.fact);
            repeated = outcome.into_resource();
        }
        assert_eq!(repeated, *resource);

        for (index, signal) in self.signals.iter().enumerate().filter(|(index, _)| !is_taken(*index)) {
            let next = fold(resource.clone(), signal.clone()).into_resource();
            assert_eq!(next.version(), resource.version() + 1, "{} was not taken in", signal.fact);
            self.from(&next, &events, taken | (1 << index));
        }
    }
}

/// In how many orders one can take some of `count` things: the sum of count! / (count − taken)! over how many are taken.
fn orders_of(count: usize) -> usize {
    (0..=count).map(|taken| (count - taken + 1..=count).product::<usize>()).sum()
}

fn every_order_leads_to_the_same(signals: &[Signal]) {
    let every = EveryOrder::of(signals);
    assert_eq!(every.orders, orders_of(signals.len()), "not every order was gone through");
    assert_eq!(every.first.len(), 1 << signals.len(), "not every subset was gone through");

    let whole = &every.first[&((1 << signals.len()) - 1)];
    let expected = (1..signals.len()).map(|sequence| format!("{}#{sequence}", signals[0].resource));
    assert_eq!(whole.event_ids, expected.collect(), "each statement but the repetition has its event");
}

#[test]
fn every_order_of_every_part_of_a_deposits_life_leads_to_one_view_and_one_set_of_event_ids() {
    every_order_leads_to_the_same(&life_of_a_deposit());
}

#[test]
fn every_order_of_every_part_of_a_withdrawals_life_leads_to_one_view_and_one_set_of_event_ids() {
    every_order_leads_to_the_same(&life_of_a_withdrawal());
}

/// What the publisher says in all when `deliveries` are written in batches: `cuts[n]` is whether a write follows the
/// delivery `n`. The last is always written.
fn published(deliveries: &[Signal], cuts: &[bool]) -> (Resource, Vec<String>) {
    let mut resource = Resource::unknown(deliveries[0].resource.clone());
    let (mut written_version, mut ids) = (0, Vec::new());
    for (index, signal) in deliveries.iter().enumerate() {
        resource = fold(resource, signal.clone()).into_resource();
        if cuts.get(index).copied().unwrap_or(false) || index + 1 == deliveries.len() {
            ids.extend(events_after(&resource, written_version).into_iter().map(|event| event.id));
            written_version = resource.version();
        }
    }
    (resource, ids)
}

#[test]
fn every_way_to_cut_deliveries_into_writes_publishes_the_same_ids_each_once() {
    let deliveries: Vec<Signal> = life_of_a_deposit().into_iter().flat_map(|signal| [signal.clone(), signal]).collect();
    let (_, at_once) = published(&deliveries, &[]);
    assert_eq!(at_once.len(), 6);
    for pattern in 0..1_u32 << 8 {
        // Fourteen deliveries, each second pair of bits alike: every kind of batch comes up.
        let cuts: Vec<bool> = (0..deliveries.len()).map(|index| pattern & (1 << (index % 8)) != 0).collect();
        assert_eq!(published(&deliveries, &cuts).1, at_once, "cut after {pattern:#b}");
    }
}

/// Up to 30 facts about one resource, a third of them repetitions in other bytes, with few instants, so that ties are
/// common.
fn facts() -> impl Strategy<Value = Vec<Signal>> {
    let of_kind = |kind: Kind| Status::ALL.into_iter().filter(|status| status.kind() == kind).collect::<Vec<_>>();
    let kind = prop_oneof![Just(of_kind(Kind::Deposit)), Just(of_kind(Kind::Withdrawal))];
    let statements = kind.prop_flat_map(|statuses| {
        let amount = prop::option::of(prop::sample::select(vec!["1", "119078888888888888887"]));
        let hash = prop::option::of(Just("0xc9d43618"));
        let memo = prop::option::of(Just("memo"));
        prop::collection::vec((prop::sample::select(statuses), 0..3_u64, amount, hash, memo), 1..=20)
    });
    (statements, prop::collection::vec(any::<Index>(), 0..=10)).prop_map(|(statements, repeated)| {
        let numbered = statements.into_iter().enumerate();
        let mut signals: Vec<Signal> = numbered
            .map(|(number, (status, seconds, amount, hash, memo))| {
                with(signal_in(&format!("body {number}"), status, seconds), |details| {
                    details.quantity = amount.map(quantity);
                    details.transaction = Transaction { hash: hash.map(str::to_owned), ..Default::default() };
                    details.provider_data.extend(memo.map(|name| (name.to_owned(), seconds.into())));
                })
            })
            .collect();
        for (number, index) in repeated.into_iter().enumerate() {
            let repetition = in_other_bytes(&format!("repetition {number}"), index.get(&signals));
            signals.push(repetition);
        }
        signals
    })
}

/// The facts in some order, some of them several times, and where the writes fall between them.
fn deliveries(facts: Vec<Signal>) -> impl Strategy<Value = (Vec<Signal>, Vec<bool>)> {
    let repeated = prop::collection::vec(any::<Index>(), 0..10);
    let all = repeated.prop_flat_map(move |repeated| {
        let again = repeated.into_iter().map(|index| index.get(&facts).clone());
        Just(facts.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    });
    (all, prop::collection::vec(any::<bool>(), 40))
}

proptest! {
    // A failing case's seed is printed, and kept beside this file.
    #![proptest_config(ProptestConfig {
        cases: 96,
        max_shrink_iters: 4096,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_ways_to_deliver_the_same_facts_lead_to_the_same(
        (one, other) in facts().prop_flat_map(|facts| (deliveries(facts.clone()), deliveries(facts))),
    ) {
        let (one, said_by_one) = published(&one.0, &one.1);
        let (other, said_by_other) = published(&other.0, &other.1);
        let standing = Standing::after(&one, &events_after(&one, 0));
        prop_assert_eq!(&standing, &Standing::after(&other, &events_after(&other, 0)));

        for said in [said_by_one, said_by_other] {
            let distinct: BTreeSet<String> = said.iter().cloned().collect();
            prop_assert_eq!(said.len(), distinct.len(), "an id was published for two changes");
            prop_assert_eq!(&distinct, &standing.event_ids);
        }
    }
}
