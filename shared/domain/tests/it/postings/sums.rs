//! The events of any facts, in any order, add up to what the view books, and each of them balances.

use std::collections::BTreeMap;

use fundhook_domain::{
    DecimalValue, Event, HoldReason, NewFact, Resource, ResourceId, Statement, Verdict, events_after, fold,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::books::{assert_booked, balances, lines};
use crate::support::coins::{CONNECT, DEPOSIT, FUND, HASH, Report, UNEXPECTED, World};
use crate::support::facts::facts;
use crate::support::{at, decision, folded, listed, received, recorded_only};

/// How a statement reached Fundhook.
#[derive(Clone, Copy, Debug)]
enum By {
    Webhook,
    List,
    BackfillThatRecords,
}

impl By {
    fn statement(self, report: &Report) -> Statement {
        let statement = report.statement();
        match self {
            Self::Webhook => statement,
            Self::List => listed(&statement),
            Self::BackfillThatRecords => recorded_only(&listed(&statement)),
        }
    }
}

/// What a webhook or a row of the provider's list may report about one coin: some statuses, holds, amounts and credits, with
/// and without the transaction. How it reached Fundhook is drawn too.
fn reports() -> impl Strategy<Value = Vec<(Report, By)>> {
    let family = prop::sample::select(vec![CONNECT, FUND, DEPOSIT, UNEXPECTED]);
    let status = prop::sample::select(vec![
        ("pending", None),
        ("confirmed", None),
        ("confirmed", None),
        ("failed", None),
        ("unexpected", None),
        ("held", Some(HoldReason::Quarantined)),
        ("held", Some(HoldReason::AccountMatchPending)),
    ]);
    let amount = prop::sample::select(vec!["100", "100", "99"]);
    let credit = prop::sample::select(vec![None, None, Some(("98", "USD"))]);
    let native = prop::sample::select(vec![None, Some("2")]);
    let hash = prop::sample::select(vec![Some(HASH), Some(HASH), None]);
    let report = (family, status, amount, credit, native, hash, 0..3_u64).prop_map(
        |(family, (status, hold), amount, credit, native, hash, seconds)| Report {
            status,
            hold,
            amount,
            credit,
            hash,
            native: native.unwrap_or(family.native),
            seconds,
            ..family
        },
    );
    let by = prop::sample::select(vec![By::Webhook, By::List, By::BackfillThatRecords]);
    prop::collection::vec((report, by), 1..=10)
}

/// A person's decision about the resource, who knows all its facts.
fn decide(world: &mut World, id: &ResourceId, verdict: Verdict, seconds: u64) {
    let content = decision(&world.resource(id), verdict, seconds);
    world.record(&[NewFact { resource: id.clone(), content }]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_events_of_one_resource_add_up_to_its_view_after_each_fact(facts in facts(), old in any::<u64>()) {
        let mut resource = Resource::unknown(facts[0].resource.clone());
        let mut published: Vec<Event> = Vec::new();
        for (nth, fact) in facts.into_iter().enumerate() {
            let fact = if old >> (nth % 64) & 1 == 1 { recorded_only(&fact) } else { fact };
            let before = resource.version();
            resource = fold(resource, fact).into_resource();
            published.extend(events_after(&resource, before));
            assert_booked(&resource, &published);
        }
    }

    #[test]
    fn the_events_of_several_deposits_of_one_coin_add_up_to_their_views(
        reports in reports(),
        decisions in prop::collection::vec((any::<Index>(), any::<Index>(), 0..3_usize), 0..=3),
    ) {
        let mut world = World::default();
        for (report, by) in &reports {
            world.record(&[NewFact::from(by.statement(report))]);
            world.assert_consistent();
        }
        for (seconds, (about, other, choice)) in (1000..).zip(decisions) {
            let (about, other) = (about.get(&reports).0.id(), other.get(&reports).0.id());
            let verdict = match choice {
                0 => Verdict::Accepted,
                1 => Verdict::Rejected,
                _ if about != other => Verdict::RejectedInFavourOf(other),
                _ => Verdict::Resolved,
            };
            decide(&mut world, &about, verdict, seconds);
            world.assert_consistent();
        }
        let all = balances(world.published.iter().flat_map(|event| &event.data.postings));
        let mut by_asset = BTreeMap::new();
        for ((asset, _), value) in all {
            let sum = by_asset.entry(asset).or_insert_with(DecimalValue::zero);
            *sum = sum.clone() + &value;
        }
        prop_assert!(by_asset.values().all(|sum| *sum == DecimalValue::zero()), "{by_asset:?}");
    }
}

#[test]
fn the_books_at_a_time_are_books_that_were_published() {
    let of = |status, seconds| received(seconds, Report { status, ..CONNECT }.statement());
    // The second one waited in the queue, so what was received after it was recorded before it.
    let resource = folded(&[of("submitted", 10), of("confirmed", 30), of("pending", 20)]);
    for (seconds, facts) in [(5, 0), (10, 1), (25, 1), (30, 3)] {
        assert_eq!(resource.received_by(at(seconds)).facts().len(), facts, "at {seconds} s");
    }
    let books =
        |seconds| resource.received_by(at(seconds)).view().map(|view| lines(&view.books(resource.id()).postings()));
    assert_eq!(books(5), None);
    assert_eq!(books(25), Some(Vec::new()));
    assert_eq!(books(30).map(|lines| lines.len()), Some(2));
}
