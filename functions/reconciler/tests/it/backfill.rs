//! A backfill of a past period finds what the provider lists, once, however often it is interrupted or repeated. What it only
//! records publishes nothing, and what follows from it later is right.

use std::collections::BTreeMap;
use std::time::Duration;

use fundhook_domain::{Backfill, ListId, ListKind, ResourceId, Timestamp, digest_hex};
use fundhook_ports::Disposition;
use fundhook_ports::fakes::{ApiRow, Reply, Run, Steps};
use fundhook_providers::Envelope;
use fundhook_reconciliation::{BackfillMode, BackfillPart, BackfillRequest, ControlTotalsLine};
use reconciler::{ReconcileError, ReconcileRequest, ReconcileResponse};
use serde_json::json;

use crate::support::deposit::{TestDeposit, deposit, webhook};
use crate::support::item::{Item, item};
use crate::support::{Ledger, NOON, World, at, days, feed, hours, minutes};

use BackfillMode::{DryRun, Publish, RecordOnly};

/// Long before what a regular run reads.
fn old() -> Timestamp {
    at(NOON).minus(days(20))
}

fn request(mode: BackfillMode) -> BackfillRequest {
    BackfillRequest { from: at(NOON).minus(days(30)), to: None, mode, lists: Vec::new(), tenant: None, after: None }
}

/// One part of a backfill. What it queues is not processed.
async fn part(world: &World, request: BackfillRequest) -> Result<BackfillPart, ReconcileError> {
    match world.reconciler().answer(ReconcileRequest::Backfill(request), world.deadline()).await? {
        ReconcileResponse::Backfilled(part) => Ok(part),
        other @ (ReconcileResponse::Run(_)
        | ReconcileResponse::Reports(_)
        | ReconcileResponse::Accepted(_)
        | ReconcileResponse::Decided(_)) => unreachable!("a backfill was requested: {other:?}"),
    }
}

/// A whole backfill, in as many parts as it takes, each processed before the next.
async fn backfill(world: &World, mode: BackfillMode) -> BackfillPart {
    let mut whole = part(world, request(mode)).await.expect("a part");
    world.process_queues();
    while whole.next.is_some() {
        let continued = BackfillRequest { to: Some(whole.to), after: whole.next.clone(), ..request(mode) };
        whole.add(part(world, continued).await.expect("a part"));
        world.process_queues();
    }
    whole
}

/// A world in which each list has five old rows on several pages.
fn filled() -> (World, Vec<Item>) {
    let world = World::of_all_lists();
    world.provider.now().page_size = 2;
    let of = |list: ListKind| (0..5).map(move |nth| item(list, &format!("{list}-{nth}"), old().plus(hours(nth))));
    let all: Vec<Item> = ListKind::ALL.into_iter().flat_map(of).collect();
    all.iter().for_each(|item| world.list_item(item));
    (world, all)
}

/// How many of the items are recorded with the status that they have in the end.
fn ended(world: &World, all: &[Item]) -> usize {
    all.iter().filter(|item| world.status_of(&item.resource()) == item.end()).count()
}

fn queued(part: &BackfillPart) -> u64 {
    part.lists.iter().map(|list| list.queued_in_all()).sum()
}

fn published(world: &World) -> usize {
    world.table.resources.now().published.len()
}

#[tokio::test]
async fn a_regular_run_leaves_an_old_period_and_a_backfill_reads_all_of_every_list_once() {
    let (world, all) = filled();
    world.reconcile().await;
    assert_eq!(ended(&world, &all), 0, "older than the lookback");
    let watermarks = world.table.contents.now().watermarks.clone();

    let whole = backfill(&world, Publish).await;
    assert_eq!((ended(&world, &all), published(&world)), (40, 40));
    assert!(world.table.resources.now().published.iter().all(|event| event.data.backfilled && event.data.reconciled));
    let lists: Vec<ListKind> = whole.lists.iter().map(|list| list.list).collect();
    assert_eq!(lists, ListKind::ALL, "deposits before payments");
    for list in &whole.lists {
        let end = item(list.list, "any", world.clock.now()).end();
        assert_eq!(list.queued, BTreeMap::from([(format!("{}.{end}", list.list.contains()), 5)]), "{}", list.list);
        assert_eq!((list.rows, list.recorded, list.ambiguous, list.not_understood), (5, 0, 0, 0), "{}", list.list);
    }
    assert_eq!(whole.findings, Vec::<String>::new());

    let again = backfill(&world, Publish).await;
    assert_eq!((queued(&again), published(&world)), (0, 40), "it has no second effect");
    assert!(again.lists.iter().all(|list| list.recorded == 5));
    let contents = world.table.contents.now();
    assert_eq!((&contents.watermarks, contents.puts), (&watermarks, 0), "no watermark is moved, no report is stored");
}

#[tokio::test]
async fn a_dry_run_counts_the_same_and_queues_nothing() {
    let (world, _) = filled();
    let dry = backfill(&world, DryRun).await;
    assert_eq!((queued(&dry), published(&world)), (40, 0));
    assert!(world.table.resources.resources().is_empty());
    let real = backfill(&world, Publish).await;
    assert_eq!(dry.lists, real.lists);
}

#[tokio::test]
async fn what_is_queued_carries_the_mark_of_the_mode() {
    for (mode, mark) in [(Publish, Backfill::Published), (RecordOnly, Backfill::RecordedOnly)] {
        let (world, _) = filled();
        part(&world, request(mode)).await.expect("a part");
        let sent = std::mem::take(&mut world.ingress.now().sent);
        assert!(!sent.is_empty());
        for message in &sent {
            let envelope = Envelope::from_json(message).expect("an envelope");
            assert_eq!((envelope.backfilled(), envelope.attestation().scheme.list().is_some()), (Some(mark), true));
        }
    }
    let world = World::new();
    world.list(&deposit("regular", at(NOON).minus(hours(1))), true);
    world.run().await.expect("a run");
    let sent = &world.ingress.now().sent;
    assert!(!sent.is_empty() && sent.iter().all(|message| !message.contains("backfilled")), "{sent:?}");
}

#[tokio::test]
async fn a_period_of_some_lists_or_of_one_organization_is_read() {
    let (world, all) = filled();
    let (from, to) = (old().plus(hours(1)), Some(old().plus(hours(3))));
    let some = BackfillRequest { from, to, lists: vec![ListKind::Payments], ..request(Publish) };
    let read = part(&world, some).await.expect("a part");
    world.process_queues();
    assert_eq!((read.lists.len(), read.lists[0].rows, ended(&world, &all)), (1, 2, 2));

    let of_another =
        |tenant: &str| BackfillRequest { tenant: Some(tenant.parse().expect("a name")), ..request(Publish) };
    let unknown = part(&world, of_another("acme")).await;
    assert!(matches!(unknown, Err(ReconcileError::NoListToBackfill)), "{unknown:?}");
}

#[tokio::test]
async fn rows_that_are_left_to_their_webhooks_are_not_read() {
    let world = World::new();
    let young = deposit("young", at(NOON).minus(minutes(10)));
    world.list(&young, true);
    let read =
        part(&world, BackfillRequest { from: at(NOON).minus(hours(3)), ..request(Publish) }).await.expect("a part");
    assert_eq!((read.to, queued(&read), read.next), (at(NOON).minus(minutes(15)), 0, None));
}

#[tokio::test]
async fn a_part_ends_in_time_and_the_next_one_continues() {
    let (world, all) = filled();
    for provider in ["connect", "zerohash"] {
        world.provider.now().takes.insert(feed(provider), Duration::from_secs(20));
    }
    let began = world.clock.now();
    let first = part(&world, request(Publish)).await.expect("a part");
    assert!(first.next.is_some() && world.clock.now() < began.plus(crate::support::TIMEOUT));
    world.process_queues();
    let whole = backfill(&world, Publish).await;
    assert_eq!((whole.next, ended(&world, &all)), (None, 40));
}

#[tokio::test]
async fn a_failure_does_not_hide_what_was_done_and_says_where_to_continue() {
    let (world, all) = filled();
    // The first list has its rows in the eleventh day of the period; its second page fails.
    world.provider.set_replies((0..11).map(|_| Reply::Honest).chain([Reply::Fails(Disposition::Retry)]));
    let first = part(&world, request(Publish)).await.expect("a part");
    let next = first.next.clone().expect("a position");
    assert!(first.failed.is_some(), "{first:?}");
    assert_eq!((next.list, queued(&first)), (ListKind::ConnectTransactions, 2), "the first page is queued");

    // The page fails again, perhaps because the list forgot its cursor: its window is read from the beginning.
    world.provider.set_replies([Reply::Fails(Disposition::Retry)]);
    let continued = |after| BackfillRequest { to: Some(first.to), after: Some(after), ..request(Publish) };
    let second = part(&world, continued(next.clone())).await.expect("a part");
    assert_eq!((second.next.clone(), queued(&second)), (Some(next.clone().at_first_page()), 0));
    world.process_queues();
    let mut third = part(&world, continued(second.next.expect("a position"))).await.expect("a part");
    third.add(first.clone());
    world.process_queues();
    assert_eq!(ended(&world, &all), 40);
    assert_eq!(queued(&third), 40);

    let elsewhere = BackfillRequest { from: at(NOON).minus(days(2)), ..continued(next) };
    let unknown = part(&world, elsewhere).await;
    assert!(matches!(unknown, Err(ReconcileError::UnknownPosition)), "{unknown:?}");
}

/// What is recorded and published in the end.
fn end(world: &World) -> (Ledger, usize) {
    world.process_queues();
    Run::of(&Steps::passing(), backfill(world, Publish)).finish();
    (world.ledger(), published(world))
}

#[test]
fn wherever_a_part_stops_the_whole_has_the_same_result_and_each_event_is_published_once() {
    let (world, _) = filled();
    let steps = Steps::passing();
    let reconciler = world.reconciler_with(&steps);
    let whole = || ReconcileRequest::Backfill(request(Publish));
    Run::of(&steps, reconciler.answer(whole(), world.deadline())).finish().expect("a part");
    let expected = end(&world);
    assert_eq!(expected.1, 40);
    let reached = steps.reached();
    // Most steps read an empty window.
    for step in (0..reached.len()).filter(|step| step % 7 == 0 || !reached[*step].contains("reading")) {
        let (world, steps) = (filled().0, Steps::default());
        let reconciler = world.reconciler_with(&steps);
        let mut run = Run::of(&steps, reconciler.answer(whole(), world.deadline()));
        assert!(run.pass(step).is_none(), "it crashes {}", reached[step]);
        drop(run);
        assert_eq!(end(&world), expected, "crashed {} (step {step})", reached[step]);

        let (world, steps) = (filled().0, Steps::failing_at(step));
        let _ended = Run::of(&steps, world.reconciler_with(&steps).answer(whole(), world.deadline())).finish();
        assert_eq!(end(&world), expected, "failed {} (step {step})", reached[step]);
    }
}

#[tokio::test]
async fn a_row_that_may_be_credited_under_another_id_is_reported_and_not_queued() {
    let without_hash = |deposit: TestDeposit| TestDeposit { hash: String::new(), ..deposit };
    for mode in [DryRun, RecordOnly, Publish] {
        let world = World::new();
        let recorded = without_hash(deposit("recorded", old()));
        world.receive(recorded.webhook("confirmed", recorded.at));
        world.list(&deposit("listed", old().plus(minutes(5))), true);
        let whole = backfill(&world, mode).await;
        assert_eq!((whole.lists[0].ambiguous, queued(&whole)), (1, 0), "{mode:?}");
        let [finding] = &whole.findings[..] else { unreachable!("one finding: {whole:?}") };
        assert!(
            finding.contains("deposit#connect#listed") && finding.contains("deposit#connect#recorded"),
            "{finding}"
        );
        assert_eq!(published(&world), 1, "{mode:?}");
    }
}

#[tokio::test]
async fn what_is_only_recorded_publishes_nothing_and_its_webhook_is_not_first_news() {
    for list in ListKind::ALL {
        let world = World::of_all_lists();
        let one = item(list, "one", old());
        world.list_item(&one);
        backfill(&world, RecordOnly).await;
        assert_eq!((world.status_of(&one.resource()), published(&world)), (one.end(), 0), "{list}");
        world.run_for(hours(3)).await;
        assert_eq!(published(&world), 0, "{list}: regular runs add nothing");

        world.receive(one.webhook(world.clock.now()));
        let events = world.table.resources.now().published.clone();
        let [event] = &events[..] else { unreachable!("{list}: one event: {events:?}") };
        // A balance has one status.
        let says = if list == ListKind::Accounts { "fundhook.balance.changed" } else { ".updated" };
        assert!(event.event_type.ends_with(says) && event.sequence == 1, "{list}: {}", event.event_type);
        assert_eq!((event.data.postings.len(), event.data.backfilled), (0, false), "{list}: it is booked already");
    }
}

#[tokio::test]
async fn a_backfill_records_the_history_of_what_is_missing_and_leaves_alone_what_is_recorded() {
    let world = World::of_all_lists();
    let told = |nth: u8| {
        json!({
            "deposit_id": format!("d-{nth}"), "participant_code": "CUST01", "transaction_hash": digest_hex(&[nth]),
            "received_address": "0xbb02", "state": "completed", "asset": "USDC.BASE", "amount": "75",
            "timestamp": old().unix_seconds(),
        })
    };
    let id = |nth: u8| format!("deposit#zerohash#d-{nth}").parse::<ResourceId>().expect("an id");
    for nth in 1..=2 {
        let mut row = told(nth);
        let steps = [("initial", old().minus(hours(1))), ("completed", old())];
        row["history"] = steps.iter().map(|(state, at)| json!({ "toState": state, "timestamp": at })).collect();
        let row = ApiRow { at: old(), id: format!("d-{nth}"), json: row.to_string() };
        world.provider.list_row(&ListId::new(&feed("zerohash"), ListKind::Deposits), row);
    }
    world.receive(webhook(&feed("zerohash"), &told(1).to_string(), old()));
    world.process_queues();
    let done = backfill(&world, Publish).await;
    assert_eq!((queued(&done), &done.findings), (1, &vec![]));
    assert_eq!(world.published(&id(1)), ["deposit.confirmed"]);
    assert_eq!(world.published(&id(2)), ["deposit.pending", "deposit.confirmed"]);
}

#[tokio::test]
async fn what_is_only_recorded_does_not_become_overdue() {
    for (mode, notices) in [(RecordOnly, 0), (Publish, 1)] {
        let world = World::new();
        let pending = deposit("pending", old());
        world.list(&pending, false);
        backfill(&world, mode).await;
        assert_eq!(world.status(&pending), "held", "{mode:?}");
        world.run_for(days(2)).await;
        let overdue = world.published(&pending.resource()).iter().filter(|name| name.ends_with(".overdue")).count();
        assert_eq!(overdue, notices, "{mode:?}");
    }
}

#[tokio::test]
async fn control_totals_of_an_old_day_agree_after_a_backfill() {
    for (mode, [published, opening]) in [(RecordOnly, [0, 5]), (Publish, [5, 0])] {
        let (world, _) = filled();
        let before = world.reports_of(old().day_start()).await.reports;
        assert!(before.iter().flat_map(|report| &report.lines).all(|line| !line.holds()));
        backfill(&world, mode).await;
        world.clock.pass(hours(1));
        let reports = world.reports_of(old().day_start()).await.reports;
        let lines: Vec<&ControlTotalsLine> = reports.iter().flat_map(|report| &report.lines).collect();
        for line in &lines {
            assert!(line.holds(), "{mode:?}: {line:?}");
        }
        let of_connect = lines.iter().find(|line| line.provider.count == 5).expect("a line");
        assert_eq!((of_connect.published.count, of_connect.opening.count), (published, opening), "{mode:?}");
        assert!(reports.iter().all(|report| report.discrepancies.is_empty()), "{mode:?}: {reports:?}");
    }
}

/// A deposit in quarantine for a recovery, as zerohash lists it.
fn to_be_returned(world: &World) {
    let row = json!({
        "depositId": "quarantined", "participantCode": "CUST01", "transactionHash": "0xabc1", "state": "recovery_quarantine",
        "asset": "USDC.BASE", "amount": "100", "receivedAddress": "0xbb02",
        "history": [{ "fromState": "initial", "toState": "recovery_quarantine", "timestamp": old() }],
    });
    let list = item(ListKind::Deposits, "quarantined", old()).list();
    world.provider.list_row(&list, ApiRow { at: old(), id: "quarantined".to_owned(), json: row.to_string() });
}

/// The webhook of the payment that returns it.
fn returned(world: &World) {
    let body = json!({
        "payment_id": "return-1", "payment_type": "auth_withdrawal", "status": "settled", "participant_code": "CUST01",
        "payment_details": { "withdrawal_request_id": "request-1" }, "total": "100", "quantity": "", "asset": "USDC",
        "network": "BASE", "created_at": world.clock.now(), "updated_at": world.clock.now(),
    });
    world.receive(webhook(&feed("zerohash"), &body.to_string(), world.clock.now()));
}

#[tokio::test]
async fn the_first_payment_of_an_old_recovery_is_a_surplus_without_a_backfill_and_is_not_after_one() {
    for (mode, expected) in [
        (None, vec!["recovery.surplus"]),
        (Some(RecordOnly), vec!["recovery.resolved"]),
        (Some(Publish), vec!["recovery.required", "recovery.resolved"]),
    ] {
        let world = World::of_all_lists();
        to_be_returned(&world);
        if let Some(mode) = mode {
            assert_eq!(queued(&backfill(&world, mode).await), 1, "{mode:?}");
        }
        returned(&world);
        let resources = world.table.resources.resources();
        let recovery: Vec<ResourceId> = resources
            .iter()
            .map(|resource| resource.id().clone())
            .filter(|id| id.to_string().starts_with("recovery#"))
            .collect();
        let [recovery] = &recovery[..] else { unreachable!("one recovery: {recovery:?}") };
        assert_eq!(world.published(recovery), expected, "{mode:?}");
    }
}

#[tokio::test]
async fn a_row_that_the_queue_rejects_is_reported() {
    let (world, all) = filled();
    world.ingress.now().rejects = Some(format!("{}-0", ListKind::Deposits));
    let part = backfill(&world, BackfillMode::Publish).await;
    let finding = part.findings.iter().find(|finding| finding.contains("the ingress queue rejected 1 rows"));
    assert!(finding.is_some_and(|finding| finding.contains("they are not recorded")), "{:?}", part.findings);
    assert_eq!(ended(&world, &all), all.len() - 1);
}
