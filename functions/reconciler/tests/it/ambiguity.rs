//! A coin must not be credited twice: a row that may be about a deposit which is recorded under another id is not
//! queued. It is reported for review.

use std::time::Duration;

use fundhook_ports::Disposition;
use fundhook_ports::fakes::Reply;
use fundhook_reconciliation::AcceptedRows;
use reconciler::{ReconcileRequest, ReconcileResponse};

use crate::support::deposit::{ETH, TestDeposit, USDC, deposit};
use crate::support::{NOON, World, at, days, feed, hours, minutes, transactions};

/// How many deposits are credited.
fn credited(world: &World) -> usize {
    let table = world.table.resources.now();
    table.published.iter().filter(|event| event.event_type == "fundhook.deposit.confirmed").count()
}

/// The deposit `id` from an hour before noon.
fn some(id: &str) -> TestDeposit {
    deposit(id, at(NOON).minus(hours(1)))
}

/// The same without a hash: nothing identifies its coin.
fn without_hash(deposit: TestDeposit) -> TestDeposit {
    TestDeposit { hash: String::new(), ..deposit }
}

#[tokio::test]
async fn a_row_that_may_be_credited_under_another_id_is_not_queued() {
    let listed = some("listed");
    for (name, recorded, is_listed_too, queued) in [
        ("same amount, same user", without_hash(some("recorded")), false, 0),
        ("listed under its own id as well", without_hash(some("recorded")), true, 1),
        ("with another coin", some("recorded"), false, 1),
        ("of another user", TestDeposit { account: "CUST02".to_owned(), ..without_hash(some("recorded")) }, false, 1),
        ("with another amount", without_hash(some("recorded")).worth("100.49", USDC), false, 1),
        ("of another asset", without_hash(some("recorded")).worth("100.5", ETH), false, 1),
        ("of another organization", without_hash(some("recorded")).of("connect/acme"), false, 1),
        ("weeks apart", without_hash(some("recorded")).arriving(listed.at.minus(days(9))), false, 1),
        ("of the other feed", without_hash(some("recorded")).of("zerohash"), false, 0),
    ] {
        let world = World::of(&["connect", "connect/acme"]);
        world.receive(recorded.webhook("confirmed", recorded.at));
        if is_listed_too {
            world.list(&recorded, true);
        }
        world.list(&listed, true);
        let summary = world.reconcile().await;
        assert_eq!((summary.queued, summary.differing), (queued, 1 - queued), "{name}");
        let credits = credited(&world);
        assert_eq!(credits as u64, 1 + queued, "{name}");

        world.run_for(hours(5)).await;
        assert_eq!(credited(&world), credits, "{name}: later, too");
    }
}

#[tokio::test]
async fn where_each_coin_is_reported_twice_a_row_without_a_transaction_is_not_queued() {
    for (zerohash_feeds, queued) in [(&[][..], 1), (&["zerohash/acme"][..], 1), (&["zerohash"][..], 0)] {
        let mut world = World::new();
        world.settings.feeds.extend(zerohash_feeds.iter().map(|name| feed(name)));
        world.list(&without_hash(some("listed")), true);
        let summary = world.reconcile().await;
        assert_eq!((summary.queued, summary.differing), (queued, 1 - queued), "{zerohash_feeds:?}");
    }
}

#[tokio::test]
async fn where_each_coin_is_reported_twice_a_row_without_a_transaction_does_not_confirm_an_announced_deposit() {
    for (zerohash_feeds, identifies_its_coin, status) in
        [(&[][..], false, "confirmed"), (&["zerohash"][..], true, "confirmed"), (&["zerohash"][..], false, "submitted")]
    {
        let mut world = World::new();
        world.settings.feeds.extend(zerohash_feeds.iter().map(|name| feed(name)));
        let announced = some("announced");
        world.receive(announced.webhook("submitted", announced.at));
        let listed = if identifies_its_coin { announced.clone() } else { without_hash(announced.clone()) };
        world.list(&listed, true);
        world.reconcile().await;
        // The same when it is overdue and requested by its id.
        world.run_for(hours(30)).await;
        assert_eq!(world.status(&announced), status, "{zerohash_feeds:?}, identifies its coin: {identifies_its_coin}");

        // The other feed reports the coin: it is credited once, under either id.
        let other = announced.clone().with_id("fund").of("zerohash");
        world.receive(other.webhook("confirmed", announced.at));
        if !zerohash_feeds.is_empty() {
            assert_eq!(credited(&world), 1, "{zerohash_feeds:?}, identifies its coin: {identifies_its_coin}");
        }
    }
}

#[tokio::test]
async fn every_deposit_of_a_user_who_repeats_the_same_amount_is_credited() {
    let world = World::new();
    world.reconcile().await;
    let all: Vec<TestDeposit> =
        (0..12).map(|nth| deposit(&format!("daily-{nth}"), at(NOON).plus(hours(nth)))).collect();
    for (nth, deposit) in all.iter().enumerate() {
        // Every third webhook arrives, and half of those name no transaction.
        let reported = if nth % 6 == 0 { without_hash(deposit.clone()) } else { deposit.clone() };
        if nth % 3 == 0 {
            world.receive(reported.webhook("confirmed", deposit.at));
        }
        world.list(deposit, true);
        world.clock.set(deposit.at);
        world.run_for(hours(1)).await;
    }
    world.run_for(hours(2)).await;
    let missing = all.iter().filter(|deposit| world.status(deposit) != "confirmed").count();
    assert_eq!((missing, credited(&world)), (0, 12));
}

#[tokio::test]
async fn an_ambiguous_row_is_in_the_report_of_its_hour_and_does_not_block_later_hours() {
    let world = World::new();
    world.reconcile().await;
    let arrived = at(NOON).plus(minutes(90));
    let (recorded, listed) = (deposit("recorded", arrived), deposit("listed", arrived.plus(Duration::from_secs(5))));
    world.receive(without_hash(recorded).webhook("confirmed", arrived));
    world.list(&listed, true);
    world.clock.set(arrived);
    world.run_for(hours(6)).await;
    let contents = world.table.contents.now();
    let report = &contents.reports[&(transactions("connect"), at("2025-10-07T13:00:00Z"))];
    let sentence = "deposit#connect#listed is listed and not recorded, and may be deposit#connect#recorded";
    assert!(report.discrepancies.iter().any(|it| it == sentence), "{:?}", report.discrepancies);
    // It is one deposit under two ids, or two deposits. The totals do not show which; the sentence does.
    assert_eq!(report.lines[0].provider.count, 1);
    assert!(contents.reports.len() > 3, "{}", contents.reports.len());
}

#[tokio::test]
async fn a_row_that_was_first_listed_as_held_is_as_ambiguous_as_a_new_one() {
    let world = World::new();
    let recorded = without_hash(some("recorded"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    let listed = without_hash(some("listed"));
    world.list(&listed, false);
    world.reconcile().await;
    assert_eq!(world.status(&listed), "held", "a row that credits nothing is recorded");
    world.list(&listed, true);
    world.run_for(hours(30)).await;
    assert_eq!((world.status(&listed), credited(&world)), ("held", 1));
}

#[tokio::test]
async fn a_row_is_ambiguous_while_the_provider_cannot_answer_about_a_similar_deposit_and_blocks_no_other() {
    let world = World::new();
    let recorded = without_hash(some("recorded"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    world.list(&recorded, true);
    let (similar, other) = (some("similar"), some("other").worth("7", USDC));
    world.list(&similar, true);
    world.list(&other, true);
    world.provider.set_replies([Reply::Honest, Reply::Fails(Disposition::Retry)]);
    let summary = world.reconcile().await;
    assert_eq!((summary.queued, summary.differing), (1, 1));
    assert_eq!((world.status(&similar), world.status(&other)), ("-", "confirmed"));
    // The next window overlaps with this one, and the provider answers again.
    world.run_for(minutes(15)).await;
    assert_eq!((world.status(&similar), credited(&world)), ("confirmed", 3));
}

#[tokio::test]
async fn deposits_of_the_same_account_name_in_another_organization_do_not_hide_a_similar_one() {
    let world = World::of(&["connect", "connect/acme"]);
    let recorded = without_hash(some("recorded"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    for nth in 0..150 {
        let theirs = some(&format!("theirs-{nth}")).of("connect/acme").worth("1", ETH);
        world.receive(theirs.webhook("confirmed", theirs.at));
    }
    world.list(&some("listed"), true);
    let summary = world.reconcile().await;
    assert_eq!((summary.queued, summary.differing), (0, 1));
}

#[tokio::test]
async fn an_accepted_row_is_queued_once_and_only_if_it_is_listed() {
    let world = World::new();
    let (recorded, listed) = (without_hash(some("recorded")), some("listed"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    world.list(&listed, true);
    assert_eq!(world.reconcile().await.differing, 1);

    let accept = async |id: &str| {
        let request = ReconcileRequest::AcceptDeposit(id.parse().expect("an id"));
        world.reconciler().answer(request, world.clock.now().plus(minutes(5))).await
    };
    let accepted = accept("deposit#connect#listed").await.expect("the deposit is listed");
    assert_eq!(accepted, ReconcileResponse::Accepted(AcceptedRows { accepted: listed.resource(), queued: 1 }));
    world.process_queues();
    assert_eq!((world.status(&listed), credited(&world)), ("confirmed", 2));
    // Accepted twice, it is recorded once.
    accept("deposit#connect#listed").await.expect("the deposit is listed");
    world.process_queues();
    assert_eq!(world.published(&listed.resource()), ["deposit.confirmed"]);

    for (id, why) in [
        ("deposit#connect#nowhere", "the provider does not list deposit#connect#nowhere"),
        ("deposit#connect/acme#listed", "no list that may contain deposits of connect/acme can be read"),
        ("deposit#striga#listed", "the provider does not list deposit#striga#listed"),
    ] {
        let error = accept(id).await.expect_err(id).to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

#[tokio::test]
async fn the_revision_of_an_hour_days_later_reports_only_new_ambiguities() {
    let world = World::new();
    world.reconcile().await;
    let arrived = at(NOON).plus(minutes(90));
    let similar =
        |id: &str, account: &str| TestDeposit { account: account.to_owned(), ..without_hash(deposit(id, arrived)) };
    for (recorded, account) in [("recorded", "CUST01"), ("recorded-too", "CUST02")] {
        world.receive(similar(recorded, account).webhook("confirmed", arrived));
    }
    world.list(&similar("listed", "CUST01"), true);
    world.clock.set(arrived);
    let mut reported = 0;
    for _ in 0..6 * 4 {
        world.clock.pass(minutes(15));
        reported += world.reconcile().await.differing;
    }
    assert!(reported > 0);
    // A day later, only the revision of its control totals reads that hour again.
    world.clock.pass(days(1));
    world.reconcile().await;
    world.list(&similar("listed-late", "CUST02"), true);
    let mut reported = 0;
    for _ in 0..3 * 24 {
        world.clock.pass(hours(1));
        reported += world.reconcile().await.differing;
    }
    assert_eq!(reported, 1);
    let contents = world.table.contents.now();
    let report = &contents.reports[&(transactions("connect"), at("2025-10-07T13:00:00Z"))];
    let ambiguous = report.discrepancies.iter().filter(|it| it.contains("is listed and not recorded"));
    assert_eq!(ambiguous.count(), 2, "the report has both: {:?}", report.discrepancies);
}
