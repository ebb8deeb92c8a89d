//! A coin must not be credited twice: a row that might be about a deposit which is recorded under another id is left to
//! a person, and told of.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_reconciliation::AcceptedRows;
use reconciler::{ReconcileRequest, ReconcileResponse};

use crate::support::deposit::{ETH, TestDeposit, USDC, deposit};
use crate::support::provider::Reply;
use crate::support::{NOON, World, at, days, feed, hours, minutes};

/// How many deposits may be credited.
fn credited(world: &World) -> usize {
    world.table.contents.lock().receipts.len()
}

/// The deposit `id` of an hour before noon.
fn some(id: &str) -> TestDeposit {
    deposit(id, at(NOON).minus(hours(1)))
}

/// The same without a hash: nothing names its coin.
fn without_hash(deposit: TestDeposit) -> TestDeposit {
    TestDeposit { hash: String::new(), ..deposit }
}

#[tokio::test]
async fn what_may_be_credited_already_under_another_id_is_not_queued() {
    let listed = some("listed");
    for (name, recorded, is_listed_too, queued) in [
        ("worth the same, of the same user", without_hash(some("recorded")), false, 0),
        ("listed under its own id", without_hash(some("recorded")), true, 1),
        ("told from it by its coin", some("recorded"), false, 1),
        ("of another user", TestDeposit { account: "CUST02".to_owned(), ..without_hash(some("recorded")) }, false, 1),
        ("worth something else", without_hash(some("recorded")).worth("100.49", USDC), false, 1),
        ("of another asset", without_hash(some("recorded")).worth("100.5", ETH), false, 1),
        ("of another organization", without_hash(some("recorded")).of("connect/acme"), false, 1),
        ("by weeks apart", without_hash(some("recorded")).arriving(listed.at.minus(days(9))), false, 1),
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
        assert_eq!(credited(&world), credits, "{name}: nor later");
    }
}

#[tokio::test]
async fn where_each_coin_is_told_of_twice_a_row_without_a_transaction_is_not_queued() {
    for (zerohash_feeds, queued) in [(&[][..], 1), (&["zerohash/acme"][..], 1), (&["zerohash"][..], 0)] {
        let mut world = World::new();
        world.settings.zerohash_feeds = zerohash_feeds.iter().map(|name| feed(name)).collect::<BTreeSet<_>>();
        world.list(&without_hash(some("listed")), true);
        let summary = world.reconcile().await;
        assert_eq!((summary.queued, summary.differing), (queued, 1 - queued), "{zerohash_feeds:?}");
    }
}

#[tokio::test]
async fn nor_is_one_that_would_confirm_what_is_only_announced() {
    for (zerohash_feeds, identifies_its_coin, status) in
        [(&[][..], false, "confirmed"), (&["zerohash"][..], true, "confirmed"), (&["zerohash"][..], false, "submitted")]
    {
        let mut world = World::new();
        world.settings.zerohash_feeds = zerohash_feeds.iter().map(|name| feed(name)).collect::<BTreeSet<_>>();
        let announced = some("announced");
        world.receive(announced.webhook("submitted", announced.at));
        let listed = if identifies_its_coin { announced.clone() } else { without_hash(announced.clone()) };
        world.list(&listed, true);
        world.reconcile().await;
        // Nor when it is overdue, and asked for by its id.
        world.run_for(hours(30)).await;
        assert_eq!(world.status(&announced), status, "{zerohash_feeds:?}, names its coin: {identifies_its_coin}");

        // The other feed tells of the coin: it is credited once, whichever of the two it is.
        let other = announced.clone().with_id("fund").of("zerohash");
        world.receive(other.webhook("confirmed", announced.at));
        if !zerohash_feeds.is_empty() {
            assert_eq!(credited(&world), 1, "{zerohash_feeds:?}, names its coin: {identifies_its_coin}");
        }
    }
}

#[tokio::test]
async fn a_user_who_deposits_the_same_amount_again_and_again_loses_nothing() {
    let world = World::new();
    world.reconcile().await;
    let all: Vec<TestDeposit> =
        (0..12).map(|nth| deposit(&format!("daily-{nth}"), at(NOON).plus(hours(nth)))).collect();
    for (nth, deposit) in all.iter().enumerate() {
        // Every third webhook comes, and half of those name no transaction.
        let told = if nth % 6 == 0 { without_hash(deposit.clone()) } else { deposit.clone() };
        if nth % 3 == 0 {
            world.receive(told.webhook("confirmed", deposit.at));
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
async fn what_is_left_to_a_person_is_told_in_the_report_of_its_hour_and_holds_nothing_up() {
    let world = World::new();
    world.reconcile().await;
    let arrived = at(NOON).plus(minutes(90));
    let (recorded, listed) = (deposit("recorded", arrived), deposit("listed", arrived.plus(Duration::from_secs(5))));
    world.receive(without_hash(recorded).webhook("confirmed", arrived));
    world.list(&listed, true);
    world.clock.set(arrived);
    world.run_for(hours(6)).await;
    let contents = world.table.contents.lock();
    let report = &contents.reports[&(feed("connect"), at("2025-10-07T13:00:00Z"))];
    let sentence = "deposit#connect#listed is listed and not recorded, and may be deposit#connect#recorded";
    assert!(report.discrepancies.iter().any(|told| told == sentence), "{:?}", report.discrepancies);
    // One deposit under two ids, or two: what each party counts does not tell, and the sentences do.
    assert_eq!(report.lines[0].provider.deposits, 1);
    assert!(contents.reports.len() > 3, "{}", contents.reports.len());
}

#[tokio::test]
async fn a_row_that_was_listed_as_held_first_is_doubted_like_one_that_was_not() {
    let world = World::new();
    let recorded = without_hash(some("recorded"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    let listed = without_hash(some("listed"));
    world.list(&listed, false);
    world.reconcile().await;
    assert_eq!(world.status(&listed), "held", "what credits nothing is recorded as it is listed");
    world.list(&listed, true);
    world.run_for(hours(30)).await;
    assert_eq!((world.status(&listed), credited(&world)), ("held", 1));
}

#[tokio::test]
async fn what_the_provider_does_not_say_of_one_deposit_is_doubted_and_holds_nothing_up() {
    let world = World::new();
    let recorded = without_hash(some("recorded"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    world.list(&recorded, true);
    let (alike, other) = (some("alike"), some("other").worth("7", USDC));
    world.list(&alike, true);
    world.list(&other, true);
    world.provider.set_replies([Reply::Normal, Reply::Fails("it answers with a page of HTML")]);
    let summary = world.reconcile().await;
    assert_eq!((summary.queued, summary.differing), (1, 1));
    assert_eq!((world.status(&alike), world.status(&other)), ("-", "confirmed"));
    // The next window overlaps with this one, and the provider has come to itself.
    world.run_for(minutes(15)).await;
    assert_eq!((world.status(&alike), credited(&world)), ("confirmed", 3));
}

#[tokio::test]
async fn an_account_of_the_same_name_in_another_organization_crowds_nothing_out() {
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
async fn a_person_who_has_looked_has_the_row_queued() {
    let world = World::new();
    let (recorded, listed) = (without_hash(some("recorded")), some("listed"));
    world.receive(recorded.webhook("confirmed", recorded.at));
    world.list(&listed, true);
    assert_eq!(world.reconcile().await.differing, 1);

    let accept = async |id: &str| {
        let request = ReconcileRequest::AcceptDeposit(id.parse().expect("an id"));
        world.reconciler().answer(request, world.clock.now().plus(minutes(5))).await
    };
    let accepted = accept("deposit#connect#listed").await.expect("it is listed");
    assert_eq!(accepted, ReconcileResponse::Accepted(AcceptedRows { accepted: listed.resource(), queued: 1 }));
    world.process_queues();
    assert_eq!((world.status(&listed), credited(&world)), ("confirmed", 2));
    // Accepted again it is recorded once.
    accept("deposit#connect#listed").await.expect("it is listed");
    world.process_queues();
    assert_eq!(world.published(&listed.resource()), ["deposit.confirmed"]);

    for (id, why) in [
        ("deposit#connect#nowhere", "the provider does not list deposit#connect#nowhere"),
        ("deposit#connect/acme#listed", "the list of connect/acme cannot be read"),
        ("deposit#striga#listed", "the provider does not list deposit#striga#listed"),
    ] {
        let error = accept(id).await.expect_err(id).to_string();
        assert!(error.starts_with(why), "{error}");
    }
}

#[tokio::test]
async fn what_a_person_was_told_of_is_not_told_again_days_later_and_what_is_new_by_then_is() {
    let world = World::new();
    world.reconcile().await;
    let arrived = at(NOON).plus(minutes(90));
    let alike =
        |id: &str, account: &str| TestDeposit { account: account.to_owned(), ..without_hash(deposit(id, arrived)) };
    for (recorded, account) in [("recorded", "CUST01"), ("recorded-too", "CUST02")] {
        world.receive(alike(recorded, account).webhook("confirmed", arrived));
    }
    world.list(&alike("listed", "CUST01"), true);
    world.clock.set(arrived);
    let mut told = 0;
    for _ in 0..6 * 4 {
        world.clock.pass(minutes(15));
        told += world.reconcile().await.differing;
    }
    assert!(told > 0);
    // A day later nobody reads of that hour but who adds it up once more.
    world.clock.pass(days(1));
    world.reconcile().await;
    world.list(&alike("listed-late", "CUST02"), true);
    let mut told = 0;
    for _ in 0..3 * 24 {
        world.clock.pass(hours(1));
        told += world.reconcile().await.differing;
    }
    assert_eq!(told, 1);
    let contents = world.table.contents.lock();
    let report = &contents.reports[&(feed("connect"), at("2025-10-07T13:00:00Z"))];
    let doubted = report.discrepancies.iter().filter(|told| told.contains("is listed and not recorded"));
    assert_eq!(doubted.count(), 2, "the report has both: {:?}", report.discrepancies);
}
