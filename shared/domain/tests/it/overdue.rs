//! Overdue notices: each publishes one event for each time that a resource reaches a status, and does not change the
//! view.

use std::time::Duration;

use fundhook_domain::{
    Change, Event, EventData, FactContent, FactId, HoldForce, HoldReason, Kind, NewFact, Outcome, OverdueNotice,
    Resource, Statement, Status, Timestamp, WebhookFamily, WithdrawalStatus, events_after, fold,
};
use serde_json::json;

use crate::support::deposits::{recorded, row, sent};
use crate::support::money::held;
use crate::support::recovery::{announced, paid};
use crate::support::{at, deposit, duplicate_of, folded, in_other_bytes, listed, received, statement, status, types};

const LIMIT: Duration = Duration::from_secs(3600);
const ONE: &str = "deposit#connect#1";

/// The overdue notice of `resource`, which must await a further status.
fn notice(resource: &Resource) -> NewFact {
    NewFact::overdue(resource, LIMIT).expect("a further statement is awaited")
}

fn folding(resource: &Resource, fact: &(impl Clone + Into<FactContent>)) -> Resource {
    fold(resource.clone(), fact.clone()).into_resource()
}

/// `resource` after its overdue notice, which must be recorded as one.
fn noticed(resource: &Resource) -> Resource {
    let outcome = fold(resource.clone(), notice(resource));
    let is_overdue = matches!(outcome, Outcome::Recorded { change: Some(Change::Overdue), .. });
    assert!(is_overdue, "{outcome:?}");
    outcome.into_resource()
}

fn since(resource: &Resource) -> Timestamp {
    resource.current_status().expect("a status").since
}

#[test]
fn a_resource_is_reported_overdue_once_per_status() {
    let held = folded([&deposit("pending", 0), &deposit("held", 10)]);
    assert!(!held.is_overdue());
    let overdue = noticed(&held);
    assert!(overdue.is_overdue());
    assert!(matches!(fold(overdue.clone(), notice(&held)), Outcome::AlreadyKnown { .. }), "the same notice again");
    assert!(matches!(fold(overdue.clone(), notice(&overdue)), Outcome::AlreadyKnown { .. }), "a notice made again");
    let later = NewFact::overdue(&overdue, 2 * LIMIT).expect("a further status is awaited");
    assert!(matches!(fold(overdue.clone(), later), Outcome::AlreadyKnown { .. }), "a notice with another limit");

    // A statement that does not change the status does not end the wait.
    for (what, statement) in [
        ("a late webhook", deposit("submitted", 5)),
        ("a further webhook of the same status", deposit("held", 20)),
        ("a webhook repeated in other bytes", in_other_bytes("again", &deposit("held", 10))),
        ("a row with the same content", listed(&deposit("held", 10))),
    ] {
        let after = folding(&overdue, &statement);
        assert_eq!(after.version(), overdue.version() + 1, "{what} is recorded");
        assert!(after.is_overdue(), "{what}");
        assert!(matches!(fold(after.clone(), notice(&after)), Outcome::AlreadyKnown { .. }), "{what}");
        // Nor does it make a notice stale that is still queued.
        let outcome = fold(folding(&held, &statement), notice(&held));
        assert!(matches!(outcome, Outcome::Recorded { change: Some(Change::Overdue), .. }), "{what}: {outcome:?}");
    }
}

#[test]
fn a_notice_is_stale_after_a_webhook_that_changes_the_status() {
    let pending = folded([&deposit("pending", 0)]);
    for name in ["submitted", "held", "abandoned", "confirmed", "failed", "unexpected"] {
        let moved = folding(&pending, &deposit(name, 10));
        assert_eq!(fold(moved.clone(), notice(&pending)), Outcome::Stale { resource: moved }, "{name}");
    }
    // There is no notice about an unknown resource.
    let unknown = Resource::unknown(pending.id().clone());
    assert_eq!(NewFact::overdue(&unknown, LIMIT), None);
    assert_eq!(fold(unknown.clone(), notice(&pending)), Outcome::Stale { resource: unknown });
}

#[test]
fn a_resource_that_changes_its_status_and_waits_again_is_reported_again() {
    let mut resource = Resource::unknown(deposit("pending", 0).resource);
    for (name, seconds) in [("pending", 0), ("submitted", 10_000), ("held", 20_000)] {
        resource = folding(&resource, &deposit(name, seconds));
        assert!(!resource.is_overdue(), "{name}: its status changed");
        resource = noticed(&resource);
    }
    resource = folding(&resource, &deposit("confirmed", 30_000));
    assert!(!resource.is_overdue());
    assert_eq!(NewFact::overdue(&resource, LIMIT), None);
    let events = events_after(&resource, 0);
    let expected = ["pending", "overdue", "submitted", "overdue", "held", "overdue", "confirmed"];
    assert_eq!(types(&events), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert!(events.iter().map(|event| event.sequence).eq(1..=7), "without gaps");
}

#[test]
fn a_recovery_that_is_resolved_and_required_again_is_reported_again() {
    let first = announced(WebhookFamily::ZerohashDepositStatus, "eecb7555", "0xaa", "100", 0);
    let moving = paid("b752503c", WithdrawalStatus::Broadcast, Some("100"), 10_000);
    let done = paid("b752503c", WithdrawalStatus::Confirmed, Some("100"), 20_000);
    let second = announced(WebhookFamily::ZerohashDepositStatus, "ffcb7555", "0xbb", "7", 30_000);

    let mut resource = noticed(&folded([&first]));
    let first_notice = resource.facts().last().expect("the notice").content.id().clone();
    resource = noticed(&folding(&resource, &moving));
    resource = folding(&resource, &done);
    assert_eq!((resource.is_overdue(), NewFact::overdue(&resource, LIMIT)), (false, None), "it is resolved");
    resource = folding(&resource, &second);
    assert!(!resource.is_overdue());
    assert_eq!(since(&resource), second.content.evidence.received_at, "it reached the status again");
    assert_ne!(*notice(&resource).content.id(), first_notice);
    resource = noticed(&resource);

    let outcomes = ["required", "overdue", "in_progress", "overdue", "resolved", "required", "overdue"];
    assert_eq!(types(&events_after(&resource, 0)), outcomes.map(|outcome| format!("fundhook.recovery.{outcome}")));
}

#[test]
fn only_a_resource_that_awaits_a_status_can_be_overdue() {
    let mut awaited = 0;
    for reached in Status::ALL {
        let resource = folded([&statement(reached, 0)]);
        let notice = NewFact::overdue(&resource, LIMIT);
        let is_awaited_kind =
            [Kind::Deposit, Kind::Withdrawal, Kind::Exchange, Kind::Recovery].contains(&reached.kind());
        // The user left the session: nothing more is expected of it.
        let is_left = reached == status(Kind::Deposit, "abandoned");
        let expected = is_awaited_kind && !reached.is_final() && !is_left;
        assert_eq!(notice.is_some(), expected, "{reached:?}");
        awaited += usize::from(expected);
        // A notice from elsewhere is not recorded either.
        let forged = OverdueNotice {
            id: FactId::of(resource.id(), "fundhook.overdue", b""),
            status: Some(reached),
            overdue_since: at(3600),
            evidence: statement(reached, 3600).content.evidence,
        };
        let outcome = fold(resource.clone(), FactContent::Overdue(forged));
        assert_eq!(outcome, Outcome::Stale { resource }, "{reached:?}");
    }
    assert_eq!(awaited, 3 + 3 + 1 + 3, "of deposits, withdrawals, exchanges and recoveries");
}

#[test]
fn a_deposit_that_the_provider_is_done_with_is_not_awaited_and_one_that_waits_is() {
    for reason in HoldReason::ALL {
        let resource = folded([&held(reason, 10)]);
        let is_waiting = reason.force() == HoldForce::Waiting;
        let view = resource.view().expect("a view");
        assert_eq!(view.is_awaited(Kind::Deposit), is_waiting, "{reason}");
        assert_eq!(NewFact::overdue(&resource, LIMIT).is_some(), is_waiting, "{reason}");
        assert_eq!(resource.current_status().map(|current| current.is_awaited), Some(is_waiting), "{reason}");
        if is_waiting {
            let events = events_after(&noticed(&resource), 0);
            assert_eq!(types(&events), ["fundhook.deposit.held", "fundhook.deposit.overdue"]);
        }
    }
    // A notice that was sent before the user left, or before the provider was done, is stale.
    let pending = folded([&deposit("pending", 0)]);
    let waiting = folded([&held(HoldReason::AccountMatchPending, 10)]);
    for (before, then) in [
        (&pending, deposit("abandoned", 10)),
        (&pending, held(HoldReason::Quarantined, 10)),
        (&waiting, held(HoldReason::AccountMatchFailed, 20)),
    ] {
        let after = folding(before, &then);
        assert!(!after.view().expect("a view").is_awaited(Kind::Deposit));
        assert_eq!(NewFact::overdue(&after, LIMIT), None);
        assert_eq!(fold(after.clone(), notice(before)), Outcome::Stale { resource: after });
    }
}

#[test]
fn a_withdrawal_without_a_status_is_awaited_and_kinds_with_nothing_to_await_are_not() {
    let mut awaited = Vec::new();
    for reached in Status::ALL {
        let mut silent = statement(reached, 0);
        silent.content.status = None;
        let resource = folded([&silent]);
        // A recovery always has a status: the sum of its details.
        if resource.view().expect("a view").status.is_some() {
            continue;
        }
        if let Some(notice) = NewFact::overdue(&resource, LIMIT) {
            let events = events_after(&folding(&resource, &notice), 0);
            let kind = reached.kind();
            assert_eq!(types(&events), ["updated", "overdue"].map(|outcome| format!("fundhook.{kind}.{outcome}")));
            assert_eq!(events[1].data.status, None);
            awaited.push(kind);
        }
    }
    awaited.dedup();
    assert_eq!(awaited, [Kind::Deposit, Kind::Withdrawal, Kind::Exchange]);
}

#[test]
fn a_status_is_current_since_the_receipt_of_the_statement_that_reached_it() {
    let (pending, held) = (deposit("pending", 0), deposit("held", 10));
    for (what, statements, seconds) in [
        ("the first statement", vec![received(7, held.clone())], 7),
        ("not the receipt of an earlier status", vec![received(5, pending.clone()), received(50, held.clone())], 50),
        ("a late statement", vec![received(50, held.clone()), received(90, pending.clone())], 50),
        (
            "a late statement, and one in between",
            vec![received(5, pending.clone()), received(50, held.clone()), received(90, deposit("submitted", 5))],
            50,
        ),
        ("a repetition", vec![received(50, held.clone()), received(90, in_other_bytes("again", &held))], 50),
        (
            "the same status with an earlier time",
            vec![received(50, held.clone()), received(90, deposit("held", 1))],
            50,
        ),
        ("the same status with a later time", vec![received(50, held.clone()), received(90, deposit("held", 60))], 50),
        ("listed, then sent", vec![received(50, listed(&held)), received(90, held.clone())], 50),
        ("sent, then listed", vec![received(50, held.clone()), received(90, listed(&held))], 50),
    ] {
        let resource = folded(&statements);
        assert_eq!(since(&resource), at(seconds), "{what}");
        assert_eq!(
            resource.current_status().map(|current_status| current_status.status),
            Some(held.content.status),
            "{what}"
        );
        assert_eq!(since(&noticed(&resource)), at(seconds), "{what}, after the notice");
    }
    assert_eq!(Resource::unknown(pending.resource).current_status(), None);
}

/// The lifecycle of a deposit, with a late webhook and a conflict.
fn lifecycle() -> Vec<Statement> {
    let lifecycle =
        [("pending", 0), ("held", 20), ("submitted", 10), ("abandoned", 30), ("confirmed", 40), ("failed", 50)];
    lifecycle.map(|(name, seconds)| sent(ONE, name, seconds)).to_vec()
}

#[test]
fn a_notice_never_changes_the_view_or_the_claim() {
    let lifecycle = lifecycle();
    // Every choice of the statements after which a notice is recorded, as bits.
    for given in 0..1_u32 << lifecycle.len() {
        let (mut silent, mut reported) = (Resource::unknown(lifecycle[0].resource.clone()), None::<Resource>);
        for (index, statement) in lifecycle.iter().enumerate() {
            silent = folding(&silent, statement);
            let mut resource =
                folding(&reported.unwrap_or_else(|| Resource::unknown(statement.resource.clone())), statement);
            let is_given = given & (1 << index) != 0;
            if let Some(notice) = NewFact::overdue(&resource, LIMIT).filter(|_| is_given) {
                resource = folding(&resource, &notice);
            }
            let (view, expected) = (resource.view(), silent.view());
            assert_eq!(view, expected, "given {given:#b}, after {index}: view, history and conflicts");
            assert_eq!(resource.claim_entries(), silent.claim_entries(), "given {given:#b}, after {index}");
            reported = Some(resource);
        }
        let reported = reported.expect("at least one statement");
        let of_statements = |resource: &Resource| {
            let events = events_after(resource, 0).into_iter();
            let statements = events.filter(|event| !event.event_type.ends_with(".overdue"));
            statements.map(|event| (event.event_type, event.data)).collect::<Vec<_>>()
        };
        assert_eq!(of_statements(&reported), of_statements(&silent), "given {given:#b}: events of statements");
        let sequences = events_after(&reported, 0).into_iter().map(|event| event.sequence);
        assert!(sequences.eq(1..=reported.sequence()), "given {given:#b}: without gaps");
    }
}

#[test]
fn a_deposit_is_published_as_a_duplicate_although_a_notice_came_before() {
    let owner = crate::support::deposits::id("deposit#zerohash#7");
    let held = sent(ONE, "held", 20);
    let resource = folding(&noticed(&duplicate_of(&owner, [&held])), &sent(ONE, "confirmed", 40));
    let outcomes = ["held", "overdue", "duplicate"];
    assert_eq!(types(&events_after(&resource, 0)), outcomes.map(|outcome| format!("fundhook.deposit.{outcome}")));
}

fn last(resource: &Resource) -> Event {
    events_after(resource, 0).pop().expect("an event")
}

#[test]
fn the_event_has_the_time_since_which_it_is_overdue_and_the_view() {
    let held = folded([&deposit("pending", 0), &received(50, deposit("held", 10))]);
    let (before, event) = (last(&held), last(&noticed(&held)));
    assert_eq!(event.event_type, "fundhook.deposit.overdue");
    assert_eq!(event.time, at(50).plus(LIMIT), "when the limit was exceeded");
    assert_eq!((event.id.as_str(), event.sequence), (format!("{}#3", held.id()).as_str(), 3));
    assert_eq!(event.data.previous_status, None, "the status is the same");
    assert_eq!((event.data.status, event.data.is_final), (Some("held"), false));
    assert_eq!((event.data.late, event.data.reconciled), (false, false));
    let expected = EventData { previous_status: None, ..before.data };
    assert_eq!(event.data, expected, "the view is the same");

    let json = serde_json::to_value(&event).expect("JSON");
    assert_eq!((&json["type"], &json["data"]["final"]), (&json!("fundhook.deposit.overdue"), &json!(false)));
    let attributes = event.attributes();
    assert!(attributes.contains(&("type", "fundhook.deposit.overdue")), "{attributes:?}");
    assert!(attributes.contains(&("status", "held")), "{attributes:?}");
}

#[test]
fn a_listed_deposit_can_be_overdue_and_its_notice_is_not_reconciled() {
    let resource = noticed(&recorded([&row(ONE, "held", 20)]));
    let events = events_after(&resource, 0);
    assert_eq!(types(&events), ["fundhook.deposit.held", "fundhook.deposit.overdue"]);
    assert_eq!(events.iter().map(|event| event.data.reconciled).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_notice_is_a_message_that_reads_back_and_is_not_a_statement() {
    let awaited = Status::ALL.map(|status| folded([&statement(status, 0)]));
    for notice in awaited.iter().filter_map(|resource| NewFact::overdue(resource, LIMIT)) {
        let message = notice.to_message().expect("a message");
        assert_eq!(NewFact::from_message(&message).expect("a fact to record"), notice, "{message}");
        let content = &crate::support::json(&message)["fact"]["content"];
        assert!(content["overdue"].is_object() && content["statement"].is_null(), "{message}");
    }
    let statement = NewFact::from(statement(status(Kind::Deposit, "held"), 0)).to_message().expect("a message");
    assert!(!statement.contains("overdue"), "{statement}");
}
