//! Participants, external accounts and balances change back and forth without an end: the latest statement gives the
//! status, and old facts are evicted.

use std::collections::BTreeSet;

use fundhook_domain::{
    Details, FactId, Kind, LATEST_FACTS_MAX, Outcome, Quantity, Resource, Statement, Status, StatusRule, View,
    events_after, fold,
};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::FileFailurePersistence;

use crate::support::orders::every_order_has_the_same_result;
use crate::support::{
    at, deposit, events, folded, in_other_bytes, quantity, received, statement, statement_in, status, types, view, with,
};

/// The statement that the participant reached the status called `name` at `seconds`.
fn participant(name: &str, seconds: u64) -> Statement {
    statement(status(Kind::Participant, name), seconds)
}

/// The statement that the balance was `value` at `seconds`.
fn balance(value: &str, seconds: u64) -> Statement {
    let mut statement = statement_in(&format!("{value} at {seconds}"), Status::Balance, seconds);
    assert!(matches!(statement.content.details, Details::Balance(_)), "only balances have these details");
    if let Details::Balance(details) = &mut statement.content.details {
        details.quantity = Some(quantity(value));
    }
    statement
}

/// The amount in a view of a balance.
fn amount(view: &View) -> Option<&Quantity> {
    if let Details::Balance(details) = &view.details { details.quantity.as_ref() } else { None }
}

/// `count` different statements, one per second.
fn statements(count: u64) -> Vec<Statement> {
    let approved_or_locked = |second: u64| if second.is_multiple_of(2) { "approved" } else { "locked" };
    (0..count).map(|second| participant(approved_or_locked(second), second)).collect()
}

fn kept(resource: &Resource) -> BTreeSet<(&FactId, u64)> {
    resource.facts().iter().map(|fact| (fact.content.id(), fact.content.occurred_at().since(at(0)).as_secs())).collect()
}

/// The facts of `statements` that are kept: the newest by the provider's clock, and at equal times by their digests.
fn newest(statements: &[Statement]) -> BTreeSet<(&FactId, u64)> {
    let by_age: BTreeSet<_> =
        statements.iter().map(|statement| (statement.content.occurred_at, &statement.content.id)).collect();
    let newest = by_age.into_iter().rev().take(LATEST_FACTS_MAX);
    newest.map(|(occurred_at, id)| (id, occurred_at.since(at(0)).as_secs())).collect()
}

#[test]
fn the_later_of_any_two_statuses_is_the_status_and_none_conflict() {
    let mut compared = 0;
    let has_latest_rule = |status: &Status| status.kind().status_rule() == StatusRule::Latest;
    for earlier in Status::ALL.into_iter().filter(has_latest_rule) {
        for later in Status::ALL.into_iter().filter(|later| later.kind() == earlier.kind()) {
            let (first, second) = (statement(earlier, 10), statement(later, 20));
            for statements in [[&first, &second], [&second, &first]] {
                let view = view(statements);
                assert_eq!(
                    (view.status, view.conflicting()),
                    (Some(later), [].as_slice()),
                    "{earlier} and then {later}"
                );
                assert_eq!(view.occurred_at, at(20));
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 8 * 8 + 6 * 6 + 1, "each pair of statuses of the three kinds");
}

#[test]
fn every_order_of_a_participants_statuses_has_one_view_and_one_set_of_event_ids() {
    let locked = participant("locked", 20);
    let statements = [
        participant("submitted", 0),
        participant("approved", 10),
        locked.clone(),
        // At equal times, the receipt decides the order.
        received(30, participant("approved", 20)),
        in_other_bytes("locked, its members in another order", &locked),
    ];
    every_order_has_the_same_result(&statements, 4);
}

#[test]
fn every_order_of_a_balances_changes_has_the_latest_amount() {
    let statements = [balance("1", 0), balance("119078888888888888887", 30), balance("0.5", 20), balance("2", 10)];
    let view = every_order_has_the_same_result(&statements, 4).view.expect("a view");
    assert_eq!(amount(&view), Some(&quantity("119078888888888888887")));
}

#[test]
fn a_late_statement_is_published_as_late_and_changes_nothing() {
    let events = events(&[participant("closed", 20), participant("approved", 10), participant("approved", 30)]);
    let expected = ["fundhook.participant.closed", "fundhook.participant.updated", "fundhook.participant.approved"];
    assert_eq!(types(&events), expected);
    assert_eq!(events.iter().map(|event| event.data.late).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((events[1].data.status, events[2].data.previous_status), (Some("closed"), Some("closed")));
}

#[test]
fn of_equal_times_the_last_received_is_current_and_none_is_late_in_any_order_of_recording() {
    let participants = [received(20, participant("approved", 10)), received(30, participant("locked", 10))];
    let balances = [received(20, balance("1", 10)), received(30, balance("2", 10))];
    for [first, last] in [participants, balances] {
        let views = [view([&first, &last]), view([&last, &first])];
        assert_eq!(views[0], views[1]);
        assert_eq!((views[0].status, &views[0].details), (last.content.status, &last.content.details));
        for order in [[&first, &last], [&last, &first]] {
            let events = events(order);
            assert_eq!(events.iter().map(|event| event.data.late).collect::<Vec<_>>(), [false, false]);
            assert_eq!(events[1].data.status, last.content.status.map(Status::as_str));
        }
    }
    // The same holds for equal statuses of a deposit.
    let of = |seconds, amount| {
        let held = with(deposit("held", 10), |details| details.quantity = Some(quantity(amount)));
        in_other_bytes(amount, &received(seconds, held))
    };
    let (first, last) = (of(20, "1"), of(30, "2"));
    for order in [[&first, &last], [&last, &first]] {
        assert_eq!(view(order).details, last.content.details);
        assert!(!events(order)[1].data.late);
    }
}

#[test]
fn a_repetition_never_moves_statements_that_differ_in_their_status_alone() {
    let mut locked = participant("locked", 10);
    let approved = participant("approved", 10);
    locked.content.details = approved.content.details.clone();
    locked.content.event_type = approved.content.event_type.clone();
    let before = view([&locked, &approved]);
    for number in 0..16 {
        let copies = [&locked, &approved].map(|of| in_other_bytes(&format!("{number}"), of));
        let after = view([&locked, &approved, &copies[0], &copies[1]]);
        assert_eq!((after.status, after.history), (before.status, before.history.clone()));
    }
}

#[test]
fn the_newest_64_facts_are_kept_in_any_order_of_arrival() {
    let statements = statements(200);
    let backwards: Vec<Statement> = statements.iter().rev().cloned().collect();
    // 77 and 200 have no common divisor, so each statement occurs once.
    let scattered: Vec<Statement> = (0..200).map(|step| statements[step * 77 % 200].clone()).collect();
    for order in [&statements, &backwards, &scattered] {
        let resource = folded(order);
        assert_eq!(resource.facts().len(), LATEST_FACTS_MAX);
        assert_eq!(kept(&resource), newest(&statements));
        let view = resource.view().expect("a view");
        assert_eq!((view.status, view.occurred_at), (Some(status(Kind::Participant, "locked")), at(199)));
        assert_eq!(view.history.len(), LATEST_FACTS_MAX);
    }
}

#[test]
fn kinds_with_an_end_keep_every_fact() {
    let statements: Vec<Statement> = (0..100).map(|second| deposit("held", second)).collect();
    assert_eq!(folded(&statements).facts().len(), 100);
}

#[test]
fn a_statement_older_than_all_kept_facts_is_stale_and_not_recorded() {
    let full = folded(&statements(64)[1..]);
    assert_eq!(full.facts().len(), LATEST_FACTS_MAX - 1);
    let oldest = participant("submitted", 0);
    let full = fold(full, oldest).into_resource();
    assert_eq!(full.facts().len(), LATEST_FACTS_MAX, "there was room for one more fact, although it is old");

    let before_all = {
        let mut statement = participant("rejected", 0);
        statement.content.occurred_at = "2025-10-07T19:44:49.999999999Z".parse().expect("RFC 3339");
        statement
    };
    assert_eq!(fold(full.clone(), before_all), Outcome::Stale { resource: full.clone() });

    // An evicted statement that arrives again is stale, although its fact is no longer stored.
    let more = fold(full, participant("closed", 64)).into_resource();
    assert!(more.facts().iter().all(|fact| fact.content.occurred_at() > at(0)));
    let again = participant("submitted", 0);
    assert_eq!(fold(more.clone(), again), Outcome::Stale { resource: more });
}

#[test]
fn at_the_time_of_the_oldest_fact_the_digest_decides_which_is_kept() {
    let full = folded(&statements(64));
    let oldest = full.facts().first().expect("a fact").content.id().clone();
    let (mut stale, mut recorded) = (0, 0);
    for number in 0..32 {
        let other = in_other_bytes(&format!("body {number}"), &participant("closed", 0));
        let id = other.content.id.clone();
        let outcome = fold(full.clone(), other);
        if id < oldest {
            assert_eq!(outcome, Outcome::Stale { resource: full.clone() });
            stale += 1;
        } else {
            let resource = outcome.into_resource();
            assert!(resource.facts().iter().any(|fact| *fact.content.id() == id));
            assert!(
                resource.facts().iter().all(|fact| *fact.content.id() != oldest),
                "the fact with the lesser id is evicted"
            );
            recorded += 1;
        }
    }
    assert!(stale > 0 && recorded > 0, "{stale} and {recorded}");
}

#[test]
fn version_and_sequence_keep_counting_when_facts_are_evicted() {
    let statements = statements(100);
    let resource = folded(&statements);
    assert_eq!((resource.version(), resource.sequence(), resource.facts().len()), (100, 100, 64));

    let repeated = fold(resource, in_other_bytes("again", &statements[99])).into_resource();
    assert_eq!((repeated.version(), repeated.sequence()), (101, 100), "a repetition is a fact without an event");
    let resource = fold(repeated, participant("closed", 100)).into_resource();
    assert_eq!((resource.version(), resource.sequence(), resource.facts().len()), (102, 101, 64));

    let published = events_after(&resource, 0);
    let numbers: Vec<u64> = published.iter().map(|event| event.sequence).collect();
    assert_eq!(
        numbers,
        (39..=101).collect::<Vec<_>>(),
        "events of kept facts can be published again with the same ids"
    );
    let latest = events_after(&resource, 101);
    assert_eq!(types(&latest), ["fundhook.participant.closed"]);
    assert_eq!(latest[0].id, format!("{}#101", crate::support::resource(Kind::Participant)));
    assert_eq!(latest[0].data.previous_status, Some("locked"));
    assert_eq!(events_after(&resource, 102), []);
}

#[test]
fn the_change_that_fold_returns_is_published_when_an_old_fact_is_evicted() {
    let mut resource = folded(&statements(64));
    for (statement, expected) in [
        (participant("closed", 70), "fundhook.participant.closed"),
        (participant("approved", 65), "fundhook.participant.updated"),
        (participant("closed", 71), "fundhook.participant.updated"),
        (participant("approved", 72), "fundhook.participant.approved"),
    ] {
        let before = resource.version();
        let outcome = fold(resource, statement);
        assert!(matches!(&outcome, Outcome::Recorded { change: Some(_), .. }), "{outcome:?}");
        resource = outcome.into_resource();
        assert_eq!(types(&events_after(&resource, before)), [expected]);
    }
}

/// Up to 160 facts with few different times, and the order in which they arrive, some of them repeatedly.
fn deliveries() -> impl Strategy<Value = (Vec<Statement>, Vec<Statement>)> {
    let names = prop::sample::select(vec!["approved", "locked", "closed"]);
    let facts = prop::collection::vec((names, 0..40_u64), 1..160).prop_map(|facts| {
        let numbered = facts.into_iter().enumerate();
        let of =
            |number, name, second| statement_in(&format!("body {number}"), status(Kind::Participant, name), second);
        numbered.map(|(number, (name, second))| of(number, name, second)).collect::<Vec<_>>()
    });
    (facts, prop::collection::vec(any::<Index>(), 0..40)).prop_flat_map(|(facts, again)| {
        let again: Vec<Statement> = again.into_iter().map(|index| index.get(&facts).clone()).collect();
        let all = [facts.clone(), again].concat();
        (Just(facts), Just(all).prop_shuffle())
    })
}

proptest! {
    // The seed of a failing case is printed and stored next to this file.
    #![proptest_config(ProptestConfig {
        cases: 64,
        max_shrink_iters: 1024,
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("seeds"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_kept_facts_depend_only_on_the_set_of_facts((facts, order) in deliveries()) {
        let resource = folded(&order);
        prop_assert_eq!(kept(&resource), newest(&facts));
        prop_assert_eq!(resource.view(), folded(&facts).view());

        // Versions only increase, and none of the facts would be recorded again.
        let versions: Vec<u64> = resource.facts().iter().map(|fact| fact.version).collect();
        prop_assert!(versions.is_sorted_by(|one, next| one < next), "{:?}", versions);
        for statement in &order {
            let outcome = fold(resource.clone(), statement.clone());
            let is_no_news = matches!(outcome, Outcome::AlreadyKnown { .. } | Outcome::Stale { .. });
            prop_assert!(is_no_news, "{} was recorded twice", statement.content.id);
        }
    }
}
