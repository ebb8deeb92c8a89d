//! The same webhooks in any order, any number of times and in any batches result in one view and one set of event ids.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::{
    Amount, BalanceDetails, Credit, DecidedBy, Details, Event, Exchange, FeeBearer, HoldReason, Kind, Resource,
    Statement, Status, TransferDetails, WebhookFamily, events_after, fold,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use crate::support::facts::facts;
use crate::support::money::{credited, held, in_its_asset, in_kind, with_fee};
use crate::support::orders::{assert_shows, every_order_has_the_same_result};
use crate::support::readings::{reading, reread};
use crate::support::{
    FoldResult, deposit, in_other_bytes, listed, quantity, received, signed, statement, statement_in, status, transfer,
    whole_deposit, with, withdrawal,
};

/// The lifecycle of a deposit with a conflict and a repetition in other bytes. The two final statuses have the same
/// time, so that only their content decides which one supersedes the other.
fn deposit_lifecycle() -> Vec<Statement> {
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

/// The same for a withdrawal with times that run backwards; without `submitted`, to limit the number of orders.
fn withdrawal_lifecycle() -> Vec<Statement> {
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

#[test]
fn every_order_of_every_part_of_a_deposits_lifecycle_has_one_view_and_one_set_of_event_ids() {
    every_order_has_the_same_result(&deposit_lifecycle(), 6);
}

#[test]
fn every_order_of_every_part_of_a_withdrawals_lifecycle_has_one_view_and_one_set_of_event_ids() {
    every_order_has_the_same_result(&withdrawal_lifecycle(), 5);
}

#[test]
fn holds_of_every_force_beside_a_confirmation() {
    let review = with(held(HoldReason::ComplianceReview, 20), |details| {
        details.family = Some(WebhookFamily::ZerohashFund);
    });
    let unclear = with(held(HoldReason::FeeBearerUnknown, 20), |details| details.quantity = Some(quantity("0.013")));
    let statements = [
        deposit("submitted", 50),
        in_other_bytes("sent again", &review),
        review,
        unclear,
        held(HoldReason::AccountMatchFailed, 0),
        with(deposit("confirmed", 40), whole_deposit),
    ];
    for without_the_last in [0, 1, 2] {
        let part = &statements[..statements.len() - without_the_last];
        let result = every_order_has_the_same_result(part, part.len() - 1);
        let view = result.view.expect("a view");
        let expected = [
            ("confirmed", None, vec!["status"]),
            ("held", Some(HoldReason::AccountMatchFailed), vec![]),
            ("held", Some(HoldReason::FeeBearerUnknown), vec![]),
        ];
        let hold = view.details.hold().map(|hold| hold.reason);
        let about = view.conflict.as_ref().map_or_else(Vec::new, |conflict| conflict.about.clone());
        let status = view.status.map_or("none", Status::as_str);
        assert_eq!((status, hold, about.iter().map(String::as_str).collect()), expected[without_the_last]);
    }
}

#[test]
fn conflicts_of_equal_dates() {
    let other_amount = with(deposit("confirmed", 40), |details| details.quantity = Some(quantity("0.5")));
    let statements = [
        signed(61, held(HoldReason::UnknownReason, 40)),
        received(70, signed(60, with(deposit("confirmed", 40), whole_deposit))),
        received(60, in_other_bytes("another amount", &other_amount)),
        received(80, deposit("failed", 40)),
        received(50, deposit("unexpected", 40)),
    ];
    let view = every_order_has_the_same_result(&statements, 5).view.expect("a view");
    assert_eq!(view.status, Some(status(Kind::Deposit, "unexpected")), "the gravest of equal dates");
    assert_eq!(view.conflicting().len(), 4);
}

#[test]
fn a_returned_withdrawal_with_a_fee_and_a_failure() {
    let mut fee = with(withdrawal("initiated", 5), |details| details.fee = Some(in_its_asset(quantity("0.1"))));
    fee.content.status = None;
    let confirmed = with(withdrawal("confirmed", 20), |details| details.quantity = Some(quantity("3400")));
    let statements = [
        fee.clone(),
        in_other_bytes("the fee again", &fee),
        withdrawal("initiated", 40),
        confirmed,
        withdrawal("returned", 10),
        withdrawal("failed", 20),
    ];
    let view = every_order_has_the_same_result(&statements, 5).view.expect("a view");
    assert_eq!(view.status, Some(status(Kind::Withdrawal, "returned")));
    assert_eq!(view.conflicting(), ["failed", "returned"].map(|name| status(Kind::Withdrawal, name)));
}

#[test]
fn exchanges_with_and_without_a_status() {
    let of = |name: &str, seconds, bytes: &str| {
        let exchange = with(statement(status(Kind::Exchange, name), seconds), |details| {
            details.exchange.sold = Some(Amount::of(quantity("1"), Some("ETH".to_owned()), None));
        });
        in_other_bytes(bytes, &exchange)
    };
    let mut bought = with(of("pending", 10, "bought"), |details| {
        details.exchange = Exchange {
            bought: Some(Amount::of(quantity("2413.5"), Some("USDC".to_owned()), None)),
            ..Exchange::default()
        };
    });
    bought.content.status = None;
    let statements = [
        bought,
        of("pending", 20, "pending"),
        of("confirmed", 20, "confirmed"),
        with(of("confirmed", 20, "another amount"), |details| details.quantity = Some(quantity("1"))),
        of("refunded", 20, "refunded"),
    ];
    let view = every_order_has_the_same_result(&statements, 5).view.expect("a view");
    let exchange = &transfer(&view).exchange;
    assert!(exchange.sold.is_some() && exchange.bought.is_some());
    assert_eq!(view.conflicting(), ["confirmed", "refunded"].map(|name| status(Kind::Exchange, name)));
}

#[test]
fn credits_that_a_setting_decided_beside_credits_that_follow_from_numbers() {
    let by_numbers = credited(with_fee(FeeBearer::Customer, DecidedBy::Numbers), 10);
    let statements = [
        held(HoldReason::FeeBearerUnknown, 30),
        credited(with_fee(FeeBearer::Platform, DecidedBy::Setting), 40),
        credited(with_fee(FeeBearer::Customer, DecidedBy::Setting), 40),
        by_numbers.clone(),
        in_other_bytes("sent again", &by_numbers),
    ];
    let view = every_order_has_the_same_result(&statements, 4).view.expect("a view");
    assert_eq!((&view.conflict, view.details.credit()), (&None, by_numbers.content.details.credit()));

    let other = [statements.as_slice(), &[credited(in_kind("495", "USD"), 20)]].concat();
    let view = every_order_has_the_same_result(&other, 5).view.expect("a view");
    assert_eq!(view.conflict.as_ref().map(|conflict| conflict.about.clone()), Some(vec!["credit".to_owned()]));
}

#[test]
fn restatements_by_newer_revisions_and_other_settings() {
    let unclear = held(HoldReason::FeeBearerUnknown, 20);
    let credit = |credit: Credit| {
        move |details: &mut TransferDetails| {
            (details.credit, details.hold) = (Some(credit), None);
        }
    };
    let confirmed = |reading, of| {
        let mut confirmed = with(reread(&unclear, reading), credit(of));
        confirmed.content.status = Some(status(Kind::Deposit, "confirmed"));
        confirmed
    };
    let submitted = deposit("submitted", 10);
    let statements = [
        submitted.clone(),
        reread(&submitted, reading(12, 2, "")),
        unclear.clone(),
        confirmed(reading(22, 1, "aa"), with_fee(FeeBearer::Platform, DecidedBy::Setting)),
        confirmed(reading(22, 2, "aa"), with_fee(FeeBearer::Customer, DecidedBy::Setting)),
        held(HoldReason::ApprovalPending, 15),
    ];
    // The restatement of `submitted` states the same, so it publishes nothing.
    let view = every_order_has_the_same_result(&statements, 5).view.expect("a view");
    assert_eq!(view.reading, reading(22, 2, "aa"));
    assert_eq!(view.details.credit(), Some(&with_fee(FeeBearer::Customer, DecidedBy::Setting)));
}

#[test]
fn equal_dates_of_participants_and_balances() {
    let participant = |name: &str, seconds| received(seconds, statement(status(Kind::Participant, name), 10));
    let statements = [participant("approved", 40), participant("locked", 20), participant("closed", 30)];
    let view = every_order_has_the_same_result(&statements, 3).view.expect("a view");
    assert_eq!(view.status, Some(status(Kind::Participant, "approved")), "it was received last");

    let balance = |value: &str, seconds| {
        let mut balance = received(seconds, statement_in(value, Status::Balance, 10));
        let details = BalanceDetails { quantity: Some(quantity(value)), ..BalanceDetails::default() };
        balance.content.details = Details::Balance(Box::new(details));
        balance
    };
    let latest = balance("1", 40);
    let view = every_order_has_the_same_result(&[latest.clone(), balance("3", 20), balance("2", 30)], 3).view;
    assert_eq!(view.expect("a view").details, latest.content.details);
}

#[test]
fn rows_of_the_providers_list_that_agree_with_its_webhooks() {
    let (hold, confirmed) = (held(HoldReason::ApprovalPending, 20), with(deposit("confirmed", 40), whole_deposit));
    let statements = [listed(&hold), hold, listed(&confirmed), confirmed, deposit("submitted", 10)];
    every_order_has_the_same_result(&statements, 3);
}

/// The statement, so many milliseconds later.
fn in_a_moment(mut statement: Statement, ms: u64) -> Statement {
    statement.content.occurred_at = statement.content.occurred_at.plus(Duration::from_millis(ms));
    statement
}

/// The pairs of reasons that the provider states for holds of one force: the earlier one, and the later one.
const STATED: [[HoldReason; 2]; 4] = [
    [HoldReason::ApprovalPending, HoldReason::SettlementPending],
    [HoldReason::ComplianceReview, HoldReason::AccountMatchPending],
    [HoldReason::AccountMatchFailed, HoldReason::Quarantined],
    [HoldReason::Quarantined, HoldReason::NotConverted],
];

fn reason_of(statements: &[Statement], events: usize) -> HoldReason {
    let view = every_order_has_the_same_result(statements, events).view.expect("a view");
    view.details.hold().expect("a hold").reason
}

#[test]
fn a_delayed_webhook_does_not_bring_back_a_reason_that_a_listed_row_has_left() {
    for reasons in STATED {
        let [earlier, later] = [(reasons[0], 20), (reasons[1], 30)].map(|(reason, at)| held(reason, at));
        let mut statements = vec![deposit("submitted", 10), earlier.clone(), listed(&earlier), listed(&later)];
        assert_eq!(reason_of(&statements, 3), reasons[1], "the webhook of the later one was lost");
        statements.push(later);
        assert_eq!(reason_of(&statements, 3), reasons[1]);
    }
}

#[test]
fn a_reason_that_the_provider_states_again_counts_again() {
    for reasons in STATED {
        let [earlier, later, again] =
            [(reasons[0], 20), (reasons[1], 30), (reasons[0], 40)].map(|(reason, at)| held(reason, at));
        assert_eq!(reason_of(&[earlier, listed(&later), again], 3), reasons[0]);
    }
}

#[test]
fn of_reasons_of_one_second_the_graver_one_counts() {
    for mut reasons in STATED {
        reasons.sort();
        let [less_grave, graver] = reasons.map(|reason| held(reason, 20));
        let statements = [
            deposit("submitted", 10),
            graver.clone(),
            in_a_moment(listed(&less_grave), 903),
            in_a_moment(listed(&graver), 914),
        ];
        assert_eq!(reason_of(&statements, 3), reasons[1], "webhooks have whole seconds, and rows have parts of them");
    }
}

/// The resource and all event ids when `deliveries` are written in batches: `cuts[n]` is whether a write follows the
/// delivery `n`. A write follows the last one in any case.
fn published(deliveries: &[Statement], cuts: &[bool]) -> (Resource, Vec<String>) {
    let mut resource = Resource::unknown(deliveries[0].resource.clone());
    let (mut written_version, mut ids) = (0, Vec::new());
    for (index, statement) in deliveries.iter().enumerate() {
        resource = fold(resource, statement.clone()).into_resource();
        if cuts.get(index).copied().unwrap_or(false) || index + 1 == deliveries.len() {
            ids.extend(events_after(&resource, written_version).into_iter().map(|event| event.id));
            written_version = resource.version();
        }
    }
    (resource, ids)
}

#[test]
fn every_division_of_deliveries_into_writes_publishes_each_id_once() {
    let deliveries: Vec<Statement> =
        deposit_lifecycle().into_iter().flat_map(|statement| [statement.clone(), statement]).collect();
    let (_, at_once) = published(&deliveries, &[]);
    assert_eq!(at_once.len(), 6);
    for pattern in 0..1_u32 << 8 {
        // Fourteen deliveries and a repeating pattern of eight bits: every size of batch occurs.
        let cuts: Vec<bool> = (0..deliveries.len()).map(|index| pattern & (1 << (index % 8)) != 0).collect();
        assert_eq!(published(&deliveries, &cuts).1, at_once, "cut after {pattern:#b}");
    }
}

/// The facts in some order, some of them several times, and the writes between them.
fn deliveries(facts: Vec<Statement>) -> impl Strategy<Value = (Vec<Statement>, Vec<bool>)> {
    let repeated = prop::collection::vec(any::<Index>(), 0..10);
    let all = repeated.prop_flat_map(move |repeated| {
        let again = repeated.into_iter().map(|index| index.get(&facts).clone());
        Just(facts.iter().cloned().chain(again).collect::<Vec<_>>()).prop_shuffle()
    });
    (all, prop::collection::vec(any::<bool>(), 40))
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
    #![proptest_config(ProptestConfig {
        cases: 160,
        max_shrink_iters: 4096,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn two_deliveries_of_the_same_facts_have_the_same_result(
        (one, other) in facts().prop_flat_map(|facts| (deliveries(facts.clone()), deliveries(facts))),
    ) {
        let mut resource = Resource::unknown(one.0[0].resource.clone());
        let mut latest: Option<Event> = None;
        for statement in &one.0 {
            let before = resource.version();
            resource = fold(resource, statement.clone()).into_resource();
            latest = events_after(&resource, before).pop().or(latest);
            latest.iter().for_each(|event| assert_shows(event, &resource));
        }

        let (one, published_by_one) = published(&one.0, &one.1);
        let (other, published_by_other) = published(&other.0, &other.1);
        let result = FoldResult::after(&one, &events_after(&one, 0));
        prop_assert_eq!(&result, &FoldResult::after(&other, &events_after(&other, 0)));

        for published in [published_by_one, published_by_other] {
            let distinct: BTreeSet<String> = published.iter().cloned().collect();
            prop_assert_eq!(published.len(), distinct.len(), "an id was published for two changes");
            prop_assert_eq!(&distinct, &result.event_ids);
        }
    }
}
