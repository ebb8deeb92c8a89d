//! What a backfill of a past period records: it counts in the view, and what it only records is the resource's opening
//! balance, to which the postings of the events are added.

use std::time::Duration;

use fundhook_domain::{
    Backfill, Event, NewFact, Resource, ResourceId, Statement, Status, WebhookFamily, WithdrawalStatus, events_after,
    fold,
};

use crate::support::books::{assert_booked, lines};
use crate::support::coins::{DEPOSIT, FUND, Report, World};
use crate::support::deposits::{recorded, row, sent};
use crate::support::orders::permutations;
use crate::support::recovery::{announced, paid};
use crate::support::{backfilled, folded, in_other_bytes, listed, received, recorded_only, types};

const ONE: &str = "deposit#connect#1";

fn events(resource: &Resource) -> Vec<Event> {
    events_after(resource, 0)
}

/// What the resource booked before its first event.
fn opening(resource: &Resource) -> Vec<String> {
    let opening = resource.opening();
    opening.view().map(|view| lines(&view.books(opening.id()).postings())).unwrap_or_default()
}

fn old_row(name: &str, seconds: u64) -> Statement {
    recorded_only(&row(ONE, name, seconds))
}

#[test]
fn a_row_that_is_only_recorded_counts_in_the_view_and_publishes_nothing() {
    for name in ["pending", "held", "confirmed", "failed", "unexpected"] {
        let resource = recorded(&[old_row(name, 10)]);
        assert_eq!(resource.view().and_then(|view| view.status).map(Status::as_str), Some(name));
        assert_eq!((resource.version(), resource.sequence()), (1, 0), "{name}");
        assert_eq!(types(&events(&resource)), Vec::<&str>::new(), "{name}");
        assert_booked(&resource, &[]);
    }
    let confirmed = recorded(&[old_row("confirmed", 10)]);
    assert_eq!(opening(&confirmed), ["debit provider:connect 100 USDC", "credit customer:CUST01 100 USDC"]);
}

#[test]
fn a_published_backfill_publishes_what_any_row_does_and_says_so() {
    let old = backfilled(&row(ONE, "confirmed", 10), Backfill::Published);
    let [event] = &events(&recorded(&[old]))[..] else { unreachable!("one event") };
    assert_eq!(event.event_type, "fundhook.deposit.confirmed");
    assert_eq!((event.data.backfilled, event.data.reconciled, event.data.postings.len()), (true, true, 2));
    let data = serde_json::to_value(&event.data).expect("JSON");
    assert_eq!((&data["backfilled"], &data["evidence"]["backfilled"]), (&true.into(), &"published".into()));

    let [usual] = &events(&recorded(&[row(ONE, "confirmed", 10)]))[..] else { unreachable!("one event") };
    let data = serde_json::to_value(&usual.data).expect("JSON");
    assert_eq!((data.get("backfilled"), data["evidence"].get("backfilled")), (None, None));
}

#[test]
fn a_webhook_always_publishes_its_event_and_a_row_that_is_only_recorded_never_does() {
    let (webhook, old) = (sent(ONE, "confirmed", 10), old_row("confirmed", 10));
    let row_first = recorded(&[old.clone(), webhook.clone()]);
    let webhook_first = recorded(&[webhook, old]);
    assert_eq!(row_first.view(), webhook_first.view());

    // The platform has the money in its books already: no first news, and nothing to book.
    let [late] = &events(&row_first)[..] else { unreachable!("one event") };
    assert_eq!((late.event_type.as_str(), late.sequence, late.data.backfilled), ("fundhook.deposit.updated", 1, false));
    assert_eq!((late.data.status, lines(&late.data.postings)), (Some("confirmed"), vec![]));
    assert_eq!(opening(&row_first).len(), 2);

    let [first] = &events(&webhook_first)[..] else { unreachable!("one event") };
    assert_eq!((first.event_type.as_str(), first.data.postings.len()), ("fundhook.deposit.confirmed", 2));
    assert_eq!(opening(&webhook_first), Vec::<String>::new());
}

#[test]
fn the_first_event_after_an_old_row_books_the_difference() {
    let resource = recorded(&[old_row("held", 10), sent(ONE, "confirmed", 20)]);
    let [event] = &events(&resource)[..] else { unreachable!("one event") };
    assert_eq!((event.event_type.as_str(), event.data.previous_status), ("fundhook.deposit.confirmed", Some("held")));
    assert_eq!(lines(&event.data.postings), ["credit customer:CUST01 100 USDC", "debit held:connect 100 USDC"]);
    assert_booked(&resource, &events(&resource));
}

#[test]
fn what_subscribers_know_goes_on_being_published() {
    // Subscribers wait for the end of what a webhook told them, and no other event may tell it.
    let resource = recorded(&[sent(ONE, "pending", 0), old_row("confirmed", 10)]);
    let published = events(&resource);
    assert_eq!(types(&published), ["fundhook.deposit.pending", "fundhook.deposit.confirmed"]);
    assert!(published[1].data.backfilled);
    assert_booked(&resource, &published);
}

#[test]
fn in_every_order_the_view_is_one_and_the_events_are_added_to_the_opening_balance() {
    let confirmed = sent(ONE, "confirmed", 20);
    let statements = [
        sent(ONE, "pending", 0),
        confirmed.clone(),
        in_other_bytes("sent again", &confirmed),
        recorded_only(&row(ONE, "confirmed", 20)),
        recorded_only(&listed(&sent(ONE, "held", 10))),
    ];
    let view = recorded(&statements).view();
    for order in permutations(&statements) {
        let mut resource = Resource::unknown(statements[0].resource.clone());
        let mut published = Vec::new();
        for statement in &order {
            let before = resource.version();
            resource = fold(resource, statement.clone()).into_resource();
            let events = events_after(&resource, before);
            let is_old = statement.content.evidence.is_recorded_only();
            assert!(!is_old || events.is_empty() || !published.is_empty(), "an old row is never the first event");
            published.extend(events);
            assert_booked(&resource, &published);
            assert_eq!(events_after(&resource, 0), published, "published again");
        }
        assert_eq!(resource.view(), view);
        assert!(published.iter().map(|event| event.sequence).eq(1..=resource.sequence()));
        let is_of = |statement: &Statement| {
            let id = &statement.content.id;
            resource.facts().iter().any(|fact| fact.content.id() == id && !fact.repeats)
        };
        assert!(is_of(&statements[0]), "the webhook about pending has its event in every order");
        assert!(statements[1..4].iter().any(is_of), "that it is confirmed is told in every order");
        let first_confirmed = order.iter().position(|statement| statements[1..4].contains(statement));
        let is_old = first_confirmed.is_some_and(|at| order[at].content.evidence.is_recorded_only());
        let is_told = published.iter().any(|event| event.event_type == "fundhook.deposit.confirmed");
        assert!(is_told || is_old, "as first news, unless an old row said so first");
    }
}

#[test]
fn a_row_of_a_regular_run_adds_nothing_to_one_that_was_only_recorded() {
    let again = in_other_bytes("listed again", &row(ONE, "confirmed", 10));
    let resource = recorded(&[old_row("confirmed", 10), again]);
    assert_eq!((resource.version(), events(&resource).len()), (2, 0));
    let further = recorded(&[old_row("pending", 0), row(ONE, "confirmed", 10)]);
    assert_eq!(types(&events(&further)), ["fundhook.deposit.confirmed"], "what is new is published");
}

#[test]
fn an_old_resource_becomes_overdue_only_after_a_webhook() {
    let limit = Duration::from_secs(3600);
    let old = recorded(&[old_row("pending", 0)]);
    assert!(!old.current_status().expect("a status").is_awaited);
    assert_eq!(NewFact::overdue(&old, limit), None);
    let known = fold(old, sent(ONE, "submitted", 10)).into_resource();
    assert!(NewFact::overdue(&known, limit).is_some());
    let published = recorded(&[backfilled(&row(ONE, "pending", 0), Backfill::Published)]);
    assert!(NewFact::overdue(&published, limit).is_some());
}

#[test]
fn the_first_payment_of_an_old_recovery_is_no_surplus() {
    let arrived = || announced(WebhookFamily::ZerohashDepositStatus, "1", "0xabc", "100", 0);
    let settled = || paid("p", WithdrawalStatus::Confirmed, Some("100"), 60);
    let without = events(&folded([&settled()]));
    assert_eq!(types(&without), ["fundhook.recovery.surplus"]);

    let recovery = folded([&recorded_only(&arrived()), &settled()]);
    assert_eq!(types(&events(&recovery)), ["fundhook.recovery.resolved"], "nothing was required, and nothing is left");
    assert_eq!(recovery.view().and_then(|view| view.surplus.clone()), None);

    // Subscribers who know of the surplus learn that it has ended.
    let told = folded([&settled(), &received(90, recorded_only(&arrived()))]);
    assert_eq!(types(&events(&told)), ["fundhook.recovery.surplus", "fundhook.recovery.resolved"]);
    assert_eq!(told.view().and_then(|view| view.surplus.clone()), None);
}

#[test]
fn an_old_coin_that_another_family_reports_later_is_a_duplicate() {
    let mut world = World::default();
    world.record(&[NewFact::from(recorded_only(&listed(&DEPOSIT.statement())))]);
    assert!(world.published.is_empty());
    world.record(&[FUND.fact()]);
    world.assert_consistent();
    assert_eq!(types(&world.published), ["fundhook.deposit.duplicate"]);
    assert_eq!(world.published[0].data.duplicate_of, Some(DEPOSIT.id()));
}

#[test]
fn an_old_coin_that_two_families_report_publishes_nothing() {
    let old = |report: Report| NewFact::from(recorded_only(&listed(&report.statement())));
    for second in [FUND, Report { amount: "99", ..FUND }] {
        let mut world = World::default();
        world.record(&[old(DEPOSIT)]);
        world.record(&[old(second)]);
        world.assert_consistent();
        assert!(world.published.is_empty(), "{:?}", types(&world.published));
        let of = |id: &ResourceId| world.resource(id).view().expect("a view");
        assert!(of(&second.id()).duplicate_of.is_some() || of(&second.id()).conflict.is_some());
    }
}
