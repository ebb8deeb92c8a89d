//! The events of any facts, in any order, add up to what the view books, and each of them balances.

use std::collections::BTreeMap;

use fundhook_domain::{DecimalValue, Event, HoldReason, NewFact, Resource, ResourceId, Verdict, events_after, fold};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::support::books::{assert_booked, balances};
use crate::support::coins::{CONNECT, DEPOSIT, FUND, Report, UNEXPECTED, World};
use crate::support::decision;
use crate::support::facts::facts;

/// What a webhook may report about one coin: some statuses, holds, amounts and credits.
fn reports() -> impl Strategy<Value = Vec<Report>> {
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
    let report = (family, status, amount, credit, native, 0..3_u64).prop_map(
        |(family, (status, hold), amount, credit, native, seconds)| Report {
            status,
            hold,
            amount,
            credit,
            native: native.unwrap_or(family.native),
            seconds,
            ..family
        },
    );
    prop::collection::vec(report, 1..=10)
}

/// A person's decision about the resource, who knows all its facts.
fn decide(world: &mut World, id: &ResourceId, verdict: Verdict, seconds: u64) {
    let content = decision(&world.resource(id), verdict, seconds);
    world.record(&[NewFact { resource: id.clone(), content }]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_shrink_iters: 4096, ..ProptestConfig::default() })]

    #[test]
    fn the_events_of_one_resource_add_up_to_its_view_after_each_fact(facts in facts()) {
        let mut resource = Resource::unknown(facts[0].resource.clone());
        let mut published: Vec<Event> = Vec::new();
        for fact in facts {
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
        for report in &reports {
            world.record(&[report.fact()]);
            world.assert_consistent();
        }
        for (seconds, (about, other, choice)) in (1000..).zip(decisions) {
            let (about, other) = (about.get(&reports).id(), other.get(&reports).id());
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
