//! Fundhook's own notice that a further statement is overdue: an event for each time that a resource comes to stand where it
//! does, and no part of what is known of it.

use std::time::Duration;

use fundhook_domain::{
    Change, Event, EventData, FactContent, FactId, Kind, NewFact, Outcome, OverdueNotice, Resource, Statement, Status,
    Timestamp, WebhookFamily, WithdrawalStatus, events_after, fold,
};
use serde_json::json;

use crate::support::deposits::{recorded, row, sent};
use crate::support::recovery::{announced, paid};
use crate::support::{at, deposit, folded, in_other_bytes, listed, statement, status, types, with};

const LIMIT: Duration = Duration::from_secs(3600);
const ONE: &str = "deposit#connect#1";

/// The notice that `resource` is overdue, which it must await a statement to be.
fn notice(resource: &Resource) -> NewFact {
    NewFact::overdue(resource, LIMIT).expect("a further statement is awaited")
}

fn folding(resource: &Resource, fact: &(impl Clone + Into<FactContent>)) -> Resource {
    fold(resource.clone(), fact.clone()).into_resource()
}

/// `resource` after the notice that it is overdue, which must be recorded as that.
fn noticed(resource: &Resource) -> Resource {
    let outcome = fold(resource.clone(), notice(resource));
    let is_overdue = matches!(outcome, Outcome::Recorded { change: Some(Change::Overdue), .. });
    assert!(is_overdue, "{outcome:?}");
    outcome.into_resource()
}

fn since(resource: &Resource) -> Timestamp {
    resource.current_status().expect("it stands somewhere").since
}

/// `signal`, received so many seconds after the first.
fn received(seconds: u64, mut statement: Statement) -> Statement {
    statement.content.evidence.received_at = at(seconds);
    statement
}

#[test]
fn a_resource_is_reported_once_for_as_long_as_it_stands_where_it_does() {
    let held = folded([&deposit("pending", 0), &deposit("held", 10)]);
    assert!(!held.is_overdue());
    let overdue = noticed(&held);
    assert!(overdue.is_overdue());
    assert!(matches!(fold(overdue.clone(), notice(&held)), Outcome::AlreadyKnown { .. }), "given again");
    assert!(matches!(fold(overdue.clone(), notice(&overdue)), Outcome::AlreadyKnown { .. }), "made again");
    let later = NewFact::overdue(&overdue, 2 * LIMIT).expect("it is awaited");
    assert!(matches!(fold(overdue.clone(), later), Outcome::AlreadyKnown { .. }), "by another limit");

    // What tells nothing of its status leaves it where it stands.
    for (what, statement) in [
        ("a late webhook", deposit("submitted", 5)),
        ("a further webhook of the same status", deposit("held", 20)),
        ("a webhook repeated in other bytes", in_other_bytes("again", &deposit("held", 10))),
        ("a row that says the same", listed(&deposit("held", 10))),
    ] {
        let told = folding(&overdue, &statement);
        assert_eq!(told.version(), overdue.version() + 1, "{what} is recorded");
        assert!(told.is_overdue(), "{what}");
        assert!(matches!(fold(told.clone(), notice(&told)), Outcome::AlreadyKnown { .. }), "{what}");
        // Nor does it outdate a notice that is on its way.
        let outcome = fold(folding(&held, &statement), notice(&held));
        assert!(matches!(outcome, Outcome::Recorded { change: Some(Change::Overdue), .. }), "{what}: {outcome:?}");
    }
}

#[test]
fn a_webhook_that_comes_before_the_notice_outdates_it() {
    let pending = folded([&deposit("pending", 0)]);
    for name in ["submitted", "held", "abandoned", "confirmed", "failed", "unexpected"] {
        let moved = folding(&pending, &deposit(name, 10));
        assert_eq!(fold(moved.clone(), notice(&pending)), Outcome::Stale { resource: moved }, "{name}");
    }
    // Nor is there a notice about what nobody has spoken of.
    let unknown = Resource::unknown(pending.id().clone());
    assert_eq!(NewFact::overdue(&unknown, LIMIT), None);
    assert_eq!(fold(unknown.clone(), notice(&pending)), Outcome::Stale { resource: unknown });
}

#[test]
fn a_resource_that_moves_on_and_stays_there_is_reported_again() {
    let mut resource = Resource::unknown(deposit("pending", 0).resource);
    for (name, seconds) in [("pending", 0), ("submitted", 10_000), ("held", 20_000), ("abandoned", 30_000)] {
        resource = folding(&resource, &deposit(name, seconds));
        assert!(!resource.is_overdue(), "{name}: it moved on");
        resource = noticed(&resource);
    }
    resource = folding(&resource, &deposit("confirmed", 40_000));
    assert!(!resource.is_overdue());
    assert_eq!(NewFact::overdue(&resource, LIMIT), None);
    let events = events_after(&resource, 0);
    let expected =
        ["pending", "overdue", "submitted", "overdue", "held", "overdue", "abandoned", "overdue", "confirmed"];
    assert_eq!(types(&events), expected.map(|outcome| format!("fundhook.deposit.{outcome}")));
    assert!(events.iter().map(|event| event.sequence).eq(1..=9), "without gaps");
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
    assert_eq!(since(&resource), second.content.evidence.received_at, "it came to stand there again");
    assert_ne!(*notice(&resource).content.id(), first_notice);
    resource = noticed(&resource);

    let outcomes = ["required", "overdue", "in_progress", "overdue", "resolved", "required", "overdue"];
    assert_eq!(types(&events_after(&resource, 0)), outcomes.map(|outcome| format!("fundhook.recovery.{outcome}")));
}

#[test]
fn only_what_is_awaited_is_ever_overdue() {
    let mut awaited = 0;
    for reached in Status::ALL {
        let resource = folded([&statement(reached, 0)]);
        let notice = NewFact::overdue(&resource, LIMIT);
        let expected =
            !reached.is_final() && [Kind::Deposit, Kind::Withdrawal, Kind::Recovery].contains(&reached.kind());
        assert_eq!(notice.is_some(), expected, "{reached:?}");
        awaited += usize::from(expected);
        // Nor is a notice recorded that was made elsewhere.
        let forged = OverdueNotice {
            id: FactId::of(resource.id(), "fundhook.overdue", b""),
            status: reached,
            overdue_since: at(3600),
            evidence: statement(reached, 3600).content.evidence,
        };
        let outcome = fold(resource.clone(), FactContent::Overdue(forged));
        assert_eq!(outcome, Outcome::Stale { resource }, "{reached:?}");
    }
    assert_eq!(awaited, 4 + 3 + 2, "of deposits, withdrawals and recoveries");
}

#[test]
fn it_stands_there_since_the_statement_came_with_which_it_came_to_stand_there() {
    let (pending, held) = (deposit("pending", 0), deposit("held", 10));
    for (what, statements, seconds) in [
        ("the first statement", vec![received(7, held.clone())], 7),
        ("not when it was first heard of", vec![received(5, pending.clone()), received(50, held.clone())], 50),
        ("a late one", vec![received(50, held.clone()), received(90, pending.clone())], 50),
        (
            "a late one, and one between",
            vec![received(5, pending.clone()), received(50, held.clone()), received(90, deposit("submitted", 5))],
            50,
        ),
        ("told again", vec![received(50, held.clone()), received(90, in_other_bytes("again", &held))], 50),
        ("told again, of an earlier instant", vec![received(50, held.clone()), received(90, deposit("held", 1))], 50),
        ("told again, of a later instant", vec![received(50, held.clone()), received(90, deposit("held", 60))], 50),
        ("listed, and told after that", vec![received(50, listed(&held)), received(90, held.clone())], 50),
        ("told, and listed after that", vec![received(50, held.clone()), received(90, listed(&held))], 50),
    ] {
        let resource = folded(&statements);
        assert_eq!(since(&resource), at(seconds), "{what}");
        assert_eq!(
            resource.current_status().map(|current_status| current_status.status),
            Some(held.content.status),
            "{what}"
        );
        assert_eq!(since(&noticed(&resource)), at(seconds), "{what}, and reported");
    }
    assert_eq!(Resource::unknown(pending.resource).current_status(), None);
}

/// The life of a deposit, with a late webhook and a contradiction.
fn life() -> Vec<Statement> {
    let life = [("pending", 0), ("held", 20), ("submitted", 10), ("abandoned", 30), ("confirmed", 40), ("failed", 50)];
    life.map(|(name, seconds)| sent(ONE, name, seconds)).to_vec()
}

#[test]
fn a_notice_changes_nothing_that_is_known_wherever_it_comes() {
    let life = life();
    // Every choice of after which statements a notice is given, as bits.
    for given in 0..1_u32 << life.len() {
        let (mut silent, mut reported) = (Resource::unknown(life[0].resource.clone()), None::<Resource>);
        for (index, statement) in life.iter().enumerate() {
            silent = folding(&silent, statement);
            let mut resource =
                folding(&reported.unwrap_or_else(|| Resource::unknown(statement.resource.clone())), statement);
            let is_given = given & (1 << index) != 0;
            if let Some(notice) = NewFact::overdue(&resource, LIMIT).filter(|_| is_given) {
                resource = folding(&resource, &notice);
            }
            let (view, expected) = (resource.view(), silent.view());
            assert_eq!(view, expected, "given {given:#b}, after {index}: view, history and conflicts");
            assert_eq!(resource.claim_due(), silent.claim_due(), "given {given:#b}, after {index}");
            reported = Some(resource);
        }
        let reported = reported.expect("a life has statements");
        let said = |resource: &Resource| {
            let events = events_after(resource, 0).into_iter();
            let statements = events.filter(|event| !event.event_type.ends_with(".overdue"));
            statements.map(|event| (event.event_type, event.data)).collect::<Vec<_>>()
        };
        assert_eq!(said(&reported), said(&silent), "given {given:#b}: what statements gave rise to");
        let sequences = events_after(&reported, 0).into_iter().map(|event| event.sequence);
        assert!(sequences.eq(1..=reported.sequence()), "given {given:#b}: without gaps");
    }
}

#[test]
fn a_notice_does_not_stand_between_a_deposit_and_its_being_a_duplicate() {
    let owner = crate::support::deposits::id("deposit#zerohash#7");
    // Its coin turns out to be another's with the first write after the notice.
    let silent = with(sent(ONE, "held", 20), |said| said.transaction.hash = None);
    let resource = noticed(&folded([&silent]));
    let version = resource.version();
    let resource = folding(&resource, &sent(ONE, "confirmed", 40)).duplicating(owner, version);
    let outcomes = ["held", "overdue", "duplicate"];
    assert_eq!(types(&events_after(&resource, 0)), outcomes.map(|outcome| format!("fundhook.deposit.{outcome}")));
}

fn last(resource: &Resource) -> Event {
    events_after(resource, 0).pop().expect("an event")
}

#[test]
fn the_event_says_since_when_it_is_overdue_and_what_is_known() {
    let held = folded([&deposit("pending", 0), &received(50, deposit("held", 10))]);
    let (before, event) = (last(&held), last(&noticed(&held)));
    assert_eq!(event.event_type, "fundhook.deposit.overdue");
    assert_eq!(event.time, at(50).plus(LIMIT), "when its limit had passed");
    assert_eq!((event.id.as_str(), event.sequence), (format!("{}#3", held.id()).as_str(), 3));
    assert_eq!(event.data.previous_status, None, "its status did not change");
    assert_eq!((event.data.status, event.data.is_final), ("held", false));
    assert_eq!((event.data.late, event.data.reconciled), (false, false));
    let expected = EventData { previous_status: None, ..before.data };
    assert_eq!(event.data, expected, "it is as it was");

    let json = serde_json::to_value(&event).expect("JSON");
    assert_eq!((&json["type"], &json["data"]["final"]), (&json!("fundhook.deposit.overdue"), &json!(false)));
    let attributes = event.attributes();
    assert!(attributes.contains(&("type", "fundhook.deposit.overdue")), "{attributes:?}");
    assert!(attributes.contains(&("status", "held")), "{attributes:?}");
}

#[test]
fn what_was_read_from_the_list_is_overdue_as_what_was_sent_is_and_its_notice_was_read_nowhere() {
    let resource = noticed(&recorded([&row(ONE, "held", 20)]));
    let events = events_after(&resource, 0);
    assert_eq!(types(&events), ["fundhook.deposit.held", "fundhook.deposit.overdue"]);
    assert_eq!(events.iter().map(|event| event.data.reconciled).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_notice_is_a_message_that_reads_back_and_is_not_a_statement() {
    for status in Status::ALL.into_iter().filter(|status| status.is_awaited()) {
        let notice = notice(&folded([&statement(status, 0)]));
        let message = notice.to_message().expect("a message");
        assert_eq!(NewFact::from_message(&message).expect("a fact to record"), notice, "{message}");
        let content = &crate::support::json(&message)["fact"]["content"];
        assert!(content["overdue"].is_object() && content["statement"].is_null(), "{message}");
    }
    let statement = NewFact::from(statement(status(Kind::Deposit, "held"), 0)).to_message().expect("a message");
    assert!(!statement.contains("overdue"), "{statement}");
}
