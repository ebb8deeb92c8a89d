//! Readings: the same bytes, read by another revision of the normaliser or with other settings, are a restatement.

use fundhook_domain::{
    Change, Credit, DecidedBy, Event, FeeBearer, HoldReason, Kind, Outcome, Reading, Resource, Statement, Status,
    events_after, fold,
};

use crate::support::money::{credited, held, in_kind, with_fee};
use crate::support::readings::{reading, reread, restated, restated_somehow};
use crate::support::{
    deposit, events, folded, in_other_bytes, quantity, received, signed, statement, status, types, view, with,
};

/// A deposit that is held because nothing says who bears the fee.
fn unclear() -> Statement {
    held(HoldReason::FeeBearerUnknown, 20)
}

/// The same bytes as those of `statement`, read as a confirmed deposit with `credit`.
fn read_as_confirmed(statement: &Statement, reading: Reading, credit: Credit) -> Statement {
    let mut confirmed = with(reread(statement, reading), |details| {
        (details.credit, details.hold) = (Some(credit), None);
    });
    confirmed.content.status = Some(confirmed_status());
    confirmed
}

/// The same bytes as those of `statement`, read as a deposit that is held for `reason`.
fn read_as_held(statement: &Statement, reading: Reading, reason: HoldReason) -> Statement {
    let mut held = with(reread(statement, reading), |details| {
        (details.credit, details.hold) = (None, Some(reason.into()));
    });
    held.content.status = Some(status(Kind::Deposit, "held"));
    held
}

fn confirmed_status() -> Status {
    status(Kind::Deposit, "confirmed")
}

fn by_platform() -> Credit {
    with_fee(FeeBearer::Platform, DecidedBy::Setting)
}

fn by_customer() -> Credit {
    with_fee(FeeBearer::Customer, DecidedBy::Setting)
}

/// The event of the last of `statements`; `None` when it publishes none.
fn last_event(statements: &[&Statement]) -> Option<Event> {
    let resource = folded(statements.iter().copied());
    events_after(&resource, resource.version() - 1).pop()
}

#[test]
fn a_credit_that_could_not_be_stated_is_published_once_a_setting_decides_it() {
    let (first, again) = (unclear(), read_as_confirmed(&unclear(), reading(22, 1, "aa"), by_platform()));
    let outcome = fold(folded([&first]), again.clone());
    let change = Change::Status { from: Some(status(Kind::Deposit, "held")), to: confirmed_status() };
    assert!(matches!(&outcome, Outcome::Recorded { change: Some(found), .. } if *found == change), "{outcome:?}");
    let resource = outcome.into_resource();
    assert_eq!((resource.version(), resource.sequence()), (2, 2), "the same bytes are another fact");

    let view = resource.view().expect("a view");
    assert_eq!((view.status, view.details.credit()), (Some(confirmed_status()), Some(&by_platform())));
    assert_eq!((view.details.hold(), &view.conflict), (None, &None));
    assert_eq!((&view.fact, &view.reading), (&first.content.id, &again.content.reading));
    assert_eq!(view.history.len(), 1, "the former reading counts no longer");

    let published = events_after(&resource, 0);
    assert_eq!(types(&published), ["fundhook.deposit.held", "fundhook.deposit.confirmed"]);
    assert_eq!(published[0].data.restated, [""; 0]);
    assert_eq!(published[1].data.restated, ["credit", "final", "hold", "status"]);
    assert_eq!(published[1].data.previous_status, Some("held"));
}

#[test]
fn a_restatement_names_what_it_changes() {
    let confirmed = credited(by_platform(), 40);
    let submitted = deposit("submitted", 10);
    for (case, statements, outcome, changed) in [
        (
            "another credit",
            vec![confirmed.clone(), restated(&confirmed, |details| details.credit = Some(by_customer()))],
            "confirmed",
            vec!["credit"],
        ),
        (
            "not to be credited after all",
            vec![confirmed.clone(), read_as_held(&confirmed, reading(42, 2, ""), HoldReason::AmountsDisagree)],
            "held",
            vec!["credit", "final", "hold", "status"],
        ),
        (
            "another reason",
            vec![unclear(), restated(&unclear(), |details| details.hold = Some(HoldReason::AmountMissing.into()))],
            "held",
            vec!["hold"],
        ),
        (
            "a member that was not read before",
            vec![confirmed.clone(), restated(&confirmed, |details| details.account = Some("abc123".to_owned()))],
            "updated",
            vec!["account"],
        ),
        (
            "a superseded webhook",
            vec![submitted.clone(), confirmed.clone(), restated_somehow(&submitted)],
            "updated",
            vec!["provider_data"],
        ),
        (
            "what a superseding webhook states too",
            vec![
                submitted.clone(),
                with(confirmed.clone(), |details| details.account = Some("abc123".to_owned())),
                restated(&submitted, |details| details.account = Some("another".to_owned())),
            ],
            "updated",
            vec![],
        ),
        (
            "the end of a conflict with the same status",
            vec![
                confirmed.clone(),
                held(HoldReason::Quarantined, 50),
                read_as_held(&held(HoldReason::Quarantined, 50), reading(52, 2, ""), HoldReason::AccountMatchPending),
            ],
            "confirmed",
            vec!["conflict_about", "conflicting", "credit"],
        ),
        (
            "the end of a conflict",
            vec![
                confirmed.clone(),
                deposit("failed", 50),
                read_as_held(&deposit("failed", 50), reading(52, 2, ""), HoldReason::AccountMatchPending),
            ],
            "confirmed",
            vec!["conflict_about", "conflicting", "credit", "provider_status", "status"],
        ),
    ] {
        let event = last_event(&statements.iter().collect::<Vec<_>>()).expect(case);
        assert_eq!(event.event_type, format!("fundhook.deposit.{outcome}"), "{case}");
        assert_eq!(event.data.restated, changed, "{case}");
    }
}

#[test]
fn the_same_reading_again_is_known_whenever_the_bytes_were_received() {
    let (first, again) = (unclear(), read_as_confirmed(&unclear(), reading(22, 2, "aa"), by_platform()));
    let resource = folded([&first, &again]);
    for (case, known) in [
        ("the newest reading", again.clone()),
        ("an older reading", first.clone()),
        ("the newest reading of bytes that were received again", reread(&again, reading(3600, 2, "aa"))),
    ] {
        let outcome = fold(resource.clone(), known);
        assert_eq!(outcome, Outcome::AlreadyKnown { resource: resource.clone() }, "{case}");
    }
    let resource = folded([&first]);
    let received_again = reread(&first, reading(3600, 1, ""));
    assert_eq!(fold(resource.clone(), received_again), Outcome::AlreadyKnown { resource });
}

#[test]
fn of_several_readings_the_one_of_the_latest_receipt_stands_and_then_the_one_of_the_highest_revision() {
    let of = |seconds, revision, settings: &str| {
        let reading = reading(seconds, revision, settings);
        let explanation = format!("{reading:?}");
        with(reread(&unclear(), reading), |details| {
            details.hold = details.hold.take().map(|hold| hold.because(explanation));
        })
    };
    for (older, newer) in [
        (of(22, 1, ""), of(22, 2, "")),
        (of(22, 1, ""), of(22, 1, "aa")),
        (of(22, 2, "aa"), of(23, 1, "")),
        (of(22, 9, ""), of(22, 10, "")),
    ] {
        for statements in [[&older, &newer], [&newer, &older]] {
            let view = view(statements);
            assert_eq!((&view.reading, &view.details), (&newer.content.reading, &newer.content.details));
        }
    }
}

#[test]
fn an_older_reading_that_arrives_later_is_recorded_and_changes_nothing() {
    let (older, newer) = (unclear(), read_as_confirmed(&unclear(), reading(22, 2, ""), by_platform()));
    let before = folded([&newer]);
    let outcome = fold(before.clone(), older.clone());
    assert!(matches!(outcome, Outcome::Recorded { change: Some(Change::Updated { late: true }), .. }), "{outcome:?}");
    let after = outcome.into_resource();
    assert_eq!((after.version(), after.view()), (2, before.view()));
    assert_eq!(after.view(), folded([&older, &newer]).view());

    // In the usual order it published an event, so it publishes one here: the ids do not depend on the order.
    let event = last_event(&[&newer, &older]).expect("an event");
    assert_eq!((event.event_type.as_str(), event.data.late), ("fundhook.deposit.updated", true));
    assert_eq!(event.data.restated, [""; 0], "nothing changed");
}

#[test]
fn a_restatement_that_says_the_same_is_recorded_and_publishes_nothing() {
    let statements = [unclear(), deposit("submitted", 10), statement(status(Kind::Participant, "approved"), 0)];
    for first in statements {
        let again = reread(&first, reading(3600, 2, "aa"));
        for order in [[&first, &again], [&again, &first]] {
            let resource = folded(order);
            assert_eq!((resource.version(), resource.sequence()), (2, 1));
            assert!(resource.facts()[1].repeats);
            assert_eq!(events_after(&resource, 0).len(), 1);
            assert_eq!(resource.view().expect("a view").reading, again.content.reading);
        }
    }
}

#[test]
fn a_setting_that_is_set_back_is_published_again() {
    let confirmed = |seconds, settings, credit| read_as_confirmed(&unclear(), reading(seconds, 1, settings), credit);
    let statements = [
        confirmed(22, "platform", by_platform()),
        confirmed(60, "customer", by_customer()),
        confirmed(90, "platform", by_platform()),
        reread(&unclear(), reading(95, 1, "")),
        confirmed(99, "platform", by_platform()),
    ];
    let published = events(&statements);
    let expected = ["confirmed", "confirmed", "confirmed", "held", "confirmed"];
    assert_eq!(types(&published), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert_eq!(published[2].data.restated, ["credit"]);
    assert!(published.iter().map(|event| event.sequence).eq(1..=5));
    assert_eq!(folded(&statements).view().expect("a view").details.credit(), Some(&by_platform()));
}

#[test]
fn a_credit_that_is_taken_back_is_published_although_it_was_stated_in_other_bytes_too() {
    let confirmed = credited(by_platform(), 40);
    let copy = in_other_bytes("sent again", &confirmed);
    let taken_back = |statement| read_as_held(statement, reading(42, 2, ""), HoldReason::SettlementPending);
    let statements = [confirmed.clone(), copy.clone(), taken_back(&confirmed), taken_back(&copy)];
    let published = events(&statements);
    // The first restatement changes nothing yet: the copy still says that the deposit is confirmed.
    let expected = ["confirmed", "updated", "held"];
    assert_eq!(types(&published), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert_eq!(published[2].data.restated, ["credit", "final", "hold", "status"]);
}

#[test]
fn a_reading_never_conflicts_with_another_reading_of_the_same_bytes() {
    let confirmed = credited(by_platform(), 40);
    let other = |credit: Credit| restated(&confirmed, |details| details.credit = Some(credit));
    let failed = {
        let mut failed = other(by_platform());
        failed.content.status = Some(status(Kind::Deposit, "failed"));
        failed
    };
    for again in [other(in_kind("1", "BTC")), other(with_fee(FeeBearer::Customer, DecidedBy::Numbers)), failed] {
        assert_eq!(view([&confirmed, &again]), view([&again, &confirmed]));
        assert_eq!(view([&confirmed, &again]).conflict, None);
    }
}

#[test]
fn bytes_that_are_received_again_and_read_anew_were_received_and_sent_when_they_first_were() {
    // Of equal dates, the one received last is current.
    let participant = |name: &str, seconds| received(seconds, statement(status(Kind::Participant, name), 10));
    let (approved, locked) = (participant("approved", 20), participant("locked", 30));
    let again = reread(&received(60, approved.clone()), reading(60, 2, ""));
    assert_eq!(view([&approved, &locked, &again]).status, locked.content.status);

    // A hold that was signed before the confirmation is late.
    let hold = signed(25, held(HoldReason::UnknownReason, 20));
    let again = restated(&signed(99, hold.clone()), |details| details.account = Some("abc123".to_owned()));
    let confirmed = signed(60, deposit("confirmed", 40));
    for statements in [[&hold, &confirmed, &again], [&again, &hold, &confirmed], [&confirmed, &again, &hold]] {
        assert_eq!(view(statements).conflict, None);
    }
    assert!(view([&confirmed, &again]).conflict.is_some(), "the first copy is not known");
}

#[test]
fn a_balance_that_is_restated_and_restated_back_is_published_each_time() {
    let balance = |value: &str, seconds: u64, settings: &str| {
        let mut balance = statement(Status::Balance, 10);
        if let fundhook_domain::Details::Balance(details) = &mut balance.content.details {
            details.quantity = Some(quantity(value));
        }
        reread(&balance, reading(seconds, 1, settings))
    };
    let statements = [balance("1", 12, ""), balance("100", 20, "aa"), balance("1", 30, "")];
    let resource: Resource = folded(&statements);
    assert_eq!(resource.sequence(), 3);
    let published = events_after(&resource, 0);
    assert_eq!(types(&published), ["fundhook.balance.changed"; 3]);
    assert_eq!(
        (&published[1].data.restated, &published[2].data.restated),
        (&vec!["amount".to_owned()], &vec!["amount".to_owned()])
    );
}
