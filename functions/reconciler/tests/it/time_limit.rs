//! A run stops before its deadline, the next one continues there, and no organization waits long for another.

use std::collections::BTreeSet;
use std::time::Duration;

use fundhook_domain::Timestamp;
use fundhook_ports::ListQuery;
use fundhook_ports::fakes::ListCall;

use crate::support::deposit::{TestDeposit, deposit};
use crate::support::{NOON, TIMEOUT, World, at, feed, hours, minutes, number, transactions};

/// Lists this many deposits of the organization, seconds apart.
fn list_many(world: &World, name: &str, count: u64) -> Vec<TestDeposit> {
    let now = world.clock.now().minus(minutes(20));
    let nth = |nth| deposit(&format!("{}-{nth}", name.replace('/', "-")), now.minus(Duration::from_secs(nth))).of(name);
    let all: Vec<TestDeposit> = (0..count).map(nth).collect();
    all.iter().for_each(|deposit| world.list(deposit, true));
    all
}

/// Makes each request for this organization take this many seconds.
fn slow(world: &World, name: &str, seconds: u64) {
    world.provider.now().takes.insert(feed(name), Duration::from_secs(seconds));
}

fn missing(world: &World, all: &[TestDeposit]) -> usize {
    all.iter().filter(|deposit| world.status(deposit) != "confirmed").count()
}

/// A run that begins at `at`, with its queues processed. Returns whether it ended in time.
async fn run_at(world: &World, at: Timestamp) -> bool {
    world.clock.set(at);
    // It fails if a provider does.
    let _ended = world.run().await;
    world.process_queues();
    world.clock.now() < at.plus(TIMEOUT)
}

/// The pages that `calls` requested to read this organization's list, without control totals.
fn pages(calls: &[ListCall], name: &str) -> Vec<u32> {
    let of_it = calls.iter().filter(|call| *call.list.feed() == feed(name));
    let number = |call: &ListCall| match &call.query {
        ListQuery::Dated { from, before, page } => (before.since(*from) != hours(1)).then(|| number(page)),
        ListQuery::Whole { .. } | ListQuery::Id(_) => None,
    };
    of_it.filter_map(number).collect()
}

#[tokio::test]
async fn a_run_stops_before_its_deadline_and_the_next_continues_with_the_next_page() {
    for seconds in [20, 45, 89] {
        let world = World::new();
        world.provider.now().page_size = 5;
        let all = list_many(&world, "connect", 60);
        slow(&world, "connect", seconds);
        let (mut calls, mut runs) = (Vec::new(), 0);
        while missing(&world, &all) > 0 {
            assert!(run_at(&world, at(NOON).plus(minutes(15) * runs)).await, "in time, at {seconds} s a page");
            runs += 1;
            assert!(runs < 15, "each run reads something");
            calls.extend(world.provider.take_calls());
        }
        assert!(runs > 1);
        assert_eq!(pages(&calls, "connect"), (1..=12).collect::<Vec<u32>>(), "each page once");
        assert!(world.watermark("connect").window.is_none());
    }
}

#[tokio::test]
async fn a_run_says_whether_it_is_complete() {
    let world = World::new();
    world.provider.now().page_size = 5;
    list_many(&world, "connect", 60);
    slow(&world, "connect", 60);
    let summary = world.run().await.expect("a run");
    assert!(!summary.complete && summary.pages < 12);
    slow(&world, "connect", 0);
    assert!(world.run().await.expect("a run").complete);
}

#[tokio::test]
async fn an_organization_whose_provider_fails_delays_no_other() {
    let world = World::of(&["connect", "connect/acme", "connect/bolt"]);
    let [connect, acme, bolt] = ["connect", "connect/acme", "connect/bolt"].map(|name| list_many(&world, name, 7));
    world.provider.now().unanswered.insert(feed("connect/acme"));
    for quarter in 0..3 {
        assert!(run_at(&world, at(NOON).plus(minutes(15) * quarter)).await);
        let left = [&connect, &acme, &bolt].map(|all| missing(&world, all));
        assert_eq!(left, [0, 7, 0], "run {quarter}");
    }
    world.provider.now().unanswered.clear();
    assert!(run_at(&world, at(NOON).plus(hours(1))).await);
    assert_eq!(missing(&world, &acme), 0);
}

#[tokio::test]
async fn an_organization_that_takes_all_the_time_starves_no_other() {
    let world = World::of(&["connect", "connect/acme", "connect/bolt"]);
    world.provider.now().page_size = 1;
    list_many(&world, "connect", 500);
    slow(&world, "connect", 60);
    let [acme, bolt] = ["connect/acme", "connect/bolt"].map(|name| list_many(&world, name, 7));
    // One of the runs in turn begins with each of them.
    for quarter in 0..3 {
        assert!(run_at(&world, at(NOON).plus(minutes(15) * quarter)).await);
    }
    assert_eq!([&acme, &bolt].map(|all| missing(&world, all)), [0, 0]);
    let read = world.watermark("connect").window.expect("it is not done").next_page;
    let read = number(&read);
    assert!(read > 3, "and the slow one gets on too: {read}");
}

#[tokio::test]
async fn an_endless_list_does_not_prevent_overdue_reports_and_control_totals_of_another_organization() {
    let world = World::of(&["connect", "connect/acme"]);
    run_at(&world, at(NOON)).await;
    let stuck = deposit("stuck", at(NOON)).of("connect/acme");
    world.send_webhook(&stuck, "submitted");
    let done = deposit("done", at(NOON).plus(hours(2))).of("connect/acme");
    world.clock.set(at(NOON).plus(hours(2)));
    world.send_webhook(&done, "confirmed");
    world.list(&done, true);

    world.clock.set(at(NOON).plus(hours(25)));
    world.provider.now().page_size = 1;
    list_many(&world, "connect", 500);
    slow(&world, "connect", 60);
    for quarter in 0..8 {
        assert!(run_at(&world, at(NOON).plus(hours(25)).plus(minutes(15) * quarter)).await);
    }
    assert_eq!(world.published(&stuck.resource()), ["deposit.submitted", "deposit.overdue"]);
    assert!(world.watermark("connect").window.is_some(), "the endless list is still being read");
    let contents = world.table.contents.now();
    let report = &contents.reports[&(transactions("connect/acme"), at(NOON).plus(hours(2)))];
    assert_eq!(report.lines[0].ours.count, 1);
}

#[tokio::test]
async fn every_overdue_deposit_is_asked_about_again_however_slow_the_provider_is() {
    for index_page in [100, 8] {
        let world = World::new();
        world.table.contents.now().index_page = index_page;
        run_at(&world, at(NOON)).await;
        let stuck: Vec<TestDeposit> = (0..20).map(|nth| deposit(&format!("stuck-{nth}"), at(NOON))).collect();
        stuck.iter().for_each(|deposit| world.send_webhook(deposit, "pending"));
        run_at(&world, at(NOON).plus(hours(25))).await;
        assert!(stuck.iter().all(|deposit| world.resource(&deposit.resource()).is_overdue()));
        slow(&world, "connect", 40);
        let mut asked = BTreeSet::new();
        world.provider.take_calls();
        for quarter in 1..=40 {
            assert!(run_at(&world, at(NOON).plus(hours(25)).plus(minutes(15) * quarter)).await, "in time");
            let calls = world.provider.take_calls().into_iter();
            asked.extend(calls.filter_map(|call| match call.query {
                ListQuery::Id(id) => Some(id),
                ListQuery::Dated { .. } | ListQuery::Whole { .. } => None,
            }));
        }
        assert_eq!(asked.len(), 20, "{index_page} to a page of the index");
    }
}

#[tokio::test]
async fn requests_about_single_deposits_stop_in_time_and_the_next_run_continues_with_others() {
    let world = World::new();
    run_at(&world, at(NOON)).await;
    let stuck: Vec<TestDeposit> = (0..20).map(|nth| deposit(&format!("stuck-{nth}"), at(NOON))).collect();
    stuck.iter().for_each(|deposit| world.send_webhook(deposit, "pending"));
    slow(&world, "connect", 30);
    let mut runs = 0;
    let overdue = |world: &World| stuck.iter().filter(|it| world.resource(&it.resource()).is_overdue()).count();
    while overdue(&world) < 20 {
        let before = overdue(&world);
        assert!(run_at(&world, at(NOON).plus(hours(30)).plus(minutes(15) * runs)).await, "in time");
        runs += 1;
        assert!(overdue(&world) > before, "the deposits that were asked about are reported, although others were not");
    }
    assert!(runs > 2);
}
