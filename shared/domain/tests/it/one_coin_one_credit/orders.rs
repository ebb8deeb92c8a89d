//! What is stored and published does not depend on the order of arrival, but for which of equal reports is credited.

use std::collections::BTreeMap;
use std::sync::Arc;

use fundhook_domain::{HoldReason, ResourceId, View};

use crate::support::coins::{CONNECT, DEPOSIT, FUND, Report, UNEXPECTED, World};

pub(super) fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |order: &Vec<usize>, at: usize| {
        let mut longer = order.clone();
        longer.insert(at, count - 1);
        longer
    };
    permutations(count - 1).iter().flat_map(|order| (0..count).map(move |at| insert(order, at))).collect()
}

/// The views without what may depend on the order: which of equal reports is a duplicate of which.
fn comparable(world: &World) -> BTreeMap<ResourceId, View> {
    let views = world.stored.resources().filter_map(|resource| Some((resource.id().clone(), resource.view()?)));
    views.map(|(id, view)| (id, View { duplicate_of: None, ..Arc::unwrap_or_clone(view) })).collect()
}

/// How much is credited, of each amount.
fn credits(world: &World) -> BTreeMap<String, usize> {
    let mut credits = BTreeMap::new();
    world.credited().into_values().for_each(|credit| *credits.entry(credit).or_default() += 1);
    credits
}

#[test]
fn every_order_of_arrival_results_in_the_same_views_credits_and_event_ids() {
    let native = |report: Report, native| Report { native, ..report };
    let output = |report: Report, hash| Report { hash: Some(hash), ..report };
    let (zero, one) = (
        "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569-0",
        "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569-1",
    );
    let pending = Report { status: "pending", seconds: 0, ..CONNECT };
    let failed = Report { status: "failed", seconds: 50, ..CONNECT };
    let silent = Report { hash: None, ..CONNECT };
    let corrected = Report { hash: Some("0xff"), seconds: 50, ..CONNECT };
    let quarantined = Report { status: "held", hold: Some(HoldReason::Quarantined), ..DEPOSIT };
    let less = |report: Report| Report { amount: "70", ..report };
    for (case, reports) in [
        ("two equal ones", vec![CONNECT, FUND]),
        ("three equal ones", vec![CONNECT, FUND, DEPOSIT]),
        ("two amounts", vec![CONNECT, less(FUND)]),
        ("two amounts and a third", vec![CONNECT, less(FUND), DEPOSIT]),
        ("three amounts", vec![CONNECT, less(FUND), Report { amount: "1", ..DEPOSIT }]),
        ("in kind and converted", vec![CONNECT, Report { credit: Some(("99", "USD")), ..FUND }, DEPOSIT]),
        ("credited and to be returned", vec![DEPOSIT, UNEXPECTED, CONNECT]),
        (
            "credited under another name of the customer, and to be returned",
            vec![Report { account: Some("user-1"), ..CONNECT }, DEPOSIT, UNEXPECTED],
        ),
        ("credited and quarantined", vec![FUND, quarantined, CONNECT]),
        ("two outputs of one family", vec![CONNECT, less(native(CONNECT, "2")), FUND]),
        ("two outputs, told", vec![output(CONNECT, zero), less(output(native(CONNECT, "2"), one)), less(FUND)]),
        ("two outputs of both families", vec![CONNECT, less(native(CONNECT, "2")), FUND, less(native(FUND, "f-2"))]),
        ("two outputs, one told by each", vec![output(CONNECT, zero), less(output(FUND, one))]),
        ("two equal outputs", vec![CONNECT, native(CONNECT, "2"), FUND]),
        (
            "no chain, and two chains",
            vec![CONNECT, Report { network: Some("base"), ..FUND }, Report { network: None, ..DEPOSIT }],
        ),
        ("a life, and another report", vec![pending, CONNECT, FUND]),
        ("its own statements conflict", vec![CONNECT, failed, FUND]),
        ("the transaction is known later", vec![silent, pending, less(FUND)]),
        ("a corrected transaction", vec![CONNECT, corrected, less(FUND)]),
        (
            "a corrected transaction, and both reported",
            vec![CONNECT, corrected, less(FUND), Report { hash: Some("0xff"), amount: "1", ..DEPOSIT }],
        ),
    ] {
        let mut expected = None;
        for order in permutations(reports.len()) {
            let in_order: Vec<Report> = order.iter().map(|at| reports[*at]).collect();
            let world = World::after(&in_order);
            world.assert_consistent();
            let result = (comparable(&world), credits(&world), world.event_ids());
            // Every report again changes nothing.
            let again = World::after(&[in_order.clone(), in_order].concat());
            assert_eq!(again.published, world.published, "{case}: {order:?}, twice");
            match &expected {
                None => expected = Some(result),
                Some(expected) => {
                    assert_eq!(result.1, expected.1, "{case}: {order:?}: credits");
                    let number = |result: &std::collections::BTreeSet<String>| result.len();
                    assert_eq!(number(&result.2), number(&expected.2), "{case}: {order:?}: {:?}", result.2);
                    assert_eq!(result.2, expected.2, "{case}: {order:?}: event ids");
                    assert_eq!(result.0, expected.0, "{case}: {order:?}: views");
                }
            }
        }
    }
}
