//! What a run reads of the provider's list, which rows it queues, and which it does not.

use std::time::Duration;

use fundhook_domain::{Details, EvidenceClass, Provider, ResourceId, Timestamp};
use fundhook_ports::ListQuery;
use fundhook_ports::fakes::ApiRow;
use fundhook_reconciliation::ControlTotalsLine;
use serde_json::Value;

use crate::support::deposit::{ETH, TestDeposit, USDC, deposit};
use crate::support::{NOON, World, at, days, feed, hours, minutes, number, transactions};

/// The windows and pages that were requested since the last call: `from`, `before` and the page.
fn asked(world: &World) -> Vec<(Timestamp, Timestamp, u32)> {
    let dated = |query| match query {
        ListQuery::Dated { from, before, page } => Some((from, before, number(&page))),
        ListQuery::Whole { .. } | ListQuery::Id(_) => None,
    };
    world.provider.take_calls().into_iter().filter_map(|call| dated(call.query)).collect()
}

/// How many requests there were since the last call.
fn calls(world: &World) -> usize {
    world.provider.take_calls().len()
}

/// Lists `count` succeeded deposits, a second apart, the last of them at `last`.
fn list_many(world: &World, name: &str, count: u64, last: Timestamp) -> Vec<TestDeposit> {
    let nth = |nth: u64| deposit(&format!("{name}-{nth:04}"), last.minus(std::time::Duration::from_secs(count - nth)));
    let all: Vec<TestDeposit> = (1..=count).map(nth).collect();
    all.iter().for_each(|deposit| world.list(deposit, true));
    all
}

#[tokio::test]
async fn the_first_window_goes_back_by_the_lookback_and_each_next_one_overlaps_the_one_before() {
    let world = World::new();
    world.reconcile().await;
    let (noon, grace) = (at(NOON), minutes(15));
    let first = noon.minus(grace).minus(days(3));
    assert_eq!(asked(&world), [(first.minus(hours(1)), noon.minus(grace), 1)]);
    assert_eq!(world.watermark("connect").read_until, noon.minus(grace));

    for (pause, back) in [(minutes(15), hours(1)), (days(2), hours(1))] {
        let read_until = world.watermark("connect").read_until;
        world.clock.pass(pause);
        world.reconcile().await;
        let until = world.clock.now().minus(grace);
        let asked: Vec<_> = asked(&world).into_iter().filter(|(_, before, _)| *before == until).collect();
        assert_eq!(asked, [(read_until.minus(back), until, 1)]);
        assert_eq!(world.watermark("connect").read_until, until);
    }
}

#[tokio::test]
async fn a_row_is_not_queued_before_it_is_older_than_the_grace() {
    let world = World::new();
    let young = deposit("young", at(NOON).minus(minutes(14)));
    world.list(&young, true);
    assert_eq!(world.reconcile().await.queued, 0);
    world.clock.pass(minutes(2));
    assert_eq!((world.reconcile().await.queued, world.status(&young)), (1, "confirmed"));
}

#[tokio::test]
async fn without_new_rows_one_page_is_read_and_none_when_no_time_has_passed() {
    let world = World::new();
    list_many(&world, "old", 30, at(NOON).minus(hours(5)));
    world.reconcile().await;
    calls(&world);
    for (pause, pages) in [(minutes(15), 1), (minutes(15), 1), (minutes(0), 0)] {
        world.clock.pass(pause);
        let summary = world.reconcile().await;
        assert_eq!((calls(&world), summary.pages, summary.rows, summary.queued), (pages, pages as u64, 0, 0));
        assert!(summary.complete);
    }
}

#[tokio::test]
async fn every_page_is_read_and_each_row_is_queued_once() {
    for (rows, pages) in [(0, 1), (1, 1), (49, 1), (50, 1), (51, 2), (100, 2), (101, 3), (260, 6)] {
        let world = World::new();
        let all = list_many(&world, "one", rows, at(NOON).minus(hours(1)));
        let summary = world.reconcile().await;
        assert_eq!((summary.pages, summary.rows, summary.queued), (pages, rows, rows), "{rows} rows");
        assert_eq!(asked(&world).len() as u64, pages, "{rows} rows");
        assert!(all.iter().all(|deposit| world.status(deposit) == "confirmed"), "{rows} rows");
        world.clock.pass(minutes(15));
        assert_eq!(world.reconcile().await.queued, 0, "{rows} rows, read again");
    }
}

#[tokio::test]
async fn windows_without_overlap_leave_no_gap_between_fractions_of_a_second() {
    let mut world = World::new();
    (world.settings.grace, world.settings.overlap) = (Duration::ZERO, Duration::ZERO);
    let all: Vec<TestDeposit> = (0..40)
        .map(|nth| {
            let some = deposit(&format!("each-{nth}"), world.clock.now().plus(Duration::from_millis(nth * 300)));
            world.list(&some, true);
            some
        })
        .collect();
    for _ in 0..20 {
        world.clock.pass(Duration::from_millis(700));
        world.reconcile().await;
    }
    assert!(all.iter().all(|deposit| world.status(deposit) == "confirmed"));
    assert_eq!(world.event_ids().len(), all.len());
}

#[tokio::test]
async fn windows_over_days_leave_no_gap() {
    let world = World::new();
    let mut all = Vec::new();
    for hour in 0..96 {
        let some = deposit(&format!("hourly-{hour}"), world.clock.now().plus(minutes(7)));
        world.list(&some, true);
        all.push(some);
        // A run each hour, and none at all on the third day.
        world.clock.pass(hours(1));
        if !(48..72).contains(&hour) {
            world.reconcile().await;
        }
    }
    world.clock.pass(hours(1));
    world.reconcile().await;
    // A window of exactly one hour is read for control totals.
    let is_read = |(from, before, _): &(Timestamp, Timestamp, u32)| before.since(*from) != hours(1);
    let windows: Vec<_> = asked(&world).into_iter().filter(is_read).collect();
    for pair in windows.windows(2) {
        assert_eq!(
            pair[1].0,
            pair[0].1.minus(hours(1)),
            "each window begins one overlap before the end of the previous one"
        );
    }
    assert!(all.iter().all(|deposit| world.status(deposit) == "confirmed"));
    assert_eq!(world.event_ids().len(), all.len());
}

#[tokio::test]
async fn a_list_that_ignores_the_dates_is_read_only_until_its_rows_are_older_than_the_window() {
    let world = World::new();
    world.provider.now().ignores_dates = true;
    let ancient = list_many(&world, "ancient", 500, at(NOON).minus(days(30)));
    let recent = list_many(&world, "recent", 60, at(NOON).minus(hours(2)));
    // Two pages have recent rows; the third has only old ones, which ends the reading.
    assert_eq!((world.reconcile().await.pages, calls(&world)), (3, 3));
    assert!(recent.iter().all(|deposit| world.status(deposit) == "confirmed"));
    assert!(ancient.iter().all(|deposit| world.status(deposit) == "-"), "rows before the lookback are not queued");

    world.clock.pass(minutes(15));
    let new = deposit("new", at(NOON).minus(minutes(3)));
    world.list(&new, true);
    // The new row is on the first page, and on the second all rows are older than the overlap.
    assert_eq!((world.reconcile().await.pages, world.status(&new)), (2, "confirmed"));
}

#[tokio::test]
async fn a_list_that_ignores_the_dates_and_begins_with_the_oldest_is_read_to_its_end() {
    for at_once in [false, true] {
        let world = World::new();
        {
            let mut list = world.provider.now();
            (list.ignores_dates, list.oldest_first) = (true, true);
        }
        let ancients = list_many(&world, "ancient", 120, at(NOON).minus(days(30)));
        for ancient in ancients.clone() {
            // A page whose rows have one and the same date does not show the order of the list.
            let came = if at_once { at(NOON).minus(days(30)) } else { ancient.at };
            world.list(&ancient.arriving(came), true);
        }
        let recent = deposit("recent", at(NOON).minus(hours(2)));
        world.list(&recent, true);
        assert_eq!((world.reconcile().await.pages, world.status(&recent)), (3, "confirmed"), "{at_once}");
        assert!(ancients.iter().all(|deposit| world.status(deposit) == "-"), "{at_once}");
    }
}

#[tokio::test]
async fn of_several_rows_about_one_deposit_the_furthest_counts() {
    let world = World::new();
    let some = deposit("one", at(NOON).minus(hours(2)));
    let (held, done) = (some.row(false), some.clone().arriving(some.at.plus(minutes(5))).row(true));
    // Two rows with one id: the attempt before the account matched, and the one after.
    world.provider.now().rows.insert(transactions("connect"), [held, done].into_iter().collect());
    assert_eq!((world.reconcile().await.queued, world.status(&some)), (1, "confirmed"));
    world.clock.pass(minutes(15));
    assert_eq!(world.reconcile().await.queued, 0);
}

#[tokio::test]
async fn a_row_that_is_not_understood_is_queued_once_and_published_as_unrecognized() {
    for odd in [r#"{"fund_id":""}"#, r#"{"success":true}"#, r#""a text""#, "5", "null", "[]"] {
        let world = World::new();
        let at = at(NOON).minus(minutes(30));
        world.provider.list_row(&transactions("connect"), ApiRow { at, id: odd.to_owned(), json: odd.to_owned() });
        assert_eq!(world.reconcile().await.queued, 1, "{odd}");
        let id = ResourceId::unrecognized(feed("connect"), odd.as_bytes());
        assert_eq!(world.published(&id), ["unrecognized.seen"], "{odd}");
        world.clock.pass(minutes(15));
        let again = world.reconcile().await;
        assert_eq!((again.rows, again.queued), (1, 0), "{odd}");
    }
}

#[tokio::test]
async fn a_row_with_odd_members_is_queued_once_and_published_as_held() {
    let with_odd_member = |member: &str, odd: Value| {
        let arrived = at(NOON).minus(minutes(30));
        let mut row: Value = serde_json::from_str(&deposit("odd", arrived).row(true).json).expect("JSON");
        row[member] = odd;
        row.to_string()
    };
    for (json, reason) in [
        (with_odd_member("success", "maybe".into()), "status_unknown"),
        (with_odd_member("quantity", "many".into()), "amount_missing"),
        (with_odd_member("participant_code", Value::Null), "account_unknown"),
        (with_odd_member("deposit_fee_notional", "some".into()), "fees_unreadable"),
    ] {
        let world = World::new();
        let at = at(NOON).minus(minutes(30));
        world.provider.list_row(&transactions("connect"), ApiRow { at, id: "odd".to_owned(), json: json.clone() });
        assert_eq!(world.reconcile().await.queued, 1, "{json}");
        let odd = deposit("odd", at).resource();
        assert_eq!(world.published(&odd), ["deposit.held"], "{json}");
        let hold = world.resource(&odd).view().expect("a view").details.hold().expect("a hold").reason;
        assert_eq!(hold.as_str(), reason, "{json}");
        world.clock.pass(minutes(15));
        let again = world.reconcile().await;
        assert_eq!((again.rows, again.queued), (1, 0), "{json}");
    }
}

#[tokio::test]
async fn a_row_whose_fee_bearer_is_unknown_is_no_discrepancy_beside_a_confirmed_webhook() {
    for (feed, rows_are) in [("connect", Provider::Connect), ("zerohash", Provider::Zerohash)] {
        let mut world = World::new();
        world.settings.rows_are = rows_are;
        let some = deposit("one", at(NOON).plus(minutes(65))).of(feed);
        world.reconcile().await;
        world.clock.pass(minutes(90));
        world.send_webhook(&some, "confirmed");
        let recorded = || world.resource(&some.resource());
        let (credit, events) = (recorded().view().expect("a view").details.credit().cloned(), world.event_ids());
        assert!(credit.is_some(), "{feed}");

        let with_fee = TestDeposit { fee: Some("5"), ..some.clone() };
        world.list(&with_fee, true);
        let summary = world.reconcile().await;
        assert_eq!((summary.rows, summary.queued, summary.differing), (1, 0, 0), "{feed}");
        world.run_for(hours(6)).await;
        assert_eq!(recorded().view().expect("a view").details.credit().cloned(), credit, "{feed}");
        assert_eq!(
            (world.event_ids(), world.published(&some.resource())),
            (events, vec!["deposit.confirmed".to_owned()])
        );
        // The hour of the deposit is totalled: the provider lists it as credited.
        let contents = world.table.contents.now();
        let reports: Vec<_> = contents.reports.values().filter(|report| !report.lines.is_empty()).collect();
        let [report] = &reports[..] else { unreachable!("one hour: {reports:?}") };
        assert!(report.lines.iter().all(ControlTotalsLine::holds) && report.discrepancies.is_empty(), "{report:#?}");
    }
}

#[tokio::test]
async fn a_row_whose_fee_bearer_is_unknown_changes_no_credit_even_if_it_arrives_first() {
    // The webhook was late, so the row was queued and held. The webhook then says with what the deposit is credited.
    for (feed, rows_are) in [("connect", Provider::Connect), ("zerohash", Provider::Zerohash)] {
        let mut world = World::new();
        world.settings.rows_are = rows_are;
        let some = deposit("one", at(NOON).minus(hours(2))).of(feed);
        world.list(&TestDeposit { fee: Some("5"), ..some.clone() }, true);
        assert_eq!((world.reconcile().await.queued, world.status(&some)), (1, "held"), "{feed}");
        world.send_webhook(&some, "confirmed");
        assert_eq!(world.published(&some.resource()), ["deposit.held", "deposit.confirmed"], "{feed}");
        world.run_for(hours(2)).await;
        assert_eq!(world.published(&some.resource()).len(), 2, "{feed}");
        let view = world.resource(&some.resource()).view().expect("a view");
        let net = view.details.credit().expect("a credit").net.value.to_string();
        assert_eq!((view.is_confirmed_deposit(), net.as_str()), (true, "100.5"), "{feed}");
    }
}

#[tokio::test]
async fn a_deposit_that_is_recorded_under_the_other_feed_or_by_its_coin_is_not_queued_again() {
    let here = deposit("one", at(NOON).minus(hours(2)));
    let there = here.clone().of("zerohash");
    let renamed = here.clone().with_id("another");
    for (rows_are, recorded, listed, differing) in [
        (Provider::Connect, &here, &here, 0),
        (Provider::Connect, &there, &here, 0),
        (Provider::Zerohash, &here, &there, 0),
        (Provider::Zerohash, &there, &there, 0),
        (Provider::Connect, &renamed.clone().of("zerohash"), &here, 0),
        // One feed reports one coin under two ids: whether it is one deposit needs review.
        (Provider::Connect, &renamed, &here, 1),
    ] {
        let mut world = World::new();
        world.settings.rows_are = rows_are;
        world.send_webhook(recorded, "confirmed");
        world.list(listed, true);
        let summary = world.reconcile().await;
        let case = format!("rows are {rows_are}, recorded as {}", recorded.resource());
        assert_eq!((summary.rows, summary.queued, summary.differing), (1, 0, differing), "{case}");
        assert_eq!(world.ledger().entries.len(), 1, "{case}");
    }
}

#[tokio::test]
async fn a_missed_status_is_recorded_under_the_feed_that_already_has_the_deposit() {
    for (rows_are, feed, before) in [
        (Provider::Connect, "connect", "submitted"),
        (Provider::Connect, "zerohash", "held"),
        (Provider::Zerohash, "connect", "on_hold"),
        (Provider::Zerohash, "zerohash", "held"),
        (Provider::Connect, "connect/acme", "pending"),
    ] {
        let mut world = World::of(&["connect", "connect/acme"]);
        world.settings.rows_are = rows_are;
        let some = deposit("one", at(NOON).minus(hours(2))).of(feed);
        world.send_webhook(&some, before);
        world.list(&some, true);
        assert_eq!((world.reconcile().await.queued, world.status(&some)), (1, "confirmed"), "{feed}");
        assert_eq!(world.ledger().entries.len(), 1, "{feed}");
    }
}

#[tokio::test]
async fn a_second_deposit_in_the_same_transaction_is_credited_as_well() {
    for (rows_are, feed) in [(Provider::Connect, "connect"), (Provider::Zerohash, "zerohash")] {
        let mut world = World::new();
        world.settings.rows_are = rows_are;
        let first = deposit("first", at(NOON).minus(hours(2))).of(feed);
        world.list(&first, true);
        world.reconcile().await;
        // Both go to one address in one transaction, with the same asset and amount. One webhook family reports both,
        // so they are two coins.
        let second = first.clone().with_id("second");
        world.list(&second, true);
        world.clock.pass(minutes(15));
        world
            .provider
            .list_row(&transactions("connect"), second.clone().arriving(at(NOON).minus(minutes(20))).row(true));
        assert_eq!((world.reconcile().await.queued, world.status(&second)), (1, "confirmed"), "{feed}");
        assert_eq!(world.ledger().entries[&second.resource()].credit, "credited", "{feed}");
    }
}

#[tokio::test]
async fn the_same_hash_on_another_chain_is_another_deposit() {
    let world = World::new();
    let on_base = deposit("on-base", at(NOON).minus(hours(2)));
    world.send_webhook(&on_base, "confirmed");
    let elsewhere = on_base.clone().with_id("on-ethereum").worth("7", ("USDC", "ethereum", "USDC.ETH"));
    world.list(&elsewhere, true);
    assert_eq!((world.reconcile().await.queued, world.status(&elsewhere)), (1, "confirmed"));
}

#[tokio::test]
async fn a_queued_row_is_an_envelope_with_the_weakest_evidence_and_its_event_says_reconciled() {
    let world = World::new();
    let some = deposit("one", at(NOON).minus(hours(2))).worth("0.000000000000000001", ETH);
    world.list(&some, true);
    world.run().await.expect("a run");
    let queued = world.ingress.now().sent.clone();
    assert_eq!(queued.len(), 1);
    let envelope: Value = serde_json::from_str(&queued[0]).expect("JSON");
    assert_eq!(envelope["attestation"]["class"], "api");
    assert_eq!(envelope["attestation"]["key"], "https://api.provider.example");
    assert_eq!(envelope["body"]["text"], some.row(true).json, "byte for byte as it was read");

    world.process_queues();
    let table = world.table.resources.now();
    let event = serde_json::to_value(&table.published[0]).expect("an event");
    assert_eq!((table.published.len(), event["type"].as_str()), (1, Some("fundhook.deposit.confirmed")));
    assert_eq!(event["data"]["reconciled"], true);
    assert_eq!(event["data"]["amount"]["value"], "0.000000000000000001");
    assert_eq!(event["data"]["evidence"]["attestation"]["class"], "api");
}

#[tokio::test]
async fn a_webhook_that_arrives_after_its_row_changes_only_the_evidence() {
    for (feed, rows_are, class) in [
        ("connect", Provider::Connect, EvidenceClass::Asymmetric),
        ("zerohash", Provider::Zerohash, EvidenceClass::SharedSecret),
    ] {
        let mut world = World::new();
        world.settings.rows_are = rows_are;
        let some = deposit("one", at(NOON).minus(hours(2))).worth("12.5", USDC).of(feed);
        world.list(&some, true);
        world.reconcile().await;
        let (before, events) = (world.ledger(), world.event_ids());
        let evidence = || world.resource(&some.resource()).view().expect("a fact").evidence.attestation.class;
        assert_eq!(evidence(), EvidenceClass::Api);

        world.clock.pass(hours(9));
        world.receive(some.webhook("confirmed", some.at.plus(minutes(1))));
        assert_eq!((world.ledger(), world.event_ids()), (before.clone(), events.clone()), "{feed}");
        assert_eq!(world.published(&some.resource()), ["deposit.confirmed"]);
        assert_eq!(evidence(), class);
        let metadata = |details: &Details| match details {
            Details::Transfer(transfer) => transfer.session.metadata.is_some(),
            Details::Recovery(_) | Details::Account(_) | Details::Balance(_) | Details::Unrecognized(_) => false,
        };
        let view = world.resource(&some.resource()).view().expect("a fact");
        assert_eq!(metadata(&view.details), feed == "connect", "what only the webhook has is there now");

        world.run_for(hours(2)).await;
        assert_eq!((world.ledger(), world.event_ids()), (before, events), "the row changes nothing either");
    }
}

#[tokio::test]
async fn a_row_that_contradicts_a_signed_webhook_changes_no_amount_and_is_reported() {
    let world = World::new();
    let some = deposit("one", at(NOON).minus(hours(2)));
    world.send_webhook(&some, "confirmed");
    world.list(&some.clone().worth("1000.5", USDC), true);
    let before = world.ledger();
    let summary = world.reconcile().await;
    assert_eq!((summary.queued, summary.differing), (0, 1));
    assert_eq!(world.ledger(), before);

    // A deposit that failed by webhook and is listed as succeeded needs review: it is published as conflicting.
    let failed = deposit("two", at(NOON).minus(hours(2)));
    world.send_webhook(&failed, "failed");
    world.list(&failed, true);
    world.clock.pass(minutes(15));
    world.provider.list_row(&transactions("connect"), failed.clone().arriving(at(NOON).minus(minutes(20))).row(true));
    world.reconcile().await;
    assert_eq!(world.published(&failed.resource()), ["deposit.failed", "deposit.conflicting"]);
    world.run_for(hours(2)).await;
    assert_eq!(world.published(&failed.resource()).len(), 2, "once");
}

#[tokio::test]
async fn without_the_providers_api_nothing_is_requested() {
    let mut world = World::new();
    world.asks_the_provider = false;
    assert!(world.reconcile().await.complete);
    assert_eq!(calls(&world), 0);
}

#[tokio::test]
async fn a_watermark_that_was_stored_by_a_clock_that_was_ahead_moves_back_and_everything_is_read() {
    let world = World::new();
    world.reconcile().await;
    // One run on a machine whose clock is a day ahead.
    world.clock.pass(days(1));
    world.reconcile().await;
    world.clock.set(at(NOON).plus(minutes(15)));
    let missed = deposit("missed", at(NOON).plus(minutes(30)));
    world.clock.set(at(NOON).plus(hours(1)));
    world.list(&missed, true);
    world.reconcile().await;
    assert_eq!(world.status(&missed), "confirmed");
    let watermark = world.watermark("connect");
    assert!(watermark.read_until <= world.clock.now() && watermark.totals_until <= world.clock.now());
    world.run_for(hours(5)).await;
    let contents = world.table.contents.now();
    let report = contents.reports.get(&(transactions("connect"), at(NOON))).expect("its hour is totalled again");
    assert_eq!(report.lines[0].published.count, 1);
}
