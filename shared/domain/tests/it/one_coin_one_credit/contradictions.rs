//! Reports of one coin that say different things about its money: they conflict on all of them, and nothing is credited.

use fundhook_domain::{
    DepositStatus, Details, HoldReason, NewFact, RecoveryStatus, ResourceId, Status, Verdict, WithdrawalStatus,
    events_after, fold,
};

use crate::support::books::{assert_booked, lines};
use crate::support::coins::{CONNECT, DEPOSIT, FUND, Report, UNEXPECTED, World, recovery, to_return};
use crate::support::recovery::paid;
use crate::support::{decision, folded, in_other_bytes, relation};

const CONFIRMED: Status = Status::Deposit(DepositStatus::Confirmed);

#[track_caller]
fn assert_conflict(world: &World, reports: &[Report], about: &[&str]) {
    world.assert_consistent();
    assert!(world.credited().is_empty(), "{:?}", world.credited());
    for report in reports {
        let conflict = world.view(*report).conflict.expect("a conflict");
        assert_eq!(conflict.about, about, "{report:?}");
        let others: Vec<ResourceId> =
            reports.iter().map(|report| report.id()).filter(|id| *id != report.id()).collect();
        assert_eq!(Vec::from_iter(conflict.with), others, "{report:?}");
        let event = world.published.iter().rfind(|event| event.data.resource == report.id()).expect("an event");
        assert_eq!(event.status_attribute(), Some("conflicting"));
        assert!(!event.data.conflict_with.is_empty(), "the event names the other one");
    }
}

#[test]
fn two_reports_of_one_coin_that_differ_about_its_money_conflict_on_both_whichever_came_first() {
    let held = |hold| Report { status: "held", hold: Some(hold), ..DEPOSIT };
    for (case, one, other, about) in [
        ("another amount", CONNECT, Report { amount: "99", ..FUND }, vec!["amount", "credit"]),
        ("in kind and converted", CONNECT, Report { credit: Some(("100", "USD")), ..FUND }, vec!["credit"]),
        (
            "net and gross",
            Report { credit: Some(("100", "USD")), ..CONNECT },
            Report { credit: Some(("99", "USD")), ..FUND },
            vec!["credit"],
        ),
        ("another customer of one provider", DEPOSIT, Report { account: Some("CUST02"), ..FUND }, vec!["account"]),
        ("credited and quarantined", FUND, held(HoldReason::Quarantined), vec!["status"]),
        ("credited and to be returned", DEPOSIT, UNEXPECTED, vec!["status"]),
        (
            "the same output and another amount",
            output(CONNECT, 0),
            Report { amount: "99", ..output(FUND, 0) },
            vec!["amount", "credit"],
        ),
    ] {
        assert_conflict(&World::after(&[one, other]), &[one, other], &about);
        let world = World::after(&[other, one]);
        assert_conflict(&world, &[one, other], &about);
        assert_eq!(world.types(&one.id())[0], "conflicting", "{case}: it is never said to be creditable");
        let statuses = world.view(one).conflict.map(|conflict| conflict.statuses).unwrap_or_default();
        assert!(statuses.contains(&CONFIRMED), "{case}");
    }
}

const OUTPUTS: [&str; 2] = [
    "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569-0",
    "0xcd9e98ae631cf7cfcf4d351374337a55096abd01d9637303aaef31d5c0766569-1",
];

fn output(report: Report, output: usize) -> Report {
    Report { hash: Some(OUTPUTS[output]), ..report }
}

#[test]
fn reports_that_do_not_credit_the_coin_agree() {
    let quarantined = Report { status: "held", hold: Some(HoldReason::Quarantined), ..FUND };
    let world = World::after(&[quarantined, UNEXPECTED, Report { status: "unexpected", ..CONNECT }]);
    world.assert_consistent();
    assert!([quarantined, UNEXPECTED].iter().all(|report| world.view(*report).conflict.is_none()));
    assert!(world.published.iter().all(|event| event.data.conflicting.is_empty()));
}

/// A webhook without an address is only about the coin of another one if it is about the same customer: a transaction may
/// pay many.
#[test]
fn a_report_without_an_address_is_about_the_coin_of_the_same_customer_only() {
    let other = Report { account: Some("CUST02"), ..DEPOSIT };
    let unnamed = Report { account: None, ..UNEXPECTED };
    for (report, unexpected) in [(other, UNEXPECTED), (DEPOSIT, unnamed)] {
        let world = World::after(&[report, unexpected]);
        assert_eq!(world.credited().len(), 1, "{report:?}");
    }
}

#[test]
fn of_two_providers_that_name_one_customer_differently_the_amount_decides_about_a_report_without_an_address() {
    let named_otherwise = Report { account: Some("user-1"), ..CONNECT };
    let silent = Report { address: None, ..DEPOSIT };
    for [one, two] in [[named_otherwise, UNEXPECTED], [UNEXPECTED, named_otherwise]] {
        let world = World::after(&[one, two]);
        assert_conflict(&world, &[one, two], &["status"]);
        let world = World::after(&[one, Report { amount: "70", ..two }]);
        assert!(world.view(one).conflict.is_none() && world.view(two).conflict.is_none());
    }
    let world = World::after(&[named_otherwise, silent]);
    assert_eq!(world.view(silent).duplicate_of, Some(CONNECT.id()));
}

#[test]
fn when_a_transaction_pays_an_address_in_several_outputs_the_amount_decides_which_reports_are_one_coin() {
    let second = Report { amount: "70", native: "fund-2", ..FUND };
    let (first_out, second_out) = (output(FUND, 0), Report { amount: "70", native: "fund-2", ..output(FUND, 1) });
    for (case, reports, credits) in [
        ("one side tells the outputs", vec![first_out, second_out, CONNECT], 2),
        ("no side does", vec![FUND, second, CONNECT], 2),
        ("the other side is the second one", vec![FUND, second, Report { amount: "70", ..CONNECT }], 2),
        ("the amount fits neither: nothing is matched", vec![FUND, second, Report { amount: "10", ..CONNECT }], 3),
        ("both sides tell outputs", vec![first_out, second_out, output(CONNECT, 0)], 2),
        ("another output than all others", vec![first_out, Report { amount: "70", ..output(CONNECT, 1) }], 2),
    ] {
        let world = World::after(&reports);
        world.assert_consistent();
        assert_eq!(world.credited().len(), credits, "{case}: {:?}", world.credited());
        assert!(reports.iter().all(|report| world.view(*report).conflict.is_none()), "{case}");
    }
}

#[test]
fn a_conflict_ends_when_a_second_output_explains_it() {
    let second = Report { amount: "70", native: "fund-2", ..FUND };
    let world = World::after(&[Report { amount: "70", ..CONNECT }, FUND, second]);
    world.assert_consistent();
    assert_eq!(world.types(&FUND.id()), ["conflicting", "updated", "confirmed"]);
    assert_eq!(world.credited().len(), 2);
}

#[test]
fn a_deposit_whose_own_statements_conflict_credits_nothing_and_neither_does_another_report_of_its_coin() {
    let failed = Report { status: "failed", seconds: 50, ..CONNECT };
    for reports in [[CONNECT, failed, FUND], [failed, CONNECT, FUND], [FUND, CONNECT, failed], [CONNECT, FUND, failed]]
    {
        let world = World::after(&reports);
        world.assert_consistent();
        assert!(world.credited().is_empty(), "{reports:?}");
        assert_eq!(world.view(FUND).conflict.map(|conflict| conflict.about), Some(vec!["status".to_owned()]));
    }
}

#[test]
fn a_recovery_does_not_ask_for_a_coin_that_is_credited_elsewhere_whichever_came_first() {
    let facts = [UNEXPECTED.fact(), to_return(), DEPOSIT.fact()];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::default();
        order.iter().for_each(|at| world.record(std::slice::from_ref(&facts[*at])));
        world.assert_consistent();
        let view = world.resource(&recovery()).view().expect("a recovery");
        assert_eq!(view.status, Some(Status::Recovery(RecoveryStatus::Suspended)), "{order:?}");
        let Details::Recovery(details) = &view.details else { unreachable!("a recovery") };
        assert_eq!((details.sums().expected.to_string(), details.suspended.len()), ("0".to_owned(), 1), "{order:?}");
        let event = world.published.iter().rfind(|event| event.data.resource == recovery()).expect("an event");
        let data = serde_json::to_value(&event.data).expect("JSON");
        assert_eq!((data.get("auth_request"), data.get("auth_request_older")), (None, None));
        assert_eq!(data["suspended"][0], UNEXPECTED.id().to_string());
        let count = world.published.iter().filter(|event| event.data.resource == recovery()).count();
        assert_eq!(count, 3, "{order:?}: the statement, and what each of the two deposits says");
    }
}

#[test]
fn a_surplus_because_of_a_coin_that_is_credited_elsewhere_can_be_resolved() {
    let mut payment = paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    payment.resource = recovery();
    let mut world = World::default();
    for fact in [UNEXPECTED.fact(), to_return(), NewFact::from(payment), DEPOSIT.fact()] {
        world.record(&[fact]);
    }
    let surplus = |world: &World| {
        let view = world.resource(&recovery()).view().expect("a recovery");
        view.surplus.as_ref().map(|value| value.to_string())
    };
    assert_eq!(surplus(&world).as_deref(), Some("100"), "the coin is credited, and was returned");
    let content = decision(&world.resource(&recovery()), Verdict::Resolved, 1000);
    world.record(&[NewFact { resource: recovery(), content }]);
    assert_eq!(surplus(&world), None);
    world.assert_consistent();
}

#[test]
fn what_an_earlier_write_left_unsaid_is_published_with_the_next() {
    let statement = Report { status: "unexpected", ..DEPOSIT }.statement();
    let known = folded([&statement]);
    let unsaid = relation(&statement, &CONNECT.id());
    let known = fold(known, unsaid).into_resource();
    assert_eq!(known.sequence(), 1, "the relation leaves it to a statement");
    let mut world = World::default();
    world.stored.know(known.clone());
    world.record(&[NewFact::from(in_other_bytes("again", &statement))]);
    assert_eq!(world.published.len(), 1);
    assert_eq!(
        lines(&world.published[0].data.postings),
        ["credit provider:zerohash 100 USDC", "debit returns:zerohash 100 USDC"]
    );
    assert_booked(&world.resource(known.id()), &events_after(&world.resource(known.id()), 0));
}
